package task

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"daybook/change"
	"daybook/recordbatch"
	"daybook/store"
	"daybook/store/storetest"
)

// table is the saved form of shop.t with one column of that type.
func table(typ change.Type) string {
	name, _ := typ.MarshalText()
	return `{"table":{"database":"shop","name":"t","columns":[{"name":"c","type":"` + string(name) + `","length":-1,"scale":-1}]}}`
}

// TestFormerDefinitions wants each record to be told with the definition that its table had, for as
// long as it is in the log: over changes with and without records, a restart of the task elsewhere, and restarts of Daybook.
func TestFormerDefinitions(t *testing.T) {
	p, s := openTest(t)
	first := map[string]int{} // before which record of the next batch the definition changes
	save := func(records int, typ change.Type) {
		t.Helper()
		var batch []byte
		if records > 0 {
			var b recordbatch.Builder
			for range records {
				b.End(append(b.Begin(1, []byte("k"), 8), 'v'))
			}
			batch = b.Finish()
		}
		st := s.state(checkpoint("p", "t\x00shop\x00t="+table(typ)))
		former, err := s.former(st.Schema, records, redefined{first: first})
		if err != nil {
			t.Fatal(err)
		}
		st.Schema = append(st.Schema, former...)
		if _, err := p.Append(batch, st); err != nil {
			t.Fatal(err)
		}
	}
	want := func(all ...change.Type) {
		t.Helper()
		for offset, typ := range all {
			got, _, err := TableAt(p, "Shop", "T", int64(offset))
			if err != nil || got == nil || got.Columns[0].Type != typ {
				t.Errorf("offset %d: %+v, %v, want %v", offset, got, err, typ)
			}
		}
	}
	save(2, change.Int)
	first["t\x00shop\x00t"] = 1
	save(2, change.Date) // the batch holds a row before it
	delete(first, "t\x00shop\x00t")
	save(0, change.Time) // no record has it
	save(0, change.Year)
	save(1, change.Year)
	want(change.Int, change.Int, change.Int, change.Date, change.Year)
	if _, err := s.begin(checkpoint("q", "t\x00shop\x00t="+table(change.Date)), nil); err != nil {
		t.Fatal(err)
	}
	if err := s.sweep(); err != nil {
		t.Fatal(err)
	}
	s = reopen(t, p)
	save(1, change.Date)
	want(change.Int, change.Int, change.Int, change.Date, change.Year, change.Date)
	if got, _, err := TableAt(p, "shop", "other", 0); got != nil || err != nil {
		t.Errorf("a table that is not known: %v, %v", got, err)
	}

	writes, err := s.trim(nil)
	if err != nil || len(writes) != 0 {
		t.Errorf("a log that has all records: %d deletions, %v", len(writes), err)
	}
	for kv, err := range p.SchemaUnder([]byte(formerPrefix), nil) {
		if end, ok := formerEnd(kv.Key); err != nil || !ok || end != 3 && end != 4 && end != 5 {
			t.Errorf("kept to %d, %v", end, err)
		}
	}
}

// TestFormerDefinitionsGo wants those to be deleted that no record in the log has, and the others to stay.
func TestFormerDefinitionsGo(t *testing.T) {
	st := storetest.OpenWith(t, store.Options{Dir: "data", FS: vfs.NewMem(), RetentionBytes: 100})
	p, err := st.EnsurePartition("shop")
	if err != nil {
		t.Fatal(err)
	}
	s := reopen(t, p)
	for _, typ := range []change.Type{change.Int, change.Date, change.Time} {
		var b recordbatch.Builder
		b.End(append(b.Begin(1, []byte("k"), 8), 'v'))
		state := s.state(checkpoint("p", "t\x00shop\x00t="+table(typ)))
		former, err := s.former(state.Schema, 1, redefined{first: map[string]int{"t\x00shop\x00t": 0}})
		if err != nil {
			t.Fatal(err)
		}
		state.Schema = append(state.Schema, former...)
		if _, err := p.Append(b.Finish(), state); err != nil {
			t.Fatal(err)
		}
	}
	if err := st.Retain(t.Context()); err != nil {
		t.Fatal(err)
	}
	start := p.LogStartOffset()
	writes, err := s.trim(nil)
	if err != nil || start == 0 || start == 3 || len(writes) != int(start) {
		t.Fatalf("the log begins at %d: %d deletions, %v", start, len(writes), err)
	}
	if _, err := p.Append(nil, store.State{Schema: writes}); err != nil {
		t.Fatal(err)
	}
	want := []change.Type{change.Int, change.Date, change.Time}
	for offset := start; offset < p.HighWatermark(); offset++ {
		if got, _, err := TableAt(p, "shop", "t", offset); err != nil || got.Columns[0].Type != want[offset] {
			t.Errorf("offset %d: %+v, %v", offset, got, err)
		}
	}
}
