package recordbatch_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"iter"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

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

// FuzzMessageSet converts any bytes: what is converted without an error reads
// back as the same records, beginning at the offset that was asked for, and as
// many whole messages as fit; at most 32 bytes are allocated for each byte of
// the source, as messages have larger fixed fields than records.
func FuzzMessageSet(f *testing.F) {
	two := append(build([]record{{1, nil, []byte("a")}}), build([]record{{2, []byte("k"), nil}})...)
	f.Add(two, int64(0), 100, true)
	f.Add(two, int64(1), 0, false)
	rnd := rand.New(rand.NewPCG(5, 6))
	f.Add(append(build(someRecords(rnd, 20)), build(someRecords(rnd, 3))...), int64(4), 200, true)
	f.Fuzz(func(t *testing.T, b []byte, from int64, limit int, timed bool) {
		magic := int8(0)
		if timed {
			magic = 1
		}
		dst := []byte("dst")
		var set []byte
		var err error
		allocates(t, 32*len(b)+1024, func() { set, err = recordbatch.AppendMessageSet(dst, b, magic, from, limit) })
		if !bytes.HasPrefix(set, dst) || err != nil && len(set) != len(dst) {
			t.Fatalf("%d bytes with error %v", len(set), err)
		}
		if err != nil {
			return
		}
		set = set[len(dst):]
		got, whole := messages(t, set, magic), 0
		for r := range recordsOf(b) {
			if r.Offset < from {
				continue
			}
			if len(got) == 0 { // all that comes after is left out
				if next := whole + 12 + 14 + 8*int(magic) + len(r.Key) + len(r.Value); whole == 0 || next <= limit {
					t.Fatalf("%d bytes end before offset %d, which fits into %d", whole, r.Offset, limit)
				}
				return
			}
			m := got[0]
			if m.Offset != r.Offset || !sameBytes(m.Key, r.Key) || !sameBytes(m.Value, r.Value) || timed && m.Timestamp != r.Timestamp {
				t.Fatalf("%+v was converted to %+v", r, m)
			}
			got, whole = got[1:], whole+12+14+8*int(magic)+len(r.Key)+len(r.Value)
		}
		if len(got) > 0 {
			t.Fatalf("%d messages too many", len(got))
		}
	})
}

// FuzzCompress packs any bytes, taken as a batch and as a message set: what is
// packed without an error reads back as the same records, in no more bytes
// than before, and allocates in proportion to them: once the compressor has its
// memory, at most 8 bytes for each of the source.
func FuzzCompress(f *testing.F) {
	rnd := rand.New(rand.NewPCG(13, 14))
	for i := range uint8(len(compressions)) {
		f.Add(build(someRecords(rnd, 20)), i)
		set, err := recordbatch.AppendMessageSet(nil, build(changes(5)), int8(i%2), 0, 1<<20)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(set, i)
	}
	compressors := map[recordbatch.Compression]*recordbatch.Compressor{}
	for _, c := range compressions {
		z := &recordbatch.Compressor{}
		if _, err := z.AppendBatch(nil, build(changes(50)), c); err != nil {
			f.Fatal(err)
		}
		compressors[c] = z
	}
	f.Fuzz(func(t *testing.T, b []byte, n uint8) {
		c := compressions[int(n)%len(compressions)]
		z := compressors[c]
		var packed []byte
		var err error
		allocates(t, 8*len(b)+32<<10, func() { packed, err = z.AppendBatch(nil, b, c) })
		if err == nil {
			checkRepacked(t, packed, b)
		}
		magic := int8(n>>4) % 2
		set := bytes.Clone(b)
		allocates(t, 8*len(b)+32<<10, func() { packed, err = z.AppendMessageSet(nil, set, magic, c) })
		if err == nil && len(packed) > len(b) {
			t.Fatalf("a set of %d bytes becomes one of %d", len(b), len(packed))
		}
	})
}

// checkRepacked fails unless franz-go reads the same from both, which have the
// same header.
func checkRepacked(t *testing.T, packed, plain []byte) {
	t.Helper()
	was, err := recordbatch.ParseHeader(plain)
	if err != nil {
		t.Fatal(err)
	}
	h, err := recordbatch.ParseHeader(packed)
	if err != nil || h.Length != len(packed) || len(packed) > was.Length {
		t.Fatalf("%+v becomes %+v in %d bytes, %v", was, h, len(packed), err)
	}
	codec := kgo.CompressionCodecType(h.Attributes & 7)
	if codec == kgo.CodecNone {
		if !bytes.Equal(packed, plain[:was.Length]) {
			t.Fatal("an uncompressed batch is another")
		}
		return
	}
	records, err := kgo.DefaultDecompressor().Decompress(packed[recordbatch.HeaderSize:], codec)
	if err != nil || !bytes.Equal(records, plain[recordbatch.HeaderSize:was.Length]) {
		t.Fatalf("%s gives other records, %v", packed, err)
	}
	if _, err := recordbatch.Verify(packed); err != nil {
		t.Fatal(err)
	}
}

// allocates fails unless f allocates at most limit bytes, at least in one of
// some runs: work in the background may fall into others.
func allocates(t *testing.T, limit int, f func()) {
	t.Helper()
	var got uint64
	for range 5 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		if got = after.TotalAlloc - before.TotalAlloc; got <= uint64(limit) {
			return
		}
	}
	t.Errorf("%d bytes were allocated, the limit is %d", got, limit)
}

// recordsOf yields the records of all batches in b up to what cannot be read.
func recordsOf(b []byte) iter.Seq[recordbatch.Record] {
	return func(yield func(recordbatch.Record) bool) {
		for len(b) > 0 {
			h, err := recordbatch.ParseHeader(b)
			if err != nil {
				return
			}
			for r, err := range recordbatch.Records(b) {
				if err != nil || !yield(r) {
					return
				}
			}
			b = b[h.Length:]
		}
	}
}

// messages reads a message set in the plainest way.
func messages(t *testing.T, set []byte, magic int8) (all []recordbatch.Record) {
	t.Helper()
	field := func(b *[]byte, n int) []byte {
		if n < 0 || n > len(*b) {
			t.Fatalf("%d bytes are wanted of %x", n, *b)
		}
		f := (*b)[:n:n]
		*b = (*b)[n:]
		return f
	}
	sized := func(b *[]byte) []byte {
		n := int32(binary.BigEndian.Uint32(field(b, 4)))
		if n == -1 {
			return nil
		}
		return field(b, int(n))
	}
	for len(set) > 0 {
		offset := int64(binary.BigEndian.Uint64(field(&set, 8)))
		m := sized(&set)
		if sum := binary.BigEndian.Uint32(field(&m, 4)); sum != crc32.ChecksumIEEE(m) {
			t.Fatalf("checksum %x of %x", sum, m)
		}
		if head := field(&m, 2); head[0] != byte(magic) || head[1] != 0 {
			t.Fatalf("magic and attributes %x", head)
		}
		r := recordbatch.Record{Offset: offset}
		if magic == 1 {
			r.Timestamp = int64(binary.BigEndian.Uint64(field(&m, 8)))
		}
		r.Key, r.Value = sized(&m), sized(&m)
		if len(m) > 0 {
			t.Fatalf("%x after a message", m)
		}
		all = append(all, r)
	}
	return all
}
