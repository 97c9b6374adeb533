//go:build servers

package format_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"daybook/binlog"
	"daybook/change"
	"daybook/e2e/servers"
	"daybook/format"
)

// TestSourceAsDebezium runs the statements that Debezium's records are of
// on a real server and compares what the binlog's reader and the encoder make of
// them: decoding, schema history and format at once.
func TestSourceAsDebezium(t *testing.T) {
	s := servers.Get(t, "mysql-8.0")
	conn := s.Connect(t, "")
	conn.Exec("DROP DATABASE IF EXISTS format_dbz")
	t.Cleanup(func() { conn.Exec("DROP DATABASE IF EXISTS format_dbz") })

	r := binlog.New(binlog.Options{
		Source:        binlog.Source{Address: s.Address, User: servers.Repl, Password: servers.Repl},
		Include:       []string{"format_dbz.*"},
		SchemaChanges: binlog.SchemaChangesObjects,
		IncludeQuery:  true, // as the captured connector had it
	})
	if err := r.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, file := range []string{"types.sql", "changes.sql"} {
		b, err := os.ReadFile("testdata/debezium/" + file)
		if err != nil {
			t.Fatal(err)
		}
		for sql := range strings.SplitSeq(strings.TrimSpace(string(b)), ";\n") {
			conn.Exec(strings.TrimSuffix(sql, ";"))
		}
	}

	golden := debeziumRecords(t)
	e := encoder(format.DebeziumOptions{})
	for len(golden) > 0 {
		c := next(t, r)
		if c.Op == change.Schema && strings.HasPrefix(c.DDL.SQL, "TRUNCATE") {
			continue // Debezium has no record of it
		}
		for _, got := range encode(t, e, c) {
			t.Run(statement(t, golden[0]), func(t *testing.T) {
				compare(t, got, golden[0], "source.ts_ms", "source.ts_us", "source.ts_ns",
					"source.server_id", "source.gtid", "source.file", "source.pos", "source.thread")
			})
			golden = golden[1:]
		}
	}
}

// statement returns the SQL that a record is of.
func statement(t *testing.T, r record) string {
	t.Helper()
	var v struct {
		DDL    string
		Source source
	}
	if err := json.Unmarshal(r.Value, &v); err != nil {
		t.Fatal(err)
	}
	return v.DDL + v.Source.Query
}

// next returns the reader's next change.
func next(t *testing.T, r *binlog.Reader) *change.Change {
	t.Helper()
	limit := time.After(30 * time.Second)
	for {
		c, err := r.Poll()
		if err != nil {
			t.Fatal(err)
		}
		if c != nil {
			return c
		}
		select {
		case <-r.Ready():
		case <-limit:
			t.Fatal("no further change")
		}
	}
}
