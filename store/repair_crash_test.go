package store_test

import (
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"daybook/store"
)

// TestRepairThroughCrashes cuts the power before some of the changes that a repair
// makes to the directory, and before each while the databases change places. Whatever was not synced is gone, or partly gone. What is
// there starts or says that it must be repaired, and repairing it again loses no more.
func TestRepairThroughCrashes(t *testing.T) {
	t.Parallel()
	testRepairThroughCrashes(t, makeLog(t, 4, 20), 5)
}

// testRepairThroughCrashes looks at each crash of so many in a row.
func testRepairThroughCrashes(t *testing.T, whole *log, each int) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 6))
	mem := vfs.NewCrashableMem()
	if _, err := vfs.Clone(whole.fs, mem, "data", "data", vfs.CloneSync); err != nil {
		t.Fatal(err)
	}
	for _, name := range files(t, mem) {
		if len(name) > 5 && name[len(name)-5:] == ".blob" {
			damages["zeroed"](t, mem, "data/"+name, rand.New(rand.NewPCG(5, 1)))
			break
		}
	}
	syncFiles(t, mem)
	c := &crashes{mem: mem, rnd: rnd}
	var lost []store.Damage
	o := store.Options{Dir: "data", FS: errorfs.Wrap(mem, c), RecentBytes: 1}
	if kept, err := store.Repair(t.Context(), o, func(d store.Damage) { lost = append(lost, d) }); err != nil || kept == "" {
		t.Fatalf("repair: %q, %v", kept, err)
	}
	interrupted := 0
	for i, fsys := range c.after {
		if _, err := fsys.Stat("data/repair.state"); err != nil && i%each != 0 {
			continue
		}
		l := &log{fs: fsys, ends: whole.ends}
		o := store.Options{Dir: "data", FS: fsys, RecentBytes: 1}
		s := store.New(o)
		switch err := s.Open(t.Context()); {
		case errors.Is(err, store.ErrRepairing):
			interrupted++
			if err := store.Inspect(t.Context(), o, func(store.Damage) {}); !errors.Is(err, store.ErrRepairing) {
				t.Errorf("crash %d: inspect: %v", i, err)
			}
		case err != nil:
			t.Fatalf("crash %d: %v", i, err)
		default:
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := store.Repair(t.Context(), o, func(store.Damage) {}); err != nil {
			t.Fatalf("crash %d: repair again: %v", i, err)
		}
		l.wantRepaired(t, o, lost)
		if t.Failed() {
			t.Fatalf("after crash %d of %d", i, len(c.after))
		}
	}
	t.Logf("%d crashes, %d of them while the databases changed places", len(c.after), interrupted)
	if interrupted == 0 {
		t.Error("no crash came while the databases changed places")
	}
}

// syncFiles syncs the directory as damage has left it.
func syncFiles(t *testing.T, fsys vfs.FS) {
	t.Helper()
	for _, name := range files(t, fsys) {
		f, err := fsys.OpenReadWrite("data/"+name, vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"data", ""} {
		d, err := fsys.OpenDir(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(d.Sync(), d.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// crashes takes a copy of the disk as a crash would leave it before each
// change of a name and each sync.
type crashes struct {
	mem *vfs.MemFS

	mu    sync.Mutex
	rnd   *rand.Rand
	after []*vfs.MemFS
}

func (c *crashes) String() string { return "crashes" }

func (c *crashes) MaybeError(op errorfs.Op) error {
	switch op.Kind {
	case errorfs.OpCreate, errorfs.OpRename, errorfs.OpRemove, errorfs.OpRemoveAll, errorfs.OpMkdirAll, errorfs.OpFileSync, errorfs.OpFileSyncData:
	default:
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.after = append(c.after, c.mem.CrashClone(vfs.CrashCloneCfg{
		UnsyncedDataPercent: []int{0, 0, 50, 100}[c.rnd.IntN(4)],
		RNG:                 rand.New(rand.NewPCG(c.rnd.Uint64(), 7)),
	}))
	return nil
}
