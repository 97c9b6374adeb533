package recordbatch_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"daybook/recordbatch"
)

var compressions = []recordbatch.Compression{recordbatch.None, recordbatch.Gzip, recordbatch.Snappy, recordbatch.LZ4, recordbatch.Zstd}

// changes are records as those of row changes.
func changes(n int) []record {
	rnd := rand.New(rand.NewPCG(11, 12))
	records := make([]record, n)
	for i := range records {
		ts := 1_795_372_077_920 + int64(i)
		row := fmt.Sprintf(`{"id":%d,"customer":%d,"state":"%s","total":"%d.%02d","note":"%x"}`,
			i, rnd.IntN(5000), []string{"new", "paid", "sent"}[rnd.IntN(3)], rnd.IntN(900), rnd.IntN(100), rnd.Uint64())
		records[i] = record{ts, fmt.Appendf(nil, `{"id":%d}`, i), fmt.Appendf(nil,
			`{"before":null,"after":%s,"source":{"version":"1.0","connector":"mysql","name":"shop","ts_ms":%d,"snapshot":"false","db":"shop",`+
				`"sequence":null,"ts_us":%d920,"ts_ns":%d920000,"table":"orders","server_id":1,"gtid":"64cb74ea-e6a0-11f1-8461-02fc00000001:%d",`+
				`"file":"binlog.000001","pos":%d,"row":0,"thread":9,"query":null},"transaction":null,"op":"c","ts_ms":%d,"ts_us":%d717,"ts_ns":%d717531}`,
			row, ts, ts, ts, i/3, 400*i, ts+30, ts+30, ts+30)}
	}
	return records
}

func TestFranzGoReadsCompressedBatches(t *testing.T) {
	cases := map[string][]record{
		"one null record":    {{0, nil, nil}},
		"row changes":        changes(500),
		"random records":     someRecords(rand.New(rand.NewPCG(1, 1)), 300),
		"several megabytes":  {{1, []byte("k"), bytes.Repeat([]byte("0123456789"), 300_000)}, {2, nil, nil}},
		"what cannot shrink": {{1, nil, noise(200_000)}},
	}
	for name, want := range cases {
		for _, c := range compressions {
			t.Run(fmt.Sprintf("%s/%s", name, c), func(t *testing.T) {
				batch := build(want)
				recordbatch.SetBaseOffset(batch, 77)
				var z recordbatch.Compressor
				for range 2 { // its memory is used again
					packed, err := z.AppendBatch([]byte("before"), append(batch, "behind"...), c)
					if err != nil {
						t.Fatal(err)
					}
					packed = bytes.TrimPrefix(packed, []byte("before"))
					checkHeader(t, packed, batch, c)
					checkFetched(t, fetched(t, packed, 77), want, 77, true)
				}
			})
		}
	}
}

func noise(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{}).Read(b)
	return b
}

// checkHeader fails unless packed is a batch with the same header as plain,
// but for what compression changes, or plain itself where nothing is gained.
func checkHeader(t *testing.T, packed, plain []byte, c recordbatch.Compression) {
	t.Helper()
	if bytes.Equal(packed, plain) {
		return
	}
	got, err := recordbatch.Verify(packed)
	if err != nil {
		t.Fatal(err)
	}
	want, err := recordbatch.Verify(plain)
	if err != nil {
		t.Fatal(err)
	}
	want.Attributes = map[recordbatch.Compression]int16{recordbatch.Gzip: 1, recordbatch.Snappy: 2, recordbatch.LZ4: 3, recordbatch.Zstd: 4}[c]
	want.CRC, want.Length = got.CRC, len(packed)
	if got != want || len(packed) >= len(plain) {
		t.Errorf("%d bytes of %d, header %+v, want %+v", len(packed), len(plain), got, want)
	}
}

func TestCompressionGainsOrChangesNothing(t *testing.T) {
	large, incompressible := build(changes(300)), build([]record{{1, nil, noise(1000)}})
	var z recordbatch.Compressor
	for _, c := range compressions {
		got, err := z.AppendBatch(nil, large, c)
		if err != nil || bytes.Equal(got, large) != (c == recordbatch.None) {
			t.Errorf("%s: %d bytes of %d, %v", c, len(got), len(large), err)
		}
		if got, err := z.AppendBatch(nil, incompressible, c); err != nil || !bytes.Equal(got, incompressible) {
			t.Errorf("%s: %d bytes of %d, %v", c, len(got), len(incompressible), err)
		}
		set := messageSet(t, incompressible, 1)
		if got, err := z.AppendMessageSet(nil, bytes.Clone(set), 1, c); err != nil || !bytes.Equal(got, set) {
			t.Errorf("%s: a message set of %d bytes becomes another of %d, %v", c, len(set), len(got), err)
		}
	}
}

