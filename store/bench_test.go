package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"daybook/recordbatch"
	"daybook/store"
)

// debeziumBatches returns different batches of about size bytes with JSON as
// the log holds it: half of a record is the same in all of them.
func debeziumBatches(n, size int) [][]byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	batches := make([][]byte, n)
	for i := range batches {
		var b recordbatch.Builder
		for b.Size() < size {
			id := rnd.Uint64N(1e9)
			key := fmt.Appendf(nil, `{"id":%d}`, id)
			row := fmt.Sprintf(`{"id":%d,"customer":%d,"email":"user%d@example.com","note":"%016x","amount":"%d.%02d","created":%d}`,
				id, rnd.Uint64N(1e7), rnd.Uint64N(1e7), rnd.Uint64(), rnd.Uint64N(1e5), rnd.Uint64N(100), 1700000000000000+rnd.Uint64N(1e12))
			value := fmt.Appendf(nil, `{"before":null,"after":%s,"source":{"version":"1.0","connector":"mysql","name":"shop","ts_ms":1700000000000,"snapshot":"false","db":"shop","sequence":null,"ts_us":1700000000000000,"ts_ns":1700000000000000000,"table":"orders","server_id":1,"gtid":"3e11fa47-71ca-11e1-9e33-c80aa9429562:%d","file":"binlog.000042","pos":%d,"row":0,"thread":17,"query":null},"transaction":null,"op":"c","ts_ms":1700000000123,"ts_us":1700000000123456,"ts_ns":1700000000123456789}`,
				row, rnd.Uint64N(1e6), rnd.Uint64N(1e9))
			b.Append(1700000000000+int64(i), key, value)
		}
		batches[i] = b.Finish()
	}
	return batches
}

func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

func openReal(b *testing.B, dir string) *store.Partition {
	b.Helper()
	s := store.New(store.Options{Dir: dir})
	if err := s.Open(context.Background()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	p, err := s.EnsurePartition("shop")
	if err != nil {
		b.Fatal(err)
	}
	return p
}

// BenchmarkAppend appends synced batches on the disk of the temporary
// directory: MB/s are those of uncompressed batches.
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{16 << 10, 512 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			batches := debeziumBatches(32, size)
			p := openReal(b, b.TempDir())
			b.SetBytes(int64(len(batches[0])))
			b.ReportAllocs()
			cpu := cpuSeconds()
			for i := 0; b.Loop(); i++ {
				if _, err := p.Append(batches[i%len(batches)], store.State{Position: []byte("binlog.000042:1234567")}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(cpuSeconds()-cpu, "cpu-s")
		})
	}
}

// BenchmarkRead reads a log of 256 MiB from its start, 1 MiB at a time.
func BenchmarkRead(b *testing.B) {
	const size = 512 << 10
	p := openReal(b, b.TempDir())
	for i, batches := 0, debeziumBatches(32, size); i < 512; i++ {
		if _, err := p.Append(batches[i%len(batches)], store.State{}); err != nil {
			b.Fatal(err)
		}
	}
	newest := p.HighWatermark() * 127 / 128
	for _, from := range []struct {
		name  string
		first int64
	}{{"disk", 0}, {"memory", newest}} {
		b.Run(from.name, func(b *testing.B) {
			b.ReportAllocs()
			var dst []byte
			offset, total := from.first, 0
			for b.Loop() {
				var err error
				if dst, err = p.Read(dst[:0], offset, 1<<20); err != nil {
					b.Fatal(err)
				}
				total += len(dst)
				for rest := dst; len(rest) > 0; {
					h, err := recordbatch.ParseHeader(rest)
					if err != nil {
						b.Fatal(err)
					}
					rest, offset = rest[h.Length:], h.NextOffset()
				}
				if offset == p.HighWatermark() {
					offset = from.first
				}
			}
			b.SetBytes(int64(total / b.N))
		})
	}
}
