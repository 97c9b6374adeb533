package store_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"daybook/recordbatch"
	"daybook/store"
	"daybook/store/storetest"
)

// TestCrashLosesNothingAcknowledged cuts the power again and again while a
// writer appends. Whatever was not synced is gone, or partly gone. Each time,
// every append that had returned must be there unchanged, and the position
// must be the one of the last record.
func TestCrashLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	testCrashes(t, 1, 15)
}

func testCrashes(t *testing.T, seeds uint64, lives int) {
	for seed := range seeds {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 2))
			c := &crasher{t: t, fs: vfs.NewCrashableMem()}
			for life := range lives {
				c.run(life, rnd)
			}
		})
	}
}

type crasher struct {
	t  *testing.T
	fs *vfs.MemFS

	mu       sync.Mutex
	values   [][]byte // of every acknowledged record; index is offset
	position string   // the last acknowledged
	start    int64    // the last log start whose removal had returned
}

func (c *crasher) run(life int, rnd *rand.Rand) {
	s := store.New(store.Options{Dir: "some/data", FS: c.fs, RetentionBytes: 2 << 20, RecentBytes: 1 << rnd.IntN(20)})
	if err := s.Open(c.t.Context()); err != nil {
		c.t.Fatalf("life %d: %v", life, err)
	}
	p := partition(c.t, s, "shop")
	c.verify(life, s, p)

	var stop atomic.Bool
	appended := make(chan struct{}, 1000)
	var writer sync.WaitGroup
	seed := rnd.Uint64()
	writer.Go(func() {
		rnd := rand.New(rand.NewPCG(seed, 3))
		for n := 0; !stop.Load(); n++ {
			c.append(life, s, p, rnd)
			appended <- struct{}{}
		}
	})
	for range 1 + rnd.IntN(30) {
		<-appended
	}
	// What was acknowledged before the crash began must be in it; the writer
	// does not stand still meanwhile.
	c.mu.Lock()
	acknowledged, start, position := len(c.values), c.start, c.position
	c.mu.Unlock()
	crashed := c.fs.CrashClone(vfs.CrashCloneCfg{
		UnsyncedDataPercent: []int{0, 0, 50, 100}[rnd.IntN(4)],
		RNG:                 rand.New(rand.NewPCG(seed, 4)),
	})
	stop.Store(true)
	go func() { // the writer may wait for room
		for range appended {
		}
	}()
	writer.Wait()
	close(appended)
	storetest.Close(c.t, s)

	c.fs, c.start, c.position = crashed, start, position
	c.values = c.values[:acknowledged]
}

