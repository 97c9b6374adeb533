package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"daybook/store"
	"daybook/store/storetest"
)

// deletedRecords are those of the topic that crashes delete.
var deletedRecords = []string{"a", "b", "c"}

// TestCrashWhileAPartitionIsDeleted cuts the power, or kills the process, before each change that
// a deletion makes to the directory, and those of a topic of the same name that is made then.
// Of what was synced nothing is taken for damage, and a topic is there whole or not at all.
func TestCrashWhileAPartitionIsDeleted(t *testing.T) {
	t.Parallel()
	testCrashesWhileDeleting(t, 2)
}

func testCrashesWhileDeleting(t *testing.T, seeds uint64) {
	for seed := range seeds {
		for _, flushed := range []bool{false, true} {
			rnd := rand.New(rand.NewPCG(seed, 12))
			mem := vfs.NewCrashableMem()
			c := &everyWrite{crashes: crashes{mem: mem, rnd: rnd}}
			o := store.Options{Dir: "data", FS: errorfs.Wrap(mem, c)}
			s := storetest.OpenWith(t, o)
			id := appendDeleted(t, s)
			if flushed { // what it has is in tables, not in a write-ahead log
				storetest.Close(t, s)
				storetest.Close(t, storetest.OpenWith(t, o))
				s = storetest.OpenWith(t, o)
			}
			c.take.Store(true)
			deletePartition(t, s, "shop")
			gone := len(c.taken())
			appendDeleted(t, s)
			time.Sleep(1500 * time.Millisecond) // then it is in tables
			c.take.Store(false)
			storetest.Close(t, s)
			after := c.taken()
			t.Logf("seed %d, flushed %v: %d crashes, %d of them while it was deleted", seed, flushed, len(after), gone)
			if gone < 4 {
				t.Errorf("there are only %d crashes", gone)
			}
			for i, fsys := range after {
				if i == gone { // from here on it must not be there
					id = [16]byte{}
				}
				wantWholeOrNothing(t, fsys, id)
				if t.Failed() {
					t.Fatalf("seed %d, flushed %v: crash %d of %d, %d while it was deleted", seed, flushed, i, len(after), gone)
				}
			}
		}
	}
}

// appendDeleted makes the topic that is deleted, and returns its ID.
func appendDeleted(t *testing.T, s *store.Store) [16]byte {
	t.Helper()
	p := partition(t, s, "shop")
	for i, r := range deletedRecords {
		appendBatch(t, p, storetest.Batch(0, r), store.State{Position: fmt.Append(nil, i+1)})
	}
	return p.TopicID()
}

// wantWholeOrNothing opens a directory that a crash has left. The topic with that ID has all
// records if it is there, and one that was made after it those of the first appends.
func wantWholeOrNothing(t *testing.T, fsys vfs.FS, deleted [16]byte) {
	t.Helper()
	o := store.Options{Dir: "data", FS: fsys}
	wantWhole(t, o)
	s := store.New(o)
	if err := s.Open(t.Context()); err != nil {
		t.Errorf("open: %v", err)
		return
	}
	if p, ok := s.Partition("shop"); ok {
		got := values(t, p, 0)
		position, _, err := p.Position()
		whole := p.TopicID() != deleted || len(got) == len(deletedRecords)
		if p.Damaged() != nil || !whole || !slices.Equal(got, deletedRecords[:len(got)]) ||
			err != nil || len(got) > 0 && string(position) != fmt.Sprint(len(got)) {
			t.Errorf("the topic has %q, its position is %q, %v; damaged: %v", got, position, err, p.Damaged())
		}
		deletePartition(t, s, "shop")
	}
	// Its number is not that of one before: there, a mark says that it was deleted.
	id := appendDeleted(t, s)
	storetest.Close(t, s)
	wantWhole(t, o)
	s = store.New(o)
	if err := s.Open(t.Context()); err != nil {
		t.Errorf("open again: %v", err)
		return
	}
	if p, ok := s.PartitionByID(id); !ok || !slices.Equal(values(t, p, 0), deletedRecords) {
		t.Errorf("the topic that was made later is there: %v", ok)
	}
	storetest.Close(t, s)
}

// everyWrite takes a copy of the disk as a crash would leave it before each change.
type everyWrite struct {
	take atomic.Bool
	crashes
}

func (c *everyWrite) MaybeError(op errorfs.Op) error {
	switch op.Kind {
	case errorfs.OpFileWrite, errorfs.OpFileWriteAt, errorfs.OpFileSyncTo, errorfs.OpReuseForWrite:
		op.Kind = errorfs.OpFileSync
	}
	if !c.take.Load() {
		return nil
	}
	return c.crashes.MaybeError(op)
}

func (c *everyWrite) taken() []*vfs.MemFS {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.after
}

