package recordbatch_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"daybook/recordbatch"
)

// FuzzRecords reads any bytes. What reads without an error must lie within the
// batch, have as many records as the header says, and read the same again
// after it was built anew.
func FuzzRecords(f *testing.F) {
	f.Add(build([]record{{1, nil, nil}}))
	f.Add(build(someRecords(rand.New(rand.NewPCG(9, 9)), 5)))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := recordbatch.ParseHeader(b)
		if err != nil {
			return
		}
		if h.Length > len(b) {
			t.Fatalf("length %d of %d bytes", h.Length, len(b))
		}
		var again recordbatch.Builder
		var records []recordbatch.Record
		size := 0
		for r, err := range recordbatch.Records(b) {
			if err != nil {
				return
			}
			if r.Offset < h.BaseOffset || r.Offset >= h.NextOffset() && h.NextOffset() > h.BaseOffset {
				t.Fatalf("offset %d in %+v", r.Offset, h)
			}
			size += len(r.Key) + len(r.Value)
			records = append(records, r)
			again.Append(r.Timestamp, r.Key, r.Value)
		}
		if len(records) != h.Count || size > h.Length {
			t.Fatalf("%d records with %d bytes in %+v", len(records), size, h)
		}
		i := 0
		for r, err := range recordbatch.Records(again.Finish()) {
			if err != nil && len(records) > 0 {
				t.Fatal(err)
			}
			if err == nil && (!sameBytes(r.Key, records[i].Key) || !sameBytes(r.Value, records[i].Value) || r.Timestamp != records[i].Timestamp) {
				t.Fatalf("record %d is %+v, then %+v", i, records[i], r)
			}
			i++
		}
	})
}

// FuzzMessageSet converts any bytes: the result is whole messages that are not
// larger than their source by more than their fixed fields.
func FuzzMessageSet(f *testing.F) {
	two := append(build([]record{{1, nil, []byte("a")}}), build([]record{{2, []byte("k"), nil}})...)
	f.Add(two, int64(0), 100, true)
	f.Add(two, int64(1), 0, false)
	f.Fuzz(func(t *testing.T, b []byte, from int64, limit int, timed bool) {
		magic := int8(0)
		if timed {
			magic = 1
		}
		dst := []byte("dst")
		set, err := recordbatch.AppendMessageSet(dst, b, magic, from, limit)
		if !bytes.HasPrefix(set, dst) || err != nil && len(set) != len(dst) {
			t.Fatalf("%d bytes with error %v", len(set), err)
		}
		if len(set) > len(dst)+8*len(b) {
			t.Fatalf("%d bytes from %d", len(set), len(b))
		}
	})
}
