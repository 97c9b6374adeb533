package store_test

import (
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"daybook/memtest"
	"daybook/store"
	"daybook/store/storetest"
)

// resident returns the process's resident memory in bytes.
func resident(t *testing.T) int64 {
	t.Helper()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err) // Linux tells it
	}
	pages, err := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// TestHugeBatchCostsOneCopy appends a batch of 100 MB that cannot be compressed.
// The store takes 1.2 times that beyond the caller's, most of it garbage, and
// gives it back.
func TestHugeBatchCostsOneCopy(t *testing.T) {
	t.Parallel()
	if !memtest.Alone(t) {
		return
	}
	const size = 100 << 20
	const fixed = 48 << 20 // memtables and caches
	s := storetest.OpenWith(t, store.Options{Dir: t.TempDir()})
	p := partition(t, s, "shop")
	batch := incompressibleBatch(size)
	appendBatch(t, p, storetest.Batch(0, "a"), store.State{})
	debug.FreeOSMemory()
	before := resident(t)

	var peak atomic.Int64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				peak.Store(max(peak.Load(), resident(t)))
			}
		}
	}()
	appendBatch(t, p, batch, store.State{Position: []byte("behind")})
	for range 20 { // while it goes from memory to its file
		appendBatch(t, p, storetest.Batch(0, "b"), store.State{})
		time.Sleep(50 * time.Millisecond)
	}
	close(stop)
	<-stopped
	if extra := peak.Load() - before; extra > size*12/10+fixed {
		t.Errorf("%d MiB were taken for a batch of %d MiB", extra>>20, size>>20)
	}
	debug.FreeOSMemory()
	if extra := resident(t) - before; extra > fixed {
		t.Errorf("%d MiB are kept", extra>>20)
	}
	runtime.KeepAlive(batch)
}
