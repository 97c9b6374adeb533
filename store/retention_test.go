package store_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"daybook/store"
	"daybook/store/storetest"
)

// TestADayIsKept appends for 25 hours and looks every hour: what is older than
// 24 hours goes by itself within minutes, and nothing else does.
func TestADayIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.OpenWith(t, store.Options{Dir: "data", FS: vfs.NewMem()})
		p := partition(t, s, "shop")
		began := time.Now()
		const every = 10 * time.Minute
		for time.Since(began) < 25*time.Hour {
			appendBatch(t, p, storetest.Batch(0, "a", "b"), store.State{})
			time.Sleep(every)
			oldest := began.Add(time.Duration(p.LogStartOffset()/2) * every)
			if age := time.Since(oldest); age > 24*time.Hour+2*time.Minute {
				t.Fatalf("after %v offset %d is still there", age, p.LogStartOffset())
			}
			if p.LogStartOffset() > 0 {
				if age := time.Since(oldest.Add(-every)); age < 24*time.Hour {
					t.Fatalf("after %v offset %d is gone", age, p.LogStartOffset()-1)
				}
			}
		}
		if p.LogStartOffset() != 2*6 {
			t.Errorf("log start is %d after 25 hours", p.LogStartOffset())
		}
		time.Sleep(25 * time.Hour)
		if p.LogStartOffset() != p.HighWatermark() {
			t.Errorf("log start is %d, high watermark %d, after 25 idle hours", p.LogStartOffset(), p.HighWatermark())
		}
		if base := appendBatch(t, p, storetest.Batch(0, "c"), store.State{}); base != 2*25*6 {
			t.Errorf("append to the emptied log is at offset %d", base)
		}
	})
}

// TestRecordsOfAWrongClockGo has records that were appended while the clock was
// weeks ahead: they neither stay for ever nor take others with them.
func TestRecordsOfAWrongClockGo(t *testing.T) {
	mem := vfs.NewMem()
	o := store.Options{Dir: "data", FS: mem, RetentionAge: time.Hour}
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(1000 * time.Hour)
		s := storetest.OpenWith(t, o)
		appendBatch(t, partition(t, s, "shop"), storetest.Batch(0, "of the future"), store.State{})
	})
	synctest.Test(t, func(t *testing.T) {
		s := storetest.OpenWith(t, o)
		p := partition(t, s, "shop")
		appendBatch(t, p, storetest.Batch(0, "of today"), store.State{})
		time.Sleep(30 * time.Minute)
		if got := values(t, p, 0); len(got) != 2 {
			t.Errorf("half an hour later there are %q", got)
		}
		appendBatch(t, p, storetest.Batch(0, "of later today"), store.State{})
		time.Sleep(40 * time.Minute)
		if p.LogStartOffset() != 2 {
			t.Errorf("log start is %d", p.LogStartOffset())
		}
	})
}

// TestSizeCapTakesFromTheLargest shares one limit between topics: who is flooded pays, and who has less than an even
// share keeps all, however old.
func TestSizeCapTakesFromTheLargest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// A batch is stored in some 46 bytes: 196 of them fit.
		s := storetest.OpenWith(t, store.Options{Dir: "data", FS: vfs.NewMem(), RetentionBytes: 9000})
		old, young, large := partition(t, s, "old"), partition(t, s, "young"), partition(t, s, "large")
		fill := func(p *store.Partition, batches int) {
			for i := range batches {
				appendBatch(t, p, storetest.Batch(0, fmt.Sprint(i)), store.State{})
			}
		}
		fill(old, 20)
		time.Sleep(time.Hour)
		fill(large, 100)
		time.Sleep(time.Hour)
		fill(young, 300)
		time.Sleep(2 * time.Minute)
		if old.LogStartOffset() != 0 || large.LogStartOffset() == 0 || young.LogStartOffset() == 0 {
			t.Fatalf("log starts are %d, %d and %d", old.LogStartOffset(), large.LogStartOffset(), young.LogStartOffset())
		}
		if a, b := large.StoredBytes(), young.StoredBytes(); max(a, b)-min(a, b) > 100 || old.StoredBytes()+a+b > 9000 || old.StoredBytes()+a+b < 8800 {
			t.Errorf("%d, %d and %d bytes are kept", old.StoredBytes(), a, b)
		}
		before := large.LogStartOffset()
		fill(young, 500)
		time.Sleep(2 * time.Minute)
		if old.LogStartOffset() != 0 || large.LogStartOffset() > before+1 || young.StoredBytes() > 4500 {
			t.Errorf("log starts are %d, %d (it was %d) and %d after more", old.LogStartOffset(), large.LogStartOffset(), before, young.LogStartOffset())
		}
	})
}

