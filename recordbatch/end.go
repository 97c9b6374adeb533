package recordbatch

import "encoding/binary"

// End returns the offset after the last record of batches, or of a message set,
// of which only the last entry may be cut off; 0 if there is no whole entry. It
// looks at the entries' heads alone, compressed or not.
func End(b []byte) (end int64) {
	for len(b) >= HeaderSize || len(b) > atMagic && b[atMagic] < magic2 {
		length := lengthOverhead + int(int32(binary.BigEndian.Uint32(b[atBatchLength:])))
		if length <= atMagic || length > len(b) {
			return end
		}
		end = int64(binary.BigEndian.Uint64(b[atBaseOffset:])) + 1
		if b[atMagic] >= magic2 {
			end += int64(int32(binary.BigEndian.Uint32(b[atLastOffsetDelta:])))
		}
		b = b[length:]
	}
	return end
}