func (c *crasher) append(life int, s *store.Store, p *store.Partition, rnd *rand.Rand) {
	var b recordbatch.Builder
	var values [][]byte
	next := p.HighWatermark()
	for range 1 + rnd.IntN(4) {
		v := fmt.Appendf(nil, "life %d offset %d ", life, next)
		v = append(v, randomBytes(rnd)...)
		v = append(v, make([]byte, rnd.IntN(100))...)
		if rnd.IntN(4) == 0 {
			v = append(v, noise(rand.NewChaCha8([32]byte{byte(rnd.Uint32())}), 200<<10)...)
		}
		b.Append(int64(life), nil, v)
		values, next = append(values, v), next+1
	}
	position := strconv.FormatInt(next, 10)
	if _, err := p.Append(b.Finish(), store.State{Position: []byte(position)}); err != nil {
		c.t.Error(err)
		return
	}
	if rnd.IntN(5) == 0 {
		if err := s.Retain(c.t.Context()); err != nil {
			c.t.Error(err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.values, c.position, c.start = append(c.values, values...), position, p.LogStartOffset()
}

// verify compares with what is acknowledged, and takes over what was on its way
// when the power went.
func (c *crasher) verify(life int, s *store.Store, p *store.Partition) {
	if err := s.Check(c.t.Context()); err != nil {
		c.t.Fatalf("life %d: %v", life, err)
	}
	end := p.HighWatermark()
	if end < int64(len(c.values)) || p.LogStartOffset() < c.start {
		c.t.Fatalf("life %d: the log is %d to %d, acknowledged %d to %d", life, p.LogStartOffset(), end, c.start, len(c.values))
	}
	position, ok, err := p.Position()
	if err != nil || ok != (end > 0) || ok && string(position) != strconv.FormatInt(end, 10) {
		c.t.Fatalf("life %d: position %q, %v, %v, high watermark %d, acknowledged %s", life, position, ok, err, end, c.position)
	}
	// Records before the log start are of no more concern, but keep their places.
	c.values = append(c.values, make([][]byte, end-int64(len(c.values)))...)
	for offset := p.LogStartOffset(); offset < end; {
		b, err := p.Read(nil, offset, 1<<20)
		if err != nil {
			c.t.Fatalf("life %d: %v", life, err)
		}
		for len(b) > 0 {
			h, err := recordbatch.Verify(b)
			if err != nil {
				c.t.Fatal(err)
			}
			for r := range recordbatch.Records(b[:h.Length]) {
				if want := c.values[r.Offset]; want != nil && !bytes.Equal(want, r.Value) {
					c.t.Fatalf("life %d: offset %d is %.30q, was %.30q", life, r.Offset, r.Value, want)
				}
				c.values[r.Offset] = bytes.Clone(r.Value)
			}
			b, offset = b[h.Length:], h.NextOffset()
		}
	}
}

// TestCrashWhileMarkersMove cuts the power before each change that a start makes to the
// directory, of which any part may be on disk. The next start finds its manifest.
func TestCrashWhileMarkersMove(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 11))
	mem := vfs.NewCrashableMem()
	s := storetest.OpenWith(t, store.Options{Dir: "data", FS: mem})
	appendBatch(t, partition(t, s, "shop"), storetest.Batch(0, "a"), store.State{})
	storetest.Close(t, s)
	for range 20 {
		c := &crashes{mem: mem, rnd: rnd}
		s := store.New(store.Options{Dir: "data", FS: errorfs.Wrap(mem, c)})
		if err := s.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for i, fsys := range c.after {
			s := store.New(store.Options{Dir: "data", FS: fsys})
			if err := s.Open(t.Context()); err != nil {
				t.Fatalf("crash %d of %d: %v", i, len(c.after), err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestCrashWhileItOpens cuts the power while it appends, and again before each change that the
// next start makes to the directory. What a start has left behind is no damage to the one after it.
func TestCrashWhileItOpens(t *testing.T) {
	t.Parallel()
	testCrashesWhileItOpens(t, 1, 2)
}

func testCrashesWhileItOpens(t *testing.T, seeds uint64, lives int) {
	for seed := range seeds {
		rnd := rand.New(rand.NewPCG(seed, 10))
		c := &crasher{t: t, fs: vfs.NewCrashableMem()}
		for life := range lives {
			c.run(life, rnd)
			again := &crashes{mem: c.fs, rnd: rnd}
			s := store.New(store.Options{Dir: "some/data", FS: errorfs.Wrap(c.fs, again)})
			if err := s.Open(t.Context()); err != nil {
				t.Fatalf("seed %d, life %d: %v", seed, life, err)
			}
			// What came of a write that was on its way stays so.
			c.verify(life, s, partition(t, s, "shop"))
			end := len(c.values)
			storetest.Close(t, s)
			for i, fsys := range again.after {
				s = store.New(store.Options{Dir: "some/data", FS: fsys})
				if err := s.Open(t.Context()); err != nil {
					t.Fatalf("seed %d, life %d: a start after crash %d of %d: %v", seed, life, i, len(again.after), err)
				}
				c.verify(life, s, partition(t, s, "shop"))
				c.values = c.values[:end]
				storetest.Close(t, s)
			}
		}
	}
}

// TestCrashWithinALargeBatch cuts the power while batches are appended that are stored
// in pieces: each is there as a whole or not at all, and what was there of
// others does not get into the next.
func TestCrashWithinALargeBatch(t *testing.T) {
	t.Parallel()
	fsys := vfs.NewCrashableMem()
	sizes := []int{5 << 20, 3 << 20, 7 << 20, 100, 6 << 20}
	var batches [][]byte
	for life := range 8 {
		s := store.New(store.Options{Dir: "data", FS: fsys})
		if err := s.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		p := partition(t, s, "shop")
		end := int(p.HighWatermark())
		if end < len(batches) {
			t.Fatalf("life %d: %d batches are there, %d were acknowledged", life, end, len(batches))
		}
		for offset, want := range batches {
			if got, err := p.Read(nil, int64(offset), 1); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("life %d: batch %d is not the one that was appended: %v", life, offset, err)
			}
		}
		for len(batches) < end { // it was on its way
			b, err := p.Read(nil, int64(len(batches)), 1)
			if err != nil {
				t.Fatal(err)
			}
			batches = append(batches, b)
		}
		seed := [32]byte{byte(life)}
		batch := storetest.Batch(0, string(noise(rand.NewChaCha8(seed), sizes[life%len(sizes)])))
		before := make(chan *vfs.MemFS, 1)
		if life%2 == 0 {
			go func() {
				before <- fsys.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: rand.New(rand.NewPCG(uint64(life), 5))})
			}()
		}
		appendBatch(t, p, batch, store.State{})
		if life%2 == 0 {
			storetest.Close(t, s)
			fsys = <-before
			continue
		}
		batches = append(batches, batch)
		storetest.Close(t, s)
	}
}
