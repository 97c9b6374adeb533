package recordbatch_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/recordbatch"
)

var update = flag.Bool("update", false, "rewrite the golden files")

type record struct {
	timestamp  int64
	key, value []byte
}

func build(records []record) []byte {
	var b recordbatch.Builder
	for _, r := range records {
		b.Append(r.timestamp, r.key, r.value)
	}
	return b.Finish()
}

// someRecords makes n records with nulls, empty and long parts, and timestamps
// that go backwards.
func someRecords(rnd *rand.Rand, n int) []record {
	part := func() []byte {
		switch rnd.IntN(6) {
		case 0:
			return nil
		case 1:
			return []byte{}
		case 2:
			return bytes.Repeat([]byte("long "), rnd.IntN(5000))
		}
		return fmt.Appendf(nil, "value %d", rnd.Uint64())
	}
	records := make([]record, n)
	for i := range records {
		records[i] = record{timestamp: 1700000000000 + rnd.Int64N(1e10) - 5e9, key: part(), value: part()}
	}
	return records
}

func sameBytes(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) }

func TestBuiltBatchIsReadBack(t *testing.T) {
	cases := map[string][]record{
		"one null record":       {{0, nil, nil}},
		"empty is not null":     {{0, []byte{}, []byte{}}},
		"time goes backwards":   {{5, nil, []byte("a")}, {-7, nil, []byte("b")}, {9, nil, nil}},
		"extreme timestamps":    {{0, nil, nil}, {math.MaxInt64, nil, nil}},
		"varint sizes change":   {{0, make([]byte, 63), make([]byte, 64)}, {8191, make([]byte, 8191), make([]byte, 8192)}},
		"many random records":   someRecords(rand.New(rand.NewPCG(1, 1)), 300),
		"more random records":   someRecords(rand.New(rand.NewPCG(1, 2)), 20),
		"a value of a megabyte": {{1, []byte("k"), make([]byte, 1<<20)}},
	}
	for name, want := range cases {
		t.Run(name, func(t *testing.T) {
			batch := build(want)
			recordbatch.SetBaseOffset(batch, 1000)
			h, err := recordbatch.Verify(batch)
			if err != nil {
				t.Fatal(err)
			}
			if h.BaseOffset != 1000 || h.Count != len(want) || h.Length != len(batch) || h.NextOffset() != 1000+int64(len(want)) {
				t.Errorf("header %+v", h)
			}
			i, latest := 0, int64(math.MinInt64)
			for r, err := range recordbatch.Records(batch) {
				if err != nil {
					t.Fatal(err)
				}
				w := want[i]
				if r.Offset != 1000+int64(i) || r.Timestamp != w.timestamp || !sameBytes(r.Key, w.key) || !sameBytes(r.Value, w.value) {
					t.Fatalf("record %d is %+v, want %+v", i, r, w)
				}
				i, latest = i+1, max(latest, r.Timestamp)
			}
			if i != len(want) || h.MaxTimestamp != latest || h.FirstTimestamp != want[0].timestamp {
				t.Errorf("%d records, header %+v", i, h)
			}
		})
	}
}

func TestFranzGoReadsTheSame(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	want := someRecords(rnd, 200)
	batch := build(want)
	recordbatch.SetBaseOffset(batch, 77)

	var k kmsg.RecordBatch
	if err := k.ReadFrom(batch); err != nil {
		t.Fatal(err)
	}
	if k.FirstOffset != 77 || k.PartitionLeaderEpoch != 0 || k.Attributes != 0 || k.ProducerID != -1 ||
		k.ProducerEpoch != -1 || k.FirstSequence != -1 || int(k.NumRecords) != len(want) {
		t.Errorf("kmsg reads the header as %+v", k)
	}
	checkFetched(t, fetched(t, batch, 77), want, 77, true)
	// An offset in the batch's middle is asked for: franz-go drops what is before.
	checkFetched(t, fetched(t, batch, 177), want[100:], 177, true)
}

