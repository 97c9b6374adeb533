package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"daybook/store"
	"daybook/store/storetest"
)

// TestDeletedPartition deletes one of two topics while others hold it: each call says so, and
// nothing of it comes back, also after a restart.
func TestDeletedPartition(t *testing.T) {
	t.Parallel()
	o := store.Options{Dir: "data", FS: vfs.NewMem(), RecentBytes: 4000}
	s := storetest.OpenWith(t, o)
	other := partition(t, s, "bank")
	appendBatch(t, other, storetest.Batch(7, "kept"), store.State{Position: []byte("of bank")})
	p := partition(t, s, "shop")
	for range 3 {
		appendBatch(t, p, incompressibleBatch(2000), store.State{Position: []byte("of shop"), Schema: []store.Write{{Key: []byte("t"), Value: []byte("d")}}})
	}
	appendBatch(t, p, incompressibleBatch(3<<20), store.State{}) // in pieces
	changed := p.Changed()
	deletePartition(t, s, "shop")
	<-changed
	<-p.Changed()
	<-p.Deleted()
	wantDeleted(t, p)
	select {
	case <-other.Deleted():
		t.Error("the other topic is told to be deleted")
	default:
	}
	if _, ok := s.PartitionByID(p.TopicID()); ok || len(s.Partitions()) != 1 {
		t.Errorf("there are %d topics", len(s.Partitions()))
	}
	deletePartition(t, s, "shop") // there is nothing to do
	deletePartition(t, s, "of no task")

	again := partition(t, s, "shop")
	wantDeleted(t, p)
	for range 2 {
		if again.TopicID() == p.TopicID() || again.HighWatermark() != 0 || again.LogStartOffset() != 0 || again.StoredBytes() != 0 {
			t.Errorf("the new topic has the old ID, or is %d to %d", again.LogStartOffset(), again.HighWatermark())
		}
		if _, ok, err := again.Position(); ok || err != nil {
			t.Errorf("the new topic has a position: %v", err)
		}
		for kv, err := range again.Schema() {
			t.Errorf("the new topic has a schema: %q, %v", kv.Key, err)
		}
		storetest.Close(t, s)
		wantWhole(t, o)
		s = storetest.OpenWith(t, o)
		again = partition(t, s, "shop")
	}
	if got := values(t, partition(t, s, "bank"), 0); !slices.Equal(got, []string{"kept"}) {
		t.Errorf("the other topic has %q", got)
	}
	storetest.Close(t, s)
	if err := s.DeletePartition("bank"); !errors.Is(err, store.ErrClosed) {
		t.Errorf("delete in a closed store: %v", err)
	}
}

func deletePartition(t testing.TB, s *store.Store, topic string) {
	t.Helper()
	if err := s.DeletePartition(topic); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Partition(topic); ok {
		t.Errorf("%s is there after it was deleted", topic)
	}
}

// wantDeleted makes every call to a partition that can fail.
func wantDeleted(t testing.TB, p *store.Partition) {
	t.Helper()
	_, err := p.Append(storetest.Batch(0, "late"), store.State{})
	got := map[string]error{"append": err}
	_, got["append of a state"] = p.Append(nil, store.State{Position: []byte("late")})
	_, got["read"] = p.Read(nil, p.LogStartOffset(), 1)
	_, got["read at the end"] = p.Read(nil, p.HighWatermark(), 1)
	_, got["size"] = p.Size(0)
	_, got["timestamp"] = p.TimestampAt(0)
	_, _, _, got["time"] = p.OffsetForTime(0)
	_, _, _, got["latest time"] = p.MaxTimestamp()
	_, _, got["position"] = p.Position()
	_, _, got["schema value"] = p.SchemaValue([]byte("t"))
	got["schema"] = nil
	for _, err := range p.Schema() {
		got["schema"] = err
	}
	for call, err := range got {
		if !errors.Is(err, store.ErrDeleted) || !strings.Contains(err.Error(), p.Topic()) {
			t.Errorf("%s of a deleted topic: %v", call, err)
		}
	}
}

// wantWhole wants a check of a directory that no process has open to find nothing, and a
// repair to have nothing to do.
func wantWhole(t testing.TB, o store.Options) {
	t.Helper()
	tell := func(d store.Damage) { t.Errorf("told: %+v", d) }
	if err := store.Inspect(t.Context(), o, tell); err != nil {
		t.Errorf("check: %v", err)
	}
	if kept, err := store.Repair(t.Context(), o, tell); kept != "" || err != nil {
		t.Errorf("repair: %q, %v", kept, err)
	}
}

