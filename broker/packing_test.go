package broker_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/broker"
	"daybook/recordbatch"
	"daybook/store"
)

var compressions = []broker.Compression{recordbatch.None, recordbatch.Gzip, recordbatch.Snappy, recordbatch.LZ4, recordbatch.Zstd}

// newPackingCluster serves the topic with a compression. Its batches have
// values that compress well, of about size bytes.
func newPackingCluster(t testing.TB, c broker.Compression, batches, records, size int) *cluster {
	t.Helper()
	cl := newCluster(t, func(o *broker.Options) { o.Compression = func(string) broker.Compression { return c } })
	for range batches {
		cl.produceLarge(records, size)
	}
	return cl
}

func largeValueOf(offset int64, size int) string {
	return strings.Repeat(fmt.Sprintf("value %d ", offset), size/10)
}

func (c *cluster) produceLarge(records, size int) {
	c.t.Helper()
	var b recordbatch.Builder
	for i := range int64(records) {
		offset := c.part.HighWatermark() + i
		b.Append(timeOf(offset), nil, []byte(largeValueOf(offset, size)))
	}
	if _, err := c.part.Append(b.Finish(), store.State{}); err != nil {
		c.t.Fatal(err)
	}
}

// decoded reads records as franz-go does, which drops those before from.
func decoded(t *testing.T, b []byte, from int64) []*kgo.Record {
	t.Helper()
	rp := kmsg.NewFetchResponseTopicPartition()
	rp.RecordBatches, rp.HighWatermark, rp.LastStableOffset = b, 1<<40, 1<<40
	fp, _ := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{Offset: from, Topic: topic}, &rp, kgo.DefaultDecompressor(), nil)
	if fp.Err != nil {
		t.Fatal(fp.Err)
	}
	return fp.Records
}

// compressionOf returns the number in the attributes of the first batch or
// message.
func compressionOf(b []byte, version int16) int {
	if version <= 3 {
		return int(b[17] & 7)
	}
	return int(b[22] & 7)
}

func TestFetchCompressed(t *testing.T) {
	numbers := map[broker.Compression]int{recordbatch.Gzip: 1, recordbatch.Snappy: 2, recordbatch.LZ4: 3, recordbatch.Zstd: 4}
	// known tells which clients can read it.
	known := func(c broker.Compression, version int16) bool {
		return c != recordbatch.Zstd && (c != recordbatch.LZ4 || version >= 2) || version >= 10
	}
	for _, compression := range compressions {
		t.Run(string(compression), func(t *testing.T) {
			c := newPackingCluster(t, compression, 4, 25, 200)
			c.versions(kmsg.NewPtrFetchRequest(), func(t *testing.T, cl *client, v int16) {
				for _, from := range []int64{0, 1, 25, 99, 100} {
					p := only(t, ask[*kmsg.FetchResponse](cl, c.fetchRequest(v, from)))
					records := decoded(t, p.RecordBatches, from)
					if p.ErrorCode != 0 || len(records) != int(100-from) {
						t.Fatalf("from %d: error %d, %d records", from, p.ErrorCode, len(records))
					}
					for i, r := range records {
						if o := from + int64(i); r.Offset != o || string(r.Value) != largeValueOf(o, 200) || v >= 2 && r.Timestamp.UnixMilli() != timeOf(o) {
							t.Fatalf("from %d: record %+v", from, r)
						}
					}
					want := 0
					if known(compression, v) {
						want = numbers[compression]
					}
					if from < 100 && compressionOf(p.RecordBatches, v) != want {
						t.Errorf("from %d: compression %d, want %d", from, compressionOf(p.RecordBatches, v), want)
					}
				}
				for _, outside := range []int64{-1, 101} {
					p := only(t, ask[*kmsg.FetchResponse](cl, c.fetchRequest(v, outside)))
					if p.ErrorCode != kerr.OffsetOutOfRange.Code || len(p.RecordBatches) > 0 {
						t.Errorf("from %d: %+v", outside, p)
					}
				}
			})
		})
	}
}

// The limit is for what is sent, and one batch comes at any limit; message sets
// stay below it before compression, as one that was cut off would be lost.
func TestFetchCompressedLimits(t *testing.T) {
	const batches, records, size = 10, 50, 1000
	c := newPackingCluster(t, recordbatch.Gzip, batches, records, size)
	c.versions(kmsg.NewPtrFetchRequest(), func(t *testing.T, cl *client, v int16) {
		for _, limit := range []int32{0, 1, 10_000, 60_000, 1 << 20} {
			req := c.fetchRequest(v, 0)
			req.Topics[0].Partitions[0].PartitionMaxBytes = limit
			b := only(t, ask[*kmsg.FetchResponse](cl, req)).RecordBatches
			got := decoded(t, b, 0)
			switch {
			case v <= 2 && limit < size:
				if len(b) > int(limit) || len(got) > 0 {
					t.Errorf("limit %d: %d bytes, %d records", limit, len(b), len(got))
				}
			case v <= 3:
				plain := 0
				for _, r := range got {
					plain += len(r.Value)
				}
				if len(got) == 0 || len(got) > 1 && plain > int(limit) || limit == 1<<20 && len(got) < batches*records {
					t.Errorf("limit %d: %d bytes, %d records of %d bytes", limit, len(b), len(got), plain)
				}
			default:
				one := 12 + int(binary.BigEndian.Uint32(b[8:]))
				if len(b) > max(int(limit), one) || len(b)+one+one/10 < int(limit) && len(got) < batches*records {
					t.Errorf("limit %d: %d bytes, %d records; one batch has %d bytes", limit, len(b), len(got), one)
				}
			}
		}
	})
}

// However well it compresses, a response stands for a bounded number of bytes.
func TestFetchCompressedIsBoundedBeforeCompression(t *testing.T) {
	const maxFetch, size = 64 << 10, 20_000
	c := newCluster(t, func(o *broker.Options) {
		o.Compression = func(string) broker.Compression { return recordbatch.Zstd }
		o.MaxFetchBytes = maxFetch
	})
	for range 40 {
		c.produceLarge(1, size)
	}
	p := only(t, ask[*kmsg.FetchResponse](c.login(user), c.fetchRequest(12, 0)))
	plain := 0
	for _, r := range decoded(t, p.RecordBatches, 0) {
		plain += len(r.Value)
	}
	if plain < 4*maxFetch-size || plain > 4*maxFetch+size {
		t.Errorf("%d bytes in a response, the limit is %d", plain, 4*maxFetch)
	}
}

// What many consumers ask for at the same time is the same for all.
func TestFetchCompressedByMany(t *testing.T) {
	c := newPackingCluster(t, recordbatch.LZ4, 20, 20, 500)
	var answers [readers][]byte
	var all sync.WaitGroup
	for i := range answers {
		cl := c.login(reader(i))
		all.Go(func() {
			for from := int64(0); from < 400; from += 20 {
				req := c.fetchRequest(12, from)
				req.MaxBytes = 1
				resp := ask[*kmsg.FetchResponse](cl, req)
				answers[i] = append(answers[i], resp.Topics[0].Partitions[0].RecordBatches...)
			}
		})
	}
	all.Wait()
	for i := range answers {
		if !bytes.Equal(answers[i], answers[0]) {
			t.Errorf("consumer %d got other bytes", i)
		}
	}
	if got := decoded(t, answers[0], 0); len(got) != 400 {
		t.Errorf("%d records", len(got))
	}
}
