package binlog

import (
	"bytes"
	"fmt"
	"testing"

	"daybook/binlog/dump"
	"daybook/binlog/schema"
)

// TestSessionsAreBounded has sessions make more temporary tables than are kept, and drop
// some: the oldest session is forgotten, and in doubt, and no other; what is saved is
// what is kept.
func TestSessionsAreBounded(t *testing.T) {
	c := schema.NewCatalog(schema.Server{Flavor: "mysql", Version: 50740})
	e := newEntries()
	s := newSessions(&e)
	s.see(1, 0)
	run := func(thread uint32, sql string) *schema.Result {
		t.Helper()
		it := item{event: dump.Event{ServerID: 1, Flags: dump.FlagThreadSpecific}, query: query{thread: thread, sql: []byte(sql), context: schema.Context{Database: "shop"}}}
		result, err := s.apply(c, &it)
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	run(1, "CREATE TABLE t (a INT)")
	if run(1, "ALTER TABLE t COMMENT 'x'").InDoubt {
		t.Error("in doubt, though the session was read from its beginning")
	}
	for i := range maxTemporary {
		run(uint32(2+i%100), fmt.Sprintf("CREATE TEMPORARY TABLE t%d (a INT)", i))
	}
	run(200, "CREATE TEMPORARY TABLE t (a INT)")
	if r := run(200, "ALTER TABLE t COMMENT 'x'"); r.InDoubt || r.IsDDL() {
		t.Errorf("of the newest: %+v", r)
	}
	if r := run(2, "ALTER TABLE t COMMENT 'x'"); !r.InDoubt || !r.IsDDL() {
		t.Errorf("of one that is not kept: %+v", r)
	}
	if r := run(201, "ALTER TABLE t COMMENT 'x'"); r.InDoubt || !r.IsDDL() {
		t.Errorf("of one without any: %+v", r)
	}
	if r := run(9, "ALTER TABLE t107 COMMENT 'x'"); r.InDoubt || r.IsDDL() {
		t.Errorf("of one that is kept: %+v", r)
	}
	for i := range maxTemporary / 2 {
		run(uint32(2+i%100), fmt.Sprintf("DROP TEMPORARY TABLE t%d", i))
	}
	run(3, "DROP TEMPORARY TABLE t5001, t5101")
	loaded := newSessions(nil)
	for _, entry := range e.take() {
		if entry.Value == nil || !bytes.HasPrefix(entry.Key, sessionPrefix) {
			continue
		}
		if err := loaded.load(entry.Key, entry.Value); err != nil {
			t.Fatal(err)
		}
	}
	if want := maxTemporary/2 - 50 + 1 - 2; s.tables != want || loaded.tables != want || loaded.seen != s.seen || len(loaded.open) != len(s.open) {
		t.Errorf("%d tables of %d sessions, loaded %d of %d, want %d", s.tables, len(s.open), loaded.tables, len(loaded.open), want)
	}
	for _, key := range []string{"s\x00", "s\x001", "s\x001\x00x", "s\x001\x005000000000"} {
		if loaded.load([]byte(key), []byte("[")) == nil || key != "s\x00" && loaded.load([]byte(key), []byte("{}")) == nil {
			t.Errorf("entry %q was loaded", key)
		}
	}
}
