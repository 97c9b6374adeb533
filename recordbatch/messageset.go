package recordbatch

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
)

// AppendMessageSet appends the records of batches from fromOffset on as a
// message set of the given magic, 0 or 1, to dst:
// https://kafka.apache.org/documentation/#messageset
//
// It appends whole messages as long as they fit into maxBytes together. The
// first one is appended whatever its size, as Fetch version 3 wants it; for
// versions 0 to 2 the caller cuts the result at maxBytes, which old clients
// read as a message above their limit.
func AppendMessageSet(dst, batches []byte, magic int8, fromOffset int64, maxBytes int) ([]byte, error) {
	if magic != 0 && magic != 1 {
		return dst, fmt.Errorf("convert to message set: magic %d is neither 0 nor 1", magic)
	}
	start := len(dst)
	for len(batches) > 0 {
		h, err := ParseHeader(batches)
		if err != nil {
			return dst[:start], fmt.Errorf("convert to message set: %w", err)
		}
		for r, err := range Records(batches[:h.Length]) {
			if err != nil {
				return dst[:start], fmt.Errorf("convert to message set: %w", err)
			}
			if r.Offset < fromOffset {
				continue
			}
			size := messageSize(r, magic)
			if size > math.MaxInt32 {
				return dst[:start], fmt.Errorf("convert to message set: %w: record of %d bytes", ErrInvalid, size)
			}
			if len(dst) > start && len(dst)-start+size > maxBytes {
				return dst, nil
			}
			dst = appendMessage(dst, r, magic, size)
		}
		batches = batches[h.Length:]
	}
	return dst, nil
}

// The byte offsets of a message's fields.
const (
	atMessageCRC        = messageOverhead // CRC32 (IEEE) of everything after itself
	atMessageMagic      = 16
	atMessageAttributes = 17
	atMessageTimestamp  = 18 // magic 1

	messageOverhead = 12 // offset and size, which the size field does not count
)

func messageSize(r Record, magic int8) int {
	n := messageOverhead + 4 + 1 + 1 + 4 + len(r.Key) + 4 + len(r.Value)
	if magic == 1 {
		n += 8
	}
	return n
}

func appendMessage(dst []byte, r Record, magic int8, size int) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(r.Offset))
	dst = binary.BigEndian.AppendUint32(dst, uint32(size-messageOverhead))
	crcAt := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = append(dst, byte(magic), 0) // attributes: no compression, create time
	if magic == 1 {
		dst = binary.BigEndian.AppendUint64(dst, uint64(r.Timestamp))
	}
	dst = appendNullable(dst, r.Key)
	dst = appendNullable(dst, r.Value)
	binary.BigEndian.PutUint32(dst[crcAt:], crc32.ChecksumIEEE(dst[crcAt+4:]))
	return dst
}

func appendNullable(dst, b []byte) []byte {
	if b == nil {
		return binary.BigEndian.AppendUint32(dst, math.MaxUint32)
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(b)))
	return append(dst, b...)
}
