package store_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"daybook/recordbatch"
	"daybook/store"
	"daybook/store/storetest"
)

// TestReadUpToTheDamage asks for all of a log that has a damaged batch in its
// middle: it gets what comes before, and the error only where the batch is.
func TestReadUpToTheDamage(t *testing.T) {
	fsys := vfs.NewMem()
	s := storetest.OpenWith(t, store.Options{Dir: "data", FS: fsys})
	p := partition(t, s, "shop")
	for range 40 {
		appendBatch(t, p, batchOf("shop", p.HighWatermark()), store.State{})
	}
	end := p.HighWatermark()
	storetest.Close(t, s)
	storetest.Close(t, storetest.OpenWith(t, store.Options{Dir: "data", FS: fsys})) // which writes the value file
	for _, name := range files(t, fsys) {
		if strings.HasSuffix(name, ".blob") {
			b := content(t, fsys, "data/"+name)
			b[len(b)/2] ^= 4
			put(t, fsys, "data/"+name, b)
		}
	}
	s = store.New(store.Options{Dir: "data", FS: fsys, RecentBytes: 1})
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p = partition(t, s, "shop")
	read := func(offset int64, maxBytes int) (next int64, err error) {
		b, err := p.Read(nil, offset, maxBytes)
		if err != nil {
			return 0, err
		}
		for len(b) > 0 {
			h, err := recordbatch.ParseHeader(b)
			if err != nil {
				t.Fatal(err)
			}
			next, b = h.NextOffset(), b[h.Length:]
		}
		return next, nil
	}
	damaged := int64(0)
	for damaged < end {
		next, err := read(damaged, 1)
		if err != nil {
			break
		}
		damaged = next
	}
	if damaged == 0 || damaged == end {
		t.Fatalf("the damage is at %d of %d", damaged, end)
	}
	if next, err := read(0, 64<<20); err != nil || next != damaged {
		t.Errorf("all from 0: up to %d, %v; want up to %d", next, err, damaged)
	}
	if _, err := read(damaged, 64<<20); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("at %d: %v, want %v", damaged, err, store.ErrCorrupt)
	}
}
