package rowevent

import (
	"encoding/binary"
	"errors"
)

// ErrCorrupt says that bytes of an event do not have the form that the event's
// type and the table map demand.
var ErrCorrupt = errors.New("corrupt binlog event")

// cursor reads a byte slice from its front. A read past the end sets short and
// returns zeros, so that a parser checks once for several reads.
type cursor struct {
	b     []byte
	short bool
}

// take returns the next n bytes, nil when there are fewer.
func (c *cursor) take(n int) []byte {
	if n < 0 || n > len(c.b) {
		c.short, c.b = true, nil
		return nil
	}
	b := c.b[:n:n]
	c.b = c.b[n:]
	return b
}

func (c *cursor) byte() byte {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

// uint reads an n-byte little-endian number, n ≤ 8.
func (c *cursor) uint(n int) uint64 {
	return littleEndian(c.take(n))
}

// lenenc reads MySQL's length-encoded integer.
func (c *cursor) lenenc() uint64 {
	switch n := c.byte(); n {
	case 0xfc:
		return c.uint(2)
	case 0xfd:
		return c.uint(3)
	case 0xfe:
		return c.uint(8)
	case 0xfb, 0xff:
		c.short, c.b = true, nil
		return 0
	default:
		return uint64(n)
	}
}

// lenencInt reads a length-encoded integer that counts bytes or things that
// take at least a bit each, so it cannot exceed 8 × what is left.
func (c *cursor) lenencInt() int {
	n := c.lenenc()
	if n > uint64(len(c.b))*8 {
		c.short, c.b = true, nil
		return 0
	}
	return int(n)
}

// lenencBytes reads bytes with their length-encoded length before them.
func (c *cursor) lenencBytes() []byte { return c.take(c.lenencInt()) }

// littleEndian returns the number in up to 8 little-endian bytes.
func littleEndian(b []byte) uint64 {
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

// bigEndian returns the number in up to 8 big-endian bytes.
func bigEndian(b []byte) uint64 {
	var n uint64
	for _, x := range b {
		n = n<<8 | uint64(x)
	}
	return n
}

// bitmap is a bit per thing, the lowest bit of the first byte first.
type bitmap []byte

func (m bitmap) has(i int) bool { return m[i>>3]&(1<<(i&7)) != 0 }

// count returns how many of the first n bits are set.
func (m bitmap) count(n int) int {
	c := 0
	for i := range n {
		if m.has(i) {
			c++
		}
	}
	return c
}

func bitmapSize(bits int) int { return (bits + 7) / 8 }