// TestLostDeletion cuts, empties and removes the write-ahead log that has a deletion, alone and with
// the second copy. A start tells; after a repair the topic is not there again, nor has one
// that is made later its number.
func TestLostDeletion(t *testing.T) {
	t.Parallel()
	for _, again := range []bool{false, true} {
		for _, kind := range []string{"cut", "emptied", "gone"} {
			for _, catalog := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s, made again %v, catalog %v", kind, again, catalog), func(t *testing.T) {
					testLostDeletion(t, again, kind, catalog)
				})
			}
		}
	}
}

func testLostDeletion(t *testing.T, again bool, kind string, catalog bool) {
	mem := vfs.NewMem()
	s := storetest.OpenWith(t, store.Options{Dir: "data", FS: mem})
	id := appendDeleted(t, s)
	storetest.Close(t, s)
	s = storetest.OpenWith(t, store.Options{Dir: "data", FS: mem}) // what it has goes to a table
	deletePartition(t, s, "shop")
	if again {
		appendDeleted(t, s)
	}
	killed := vfs.NewMem()
	if _, err := vfs.Clone(mem, killed, "data", "data"); err != nil {
		t.Fatal(err)
	}
	logs := logsOf(t, killed)
	newest := logs[len(logs)-1]
	if kind == "cut" {
		put(t, killed, newest, content(t, killed, newest)[:50])
	} else {
		damages[kind](t, killed, newest, nil)
	}
	if !catalog {
		damages["emptied"](t, killed, "data/catalog.json", nil)
	}
	o := store.Options{Dir: "data", FS: killed}
	s = store.New(o)
	if err := s.Open(t.Context()); !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), "acknowledged") {
		t.Errorf("open: %v", err)
	}
	if kept, err := store.Repair(t.Context(), o, func(store.Damage) {}); kept == "" || err != nil {
		t.Fatalf("repair: %q, %v", kept, err)
	}
	wantWhole(t, o)
	s = storetest.OpenWith(t, o)
	if _, ok := s.PartitionByID(id); ok {
		t.Error("the deleted topic is there again")
	}
	p, ok := s.Partition("shop")
	if ok != (again && catalog) {
		t.Errorf("the topic that was made again is there: %v", ok)
	}
	if ok && p.HighWatermark() < int64(len(deletedRecords)) {
		t.Errorf("the high watermark is %d, so that offsets are given twice", p.HighWatermark())
	}
	p = partition(t, s, "shop")
	end := appendBatch(t, p, storetest.Batch(0, "later"), store.State{})
	storetest.Close(t, s)
	s = storetest.OpenWith(t, o)
	if p, ok := s.PartitionByID(p.TopicID()); !ok || p.HighWatermark() != end+1 {
		t.Errorf("what was made after the repair is there: %v", ok)
	}
}

// TestNumbersAreNotUsedAgain has a topic made and deleted in a write-ahead log that is lost.
func TestNumbersAreNotUsedAgain(t *testing.T) {
	mem := vfs.NewMem()
	s := storetest.OpenWith(t, store.Options{Dir: "data", FS: mem})
	storetest.Close(t, s)
	s = storetest.OpenWith(t, store.Options{Dir: "data", FS: mem})
	appendDeleted(t, s)
	deletePartition(t, s, "shop")
	killed := vfs.NewMem()
	if _, err := vfs.Clone(mem, killed, "data", "data"); err != nil {
		t.Fatal(err)
	}
	logs := logsOf(t, killed)
	damages["emptied"](t, killed, logs[len(logs)-1], nil)
	o := store.Options{Dir: "data", FS: killed}
	if kept, err := store.Repair(t.Context(), o, func(store.Damage) {}); kept == "" || err != nil {
		t.Fatalf("repair: %q, %v", kept, err)
	}
	s = storetest.OpenWith(t, o)
	partition(t, s, "shop")
	storetest.Close(t, s)
	if second := string(content(t, killed, "data/catalog.json")); !strings.Contains(second, `"next_partition": 2`) || !strings.Contains(second, `"partition": 1`) {
		t.Errorf("the number of a deleted topic is used again: %s", second)
	}
}

// TestEmptiedAfterDeletion has nothing left of a database whose only topic was deleted.
func TestEmptiedAfterDeletion(t *testing.T) {
	mem := vfs.NewMem()
	s := storetest.OpenWith(t, store.Options{Dir: "data", FS: mem})
	appendDeleted(t, s)
	deletePartition(t, s, "shop")
	storetest.Close(t, s)
	for _, name := range files(t, mem) {
		if name != "catalog.json" {
			damages["gone"](t, mem, "data/"+name, nil)
		}
	}
	if err := store.New(store.Options{Dir: "data", FS: mem}).Open(t.Context()); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("open: %v", err)
	}
}