// TestRetentionOfATopic has topics with an age and a cap of their own beside one with neither, and changes them.
func TestRetentionOfATopic(t *testing.T) {
	o := store.Options{Dir: "data", FS: vfs.NewMem()}
	synctest.Test(t, func(t *testing.T) {
		s := storetest.OpenWith(t, o)
		set := func(topic string, r store.Retention) *store.Partition {
			p := partition(t, s, topic)
			if err := p.SetRetention(r); err != nil {
				t.Fatal(err)
			}
			return p
		}
		plain, long := partition(t, s, "plain"), set("long", store.Retention{Age: 72 * time.Hour})
		short, capped := set("short", store.Retention{Age: time.Hour}), set("capped", store.Retention{Age: 72 * time.Hour, Bytes: 500})
		all := []*store.Partition{plain, long, short, capped}
		want := func(starts ...int64) {
			t.Helper()
			for i, p := range all {
				if p.LogStartOffset() != starts[i] {
					t.Errorf("log start of %s is %d, want %d", p.Topic(), p.LogStartOffset(), starts[i])
				}
			}
		}
		for range 30 {
			for _, p := range all {
				appendBatch(t, p, storetest.Batch(0, "a"), store.State{})
			}
			time.Sleep(time.Hour)
		}
		time.Sleep(2*time.Minute - time.Second)
		want(7, 0, 30, 19)
		if age, err := long.OldestAge(); err != nil || age.Round(time.Hour) != 30*time.Hour {
			t.Errorf("the oldest is of %v ago: %v", age, err)
		}

		storetest.Close(t, s) // what was set is kept, also for a start before it is set anew
		s = storetest.OpenWith(t, o)
		for i, p := range all {
			all[i] = partition(t, s, p.Topic())
		}
		time.Sleep(10 * time.Minute)
		want(7, 0, 30, 19)
		if r := all[3].Retention(); r != (store.Retention{Age: 72 * time.Hour, Bytes: 500}) {
			t.Errorf("%+v is kept", r)
		}

		set("long", store.Retention{Age: 10 * time.Hour}) // at once
		set("short", store.Retention{Age: 48 * time.Hour})
		set("capped", store.Retention{})
		time.Sleep(time.Second)
		synctest.Wait()
		want(7, 21, 30, 19)
		for range 20 {
			for _, p := range all {
				appendBatch(t, p, storetest.Batch(0, "a"), store.State{})
			}
			time.Sleep(time.Hour)
		}
		want(27, 40, 30, 27)

		if err := s.DeletePartition("long"); err != nil {
			t.Fatal(err)
		}
		if err := all[1].SetRetention(store.Retention{}); !errors.Is(err, store.ErrDeleted) {
			t.Errorf("retention of a deleted topic: %v", err)
		}
		if r := partition(t, s, "long").Retention(); r != (store.Retention{Age: 24 * time.Hour}) {
			t.Errorf("a topic that is made anew keeps %+v", r)
		}
	})
}

// withLogs is how much of the disk a store of a few megabytes may take: Pebble deletes in the background, and its
// write-ahead logs stay, to be reused, more or less of them.
const withLogs = 64 << 20

// TestSmallerRetentionFreesTheDisk takes bytes and age back on a real directory.
func TestSmallerRetentionFreesTheDisk(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]store.Retention{"bytes": {Bytes: 4 << 20}, "age": {Age: 10 * time.Millisecond}} {
		dir := t.TempDir()
		s := storetest.OpenWith(t, store.Options{Dir: dir})
		p, other := partition(t, s, "shop"), partition(t, s, "other")
		for range 140 {
			appendBatch(t, p, incompressibleBatch(1<<20), store.State{})
		}
		for range 5 {
			appendBatch(t, other, incompressibleBatch(1<<20), store.State{})
		}
		before := diskUsage(t, dir)
		if before < 140<<20 {
			t.Fatalf("%s: %d MiB are used by 145 MiB", name, before>>20)
		}
		if err := p.SetRetention(r); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(20 * time.Second); diskUsage(t, dir) > withLogs; time.Sleep(100 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: %d MiB were used, %d MiB still are", name, before>>20, diskUsage(t, dir)>>20)
			}
		}
		t.Logf("%s: %d MiB of disk were used, then %d MiB", name, before>>20, diskUsage(t, dir)>>20)
		if p.LogStartOffset() < 130 || other.LogStartOffset() != 0 {
			t.Errorf("%s: log starts are %d and %d", name, p.LogStartOffset(), other.LogStartOffset())
		}
	}
}

