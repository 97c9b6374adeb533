package binlog

import (
	"errors"
	"testing"

	"daybook/binlog/schema"
)

// newTestReader returns a reader in the middle of a stream.
func newTestReader(pos uint64) *Reader {
	r := New(Options{})
	r.status, r.filter = &Status{Flavor: MySQL}, &filter{}
	r.catalog = schema.NewCatalog(schema.Server{Flavor: "mysql", Version: 80031})
	r.format.tableIDSize = 6
	r.beginAt(position{flavor: MySQL, file: "binlog.000001", pos: pos})
	r.settle()
	return r
}

// TestOffsets follows offsets beyond 32 bits, gaps, and ends that are not told.
func TestOffsets(t *testing.T) {
	r := newTestReader(1<<32 - 100)
	for i, c := range []struct {
		size, logPos uint32
		start, end   uint64
	}{
		{60, 1<<32 - 40, 1<<32 - 100, 1<<32 - 40},
		{60, 20, 1<<32 - 40, 1<<32 + 20},
		{80, 0, 1<<32 + 20, 1<<32 + 100}, // MariaDB 11.4
		{50, 500, 1<<32 + 450, 1<<32 + 500},
		{50, 400, 2<<32 + 350, 2<<32 + 400}, // skipped by the source
	} {
		if done, err := r.locate(event{typ: evQuery, size: c.size, logPos: c.logPos}); done || err != nil {
			t.Fatal(done, err)
		}
		if r.start != c.start || r.offset != c.end {
			t.Errorf("event %d: %d to %d, want %d to %d", i, r.start, r.offset, c.start, c.end)
		}
	}
	for _, e := range []event{{typ: evHeartbeat, size: 40, logPos: 7}, {typ: evMariaGTIDList, body: []byte{0, 0, 0, 0}, size: 40, logPos: 7, flags: flagArtificial}} {
		if done, err := r.locate(e); !done || err != nil || r.offset != 2<<32+400 {
			t.Errorf("event of type %d moved to %d: %v, %v", e.typ, r.offset, done, err)
		}
	}
}

// TestEventTypes wants an error for what may carry changes and is not known,
// and the position before it.
func TestEventTypes(t *testing.T) {
	for _, c := range []struct {
		e    event
		fail bool
	}{
		{event{typ: 77}, true},
		{event{typ: 77, flags: flagIgnorable}, false},
		{event{typ: 200}, true},
		{event{typ: 0}, true},
		{event{typ: evIncident, body: []byte{1, 0, 0}}, true},
		{event{typ: evLoad}, true},
		{event{typ: evStop}, false},
		{event{typ: evViewChange}, false},
		{event{typ: evTransactionContext}, false},
		{event{typ: evBinlogCheckpoint}, false},
		{event{typ: evIgnorable}, false},
	} {
		r := newTestReader(1000)
		c.e.size, c.e.logPos = 100, 1100
		_, err := r.handle(c.e)
		if (err != nil) != c.fail || err != nil && !errors.Is(err, ErrEvent) {
			t.Errorf("type %d: error %v", c.e.typ, err)
		}
		if want := uint64(1100); c.fail && r.pos.pos != 1000 || !c.fail && r.pos.pos != want {
			t.Errorf("type %d: position %d", c.e.typ, r.pos.pos)
		}
	}
}

func TestWildcards(t *testing.T) {
	f, err := newFilter([]string{"shop.*", "crm.c?st*", "Case.T"}, []string{"shop.tmp_*"}, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		database, table string
		want            bool
	}{
		{"shop", "orders", true}, {"shop", "tmp_1", false}, {"shops", "orders", false}, {"crm", "customers", true},
		{"crm", "cst", false}, {"crm", "cöst", true}, {"Case", "T", true}, {"case", "T", false}, {"Case", "t", false},
	} {
		if got := f.table(c.database, c.table); got != c.want {
			t.Errorf("%s.%s: %v", c.database, c.table, got)
		}
	}
	for name, want := range map[string]bool{"shop": true, "crm": true, "other": false} {
		if got := f.database(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	folded, err := newFilter([]string{"Case.T"}, nil, true)
	if err != nil || !folded.table("case", "t") {
		t.Errorf("folded: %v", err)
	}
	for _, bad := range []string{"shop", ".t", "d.", ""} {
		if _, err := newFilter([]string{bad}, nil, false); err == nil {
			t.Errorf("pattern %q is accepted", bad)
		}
	}
}

func TestVersionNumber(t *testing.T) {
	for text, want := range map[string]int{
		"8.0.31": 80031, "5.5.34-log": 50534, "10.11.6-MariaDB-1": 101106, "5.5.5-10.1.13-MariaDB": 100113, "9.7.4": 90704, "": 0, "x": 0,
	} {
		if got := versionNumber(text); got != want {
			t.Errorf("%q is %d", text, got)
		}
	}
}
