package binlog

import (
	"encoding/binary"
	"io"
)

// reader takes little-endian fields off the front of an event's body. After
// the first short read err is set and everything is zero.
type reader struct {
	b   []byte
	err error
}

func (r *reader) bytes(n int) []byte {
	if r.err != nil || n < 0 || n > len(r.b) {
		r.err = io.ErrUnexpectedEOF
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) u8() byte {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) u16() uint16 { return uint16(r.uint(2)) }
func (r *reader) u32() uint32 { return uint32(r.uint(4)) }
func (r *reader) u64() uint64 { return r.uint(8) }

// uint reads an integer of n ≤ 8 bytes.
func (r *reader) uint(n int) uint64 {
	var w [8]byte
	copy(w[:], r.bytes(n))
	return binary.LittleEndian.Uint64(w[:])
}

// lenenc reads the protocol's length-encoded integer.
func (r *reader) lenenc() uint64 {
	switch n := r.u8(); n {
	case 0xfc:
		return r.uint(2)
	case 0xfd:
		return r.uint(3)
	case 0xfe:
		return r.uint(8)
	default:
		return uint64(n)
	}
}

// varint reads the variable-length integer of mysql::serialization: the ones
// at the low end of the first byte count the bytes that follow.
func (r *reader) varint() uint64 {
	if r.err != nil || len(r.b) == 0 {
		r.err = io.ErrUnexpectedEOF
		return 0
	}
	n := 1
	for first := r.b[0]; first&1 == 1; first >>= 1 {
		n++
	}
	if n == 9 {
		r.bytes(1)
		return r.u64()
	}
	return r.uint(n) >> n
}

// svarint reads the signed form: the lowest bit is the sign.
func (r *reader) svarint() int64 {
	v := r.varint()
	if v&1 == 1 {
		return -1 - int64(v>>1)
	}
	return int64(v >> 1)
}