// TestRemovedRecordsFreeTheDisk floods a topic of a real directory that has a cap, or all topics together: it is kept
// while that goes on, and not only each minute.
func TestRemovedRecordsFreeTheDisk(t *testing.T) {
	t.Parallel()
	for name, own := range map[string]bool{"of all": false, "its own": true} {
		const limit = 8 << 20
		dir := t.TempDir()
		o := store.Options{Dir: dir}
		if !own {
			o.RetentionBytes = limit
		}
		s := storetest.OpenWith(t, o)
		p := partition(t, s, "shop")
		if own {
			if err := p.SetRetention(store.Retention{Bytes: limit}); err != nil {
				t.Fatal(err)
			}
		}
		before := catalogTime(t, dir)
		for range 160 {
			appendBatch(t, p, incompressibleBatch(1<<20), store.State{})
		}
		if !own && !catalogTime(t, dir).Equal(before) { // whose retention has it written once
			t.Error("the catalog was written, and synced, while records came")
		}
		for deadline := time.Now().Add(20 * time.Second); diskUsage(t, dir) > withLogs || p.StoredBytes() > limit+2<<20; time.Sleep(100 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: %d MiB are used, and the log has %d MiB, 8 MiB are kept", name, diskUsage(t, dir)>>20, p.StoredBytes()>>20)
			}
		}
	}
}

func catalogTime(t *testing.T, dir string) time.Time {
	t.Helper()
	info, err := os.Stat(filepath.Join(dir, "catalog.json"))
	if err != nil {
		t.Fatal(err)
	}
	return info.ModTime()
}

func diskUsage(t *testing.T, dir string) int64 {
	t.Helper()
	var total int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // deleted meanwhile
		}
		if info, err := d.Info(); err == nil {
			total += info.Size()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return total
}

// heldSyncs lets no sync of a write-ahead log end while it is told so.
type heldSyncs struct {
	held atomic.Pointer[chan struct{}]
	hit  chan struct{}
}

func (h *heldSyncs) String() string { return "held syncs" }

func (h *heldSyncs) MaybeError(op errorfs.Op) error {
	switch op.Kind {
	case errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo:
		if held := h.held.Load(); held != nil && strings.HasSuffix(op.Path, ".log") {
			select {
			case h.hit <- struct{}{}:
			default:
			}
			<-*held
		}
	}
	return nil
}

// during calls look while a write is not synced yet, so that Pebble shows it already.
func (h *heldSyncs) during(t *testing.T, write func() error, look func()) {
	t.Helper()
	release := make(chan struct{})
	h.held.Store(&release)
	written := make(chan error, 1)
	go func() { written <- write() }()
	<-h.hit
	look()
	h.held.Store(nil)
	close(release)
	if err := <-written; err != nil {
		t.Error(err)
	}
}

// TestReadsWhileRecordsAreRemoved reads what is being removed: that is no damage, and who looks for
// a time finds what is kept.
func TestReadsWhileRecordsAreRemoved(t *testing.T) {
	t.Parallel()
	h := &heldSyncs{hit: make(chan struct{}, 1)}
	s := storetest.OpenWith(t, store.Options{Dir: "data", FS: errorfs.Wrap(vfs.NewMem(), h), RetentionBytes: 3000, RecentBytes: 1})
	p := partition(t, s, "shop")
	for ms := range int64(10) {
		appendBatch(t, p, storetest.Batch(9-ms, string(noise(rand.NewChaCha8([32]byte{1}), 1000))), store.State{})
	}
	h.during(t, func() error { return s.Retain(t.Context()) }, func() {
		if _, err := p.Read(nil, 0, 1); !errors.Is(err, store.ErrOffsetOutOfRange) {
			t.Errorf("read what is being removed: %v", err)
		}
		offset, _, found, err := p.OffsetForTime(0)
		if latest, ms, _, latestErr := p.MaxTimestamp(); err != nil || latestErr != nil || !found || offset != latest || ms != 9-latest || latest == 0 {
			t.Errorf("a time is found at offset %d (%v, %v), the latest, %d, at %d (%v)", offset, found, err, ms, latest, latestErr)
		}
	})
	h.during(t, func() error { return s.DeletePartition("shop") }, func() {
		_, err := p.Read(nil, p.LogStartOffset(), 1)
		_, _, _, timeErr := p.OffsetForTime(0)
		_, _, positionErr := p.Position()
		for _, err := range []error{err, timeErr, positionErr} {
			if !errors.Is(err, store.ErrDeleted) {
				t.Errorf("what is being deleted: %v", err)
			}
		}
	})
}
