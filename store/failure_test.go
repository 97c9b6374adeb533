package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"daybook/store"
	"daybook/store/storetest"
)

// breaker fails some writes to the file system in a row.
type breaker struct {
	at   int64 // the first, from 1
	n    int64 // how many
	err  error
	seen atomic.Int64

	noSync bool // syncs do not fail
}

func (b *breaker) String() string { return fmt.Sprintf("write %d", b.at) }

func (b *breaker) MaybeError(op errorfs.Op) error {
	switch op.Kind {
	case errorfs.OpCreate, errorfs.OpReuseForWrite, errorfs.OpRename, errorfs.OpFileWrite:
	case errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo:
		if b.noSync {
			return nil
		}
	default:
		return nil
	}
	if n := b.seen.Add(1); n >= b.at && n < b.at+b.n {
		return b.err
	}
	return nil
}

// TestBrokenDisk lets one of many writes fail. The store fails, and then says
// so in every write, but does not hang, and what it acknowledged is there when
// it is opened again. A goroutine stays behind each time: see failStopFS.
func TestBrokenDisk(t *testing.T) {
	for at := int64(1); at < 130; at += 8 {
		t.Run(fmt.Sprintf("write %d", at), func(t *testing.T) {
			mem := vfs.NewCrashableMem()
			b := &breaker{at: at, n: 1, err: syscall.EIO}
			acknowledged, err := appendMany(t, errorfs.Wrap(mem, b))
			if !errors.Is(err, syscall.EIO) {
				t.Errorf("%d writes were made, and gave %v", b.seen.Load(), err)
			}
			checkAcknowledged(t, mem, acknowledged)
		})
	}
}

// TestDiskIsFullForAWhile lets some writes find no space: they wait.
func TestDiskIsFullForAWhile(t *testing.T) {
	t.Parallel()
	for at := int64(30); at < 130; at += 40 {
		t.Run(fmt.Sprintf("write %d", at), func(t *testing.T) {
			mem := vfs.NewCrashableMem()
			acknowledged, err := appendMany(t, errorfs.Wrap(mem, &breaker{at: at, n: 2, err: syscall.ENOSPC, noSync: true}))
			if err != nil {
				t.Error(err)
			}
			checkAcknowledged(t, mem, acknowledged)
		})
	}
}

func checkAcknowledged(t *testing.T, mem *vfs.MemFS, acknowledged []string) {
	t.Helper()
	s := storetest.OpenWith(t, store.Options{Dir: "data", FS: mem.CrashClone(vfs.CrashCloneCfg{})})
	got := values(t, partition(t, s, "shop"), 0)
	if len(got) < len(acknowledged) || len(got) > len(acknowledged)+1 {
		t.Fatalf("%d records are there, %d were acknowledged", len(got), len(acknowledged))
	}
	for i, want := range acknowledged {
		if got[i] != want {
			t.Errorf("offset %d has changed", i)
		}
	}
}

// appendMany appends until an error or enough, and returns the acknowledged
// values.
func appendMany(t *testing.T, fsys vfs.FS) (acknowledged []string, err error) {
	s := store.New(store.Options{Dir: "data", FS: fsys, RecentBytes: 1})
	if err := s.Open(t.Context()); err != nil {
		return nil, err
	}
	defer func() {
		if e := s.Close(); e != nil {
			t.Errorf("close: %v", e)
		}
	}()
	p, err := s.EnsurePartition("shop")
	rnd := rand.NewChaCha8([32]byte{6})
	for i := 0; err == nil && i < 40; i++ {
		value := fmt.Sprintf("%d %s", i, noise(rnd, 300<<10))
		if _, err = p.Append(storetest.Batch(0, value), store.State{}); err == nil {
			acknowledged = append(acknowledged, value)
		}
	}
	if err != nil {
		checkFailed(t, s, err)
	}
	if p != nil {
		if got := values(t, p, 0); len(got) != len(acknowledged) {
			t.Errorf("%d records can be read, %d were acknowledged", len(got), len(acknowledged))
		}
	}
	return acknowledged, err
}

