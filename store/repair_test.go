package store_test

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"daybook/recordbatch"
	"daybook/store"
	"daybook/store/storetest"
)

// TestRepair damages a file of each kind and repairs the directory. What
// is told to be lost is lost, and nothing else; the rest is as it was, at its offset.
func TestRepair(t *testing.T) {
	t.Parallel()
	whole := makeLog(t, 4, 20)
	for _, name := range newestFiles(t, whole.fs) {
		kinds := slices.Sorted(maps.Keys(damages))
		if strings.HasSuffix(name, ".sst") { // nothing can be read of one that is emptied or zeroed, either
			kinds = []string{"cut", "flipped", "gone"}
		}
		testRepair(t, whole, []string{name}, kinds)
	}
}

// TestRepairKeepsRetention repairs directories with a flipped bit. How long a topic's records stay is as it was set, or,
// where just that was damaged, as for all.
func TestRepairKeepsRetention(t *testing.T) {
	t.Parallel()
	whole := makeLog(t, 2, 20)
	set := store.Retention{Age: 72 * time.Hour, Bytes: 1 << 40}
	s := storetest.OpenWith(t, store.Options{Dir: "data", FS: whole.fs})
	if err := partition(t, s, "shop").SetRetention(set); err != nil {
		t.Fatal(err)
	}
	storetest.Close(t, s)
	repaired, same := 0, 0
	for _, name := range newestFiles(t, whole.fs) {
		o := store.Options{Dir: "data", FS: vfs.NewMem()}
		if _, err := vfs.Clone(whole.fs, o.FS, "data", "data"); err != nil {
			t.Fatal(err)
		}
		damages["flipped"](t, o.FS, "data/"+name, rand.New(rand.NewPCG(5, 1)))
		kept, err := store.Repair(t.Context(), o, func(store.Damage) {})
		if err != nil || kept == "" {
			continue
		}
		s := storetest.OpenWith(t, o)
		repaired++
		switch r := partition(t, s, "shop").Retention(); r {
		case set:
			same++
		case store.Retention{Age: 24 * time.Hour}:
		default:
			t.Errorf("%s: %+v is kept", name, r)
		}
		storetest.Close(t, s)
	}
	if same == 0 {
		t.Errorf("of %d that were repaired none has it", repaired)
	}
}

func testRepair(t *testing.T, whole *log, names, kinds []string) {
	for _, name := range names {
		for _, kind := range kinds {
			t.Run(name+" "+kind, func(t *testing.T) {
				l := &log{fs: vfs.NewMem(), ends: whole.ends}
				if _, err := vfs.Clone(whole.fs, l.fs, "data", "data"); err != nil {
					t.Fatal(err)
				}
				damages[kind](t, l.fs, "data/"+name, rand.New(rand.NewPCG(5, 1)))
				l.repair(t)
			})
		}
	}
}

func (l *log) repair(t *testing.T) {
	o := store.Options{Dir: "data", FS: l.fs, RecentBytes: 1}
	var inspected, repaired []store.Damage
	before := contents(t, l.fs)
	if err := store.Inspect(t.Context(), o, func(d store.Damage) { inspected = append(inspected, d) }); err != nil {
		t.Fatalf("inspect: %v", err)
	}
	if after := contents(t, l.fs); !maps.Equal(after, before) {
		t.Error("inspecting changed the directory")
	}
	kept, err := store.Repair(t.Context(), o, func(d store.Damage) { repaired = append(repaired, d) })
	if len(inspected) > 0 && inspected[0].What == store.LostDirectory {
		if !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), "restore the directory from a copy") {
			t.Errorf("a directory that cannot be read is repaired: %v", err)
		}
		return
	}
	if err != nil || (kept != "") != (len(repaired) > 0) {
		t.Fatalf("repair: kept in %q, %v; %v", kept, err, repaired)
	}
	if !reflect.DeepEqual(inspected, repaired) {
		t.Errorf("inspect tells %v, repair %v", inspected, repaired)
	}
	if again, err := store.Repair(t.Context(), o, func(d store.Damage) { t.Errorf("after the repair: %v", d) }); err != nil || again != "" {
		t.Errorf("second repair: %q, %v", again, err)
	}
	l.wantRepaired(t, o, repaired)
}

// contents are the files of the directory.
func contents(t *testing.T, fsys vfs.FS) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, name := range files(t, fsys) {
		f, err := fsys.Open("data/" + name)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(f)
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		all[name] = string(b)
	}
	return all
}

// wantRepaired wants all to be there but what was told to be lost.
func (l *log) wantRepaired(t *testing.T, o store.Options, repaired []store.Damage) {
	t.Helper()
	s := store.New(o)
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	wantTopics(t, s)
	for _, topic := range damagedTopics {
		p := partition(t, s, topic)
		if p.Damaged() != nil || p.HighWatermark() < l.ends[topic] {
			t.Errorf("%s ends at %d, was at %d: %v", topic, p.HighWatermark(), l.ends[topic], p.Damaged())
			continue
		}
		l.readRepaired(t, p, repaired)
		_, _, err := p.Position()
		lost := slices.ContainsFunc(repaired, func(d store.Damage) bool { return d.Topic == topic && d.What == store.LostState })
		if (err != nil) != lost || err != nil && !errors.Is(err, store.ErrStateLost) {
			t.Errorf("the state of %s is lost: %v; position: %v", topic, lost, err)
		}
		if _, err := p.Append(batchOf(topic, p.HighWatermark()), store.State{Position: []byte("new")}); err != nil {
			t.Errorf("append to %s: %v", topic, err)
		}
		if pos, _, err := p.Position(); err != nil || string(pos) != "new" {
			t.Errorf("position of %s is %q, %v", topic, pos, err)
		}
	}
}

// readRepaired reads as consumers do: from where the last batch ended.
func (l *log) readRepaired(t *testing.T, p *store.Partition, repaired []store.Damage) {
	lost := func(offset int64) bool {
		return slices.ContainsFunc(repaired, func(d store.Damage) bool {
			return d.Topic == p.Topic() && d.What == store.LostRecords && offset >= d.From && offset < d.To
		})
	}
	for offset := p.LogStartOffset(); offset < p.HighWatermark(); {
		b, err := p.Read(nil, offset, 1)
		if err != nil {
			t.Fatal(err)
		}
		h, err := recordbatch.Verify(b)
		if err != nil {
			t.Fatal(err)
		}
		for r := range recordbatch.Records(b) {
			for ; offset < r.Offset; offset++ {
				if !lost(offset) {
					t.Fatalf("offset %d of %s is gone", offset, p.Topic())
				}
			}
			if i := slices.IndexFunc(repaired, func(d store.Damage) bool {
				return d.What == store.LostRecords && d.Topic == p.Topic() && d.To == offset
			}); i >= 0 && !bytes.Equal(repaired[i].After, r.Value) {
				t.Errorf("the record behind the lost ones is not that at offset %d", offset)
			}
			if lost(offset) || !bytes.Equal(r.Value, recordOf(p.Topic(), r.Offset)) {
				t.Fatalf("offset %d of %s is lost (%v) or wrong", offset, p.Topic(), lost(offset))
			}
			offset++
		}
		for ; offset < h.NextOffset(); offset += 1 + (h.NextOffset()-offset)/1000 {
			if !lost(offset) {
				t.Fatalf("offset %d of %s is gone", offset, p.Topic())
			}
		}
	}
}
