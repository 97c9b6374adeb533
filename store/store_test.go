package store_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"daybook/recordbatch"
	"daybook/store"
	"daybook/store/storetest"
)

func partition(t testing.TB, s *store.Store, topic string) *store.Partition {
	t.Helper()
	p, err := s.EnsurePartition(topic)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func appendBatch(t testing.TB, p *store.Partition, batch []byte, st store.State) int64 {
	t.Helper()
	base, err := p.Append(batch, st)
	if err != nil {
		t.Fatal(err)
	}
	return base
}

// values reads the whole log from offset on, a few bytes at a time.
func values(t testing.TB, p *store.Partition, offset int64) []string {
	t.Helper()
	var all []string
	for offset < p.HighWatermark() {
		b, err := p.Read(nil, offset, 1)
		if err != nil {
			t.Fatal(err)
		}
		for r, err := range recordbatch.Records(b) {
			if err != nil {
				t.Fatal(err)
			}
			if r.Offset < offset {
				continue
			}
			if r.Offset != offset {
				t.Fatalf("read offset %d, want %d", r.Offset, offset)
			}
			all = append(all, string(r.Value))
			offset++
		}
	}
	return all
}

func TestAppendedRecordsAreRead(t *testing.T) {
	s := storetest.Open(t)
	p := partition(t, s, "shop")
	changed := p.Changed()
	if base := appendBatch(t, p, storetest.Batch(1, "a", "b"), store.State{Position: []byte("p2")}); base != 0 {
		t.Errorf("first base offset is %d", base)
	}
	<-changed
	if base := appendBatch(t, p, storetest.Batch(1, "c"), store.State{Position: []byte("p3")}); base != 2 {
		t.Errorf("second base offset is %d", base)
	}
	if got := values(t, p, 1); len(got) != 2 || got[0] != "b" || got[1] != "c" {
		t.Errorf("read %q", got)
	}
	if pos, ok, err := p.Position(); string(pos) != "p3" || !ok || err != nil {
		t.Errorf("position %q, %v, %v", pos, ok, err)
	}
	if b, err := p.Read(nil, 3, 1); len(b) != 0 || err != nil {
		t.Errorf("at the high watermark: %d bytes, %v", len(b), err)
	}
	for _, offset := range []int64{-1, 4} {
		if _, err := p.Read(nil, offset, 1); !errors.Is(err, store.ErrOffsetOutOfRange) {
			t.Errorf("offset %d: %v", offset, err)
		}
	}
}

// noise returns bytes that cannot be compressed.
func noise(rnd *rand.ChaCha8, size int) []byte {
	b := make([]byte, size)
	_, _ = rnd.Read(b)
	return b
}

func incompressibleBatch(size int) []byte {
	return storetest.Batch(0, string(noise(rand.NewChaCha8([32]byte{5}), size)))
}

// TestLargeBatch appends one that fits neither into Pebble's memtable nor into
// memory for the newest.
func TestLargeBatch(t *testing.T) {
	o := store.Options{Dir: "data", FS: vfs.NewMem()}
	s := storetest.OpenWith(t, o)
	p := partition(t, s, "shop")
	appendBatch(t, p, storetest.Batch(0, "small"), store.State{})
	large := incompressibleBatch(30 << 20)
	appendBatch(t, p, large, store.State{Position: []byte("behind")})
	appendBatch(t, p, storetest.Batch(0, "small again"), store.State{})
	for range 2 {
		got, err := p.Read(nil, 1, 1)
		if err != nil || !bytes.Equal(got, large) {
			t.Errorf("read %d bytes of %d, %v", len(got), len(large), err)
		}
		if got := values(t, p, 2); len(got) != 1 || got[0] != "small again" {
			t.Errorf("read %q after it", got)
		}
		storetest.Close(t, s)
		s = storetest.OpenWith(t, o)
		p = partition(t, s, "shop")
	}
}
