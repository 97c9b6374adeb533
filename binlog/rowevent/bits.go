package rowevent

import "errors"

// ErrCorrupt says that bytes of an event do not have the form that the event's
// type and the table map demand.
var ErrCorrupt = errors.New("corrupt binlog event")

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