func TestFranzGoReadsMessageSets(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	var batches []byte
	var want []record
	for range 5 {
		records := someRecords(rnd, 40)
		batch := build(records)
		recordbatch.SetBaseOffset(batch, 500+int64(len(want)))
		batches, want = append(batches, batch...), append(want, records...)
	}
	for _, magic := range []int8{0, 1} {
		for _, from := range []int{0, 1, 39, 40, 41, 199} {
			t.Run(fmt.Sprintf("magic %d from %d", magic, from), func(t *testing.T) {
				set, err := recordbatch.AppendMessageSet([]byte("before"), batches, magic, 500+int64(from), math.MaxInt)
				if err != nil {
					t.Fatal(err)
				}
				set = bytes.TrimPrefix(set, []byte("before"))
				if first := int64(binary.BigEndian.Uint64(set)); first != 500+int64(from) {
					t.Errorf("begins at offset %d", first)
				}
				checkFetched(t, fetched(t, set, 500+int64(from)), want[from:], 500+int64(from), magic == 1)
			})
		}
	}
}

func TestMessageSetKeepsToItsLimit(t *testing.T) {
	batches := build([]record{{1, nil, make([]byte, 100)}, {1, nil, make([]byte, 100)}, {1, nil, make([]byte, 1000)}})
	const message = 12 + 4 + 1 + 1 + 8 + 4 + 4 + 100
	for _, c := range []struct{ from, limit, want int }{
		{0, 0, message}, // the first is whole at any limit
		{0, message, message},
		{0, 2*message - 1, message},
		{0, 2 * message, 2 * message},
		{0, 1 << 20, 3*message + 900},
		{2, 1, message + 900},
		{3, 1 << 20, 0},
	} {
		set, err := recordbatch.AppendMessageSet(nil, batches, 1, int64(c.from), c.limit)
		if err != nil || len(set) != c.want {
			t.Errorf("from %d, limit %d: %d bytes, want %d, %v", c.from, c.limit, len(set), c.want, err)
		}
	}
	if _, err := recordbatch.AppendMessageSet(nil, batches, 2, 0, 1); err == nil {
		t.Error("magic 2 was accepted")
	}
}

func fetched(t *testing.T, records []byte, offset int64) []*kgo.Record {
	t.Helper()
	rp := kmsg.NewFetchResponseTopicPartition()
	rp.RecordBatches, rp.HighWatermark, rp.LastStableOffset = records, 1<<40, 1<<40
	// franz-go checks the checksums itself.
	fp, _ := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{Offset: offset, Topic: "t"}, &rp, kgo.DefaultDecompressor(), nil)
	if fp.Err != nil {
		t.Fatal(fp.Err)
	}
	return fp.Records
}

func checkFetched(t *testing.T, got []*kgo.Record, want []record, offset int64, timed bool) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("franz-go reads %d records, want %d", len(got), len(want))
	}
	for i, g := range got {
		w := want[i]
		if g.Offset != offset+int64(i) || !sameBytes(g.Key, w.key) || !sameBytes(g.Value, w.value) {
			t.Fatalf("franz-go reads record %d as %+v, want %+v", i, g, w)
		}
		if timed && g.Timestamp.UnixMilli() != w.timestamp {
			t.Fatalf("franz-go reads time %d of record %d, want %d", g.Timestamp.UnixMilli(), i, w.timestamp)
		}
	}
}

func TestBuilderIsReusable(t *testing.T) {
	var b recordbatch.Builder
	if b.Finish() != nil || b.Size() != 0 {
		t.Error("an empty builder has a batch")
	}
	b.Append(1, []byte("k"), []byte("v"))
	first := bytes.Clone(b.Finish())
	if b.Count() != 1 || b.Size() != len(first) {
		t.Errorf("count %d, size %d of %d", b.Count(), b.Size(), len(first))
	}
	b.Reset()
	b.Append(9, nil, make([]byte, 100))
	b.Reset()
	b.Append(1, []byte("k"), []byte("v"))
	if second := b.Finish(); !bytes.Equal(first, second) {
		t.Errorf("the same record gives %x, then %x", first, second)
	}
	key := []byte("k")
	allocs := testing.AllocsPerRun(100, func() {
		b.Reset()
		b.Append(1, key, []byte("v"))
		b.Finish()
	})
	if allocs != 0 {
		t.Errorf("%v allocations for a batch", allocs)
	}
}

