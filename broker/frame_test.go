package broker

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"
)

// pieces gives its bytes in steps, as a socket does.
type pieces struct {
	rest []byte
	step int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), p.step)], p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// FuzzFrames reads frames from any bytes, in any pieces, until one is not
// whole or above the limit: each is what its length says, its header and the
// rest are all of it, and no more than twice the bytes that came, and two steps
// of growth, are allocated.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x0c\x00\x03\x00\x01\x00\x00\x00\x07\x00\x02ab\x00\x00\x00\x00"), uint16(100), byte(3))
	f.Add([]byte("\x00\x00\x00\x0a\x00\x12\x00\x00\x00\x00\x00\x07\xff\xff"), uint16(10), byte(0))
	f.Add([]byte("\x00\x00\xff\xff\x00\x12\x00\x00"), uint16(65535), byte(200))
	f.Add([]byte("\xff\xff\xff\xff"), uint16(65535), byte(1))
	f.Fuzz(func(t *testing.T, b []byte, limit uint16, step byte) {
		for len(b) > 0 {
			var size int
			var frame []byte
			var err error
			const errorText = 1024
			Allocates(t, 2*len(b)+2*growStep+errorText, func() {
				r := &pieces{b, int(step) + 1}
				if size, err = readSize(r, int(limit)); err == nil {
					frame, err = readBody(r, nil, size)
				}
			})
			whole := len(b) >= 4 && uint64(binary.BigEndian.Uint32(b)) <= min(uint64(limit), uint64(len(b)-4))
			if (err == nil) != whole {
				t.Fatalf("%v for a frame that begins %.20x, of %d bytes, limit %d", err, b, len(b), limit)
			}
			if err != nil {
				return
			}
			if size != len(frame) || !bytes.Equal(frame, b[4:4+size]) {
				t.Fatalf("read %x of %x", frame, b)
			}
			checkHeader(t, frame)
			b = b[4+size:]
		}
	})
}

// checkHeader parses a frame's header and puts it together again.
func checkHeader(t *testing.T, frame []byte) {
	t.Helper()
	h, rest, err := parseHeader(frame)
	if err != nil {
		return
	}
	again := binary.BigEndian.AppendUint16(nil, uint16(h.key))
	again = binary.BigEndian.AppendUint16(again, uint16(h.version))
	again = binary.BigEndian.AppendUint32(again, uint32(h.correlation))
	again = append(append(again, frame[8:10]...), h.clientID...)
	if n := int16(binary.BigEndian.Uint16(frame[8:])); n >= 0 && int(n) != len(h.clientID) {
		t.Fatalf("client ID %q of %x", h.clientID, frame)
	}
	if !bytes.Equal(append(again, rest...), frame) {
		t.Fatalf("%x was read as %+v and %x", frame, h, rest)
	}
}
