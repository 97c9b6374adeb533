package recordbatch

import (
	"encoding/binary"
	"hash/crc32"
	"math"
)

// Gap returns a batch without records in the place of those from base to next,
// or of the first of them if they are too many for one, as Kafka itself leaves one
// where compaction has removed all records. Consumers step over it.
func Gap(base, next int64) []byte {
	b := make([]byte, HeaderSize)
	binary.BigEndian.PutUint64(b[atBaseOffset:], uint64(base))
	binary.BigEndian.PutUint32(b[atBatchLength:], HeaderSize-lengthOverhead)
	b[atMagic] = magic2
	binary.BigEndian.PutUint32(b[atLastOffsetDelta:], uint32(min(next-base, math.MaxInt32)-1))
	for _, at := range []int{atBaseTimestamp, atMaxTimestamp, atProducerID} {
		binary.BigEndian.PutUint64(b[at:], math.MaxUint64) // -1: none
	}
	binary.BigEndian.PutUint16(b[atProducerEpoch:], math.MaxUint16)
	binary.BigEndian.PutUint32(b[atBaseSequence:], math.MaxUint32)
	binary.BigEndian.PutUint32(b[atCRC:], crc32.Checksum(b[atAttributes:], castagnoli))
	return b
}
