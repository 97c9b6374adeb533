package broker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

const (
	// maxFrameBeforeLogin bounds a request of a stranger.
	maxFrameBeforeLogin = 8 << 10
	// smallFrame is the largest request whose buffer is pooled, and which does
	// not count as one of largeFrames.
	smallFrame = 16 << 10
	// growStep is how far a buffer may run ahead of the bytes that came.
	growStep = 16 << 10
)

var errBadFrame = errors.New("not a Kafka request")

// readSize reads a frame's length and checks it against limit.
func readSize(r io.Reader, limit int) (int, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if uint64(n) > uint64(limit) {
		return 0, fmt.Errorf("%w: it says it has %d bytes; the limit is %d", errBadFrame, n, limit)
	}
	return int(n), nil
}

// readBody reads size bytes into buf, which grows with what comes and not with
// what was announced.
func readBody(r io.Reader, buf []byte, size int) ([]byte, error) {
	buf = buf[:0]
	for len(buf) < size {
		have := len(buf)
		n := min(size-have, max(have, growStep))
		buf = slices.Grow(buf, n)[:have+n]
		if _, err := io.ReadFull(r, buf[have:]); err != nil {
			return nil, err
		}
	}
	return buf, nil
}

// header is a request's header, version 1 or 2; version 0 is not in use by
// any API that is served.
type header struct {
	key, version int16
	correlation  int32
	clientID     string
}

// parseHeader splits a frame into the part of the header that all versions
// share, and the rest.
func parseHeader(b []byte) (header, []byte, error) {
	if len(b) < 10 {
		return header{}, nil, fmt.Errorf("%w: %d bytes hold no header", errBadFrame, len(b))
	}
	h := header{
		key:         int16(binary.BigEndian.Uint16(b)),
		version:     int16(binary.BigEndian.Uint16(b[2:])),
		correlation: int32(binary.BigEndian.Uint32(b[4:])),
	}
	n := int(int16(binary.BigEndian.Uint16(b[8:])))
	b = b[10:]
	if n < 0 { // a null client ID
		return h, b, nil
	}
	if n > len(b) {
		return header{}, nil, errCutOff
	}
	h.clientID = string(b[:n])
	return h, b[n:], nil
}

// noTag is no tag's key.
const noTag = -1

// uvarint reads an unsigned varint of at most 31 bits.
func uvarint(b []byte) (int, []byte, error) {
	v, n := binary.Uvarint(b[:min(len(b), 5)])
	if n <= 0 || v > 1<<31-1 {
		return 0, nil, fmt.Errorf("%w: a bad varint", errBadFrame)
	}
	return int(v), b[n:], nil
}