func checkFailed(t *testing.T, s *store.Store, err error) {
	t.Helper()
	<-s.Failed()
	for _, err := range []error{err, s.Err(), s.Table("t").Put(nil, nil)} {
		if !errors.Is(err, store.ErrFailed) {
			t.Errorf("after a write failed: %v", err)
		}
	}
}

func TestFullDiskIsSurvived(t *testing.T) {
	mem := vfs.NewMem()
	s := storetest.OpenWith(t, store.Options{Dir: "data", FS: mem})
	p := partition(t, s, "shop")
	appendBatch(t, p, storetest.Batch(0, "a"), store.State{})

	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 100 << 20, TotalBytes: 1 << 40, UsedBytes: 1 << 40})
	_, err := p.Append(storetest.Batch(0, "lost?"), store.State{Position: []byte("lost?")})
	if !errors.Is(err, store.ErrDiskFull) || errors.Is(err, store.ErrFailed) {
		t.Fatalf("append to a full disk: %v", err)
	}
	// What is small, or makes room, still works.
	if err := s.Table("groups").Put([]byte("k"), nil); err != nil {
		t.Error(err)
	}
	if err := s.Retain(t.Context()); err != nil {
		t.Error(err)
	}
	if got := values(t, p, 0); len(got) != 1 {
		t.Errorf("read %q", got)
	}

	mem.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 200 << 20, TotalBytes: 1 << 40, UsedBytes: 1 << 40})
	if base := appendBatch(t, p, storetest.Batch(0, "b"), store.State{}); base != 1 {
		t.Errorf("append after space came back is at offset %d", base)
	}
	if _, ok, err := p.Position(); ok || err != nil {
		t.Errorf("the refused append has left its position: %v", err)
	}
}

func TestDirectoryThatCannotBeWritten(t *testing.T) {
	for _, cause := range []error{syscall.EROFS, syscall.EACCES} {
		b := &breaker{at: 1, n: 1 << 60, err: &os.PathError{Op: "open", Path: "data/LOCK", Err: cause}}
		s := store.New(store.Options{Dir: "data", FS: errorfs.Wrap(vfs.NewMem(), b)})
		if err := s.Open(t.Context()); !errors.Is(err, store.ErrReadOnly) {
			t.Errorf("%v: %v", cause, err)
		}
	}
}

func TestDirectoryIsThisUsersAlone(t *testing.T) {
	above := filepath.Join(t.TempDir(), "above")
	dir := filepath.Join(above, "data")
	storetest.Close(t, storetest.OpenWith(t, store.Options{Dir: dir}))
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o700 {
		t.Errorf("made with mode %v: others can read the records", mode)
	}
}

