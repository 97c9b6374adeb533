// Package recordbatch builds, reads and converts Kafka record batches.
//
// A batch is the unit in which records are stored and served: format version 2
// ("magic 2", KIP-98), uncompressed, with create-time timestamps, no headers,
// no producer ID and leader epoch 0. [Builder] makes one, [ParseHeader],
// [Verify] and [Records] read one, [SetBaseOffset] places a finished one in the
// log without touching its checksum, and [AppendMessageSet] turns batches into
// the message sets that clients older than Kafka 0.11 read.
//
// On the way to a client, a [Compressor] packs them.
//
// The reading functions take bytes that were stored or sent and never trust
// them: they return an error wrapping [ErrInvalid], never panic, and allocate
// nothing in proportion to a length that the bytes only claim.
//
// A Builder belongs to one goroutine. The functions keep no state and may be
// called from any goroutine.
package recordbatch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// HeaderSize is the number of bytes before a batch's first record.
const HeaderSize = 61

// MaxSize is the largest batch in bytes whose length its own header can state.
const MaxSize = 12 + 1<<31 - 1

// The byte offsets of a batch's header fields, all big endian:
// https://kafka.apache.org/documentation/#recordbatch
const (
	atBaseOffset      = 0
	atBatchLength     = 8 // counts the bytes after itself
	atLeaderEpoch     = 12
	atMagic           = 16
	atCRC             = 17 // CRC32C of everything after itself
	atAttributes      = 21
	atLastOffsetDelta = 23
	atBaseTimestamp   = 27
	atMaxTimestamp    = 35
	atProducerID      = 43
	atProducerEpoch   = 51
	atBaseSequence    = 53
	atCount           = 57

	lengthOverhead = atBatchLength + 4
	magic2         = 2

	compressionMask = 0x07
)

// ErrInvalid is wrapped by every error about bytes that are no whole, plain
// record batch.
var ErrInvalid = errors.New("invalid record batch")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Header is what a batch says about itself before its records.
type Header struct {
	BaseOffset      int64
	Length          int // bytes of the whole batch, header included
	LeaderEpoch     int32
	CRC             uint32
	Attributes      int16
	LastOffsetDelta int32
	FirstTimestamp  int64 // milliseconds since the Unix epoch
	MaxTimestamp    int64 // milliseconds since the Unix epoch
	Count           int   // records
}

// NextOffset returns the offset after the batch's last record.
func (h Header) NextOffset() int64 { return h.BaseOffset + int64(h.LastOffsetDelta) + 1 }

// ParseHeader reads the header of the batch that b begins with. It checks that
// the whole batch lies in b and that its counts are possible, not its checksum.
func ParseHeader(b []byte) (Header, error) {
	if len(b) < HeaderSize {
		return Header{}, fmt.Errorf("%w: %d bytes are less than a header", ErrInvalid, len(b))
	}
	if b[atMagic] != magic2 {
		return Header{}, fmt.Errorf("%w: magic %d", ErrInvalid, int8(b[atMagic]))
	}
	h := Header{
		BaseOffset:      int64(binary.BigEndian.Uint64(b[atBaseOffset:])),
		Length:          lengthOverhead + int(int32(binary.BigEndian.Uint32(b[atBatchLength:]))),
		LeaderEpoch:     int32(binary.BigEndian.Uint32(b[atLeaderEpoch:])),
		CRC:             binary.BigEndian.Uint32(b[atCRC:]),
		Attributes:      int16(binary.BigEndian.Uint16(b[atAttributes:])),
		LastOffsetDelta: int32(binary.BigEndian.Uint32(b[atLastOffsetDelta:])),
		FirstTimestamp:  int64(binary.BigEndian.Uint64(b[atBaseTimestamp:])),
		MaxTimestamp:    int64(binary.BigEndian.Uint64(b[atMaxTimestamp:])),
		Count:           int(int32(binary.BigEndian.Uint32(b[atCount:]))),
	}
	if h.Length < HeaderSize || h.Length > len(b) {
		return Header{}, fmt.Errorf("%w: length %d, %d bytes given", ErrInvalid, h.Length, len(b))
	}
	// How many records a compressed batch can hold is not to be seen.
	tooMany := h.Attributes&compressionMask == 0 && h.Count > (h.Length-HeaderSize)/minRecordSize
	if h.Count < 0 || tooMany || h.LastOffsetDelta < 0 {
		return Header{}, fmt.Errorf("%w: %d records, last offset delta %d, in %d bytes", ErrInvalid, h.Count, h.LastOffsetDelta, h.Length)
	}
	return h, nil
}

// Verify reads the header of the batch that b begins with and checks its
// checksum.
func Verify(b []byte) (Header, error) {
	h, err := ParseHeader(b)
	if err != nil {
		return Header{}, err
	}
	if got := crc32.Checksum(b[atAttributes:h.Length], castagnoli); got != h.CRC {
		return Header{}, fmt.Errorf("%w: checksum is %08x, its bytes give %08x", ErrInvalid, h.CRC, got)
	}
	return h, nil
}

// SetBaseOffset writes the offset of the batch's first record. Base offset lies
// outside the checksum, so the batch stays valid.
func SetBaseOffset(b []byte, offset int64) {
	binary.BigEndian.PutUint64(b[atBaseOffset:], uint64(offset))
}
