package task

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"daybook/binlog"
	"daybook/store"
	"daybook/store/storetest"
)

func openTest(t *testing.T) (*store.Partition, *saved) {
	t.Helper()
	p, err := storetest.Open(t).EnsurePartition("shop")
	if err != nil {
		t.Fatal(err)
	}
	return p, reopen(t, p)
}

func reopen(t *testing.T, p *store.Partition) *saved {
	t.Helper()
	s, err := openSaved(p)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func checkpoint(position string, entries ...string) binlog.Checkpoint {
	cp := binlog.Checkpoint{Position: []byte(position)}
	for _, e := range entries {
		key, value, _ := strings.Cut(e, "=")
		cp.Schema = append(cp.Schema, binlog.SchemaEntry{Key: []byte(key), Value: []byte(value)})
	}
	return cp
}

// wantSaved wants the reader to be given this position and these entries.
func wantSaved(t *testing.T, s *saved, position string, entries ...string) {
	t.Helper()
	got, _, err := s.partition.Position()
	if err != nil || string(got) != position {
		t.Errorf("position %q, %v, want %q", got, err, position)
	}
	want, all := map[string]string{}, map[string]string{}
	for _, e := range entries {
		key, value, _ := strings.Cut(e, "=")
		want[key] = value
	}
	var failed error
	for k, v := range s.schema(&failed) {
		all[string(k)] = string(v)
		if one, err := s.value(k); err != nil || string(one) != string(v) {
			t.Errorf("value of %q is %q, %v, want %q", k, one, err, v)
		}
	}
	if failed != nil || !maps.Equal(all, want) {
		t.Errorf("schema %q, %v, want %q", all, failed, want)
	}
}

func mustBegin(t *testing.T, s *saved, cp binlog.Checkpoint) {
	t.Helper()
	if _, err := s.begin(cp, nil); err != nil {
		t.Fatal(err)
	}
}

func TestBeginReplacesWhatWasSaved(t *testing.T) {
	p, s := openTest(t)
	mustBegin(t, s, checkpoint("first", "a=1", "b=2"))
	if _, err := p.Append(nil, s.state(checkpoint("later", "b=3", "c=4"))); err != nil {
		t.Fatal(err)
	}
	wantSaved(t, reopen(t, p), "later", "a=1", "b=3", "c=4")
	mustBegin(t, s, checkpoint("anew", "b=5"))
	wantSaved(t, s, "anew", "b=5")
	wantSaved(t, reopen(t, p), "anew", "b=5")
	if err := s.sweep(); err != nil {
		t.Fatal(err)
	}
	n := 0
	for range p.Schema() {
		n++
	}
	if n != 2 { // b and the generation
		t.Errorf("%d entries are left, want 2", n)
	}
}

// TestEntriesWithoutGenerations has a partition as it was saved before there
// were generations.
func TestEntriesWithoutGenerations(t *testing.T) {
	p, s := openTest(t)
	old := checkpoint("old", "d\x00shop=1", "t\x00shop\x00orders=2")
	st := store.State{Position: old.Position}
	for _, e := range old.Schema {
		st.Schema = append(st.Schema, store.Write(e))
	}
	if _, err := p.Append(nil, st); err != nil {
		t.Fatal(err)
	}
	wantSaved(t, s, "old", "d\x00shop=1", "t\x00shop\x00orders=2")
	mustBegin(t, s, checkpoint("new", "d\x00shop=3"))
	wantSaved(t, reopen(t, p), "new", "d\x00shop=3")
}

// TestBeginOfManyEntriesIsAtomic leaves off after each append of a begin: what
// was saved before stands until the last.
func TestBeginOfManyEntriesIsAtomic(t *testing.T) {
	_, s := openTest(t)
	mustBegin(t, s, checkpoint("before", "a=1"))
	large := strings.Repeat("x", pieceBytes/3)
	var entries []string
	for i := range 10 {
		entries = append(entries, fmt.Sprintf("k%d=%s%d", i, large, i))
	}
	cp := checkpoint("after", entries...)
	appends := 0
	for rest := s.writes(s.generation+1, cp.Schema); ; appends++ {
		n := piece(rest)
		if n == len(rest) {
			break
		}
		if _, err := s.partition.Append(nil, store.State{Schema: rest[:n]}); err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
		left := reopen(t, s.partition)
		wantSaved(t, left, "before", "a=1")
		if !left.stale {
			t.Error("what a broken begin left is not noticed")
		}
	}
	if appends < 3 {
		t.Errorf("%d appends before the last, want more", appends)
	}
	mustBegin(t, reopen(t, s.partition), checkpoint("shorter", "k0=1"))
	wantSaved(t, reopen(t, s.partition), "shorter", "k0=1")
	mustBegin(t, reopen(t, s.partition), cp)
	wantSaved(t, reopen(t, s.partition), "after", entries...)
}
