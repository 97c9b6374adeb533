package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"daybook/recordbatch"
	"daybook/store"
	"daybook/store/storetest"
)

// damagedTopics are the topics of the directory that is damaged.
var damagedTopics = []string{"news", "orders", "shop"}

// recordOf is the record at an offset of a topic, whenever it is appended.
func recordOf(topic string, offset int64) []byte {
	var seed [32]byte
	copy(seed[:], topic)
	seed[31], seed[30], seed[29] = byte(offset), byte(offset>>8), 7
	rnd := rand.NewChaCha8(seed)
	v := fmt.Appendf(nil, "%s %d ", topic, offset)
	if offset%3 == 0 {
		return append(v, noise(rnd, 3000)...) // in a value file
	}
	return append(v, noise(rnd, 100)...) // in a table
}

// batchOf has some records from an offset on.
func batchOf(topic string, offset int64) []byte {
	var b recordbatch.Builder
	for i := range 1 + offset%2 {
		b.Append(offset+i, nil, recordOf(topic, offset+i))
	}
	return b.Finish()
}

// log is a directory of three topics that has been opened and closed a few
// times, so that it has all kinds of files, and where the logs end. A fourth topic was there
// in each life, and was deleted in the next.
type log struct {
	fs   *vfs.MemFS
	ends map[string]int64
}

func makeLog(t *testing.T, lives, rounds int) *log {
	t.Helper()
	l := &log{fs: vfs.NewMem(), ends: map[string]int64{}}
	for life := range lives {
		s := store.New(store.Options{Dir: "data", FS: l.fs})
		if err := s.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		deletePartition(t, s, "deleted")
		for range rounds {
			for _, topic := range append(damagedTopics, "deleted") {
				l.append(t, s, topic)
			}
		}
		if life == lives-1 {
			deletePartition(t, s, "deleted")
		}
		if err := s.Table("groups").Put(fmt.Append(nil, "group ", l.ends["shop"]), []byte("checkpoint")); err != nil {
			t.Fatal(err)
		}
		storetest.Close(t, s)
	}
	return l
}

func (l *log) append(t *testing.T, s *store.Store, topic string) {
	t.Helper()
	p := partition(t, s, topic)
	end := p.HighWatermark()
	batch := batchOf(topic, end)
	appendBatch(t, p, batch, store.State{
		Position: fmt.Appendf(nil, "%s %d", topic, end),
		Schema:   []store.Write{{Key: fmt.Appendf(nil, "table %d", end%50), Value: noise(rand.NewChaCha8([32]byte{byte(end)}), 200)}},
	})
	l.ends[topic] = p.HighWatermark()
}

// damages are what can happen to a file.
var damages = map[string]func(t *testing.T, fsys vfs.FS, name string, rnd *rand.Rand){
	"flipped": func(t *testing.T, fsys vfs.FS, name string, rnd *rand.Rand) {
		b := content(t, fsys, name)
		if len(b) == 0 {
			return
		}
		b[rnd.IntN(len(b))] ^= 1 << rnd.IntN(8)
		put(t, fsys, name, b)
	},
	"cut": func(t *testing.T, fsys vfs.FS, name string, rnd *rand.Rand) {
		b := content(t, fsys, name)
		put(t, fsys, name, b[:rnd.IntN(len(b)+1)])
	},
	"emptied": func(t *testing.T, fsys vfs.FS, name string, _ *rand.Rand) { put(t, fsys, name, nil) },
	"zeroed": func(t *testing.T, fsys vfs.FS, name string, rnd *rand.Rand) {
		b := content(t, fsys, name)
		clear(b[rnd.IntN(len(b)+1):])
		put(t, fsys, name, b)
	},
	"gone": func(t *testing.T, fsys vfs.FS, name string, _ *rand.Rand) {
		if err := fsys.Remove(name); err != nil {
			t.Fatal(err)
		}
	},
}

