package store_test

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"daybook/store"
	"daybook/store/storetest"
)

// indexKey is the key of an index entry, see docs/store-format.md.
func indexKey(partition uint32, offset uint64) []byte {
	k := binary.BigEndian.AppendUint32([]byte{'i'}, partition)
	return binary.BigEndian.AppendUint64(k, offset)
}

// readsKey tells whether a key can be read.
func readsKey(t *testing.T, fsys vfs.FS, key []byte) bool {
	t.Helper()
	db, err := pebble.Open("data", &pebble.Options{
		FS: fsys, ReadOnly: true, FormatMajorVersion: pebble.FormatNewest, Logger: quiet{},
		EventListener: &pebble.EventListener{DataCorruption: func(pebble.DataCorruptionInfo) {}},
	})
	if err != nil {
		return false
	}
	defer db.Close()
	_, closer, err := db.Get(key)
	if err == nil {
		err = closer.Close()
	}
	return err == nil
}

// withDamagedKey returns a copy in which one bit of a table is flipped, so that bad
// cannot be read and good still can.
func withDamagedKey(t *testing.T, whole vfs.FS, bad []byte, good ...[]byte) *vfs.MemFS {
	t.Helper()
	for _, name := range files(t, whole) {
		if !strings.HasSuffix(name, ".sst") {
			continue
		}
		b := content(t, whole, "data/"+name)
		for at := 100; at < len(b); at += 500 {
			damaged := vfs.NewMem()
			if _, err := vfs.Clone(whole, damaged, "data", "data"); err != nil {
				t.Fatal(err)
			}
			flipped := append([]byte(nil), b...)
			flipped[at] ^= 4
			put(t, damaged, "data/"+name, flipped)
			ok := !readsKey(t, damaged, bad)
			for _, key := range good {
				ok = ok && readsKey(t, damaged, key)
			}
			if ok {
				return damaged
			}
		}
	}
	t.Fatalf("no bit makes %x unreadable alone", bad)
	return nil
}

// TestRetentionPassesOverDamage has a damaged block at the front of one
// topic's index. The topic's records go when the next ones that can be read are too
// old, and those of the other topics go as ever; the size cap works, too.
func TestRetentionPassesOverDamage(t *testing.T) {
	t.Parallel()
	whole := vfs.NewMem()
	const batches = 400
	synctest.Test(t, func(t *testing.T) {
		for range 2 { // the second puts all into tables
			s := storetest.OpenWith(t, store.Options{Dir: "data", FS: whole})
			for range batches / 2 {
				for _, topic := range damagedTopics {
					appendBatch(t, partition(t, s, topic), storetest.Batch(0, "a"), store.State{})
				}
				time.Sleep(time.Minute)
			}
			storetest.Close(t, s)
		}
		storetest.Close(t, storetest.OpenWith(t, store.Options{Dir: "data", FS: whole}))
	})
	damaged := withDamagedKey(t, whole, indexKey(0, 0), indexKey(0, batches/2), indexKey(0, batches-1), indexKey(1, 0))

	for name, o := range map[string]store.Options{"age": {}, "size": {RetentionBytes: 3 * batches * 43 / 2}} {
		t.Run(name, func(t *testing.T) {
			o.Dir, o.FS = "data", vfs.NewMem()
			if _, err := vfs.Clone(damaged, o.FS, "data", "data"); err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(batches * time.Minute)
				s := store.New(o)
				if err := s.Open(t.Context()); err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				if o.RetentionBytes == 0 {
					time.Sleep(24*time.Hour - batches/4*time.Minute)
				}
				if err := s.Retain(t.Context()); err != nil {
					t.Error(err)
				}
				for _, topic := range damagedTopics {
					p := partition(t, s, topic)
					if start := p.LogStartOffset(); start < batches/3 || start >= batches-10 {
						t.Errorf("log start of %s is %d of %d", topic, start, batches)
					}
					if n, err := p.Size(p.LogStartOffset()); err != nil || n == 0 {
						t.Errorf("%s has %d bytes, %v", topic, n, err)
					}
					if b, err := p.Read(nil, p.LogStartOffset(), 1); err != nil || len(b) == 0 {
						t.Errorf("%s is read at %d: %d bytes, %v", topic, p.LogStartOffset(), len(b), err)
					}
				}
				if err := s.Check(t.Context()); err != nil && !errors.Is(err, store.ErrCorrupt) {
					t.Error(err)
				}
			})
		})
	}
}
