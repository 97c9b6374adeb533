//go:build servers && soak

package dump_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"daybook/binlog/dump"
)

// TestBeyond4GiB: a file of more than 4 GiB, entered by a GTID set and by an
// offset beyond what the command can name.
func TestBeyond4GiB(t *testing.T) {
	for _, v := range lines() {
		t.Run(v, func(t *testing.T) {
			o := begin(t, v, true, "--max-allowed-packet=1G", "--sync-binlog=0")
			o.db.Exec("CREATE TABLE d.big (a LONGBLOB) ENGINE=BLACKHOLE", "CREATE TABLE d.n (a INT) ENGINE=MyISAM",
				"INSERT INTO d.n VALUES (1),(2),(3),(4),(5),(6),(7),(8),(9)")
			first, second, third := o.Connect(t, ""), o.Connect(t, ""), o.Connect(t, "")
			big := func(times string) string {
				return "INSERT INTO d.big SELECT REPEAT('x', 60*1024*1024) FROM d.n AS a JOIN d.n AS b " + times
			}
			first.Exec("BEGIN", big("WHERE a.a=1"))
			second.Exec("BEGIN", big(""))
			third.Exec("SET binlog_format=STATEMENT", "BEGIN", "REPLACE INTO d.t VALUES (17)")
			// The first writes its half a GiB, the others queue, and are written
			// together: only so does anything follow behind 4 GiB in a file.
			done := make(chan error, 3)
			go func() { done <- first.Try("COMMIT") }()
			time.Sleep(50 * time.Millisecond)
			go func() { done <- second.Try("COMMIT") }()
			time.Sleep(50 * time.Millisecond)
			go func() { done <- third.Try("COMMIT") }()
			for range 3 {
				if err := <-done; err != nil {
					t.Fatal(err)
				}
			}
			t.Log(o.db.Query("SHOW BINARY LOGS"))
			p := o.start()
			o.insert(18, 18)
			set := p.GTIDs.String()
			last := p.GTIDs.Without(lastOf(t, p, o))
			p = &dump.Position{Flavor: p.Flavor, ServerUUID: p.ServerUUID, ServerID: p.ServerID, Pos: 4, GTIDs: last}
			t.Log(set, last)
			f := follow(t, o.source(nil), p)
			if err := f.until(3*patience, func() bool { return len(f.values) > 0 }); err != nil {
				t.Fatal(err)
			}
			t.Logf("%+v at %+v", f.p, f.at.First)
			if f.values[0] != "17" {
				t.Fatalf("read %s", f.values)
			}
			for _, row := range o.db.Query(fmt.Sprintf("SHOW BINLOG EVENTS IN '%s' FROM %d LIMIT 2", f.p.File, f.p.Last.Start)) {
				t.Log(row)
				if !strings.Contains(row[5], "COMMIT") && row[1] == fmt.Sprint(f.p.Last.Start) {
					t.Errorf("%+v is not at the commit: %s", f.p.Last, row)
				}
			}
			if f.p.Last.Start < 1<<32 {
				t.Errorf("the group is placed at %d", f.p.Last.Start)
			}
			f.feed.Close()
			again := follow(t, o.source(nil), f.saved())
			if err := again.until(3*patience, func() bool { return len(again.values) > 0 }); err != nil {
				t.Fatal(err)
			}
			again.want(18, 18)
		})
	}
}

// lastOf returns the GTID of the group that ends at a position.
func lastOf(t *testing.T, p *dump.Position, o *origin) dump.GTID {
	t.Helper()
	text := p.GTIDs.String()
	if o.MariaDB() {
		g, err := dump.ParseGTID(p.Flavor, text)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	last := text[strings.LastIndexAny(text, ":-")+1:]
	g, err := dump.ParseGTID(p.Flavor, text[:strings.Index(text, ":")]+":"+last)
	if err != nil {
		t.Fatal(err)
	}
	return g
}
