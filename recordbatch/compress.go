package recordbatch

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
)

// Compression names how the records of a batch or message set are packed.
type Compression string

// The compressions that Kafka knows.
const (
	None   Compression = "none"
	Gzip   Compression = "gzip"
	Snappy Compression = "snappy"
	LZ4    Compression = "lz4"
	Zstd   Compression = "zstd" // for clients of Fetch version 10 and above (KIP-110)
)

// number returns what stands for c in the attributes of batches and messages;
// 0 for none, and for what is no compression.
func (c Compression) number() byte {
	switch c {
	case Gzip:
		return 1
	case Snappy:
		return 2
	case LZ4:
		return 3
	case Zstd:
		return 4
	}
	return 0
}

// inMessageSets tells whether the clients of message sets can read c: zstd is
// younger than they, and lz4 had a wrong checksum in the framing of magic 0,
// which clients came to expect (KAFKA-3160).
func (c Compression) inMessageSets(magic int8) bool {
	return c == Gzip || c == Snappy || c == LZ4 && magic == 1
}

// Compressor packs batches and message sets. It keeps memory for each
// compression that it was used for, together about 3 MB. The zero value is ready for use by one goroutine at a time.
type Compressor struct {
	packer packer
}

// AppendBatch appends the plain batch that b begins with to dst, with its
// records compressed. All else stays but length, attributes and checksum. A
// batch that compression does not make smaller is appended as it is.
func (z *Compressor) AppendBatch(dst, b []byte, c Compression) ([]byte, error) {
	h, err := ParseHeader(b)
	if err != nil {
		return dst, fmt.Errorf("compress batch: %w", err)
	}
	if h.Attributes&compressionMask != 0 {
		return dst, fmt.Errorf("compress batch: %w: attributes %#x say that it is compressed", ErrInvalid, h.Attributes)
	}
	b = b[:h.Length]
	start := len(dst)
	dst = append(dst, b[:HeaderSize]...)
	if dst, err = z.packer.append(dst, b[HeaderSize:], c); err != nil {
		return dst[:start], fmt.Errorf("compress batch: %w", err)
	}
	packed := dst[start:]
	if c.number() == 0 || len(packed) >= len(b) {
		return append(dst[:start], b...), nil
	}
	binary.BigEndian.PutUint32(packed[atBatchLength:], uint32(len(packed)-lengthOverhead))
	packed[atAttributes+1] |= c.number()
	binary.BigEndian.PutUint32(packed[atCRC:], crc32.Checksum(packed[atAttributes:], castagnoli))
	return dst, nil
}

// AppendMessageSet appends to dst a message set of whole, plain messages of
// the given magic, such as the function of this name makes, as one compressed
// message around them, which has the offset of the last and the largest
// timestamp. Inside, offsets are absolute in magic 0 and count from 0 in magic
// 1 (KIP-31): there, set is changed. A set that does not become smaller, or
// whose clients do not know the compression, is appended as it is.
func (z *Compressor) AppendMessageSet(dst, set []byte, magic int8, c Compression) ([]byte, error) {
	if len(set) == 0 || !c.inMessageSets(magic) {
		return append(dst, set...), nil
	}
	last, timestamp, err := endOfSet(set, magic)
	if err != nil {
		return dst, fmt.Errorf("compress message set: %w", err)
	}
	first := binary.BigEndian.Uint64(set)
	if magic == 1 {
		shiftOffsets(set, -first)
	}
	start, head := len(dst), messageSize(Record{}, magic)
	dst = append(dst, make([]byte, head)...)
	if dst, err = z.packer.append(dst, set, c); err != nil {
		return dst[:start], fmt.Errorf("compress message set: %w", err)
	}
	packed := dst[start:]
	if len(packed) >= len(set) {
		if magic == 1 {
			shiftOffsets(set, first)
		}
		return append(dst[:start], set...), nil
	}
	wrapper := Record{Offset: last, Timestamp: timestamp, Value: []byte{}}
	appendMessage(packed[:0], wrapper, magic, len(packed))
	packed[atMessageAttributes] = c.number()
	binary.BigEndian.PutUint32(packed[head-4:], uint32(len(packed)-head)) // the value's length
	binary.BigEndian.PutUint32(packed[atMessageCRC:], crc32.ChecksumIEEE(packed[atMessageCRC+4:]))
	return dst, nil
}

// endOfSet returns the offset of the last message and the largest timestamp;
// 0 in magic 0.
func endOfSet(set []byte, magic int8) (last, timestamp int64, err error) {
	if magic == 1 {
		timestamp = math.MinInt64
	}
	for len(set) > 0 {
		least, size := messageSize(Record{}, magic), 0
		if len(set) >= least {
			size = messageOverhead + int(binary.BigEndian.Uint32(set[8:]))
		}
		if size < least || size > len(set) || set[atMessageMagic] != byte(magic) || set[atMessageAttributes] != 0 {
			return 0, 0, fmt.Errorf("%w: no set of whole, plain messages of magic %d", ErrInvalid, magic)
		}
		last = int64(binary.BigEndian.Uint64(set))
		if magic == 1 {
			timestamp = max(timestamp, int64(binary.BigEndian.Uint64(set[atMessageTimestamp:])))
		}
		set = set[size:]
	}
	return last, timestamp, nil
}

// shiftOffsets adds n to the offset of each message of a set that endOfSet has
// read.
func shiftOffsets(set []byte, n uint64) {
	for len(set) > 0 {
		binary.BigEndian.PutUint64(set, binary.BigEndian.Uint64(set)+n)
		set = set[messageOverhead+int(binary.BigEndian.Uint32(set[8:])):]
	}
}
