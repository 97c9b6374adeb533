package store

import (
	"encoding/binary"
	"fmt"
)

// The first byte of every key; docs/store-format.md has the whole layout.
const (
	kindBatch     = 'b'
	kindPiece     = 'c'
	kindLost      = 'd'
	kindIndex     = 'i'
	kindLogStart  = 'l'
	kindMeta      = 'm'
	kindWrites    = 'n'
	kindPosition  = 'o'
	kindPartition = 'p'
	kindRetention = 'r'
	kindSchema    = 's'
	kindTable     = 't'
)

var (
	keyFormat        = []byte("mformat")
	keyClusterID     = []byte("mcluster-id")
	keyNextPartition = []byte("mnext-partition")
)

const offsetKeySize = 1 + 4 + 8

// partitionKey is the key of what a partition has once, and the prefix of what
// it has many of.
func partitionKey(kind byte, id uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{kind}, id)
}

// appendOffsetKey appends the key of a batch or of its index entry.
func appendOffsetKey(dst []byte, kind byte, id uint32, offset int64) []byte {
	dst = append(dst, kind)
	dst = binary.BigEndian.AppendUint32(dst, id)
	return binary.BigEndian.AppendUint64(dst, uint64(offset))
}

func offsetKey(kind byte, id uint32, offset int64) []byte {
	return appendOffsetKey(make([]byte, 0, offsetKeySize), kind, id, offset)
}

func offsetOfKey(key []byte) (int64, error) {
	if len(key) != offsetKeySize {
		return 0, fmt.Errorf("%w: key %x", ErrCorrupt, key)
	}
	return int64(binary.BigEndian.Uint64(key[5:])), nil
}

// nameKey is the key of which partition a topic has.
func nameKey(topic string) []byte { return append([]byte{kindPartition}, topic...) }

// writesKey is the key of the number of writes to what has its mark at place.
func writesKey(place uint32) []byte { return partitionKey(kindWrites, place) }

func placeOfKey(key []byte) (place uint32, ok bool) {
	if len(key) != 1+4 || key[0] != kindWrites {
		return 0, false
	}
	return binary.BigEndian.Uint32(key[1:]), true
}

func tableKey(table string, key []byte) []byte {
	k := make([]byte, 0, 2+len(table)+len(key))
	k = append(k, kindTable)
	k = append(k, table...)
	k = append(k, 0)
	return append(k, key...)
}

// afterPrefix is the smallest key above all that begin with prefix.
func afterPrefix(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil // prefix is all 0xff: no key is above
}