// TestValueWrittenInPlace compares records whose values are written where they
// stay, whatever room was asked for, with those that are copied in.
func TestValueWrittenInPlace(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		records := someRecords(rnd, 1+rnd.IntN(50))
		var b recordbatch.Builder
		for _, r := range records {
			room := 0
			if rnd.IntN(2) == 0 {
				room = rnd.IntN(2 * (len(r.value) + 1))
			}
			dst := b.Begin(r.timestamp, r.key, room)
			if r.value == nil {
				b.End(nil)
				continue
			}
			for piece := range slices.Chunk(r.value, 1000) {
				dst = append(dst, piece...)
			}
			b.End(dst)
		}
		if got, want := b.Finish(), build(records); !bytes.Equal(got, want) {
			t.Fatalf("written in place:\n%s\ncopied in:\n%s", hex.Dump(got), hex.Dump(want))
		}
	}
}

// TestLargeRecordInMemory bounds what a large record costs while a batch is
// made of it, and after.
func TestLargeRecordInMemory(t *testing.T) {
	const large = 32 << 20
	piece := make([]byte, 1<<20)
	var b recordbatch.Builder
	b.Append(1, nil, piece[:100])
	before := allocated()
	dst := b.Begin(1, []byte("k"), large)
	for range large / len(piece) {
		dst = append(dst, piece...)
	}
	b.End(dst)
	if n := len(b.Finish()); n < large {
		t.Fatalf("the batch has %d bytes", n)
	}
	if got := allocated() - before; got > large+1<<20 {
		t.Errorf("%d bytes were allocated for a record of %d", got, large)
	}
	b.Reset()
	before = allocated()
	b.Append(1, nil, piece[:100])
	if got := allocated() - before; got == 0 {
		t.Errorf("the buffer of a record of %d bytes was kept", large)
	}
	runtime.KeepAlive(&b)
}

// allocated returns the bytes that were ever allocated.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// TestGoldenBytes holds the bytes of a small batch and its message sets.
func TestGoldenBytes(t *testing.T) {
	batch := build([]record{{1700000000000, []byte(`{"id":1}`), []byte("first")}, {1699999999999, nil, nil}})
	recordbatch.SetBaseOffset(batch, 42)
	var out strings.Builder
	fmt.Fprintf(&out, "batch\n%s", hex.Dump(batch))
	for _, magic := range []int8{0, 1} {
		set, err := recordbatch.AppendMessageSet(nil, batch, magic, 42, math.MaxInt)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "message set, magic %d\n%s", magic, hex.Dump(set))
	}
	file := filepath.Join("testdata", "golden.txt")
	if *update {
		if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != string(want) {
		t.Errorf("the bytes have changed:\n%s", out.String())
	}
}

func TestDamageIsFound(t *testing.T) {
	batch := build(someRecords(rand.New(rand.NewPCG(7, 8)), 10))
	for i := 8; i < len(batch); i++ { // base offset lies outside the checksum
		if i >= 12 && i < 16 {
			continue // so does the leader epoch
		}
		broken := bytes.Clone(batch)
		broken[i] ^= 1
		if _, err := recordbatch.Verify(broken); !errors.Is(err, recordbatch.ErrInvalid) {
			t.Errorf("a flipped bit in byte %d gives %v", i, err)
		}
	}
	for n := range len(batch) {
		if _, err := recordbatch.ParseHeader(batch[:n]); !errors.Is(err, recordbatch.ErrInvalid) {
			t.Errorf("%d of %d bytes give %v", n, len(batch), err)
		}
	}
}
