package recordbatch

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"
	"slices"
)

const (
	// maxKept is the largest buffer that a Builder uses again, so that one huge
	// record does not cost its memory for ever.
	maxKept = 1 << 20
	// exactFrom is the record size from which a buffer is made as large as what is
	// to come and no larger.
	exactFrom = 256 << 10
)

// Builder makes one batch after another, reusing its memory. The zero value is
// ready for use.
type Builder struct {
	buf            []byte
	count          int32
	firstTimestamp int64
	maxTimestamp   int64

	// of the record that was begun
	start     int // in buf
	head      int // bytes kept free for what comes before the value
	key       []byte
	timestamp int64
	last      int // bytes of the last value: the next one has about as many
}

// Reset begins a new, empty batch and invalidates what Finish returned. The
// buffer of a large batch is dropped.
func (b *Builder) Reset() {
	b.buf = b.buf[:0]
	if cap(b.buf) > maxKept {
		b.buf, b.last = nil, 0
	}
	b.count = 0
}

// Count returns the number of records in the batch so far.
func (b *Builder) Count() int { return int(b.count) }

// Size returns the bytes of the batch so far; 0 if it has no record.
func (b *Builder) Size() int { return len(b.buf) }

// Append adds a record, copying key and value; nil is Kafka's null. The caller
// keeps the batch within [MaxSize].
func (b *Builder) Append(timestampMillis int64, key, value []byte) {
	dst := b.Begin(timestampMillis, key, len(value))
	if value == nil {
		b.End(nil)
		return
	}
	b.End(append(dst, value...))
}

// Begin begins a record whose value the caller appends to the returned bytes;
// what that gave is for End, before anything else is done with the Builder. So
// a value is written once, in the place where it stays. room is the bytes to
// make room for; if more come, what is there may be copied. The key must not
// change before End.
func (b *Builder) Begin(timestampMillis int64, key []byte, room int) []byte {
	if b.count == 0 {
		b.buf = append(b.buf[:0], make([]byte, HeaderSize)...)
		b.firstTimestamp, b.maxTimestamp = timestampMillis, timestampMillis
	}
	b.maxTimestamp = max(b.maxTimestamp, timestampMillis)
	b.start, b.key, b.timestamp = len(b.buf), key, timestampMillis
	b.head = b.headSize(max(room, b.last))
	b.grow(b.head + room + 1)
	return b.buf[:b.start+b.head]
}

// End ends the record that was begun. dst is what Begin returned with the value
// appended; nil makes the value Kafka's null.
func (b *Builder) End(dst []byte) {
	n := -1 // of a null value
	if dst == nil {
		dst = b.buf[:b.start+b.head]
	} else {
		n = len(dst) - b.start - b.head
		b.last = n
	}
	if head := b.headSize(n); head != b.head {
		dst = shift(dst, b.start+b.head, head-b.head)
	}
	b.putHead(dst[:b.start], n)
	b.buf = append(dst, 0) // no headers
	b.key = nil
	b.count++
}

// headSize returns the bytes of a record before a value of n bytes, -1 if null.
func (b *Builder) headSize(n int) int {
	size := b.size(n)
	return varintSize(int64(size)) + size - max(n, 0) - 1
}

// size returns what a record with a value of n bytes says of its own size.
func (b *Builder) size(n int) int {
	return 1 + varintSize(b.timestamp-b.firstTimestamp) + varintSize(int64(b.count)) +
		bytesSize(b.key) + varintSize(int64(n)) + max(n, 0) + 1
}

// putHead writes what comes before a value of n bytes behind dst, where there
// is room for it.
func (b *Builder) putHead(dst []byte, n int) {
	dst = binary.AppendVarint(dst, int64(b.size(n)))
	dst = append(dst, 0) // attributes: none are defined
	dst = binary.AppendVarint(dst, b.timestamp-b.firstTimestamp)
	dst = binary.AppendVarint(dst, int64(b.count))
	dst = appendBytes(dst, b.key)
	binary.AppendVarint(dst, int64(n))
}

// grow makes room for n more bytes, and for no more if they are many.
func (b *Builder) grow(n int) {
	if cap(b.buf)-len(b.buf) >= n {
		return
	}
	if n < exactFrom {
		b.buf = slices.Grow(b.buf, n)
		return
	}
	exact := make([]byte, len(b.buf), len(b.buf)+n)
	copy(exact, b.buf)
	b.buf = exact
}

// shift moves what lies in b from at on by n bytes.
func shift(b []byte, at, n int) []byte {
	size := len(b)
	if n > 0 {
		b = slices.Grow(b, n)
	}
	b = b[:size+n]
	copy(b[at+n:], b[at:size])
	return b
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