func content(t *testing.T, fsys vfs.FS, name string) []byte {
	t.Helper()
	f, err := fsys.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(f); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func put(t *testing.T, fsys vfs.FS, name string, b []byte) {
	t.Helper()
	f, err := fsys.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// files returns the names in the directory that damage matters to.
func files(t *testing.T, fsys vfs.FS) []string {
	t.Helper()
	names, err := fsys.List("data")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return slices.DeleteFunc(names, func(name string) bool { return name == "LOCK" })
}

// mayKeepFromStarting tells whether a damaged file may do so, in words: those
// that hold the names of the others, and what was synced last.
func mayKeepFromStarting(name string) bool {
	for _, kind := range []string{"MANIFEST-", "marker.", "OPTIONS-", ".log", "CURRENT"} {
		if strings.Contains(name, kind) {
			return true
		}
	}
	return false
}

// newestFiles returns one file of each kind.
func newestFiles(t *testing.T, fsys vfs.FS) (newest []string) {
	t.Helper()
	kinds := map[string]string{}
	for _, name := range files(t, fsys) {
		kind, _, _ := strings.Cut(name, "-")
		if at := strings.IndexByte(name, '.'); name[0] == '0' {
			kind = name[at:]
		}
		kinds[kind] = name // they are in order
	}
	for name := range maps.Values(kinds) {
		newest = append(newest, name)
	}
	slices.Sort(newest)
	return newest
}

// TestDamages damages a file of each kind in each way, and then uses the directory.
func TestDamages(t *testing.T) {
	t.Parallel()
	whole := makeLog(t, 4, 20)
	testDamages(t, whole, newestFiles(t, whole.fs))
}

func testDamages(t *testing.T, whole *log, names []string) {
	for _, name := range names {
		for _, kind := range slices.Sorted(maps.Keys(damages)) {
			for seed := range uint64(2) {
				if seed > 0 && kind != "flipped" {
					continue
				}
				t.Run(fmt.Sprintf("%s %s %d", name, kind, seed), func(t *testing.T) {
					l := &log{fs: vfs.NewMem(), ends: whole.ends}
					if _, err := vfs.Clone(whole.fs, l.fs, "data", "data"); err != nil {
						t.Fatal(err)
					}
					damages[kind](t, l.fs, "data/"+name, rand.New(rand.NewPCG(seed, 1)))
					l.use(t, name)
				})
			}
		}
	}
}

// use opens the log, reads all of it, appends, retains, and does so again.
func (l *log) use(t *testing.T, name string) {
	appended := map[string]int64{}
	for range 2 {
		s := store.New(store.Options{Dir: "data", FS: l.fs, RecentBytes: 1})
		if err := s.Open(t.Context()); err != nil {
			if !mayKeepFromStarting(name) || !errors.Is(err, store.ErrCorrupt) {
				t.Errorf("open: %v", err)
			}
			t.Logf("open: %.200v", err)
			return
		}
		wantTopics(t, s)
		damaged, lost := 0, 0
		for _, topic := range damagedTopics {
			p := partition(t, s, topic)
			if p.Damaged() != nil {
				damaged++
				continue
			}
			if p.HighWatermark() < max(l.ends[topic], appended[topic]) {
				t.Errorf("%s ends at offset %d, and was at %d", topic, p.HighWatermark(), l.ends[topic])
			}
			lost += l.read(t, p)
			if _, err := p.Append(batchOf(topic, p.HighWatermark()), store.State{}); err != nil {
				t.Errorf("append to %s: %v", topic, err)
			}
			appended[topic] = p.HighWatermark()
			_, _, err := p.Position()
			l.check(t, "position", err)
			for _, err := range p.Schema() {
				l.check(t, "schema", err)
			}
		}
		for _, err := range s.Table("groups").Scan(nil) {
			l.check(t, "table", err)
		}
		l.check(t, "check", s.Check(t.Context()))
		l.check(t, "retain", s.Retain(t.Context()))
		if err := s.Err(); err != nil {
			t.Errorf("the store failed: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		t.Logf("%d topics damaged, %d records lost", damaged, lost)
	}
}

// wantTopics wants no topic that was deleted, whatever is damaged.
func wantTopics(t *testing.T, s *store.Store) {
	t.Helper()
	for _, p := range s.Partitions() {
		if !slices.Contains(damagedTopics, p.Topic()) {
			t.Errorf("%s is there", p.Topic())
		}
	}
}

func (l *log) check(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil && !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("%s: %v", what, err)
	}
}

// read returns how many records cannot be read. Those that can are the right ones.
func (l *log) read(t *testing.T, p *store.Partition) (lost int) {
	t.Helper()
	for offset := p.LogStartOffset(); offset < p.HighWatermark(); {
		b, err := p.Read(nil, offset, 1)
		l.check(t, "read", err)
		if err != nil {
			offset, lost = offset+1, lost+1
			continue
		}
		for r, err := range recordbatch.Records(b) {
			if err != nil {
				t.Fatal(err)
			}
			if r.Offset == offset {
				offset++
			}
			if !bytes.Equal(r.Value, recordOf(p.Topic(), r.Offset)) {
				t.Errorf("%s has a wrong record at offset %d", p.Topic(), r.Offset)
			}
		}
	}
	return lost
}
