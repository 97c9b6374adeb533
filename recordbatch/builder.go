package recordbatch

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"
)

// Builder makes one batch after another, reusing its memory. The zero value is
// ready for use.
type Builder struct {
	buf            []byte
	count          int32
	firstTimestamp int64
	maxTimestamp   int64
}

// Reset begins a new, empty batch and invalidates what Finish returned.
func (b *Builder) Reset() {
	b.buf = b.buf[:0]
	b.count = 0
}

// Count returns the number of records in the batch so far.
func (b *Builder) Count() int { return int(b.count) }

// Size returns the bytes of the batch so far; 0 if it has no record.
func (b *Builder) Size() int { return len(b.buf) }

// Append adds a record, copying key and value; nil is Kafka's null. The caller
// keeps the batch within [MaxSize].
func (b *Builder) Append(timestampMillis int64, key, value []byte) {
	if b.count == 0 {
		b.buf = append(b.buf[:0], make([]byte, HeaderSize)...)
		b.firstTimestamp, b.maxTimestamp = timestampMillis, timestampMillis
	}
	b.maxTimestamp = max(b.maxTimestamp, timestampMillis)

	timestampDelta := timestampMillis - b.firstTimestamp
	size := 1 + varintSize(timestampDelta) + varintSize(int64(b.count)) +
		bytesSize(key) + bytesSize(value) + 1
	b.buf = binary.AppendVarint(b.buf, int64(size))
	b.buf = append(b.buf, 0) // attributes: none are defined
	b.buf = binary.AppendVarint(b.buf, timestampDelta)
	b.buf = binary.AppendVarint(b.buf, int64(b.count))
	b.buf = appendBytes(b.buf, key)
	b.buf = appendBytes(b.buf, value)
	b.buf = append(b.buf, 0) // no headers
	b.count++
}

// Finish writes the header and returns the whole batch, with base offset 0 and
// a right checksum, valid until Reset. It returns nil if there is no record.
func (b *Builder) Finish() []byte {
	if b.count == 0 {
		return nil
	}
	h := b.buf[:HeaderSize]
	clear(h)
	binary.BigEndian.PutUint32(h[atBatchLength:], uint32(len(b.buf)-lengthOverhead))
	h[atMagic] = magic2
	binary.BigEndian.PutUint32(h[atLastOffsetDelta:], uint32(b.count-1))
	binary.BigEndian.PutUint64(h[atBaseTimestamp:], uint64(b.firstTimestamp))
	binary.BigEndian.PutUint64(h[atMaxTimestamp:], uint64(b.maxTimestamp))
	for i := atProducerID; i < atCount; i++ {
		h[i] = 0xff // producer ID, epoch and sequence -1: no idempotent producer
	}
	binary.BigEndian.PutUint32(h[atCount:], uint32(b.count))
	binary.BigEndian.PutUint32(h[atCRC:], crc32.Checksum(b.buf[atAttributes:], castagnoli))
	return b.buf
}

func varintSize(v int64) int {
	zigzag := uint64(v<<1) ^ uint64(v>>63)
	return (bits.Len64(zigzag|1) + 6) / 7
}

func bytesSize(b []byte) int {
	if b == nil {
		return 1
	}
	return varintSize(int64(len(b))) + len(b)
}

func appendBytes(dst, b []byte) []byte {
	if b == nil {
		return binary.AppendVarint(dst, -1)
	}
	dst = binary.AppendVarint(dst, int64(len(b)))
	return append(dst, b...)
}
