// Package cursor takes the little-endian fields of binlog events off the front
// of their bytes.
//
// A [Cursor] is a value of one goroutine. It never panics: after the first read
// beyond the end, Err is set and every field is zero, so that a parser checks
// once for several reads.
package cursor

import (
	"encoding/binary"
	"io"
)

// Cursor is what is left of the bytes.
type Cursor struct {
	B   []byte
	Err error
}

// Fail says that the bytes do not have the form that was expected.
func (r *Cursor) Fail() { r.B, r.Err = nil, io.ErrUnexpectedEOF }

// Bytes takes the next n bytes, which alias B.
func (r *Cursor) Bytes(n int) []byte {
	if r.Err != nil || n < 0 || n > len(r.B) {
		r.Fail()
		return nil
	}
	b := r.B[:n:n]
	r.B = r.B[n:]
	return b
}

// U8 reads one byte.
func (r *Cursor) U8() byte {
	if b := r.Bytes(1); b != nil {
		return b[0]
	}
	return 0
}

// U16, U32 and U64 read integers of as many bits.
func (r *Cursor) U16() uint16 { return uint16(r.Uint(2)) }
func (r *Cursor) U32() uint32 { return uint32(r.Uint(4)) }
func (r *Cursor) U64() uint64 { return r.Uint(8) }

// Uint reads an integer of n ≤ 8 bytes.
func (r *Cursor) Uint(n int) uint64 { return LittleEndian(r.Bytes(n)) }

// LittleEndian returns the number in up to 8 bytes.
func LittleEndian(b []byte) uint64 {
	switch len(b) {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.LittleEndian.Uint16(b))
	case 4:
		return uint64(binary.LittleEndian.Uint32(b))
	case 8:
		return binary.LittleEndian.Uint64(b)
	}
	var n uint64
	for i := len(b) - 1; i >= 0; i-- {
		n = n<<8 | uint64(b[i])
	}
	return n
}

// BigEndian returns the number in up to 8 big-endian bytes.
func BigEndian(b []byte) uint64 {
	var n uint64
	for _, x := range b {
		n = n<<8 | uint64(x)
	}
	return n
}

// Lenenc reads the protocol's length-encoded integer.
func (r *Cursor) Lenenc() uint64 {
	switch n := r.U8(); n {
	case 0xfc:
		return r.Uint(2)
	case 0xfd:
		return r.Uint(3)
	case 0xfe:
		return r.Uint(8)
	case 0xfb, 0xff: // NULL and an error packet, where these may stand
		r.Fail()
		return 0
	default:
		return uint64(n)
	}
}

// LenencInt reads a length-encoded integer that counts bytes or things that
// take at least a bit each, so it cannot exceed 8 × what is left.
func (r *Cursor) LenencInt() int {
	n := r.Lenenc()
	if n > uint64(len(r.B))*8 {
		r.Fail()
		return 0
	}
	return int(n)
}

// LenencBytes takes the bytes behind their length-encoded length.
func (r *Cursor) LenencBytes() []byte { return r.Bytes(r.LenencInt()) }

// Varint reads the variable-length integer of mysql::serialization: the ones
// at the low end of the first byte count the bytes that follow.
func (r *Cursor) Varint() uint64 {
	if r.Err != nil || len(r.B) == 0 {
		r.Fail()
		return 0
	}
	n := 1
	for first := r.B[0]; first&1 == 1; first >>= 1 {
		n++
	}
	if n == 9 {
		r.Bytes(1)
		return r.U64()
	}
	return r.Uint(n) >> n
}

// Svarint reads the signed form: the lowest bit is the sign.
func (r *Cursor) Svarint() int64 {
	v := r.Varint()
	if v&1 == 1 {
		return -1 - int64(v>>1)
	}
	return int64(v >> 1)
}
