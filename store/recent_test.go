package store

import (
	"fmt"
	"testing"
)

// BenchmarkRecentOneRow adds batches of one row, each of which evicts one.
func BenchmarkRecentOneRow(b *testing.B) {
	batch := make([]byte, 512)
	for _, n := range []int{500, 16000} {
		b.Run(fmt.Sprintf("batches=%d", n), func(b *testing.B) {
			r := newRecent(n * len(batch))
			next := int64(0)
			add := func() {
				r.add(next, next+1, uint64(next+1)*uint64(len(batch)), batch)
				next++
			}
			for range 2 * n {
				add()
			}
			for b.Loop() {
				add()
			}
			if len(r.batches) != n {
				b.Errorf("%d batches in the ring, not %d", len(r.batches), n)
			}
		})
	}
}
