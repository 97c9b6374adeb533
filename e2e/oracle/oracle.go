// Package oracle tells end-to-end tests what the log must hold: it reads the
// source's binlog a second time, with go-mysql's decoder and none of daybook's,
// and compares it change by change with the log as a Kafka client reads it.
//
// The main types are [Change] and [Position]. [Binlog] and [Log] stream, so that
// transactions of any size can be compared. Both end the test when they cannot
// go on, and belong on the goroutine that runs it.
//
// Values are compared as text, which is exact for integers, decimals and
// strings: tables of these tests have no other columns.
package oracle

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"daybook/e2e/servers"
)

// Position is a place in the binlog.
type Position struct {
	File string
	Pos  uint64
}

// Change is one record of the log: a row change, or a DDL statement.
type Change struct {
	Position          // of the event
	Begin    Position // of the event group that it is in; zero: not known
	Row      int      // index within the event
	Op       string   // c, u, d; "ddl"
	Table    string   // database.table; of a DDL statement ""
	// Before and After are the row's values in the order of the columns; nil: none.
	Before, After []string
	DDL           string
}

func (c Change) String() string {
	if c.Op == "ddl" {
		return fmt.Sprintf("%s:%d ddl %s", c.File, c.Pos, c.DDL)
	}
	return fmt.Sprintf("%s:%d row %d (in %s:%d) %s %s %.200q -> %.200q", c.File, c.Pos, c.Row, c.Begin.File, c.Begin.Pos, c.Op, c.Table, c.Before, c.After)
}

func (c Change) equal(o Change) bool {
	return c.Position == o.Position && c.Row == o.Row && c.Op == o.Op && c.Table == o.Table && c.DDL == o.DDL &&
		slices.Equal(c.Before, o.Before) && slices.Equal(c.After, o.After)
}

// Compare checks that the log holds the changes of the binlog: each, once, in
// order, and nothing else. It returns how many there are.
func Compare(t *testing.T, binlog, log iter.Seq[Change]) int {
	t.Helper()
	next, stop := iter.Pull(log)
	defer stop()
	n := 0
	for want := range binlog {
		got, ok := next()
		if !ok {
			t.Fatalf("the log ends after %d records; the next change in the binlog is\n%v", n, want)
		}
		if !got.equal(want) {
			t.Fatalf("record %d is\n%v\nthe binlog has\n%v", n, got, want)
		}
		n++
	}
	if got, ok := next(); ok {
		t.Fatalf("after all %d changes of the binlog the log holds\n%v", n, got)
	}
	return n
}

// End returns where the server's binlog ends now.
func End(conn *servers.Conn) Position {
	show := "SHOW MASTER STATUS"
	if conn.Query("SELECT VERSION()")[0][0][:2] == "9." {
		show = "SHOW BINARY LOG STATUS"
	}
	row := conn.Query(show)[0]
	var p Position
	p.File = row[0]
	fmt.Sscan(row[1], &p.Pos)
	return p
}

// keyed says if a table of these tests has a primary key, which then is its
// first column.
func keyed(table string) bool { return !strings.HasSuffix(table, "_nokey") }