func TestDirectoryInUse(t *testing.T) {
	if dir := os.Getenv("STORE_TEST_OPEN"); dir != "" {
		// This is the other process.
		s := store.New(store.Options{Dir: dir})
		err := s.Open(t.Context())
		fmt.Println(err, errors.Is(err, store.ErrLocked))
		return
	}
	dir := t.TempDir()
	s := storetest.OpenWith(t, store.Options{Dir: dir})
	second := store.New(store.Options{Dir: dir})
	if err := second.Open(t.Context()); !errors.Is(err, store.ErrLocked) {
		t.Errorf("opened again in this process: %v", err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestDirectoryInUse$")
	cmd.Env = append(os.Environ(), "STORE_TEST_OPEN="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "another process is using this data directory") || !strings.Contains(string(out), "true") {
		t.Errorf("opened in another process: %s, %v", out, err)
	}
	storetest.Close(t, s)
	if err := second.Open(t.Context()); err != nil {
		t.Errorf("opened after it was closed: %v", err)
	}
	storetest.Close(t, second)
}

func TestNewerFormat(t *testing.T) {
	t.Run("of Daybook", func(t *testing.T) {
		mem := vfs.NewMem()
		storetest.Close(t, storetest.OpenWith(t, store.Options{Dir: "data", FS: mem}))
		db, err := pebble.Open("data", &pebble.Options{FS: mem, FormatMajorVersion: pebble.FormatNewest, Logger: quiet{}})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(db.Set([]byte("mformat"), []byte{0, 0, 0, 5}, pebble.Sync), db.Close()); err != nil {
			t.Fatal(err)
		}
		checkRefused(t, mem, store.ErrNewerFormat, "it has format 5, this version reads up to 4")
	})
	t.Run("of Pebble", func(t *testing.T) {
		mem := vfs.NewMem()
		storetest.Close(t, storetest.OpenWith(t, store.Options{Dir: "data", FS: mem}))
		f, err := mem.Create("data/marker.format-version.999999.999", vfs.WriteCategoryUnspecified)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		checkRefused(t, mem, store.ErrNewerFormat, "")
	})
}

func checkRefused(t *testing.T, fsys vfs.FS, want error, text string) {
	t.Helper()
	s := store.New(store.Options{Dir: "data", FS: fsys})
	if err := s.Open(t.Context()); !errors.Is(err, want) || !strings.Contains(err.Error(), text) {
		t.Errorf("open: %v", err)
	}
	if _, err := s.EnsurePartition("shop"); !errors.Is(err, store.ErrClosed) {
		t.Errorf("use of a store that did not open: %v", err)
	}
}

// TestFlippedBit damages each file that holds batches, one byte at a time.
func TestFlippedBit(t *testing.T) {
	mem := vfs.NewMem()
	s := storetest.OpenWith(t, store.Options{Dir: "data", FS: mem})
	p := partition(t, s, "shop")
	for range 20 {
		appendBatch(t, p, incompressibleBatch(8<<10), store.State{})
	}
	storetest.Close(t, s)
	// What is in the write-ahead log goes to tables when it is replayed.
	storetest.Close(t, storetest.OpenWith(t, store.Options{Dir: "data", FS: mem}))
	names, err := mem.List("data")
	if err != nil {
		t.Fatal(err)
	}
	damaged := 0
	for _, name := range names {
		if !strings.HasSuffix(name, ".blob") {
			continue
		}
		flipBit(t, mem, "data/"+name)
		damaged++
	}
	if damaged == 0 {
		t.Fatalf("no file of batches in %q", names)
	}

	s = store.New(store.Options{Dir: "data", FS: mem})
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Check(context.Background()); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("check: %v", err)
	}
	p = partition(t, s, "shop")
	found := false
	for offset := range p.HighWatermark() {
		b, err := p.Read(nil, offset, 1)
		if err == nil {
			checkWhole(t, b)
			continue
		}
		found = true
		if !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("read offset %d: %v", offset, err)
		}
	}
	if !found {
		t.Error("no read has found the damage")
	}
	if err := s.Err(); err != nil {
		t.Errorf("a damaged batch stops the whole store: %v", err)
	}
}

func checkWhole(t *testing.T, b []byte) {
	t.Helper()
	if !strings.Contains(string(b), string(incompressibleBatch(8 << 10)[100:])) {
		t.Error("a wrong batch was read")
	}
}

func flipBit(t *testing.T, fsys vfs.FS, name string) {
	t.Helper()
	f, err := fsys.OpenReadWrite(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	one := make([]byte, 1)
	if _, err := f.ReadAt(one, info.Size()/2); err != nil && err != io.EOF {
		t.Fatal(err)
	}
	one[0] ^= 0x10
	if _, err := f.WriteAt(one, info.Size()/2); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

type quiet struct{}

func (quiet) Infof(string, ...any)           {}
func (quiet) Errorf(string, ...any)          {}
func (quiet) Fatalf(format string, a ...any) { panic(fmt.Sprintf(format, a...)) }