// TestDeletedWhileInUse has topics deleted and made again while others append to them, read,
// look up times, wait and retain.
func TestDeletedWhileInUse(t *testing.T) {
	t.Parallel()
	o := store.Options{Dir: "data", FS: vfs.NewMem(), RecentBytes: 20_000, RetentionBytes: 100_000}
	s := storetest.OpenWith(t, o)
	topics := []string{"bank", "news", "shop"}
	var stop atomic.Bool
	stopped := make(chan struct{})
	var users sync.WaitGroup
	use := func(f func(rnd *rand.Rand, p *store.Partition) error) {
		seed := rand.Uint64()
		users.Go(func() {
			rnd := rand.New(rand.NewPCG(seed, 1))
			for !stop.Load() {
				p, err := s.EnsurePartition(topics[rnd.IntN(len(topics))])
				for n := 0; err == nil && n < 20 && !stop.Load(); n++ {
					err = f(rnd, p)
				}
				if err != nil && !errors.Is(err, store.ErrDeleted) && !errors.Is(err, store.ErrOffsetOutOfRange) {
					t.Error(err)
					return
				}
			}
		})
	}
	var appended, deleted atomic.Int64
	for range 2 {
		use(func(rnd *rand.Rand, p *store.Partition) error {
			_, err := p.Append(storetest.Batch(0, fmt.Sprint(p.TopicID()), string(randomBytes(rnd))), store.State{Position: []byte("p")})
			if err == nil {
				appended.Add(1)
			}
			return err
		})
	}
	use(func(rnd *rand.Rand, p *store.Partition) error {
		b, err := p.Read(nil, p.LogStartOffset()+rnd.Int64N(5), rnd.IntN(10_000))
		if len(b) > 0 && !strings.Contains(string(b), fmt.Sprint(p.TopicID())) {
			return errors.New("a record of another topic was read")
		}
		return err
	})
	use(func(rnd *rand.Rand, p *store.Partition) error {
		_, _, found, err := p.OffsetForTime(0)
		if _, _, ok, _ := p.MaxTimestamp(); err == nil && found && !ok {
			_, _, err = p.Position() // it was deleted between, or emptied by retention
		}
		return err
	})
	use(func(_ *rand.Rand, p *store.Partition) error {
		select {
		case <-p.Changed():
		case <-stopped:
			return nil
		case <-time.After(10 * time.Second):
			return errors.New("nobody woke who waits for records")
		}
		_, _, err := p.Position()
		return err
	})
	use(func(*rand.Rand, *store.Partition) error { return s.Retain(t.Context()) })
	use(func(*rand.Rand, *store.Partition) error { return s.Check(t.Context()) })
	use(func(rnd *rand.Rand, p *store.Partition) error {
		time.Sleep(time.Duration(rnd.IntN(5)) * time.Millisecond)
		deleted.Add(1)
		return s.DeletePartition(p.Topic())
	})
	time.Sleep(time.Second)
	stop.Store(true)
	close(stopped)
	users.Wait()
	t.Logf("%d appends, %d deletions", appended.Load(), deleted.Load())
	storetest.Close(t, s)
	wantWhole(t, o)
}

// TestDeleteInAFailedStore has the disk fail at each write of a deletion: the store fails, does not
// say that the topic is gone, and has it whole or not at all when it is opened again.
func TestDeleteInAFailedStore(t *testing.T) {
	t.Parallel()
	for at := int64(1); ; at++ {
		mem := vfs.NewCrashableMem()
		b := &breaker{n: 1, err: syscall.EIO}
		o := store.Options{Dir: "data", FS: errorfs.Wrap(mem, b)}
		s := storetest.OpenWith(t, o)
		id := appendDeleted(t, s)
		b.seen.Store(1 << 40)
		b.at = 1<<40 + at
		err := s.DeletePartition("shop")
		if err == nil {
			if at < 4 {
				t.Errorf("there are only %d writes", at-1)
			}
			return
		}
		if again := s.DeletePartition("shop"); !errors.Is(err, store.ErrFailed) || !errors.Is(again, store.ErrFailed) {
			t.Errorf("write %d: %v, and again %v", at, err, again)
		}
		wantWholeOrNothing(t, mem.CrashClone(vfs.CrashCloneCfg{}), id)
	}
}

// TestDeleteDamagedPartition deletes a topic of which it is not known where it begins.
func TestDeleteDamagedPartition(t *testing.T) {
	t.Parallel()
	o := store.Options{Dir: "data", FS: vfs.NewMem()}
	s := storetest.OpenWith(t, o)
	appendBatch(t, partition(t, s, "shop"), storetest.Batch(0, "a"), store.State{})
	appendBatch(t, partition(t, s, "bank"), storetest.Batch(0, "kept"), store.State{})
	storetest.Close(t, s)
	db, err := pebble.Open("data", &pebble.Options{FS: o.FS, FormatMajorVersion: pebble.FormatNewest, Logger: quiet{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Set([]byte("l\x00\x00\x00\x00"), []byte("damaged"), pebble.Sync), db.Close()); err != nil {
		t.Fatal(err)
	}
	s = storetest.OpenWith(t, o)
	p := partition(t, s, "shop")
	if p.Damaged() == nil {
		t.Fatal("the topic is not damaged")
	}
	deletePartition(t, s, "shop")
	wantDeleted(t, p)
	storetest.Close(t, s)
	wantWhole(t, o)
	s = storetest.OpenWith(t, o)
	if p := partition(t, s, "shop"); p.Damaged() != nil || p.HighWatermark() != 0 {
		t.Errorf("the new topic is damaged or not empty: %v", p.Damaged())
	}
}

// TestDeletedPartitionFreesTheDisk looks at a real directory, in which two topics are written
// by turns.
func TestDeletedPartitionFreesTheDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := storetest.OpenWith(t, store.Options{Dir: dir})
	p, other := partition(t, s, "shop"), partition(t, s, "bank")
	rnd := rand.NewChaCha8([32]byte{8})
	for range 80 {
		appendBatch(t, p, storetest.Batch(0, string(noise(rnd, 1<<20))), store.State{})
		appendBatch(t, other, storetest.Batch(0, string(noise(rnd, 10<<10))), store.State{})
	}
	before := diskUsage(t, dir)
	if before < 80<<20 {
		t.Fatalf("%d MiB are used by 80 MiB", before>>20)
	}
	deletePartition(t, s, "shop")
	// Pebble deletes in the background; its write-ahead logs stay, to be reused.
	const want = 64 << 20
	deadline := time.Now().Add(20 * time.Second)
	for diskUsage(t, dir) > want {
		if time.Now().After(deadline) {
			t.Fatalf("%d MiB were used, %d MiB still are", before>>20, diskUsage(t, dir)>>20)
		}
		time.Sleep(100 * time.Millisecond)
	}
	if got := values(t, other, 0); len(got) != 80 {
		t.Errorf("%d records of the other topic are left", len(got))
	}
}
