package recordbatch

import (
	"encoding/binary"
	"fmt"
	"iter"
)

// minRecordSize is the smallest record: length, attributes, two deltas, null
// key, null value and no headers, one byte each.
const minRecordSize = 7

// Record is one record of a batch. Key and Value alias the batch; nil is null.
type Record struct {
	Offset    int64
	Timestamp int64 // milliseconds since the Unix epoch
	Key       []byte
	Value     []byte
}

// Records returns the records of the batch that b begins with, which must not
// be compressed. It ends after the first error. Record headers are stepped over.
func Records(b []byte) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		h, err := ParseHeader(b)
		if err != nil {
			yield(Record{}, err)
			return
		}
		if h.Attributes&compressionMask != 0 {
			yield(Record{}, fmt.Errorf("%w: compressed (attributes %#x)", ErrInvalid, h.Attributes))
			return
		}
		rest := b[HeaderSize:h.Length]
		for i := range h.Count {
			r, n, err := parseRecord(rest, h)
			if err != nil {
				yield(Record{}, fmt.Errorf("read record %d: %w", i, err))
				return
			}
			if !yield(r, nil) {
				return
			}
			rest = rest[n:]
		}
		if len(rest) != 0 {
			yield(Record{}, fmt.Errorf("%w: %d bytes after the last record", ErrInvalid, len(rest)))
		}
	}
}

// parseRecord reads the record that b begins with and returns its size.
func parseRecord(b []byte, h Header) (Record, int, error) {
	length, n := binary.Varint(b)
	if n <= 0 || length < minRecordSize-1 || length > int64(len(b)-n) {
		return Record{}, 0, fmt.Errorf("%w: record length %d, %d bytes left", ErrInvalid, length, len(b))
	}
	end := n + int(length)
	f := fields{rest: b[n:end]}
	f.skip(1)
	timestampDelta := f.varint()
	offsetDelta := f.varint()
	key := f.bytes()
	value := f.bytes()
	headers := f.varint()
	for i := int64(0); i < headers && !f.bad; i++ {
		f.bytes()
		f.bytes()
	}
	if f.bad || headers < 0 || len(f.rest) != 0 {
		return Record{}, 0, fmt.Errorf("%w: record fields do not fill its %d bytes", ErrInvalid, length)
	}
	if offsetDelta < 0 || offsetDelta > int64(h.LastOffsetDelta) {
		return Record{}, 0, fmt.Errorf("%w: offset delta %d, last is %d", ErrInvalid, offsetDelta, h.LastOffsetDelta)
	}
	return Record{
		Offset:    h.BaseOffset + offsetDelta,
		Timestamp: h.FirstTimestamp + timestampDelta,
		Key:       key,
		Value:     value,
	}, end, nil
}

// fields reads the parts of one record; bad stays set once something is wrong.
type fields struct {
	rest []byte
	bad  bool
}

func (f *fields) skip(n int) {
	if f.bad || n > len(f.rest) {
		f.bad = true
		return
	}
	f.rest = f.rest[n:]
}

func (f *fields) varint() int64 {
	if f.bad {
		return 0
	}
	v, n := binary.Varint(f.rest)
	if n <= 0 {
		f.bad = true
		return 0
	}
	f.rest = f.rest[n:]
	return v
}

func (f *fields) bytes() []byte {
	n := f.varint()
	if f.bad || n < 0 {
		if n != -1 {
			f.bad = true
		}
		return nil
	}
	if n > int64(len(f.rest)) {
		f.bad = true
		return nil
	}
	b := f.rest[:n:n]
	f.rest = f.rest[n:]
	return b
}