func TestCompressorRefuses(t *testing.T) {
	var z recordbatch.Compressor
	plain := build(changes(50))
	packed, err := z.AppendBatch(nil, plain, recordbatch.Gzip)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.AppendBatch(nil, packed, recordbatch.Gzip); !errors.Is(err, recordbatch.ErrInvalid) {
		t.Errorf("a compressed batch: %v", err)
	}
	if got, err := z.AppendBatch([]byte("before"), plain[:70], recordbatch.Gzip); !errors.Is(err, recordbatch.ErrInvalid) || string(got) != "before" {
		t.Errorf("half a batch: %q, %v", got, err)
	}
	if got, err := z.AppendBatch([]byte("before"), plain, "brotli"); err == nil || string(got) != "before" {
		t.Errorf("an unknown compression: %q, %v", got, err)
	}
	set := messageSet(t, plain, 1)
	for name, bad := range map[string][]byte{"cut off": set[:len(set)-1], "its first bytes": set[:5], "magic 0": messageSet(t, plain, 0)} {
		if got, err := z.AppendMessageSet([]byte("before"), bad, 1, recordbatch.Gzip); !errors.Is(err, recordbatch.ErrInvalid) || string(got) != "before" {
			t.Errorf("a set that is %s: %q, %v", name, got, err)
		}
	}
}

func messageSet(t *testing.T, batches []byte, magic int8) []byte {
	t.Helper()
	set, err := recordbatch.AppendMessageSet(nil, batches, magic, 0, math.MaxInt)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestFranzGoReadsCompressedMessageSets(t *testing.T) {
	want := changes(200)
	batches := build(want[:120])
	second := build(want[120:])
	recordbatch.SetBaseOffset(second, 120)
	batches = append(batches, second...)
	var z recordbatch.Compressor
	for _, magic := range []int8{0, 1} {
		for _, c := range compressions {
			for _, from := range []int{0, 1, 119, 120, 199} {
				t.Run(fmt.Sprintf("magic %d %s from %d", magic, c, from), func(t *testing.T) {
					plain, err := recordbatch.AppendMessageSet(nil, batches, magic, int64(from), math.MaxInt)
					if err != nil {
						t.Fatal(err)
					}
					set, err := z.AppendMessageSet([]byte("before"), bytes.Clone(plain), magic, c)
					if err != nil {
						t.Fatal(err)
					}
					set = bytes.TrimPrefix(set, []byte("before"))
					checkWrapper(t, set, magic, c, want[from:], int64(from))
					checkFetched(t, fetched(t, set, int64(from)), want[from:], int64(from), magic == 1)
				})
			}
		}
	}
}

// checkWrapper reads the one message that a compressed set is, and the first
// message inside, in the plainest way.
func checkWrapper(t *testing.T, set []byte, magic int8, c recordbatch.Compression, want []record, from int64) {
	t.Helper()
	if c == recordbatch.None || c == recordbatch.Zstd || c == recordbatch.LZ4 && magic == 0 {
		if plain := messages(t, set, magic); len(plain) != len(want) {
			t.Errorf("%d messages, want %d", len(plain), len(want))
		}
		return
	}
	b := set
	number := func(n int) (v int64) {
		for _, digit := range b[:n] {
			v = v<<8 | int64(digit)
		}
		b = b[n:]
		return v
	}
	last, size, crc := number(8), number(4), number(4)
	if last != from+int64(len(want))-1 || int(size) != len(set)-12 || uint32(crc) != crc32.ChecksumIEEE(b) {
		t.Errorf("offset %d, size %d of %d, checksum %x", last, size, len(set)-12, crc)
	}
	if m, attributes := number(1), number(1); m != int64(magic) || attributes == 0 {
		t.Errorf("magic %d, attributes %d", m, attributes)
	}
	if magic == 1 {
		if got, latest := number(8), want[len(want)-1].timestamp; got != latest {
			t.Errorf("timestamp %d, want %d", got, latest)
		}
	}
	if key, length := int32(number(4)), number(4); key != -1 || int(length) != len(b) {
		t.Errorf("key length %d, value length %d of %d", key, length, len(b))
	}
	numbers := map[recordbatch.Compression]kgo.CompressionCodecType{recordbatch.Gzip: kgo.CodecGzip, recordbatch.Snappy: kgo.CodecSnappy, recordbatch.LZ4: kgo.CodecLz4}
	inner, err := kgo.DefaultDecompressor().Decompress(b, numbers[c])
	if err != nil {
		t.Fatal(err)
	}
	first := from
	if magic == 1 {
		first = 0
	}
	if got := int64(binary.BigEndian.Uint64(inner)); got != first {
		t.Errorf("the first offset inside is %d, want %d", got, first)
	}
}

// BenchmarkCompress packs batches of row changes of the size that a task's log
// has when it catches up, and that a single change makes.
func BenchmarkCompress(b *testing.B) {
	for _, n := range []int{1, 700} {
		batch := build(changes(n))
		for _, c := range compressions {
			b.Run(fmt.Sprintf("%d KB/%s", len(batch)/1000, c), func(b *testing.B) {
				var z recordbatch.Compressor
				var dst []byte
				b.SetBytes(int64(len(batch)))
				b.ReportAllocs()
				for b.Loop() {
					var err error
					if dst, err = z.AppendBatch(dst[:0], batch, c); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(len(batch))/float64(len(dst)), "ratio")
			})
		}
	}
}
