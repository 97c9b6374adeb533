package store

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/klauspost/compress/s2"
)

// The first byte of a stored batch.
const (
	encodingPlain  = 0
	encodingS2     = 1
	encodingPieces = 2
)

// encodeBatch writes the stored form of a batch over dst.
func encodeBatch(dst, batch []byte) []byte {
	limit := 1 + s2.MaxEncodedLen(len(batch))
	if cap(dst) < limit {
		dst = make([]byte, limit)
	}
	dst = dst[:limit]
	packed := s2.Encode(dst[1:], batch)
	if len(packed) < len(batch) {
		dst[0] = encodingS2
		return dst[:1+len(packed)]
	}
	dst[0] = encodingPlain
	return append(dst[:1], batch...)
}

// decodedSize returns the bytes that appendDecoded will append.
func decodedSize(stored []byte) (int, error) {
	if len(stored) == 0 {
		return 0, fmt.Errorf("%w: empty batch", ErrCorrupt)
	}
	switch stored[0] {
	case encodingPlain:
		return len(stored) - 1, nil
	case encodingS2:
		n, err := s2.DecodedLen(stored[1:])
		if err != nil {
			return 0, fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		return n, nil
	case encodingPieces:
		h, err := decodePieces(stored)
		return int(h.plain), err
	}
	return 0, fmt.Errorf("%w: batch encoding %d", ErrCorrupt, stored[0])
}

// appendStored appends the batch at base whose stored form is given and whose
// decodedSize is size.
func (p *Partition) appendStored(dst []byte, base int64, stored []byte, size int) ([]byte, error) {
	if stored[0] != encodingPieces {
		return appendDecoded(dst, stored, size)
	}
	h, err := decodePieces(stored)
	if err != nil {
		return dst, err
	}
	return p.appendPieces(dst, base, h)
}

// storedSize returns how many bytes a batch takes whose stored form is given.
func storedSize(stored []byte) uint64 {
	size := uint64(len(stored))
	if stored[0] == encodingPieces {
		h, _ := decodePieces(stored) // decodedSize has told what is wrong
		size += h.stored
	}
	return size
}

// appendDecoded appends what encodeBatch was given.
func appendDecoded(dst, stored []byte, size int) ([]byte, error) {
	if stored[0] == encodingPlain {
		return append(dst, stored[1:]...), nil
	}
	start := len(dst)
	dst = grow(dst, size)
	if _, err := s2.Decode(dst[start:start+size], stored[1:]); err != nil {
		return dst[:start], fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return dst[:start+size], nil
}

// grow makes room for n more bytes without clearing them.
func grow(dst []byte, n int) []byte {
	if cap(dst)-len(dst) >= n {
		return dst[:len(dst)+n]
	}
	bigger := make([]byte, len(dst)+n, max(len(dst)+n, 2*cap(dst)))
	copy(bigger, dst)
	return bigger
}

// indexEntry is what is known of a batch without reading it: how the log is
// searched by time and measured by size.
type indexEntry struct {
	lastOffsetDelta int32
	appendedAt      int64  // by the clock of retention, milliseconds
	maxTimestamp    int64  // of the batch's records, milliseconds
	highest         int64  // largest maxTimestamp up to and including this batch
	storedEnd       uint64 // stored bytes of all batches ever, up to and including this one
	plainEnd        uint64 // the same, uncompressed
}

// isGap tells whether the batch stands for records that a repair could not save.
func (e indexEntry) isGap() bool { return e.maxTimestamp == math.MinInt64 }

const indexEntrySize = 4 + 5*8

func (e indexEntry) encode() []byte {
	b := make([]byte, 0, indexEntrySize)
	b = binary.BigEndian.AppendUint32(b, uint32(e.lastOffsetDelta))
	for _, v := range []uint64{uint64(e.appendedAt), uint64(e.maxTimestamp), uint64(e.highest), e.storedEnd, e.plainEnd} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return b
}

func decodeIndexEntry(b []byte) (indexEntry, error) {
	if len(b) != indexEntrySize {
		return indexEntry{}, fmt.Errorf("%w: index entry of %d bytes", ErrCorrupt, len(b))
	}
	at := func(i int) uint64 { return binary.BigEndian.Uint64(b[4+8*i:]) }
	return indexEntry{
		lastOffsetDelta: int32(binary.BigEndian.Uint32(b)),
		appendedAt:      int64(at(0)),
		maxTimestamp:    int64(at(1)),
		highest:         int64(at(2)),
		storedEnd:       at(3),
		plainEnd:        at(4),
	}, nil
}

// logStart is where a partition's log begins, and what was before it.
type logStart struct {
	offset int64
	stored uint64 // stored bytes of all batches before offset
	plain  uint64 // the same, uncompressed
}

func (l logStart) encode() []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(l.offset))
	b = binary.BigEndian.AppendUint64(b, l.stored)
	return binary.BigEndian.AppendUint64(b, l.plain)
}

func decodeLogStart(b []byte) (logStart, error) {
	if len(b) != 24 {
		return logStart{}, fmt.Errorf("%w: log start of %d bytes", ErrCorrupt, len(b))
	}
	return logStart{
		offset: int64(binary.BigEndian.Uint64(b)),
		stored: binary.BigEndian.Uint64(b[8:]),
		plain:  binary.BigEndian.Uint64(b[16:]),
	}, nil
}
