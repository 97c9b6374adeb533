//go:build servers

package tasks

import (
	"strings"
	"testing"

	"daybook/e2e/harness"
	"daybook/e2e/servers"
)

// asStatement inserts a row that the binlog has as a statement.
func asStatement(conn *servers.Conn, id int) {
	conn.Exec("SET SESSION binlog_format = STATEMENT")
	insert(conn, id)
	conn.Exec("SET SESSION binlog_format = ROW")
}

// TestSkip passes over two transactions that cannot be read, and over nothing
// else.
func TestSkip(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		db, conn := s.Database(t)
		conn.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
		way := harness.NewProxy(t, s.Address)
		d := harness.Start(t, harness.Config{Source: way.Address(), Include: []string{db + ".t"}, Start: "now", SchemaChanges: "none"})
		d.WaitLog("state=Normal", patience)
		insert(conn, 1)
		wantLog(t, d, 1)
		if out := command(t, d, 6, "skip", harness.Topic); !strings.Contains(out, "state Normal") {
			t.Errorf("a task that runs: %s", out)
		}
		first := end(conn)
		asStatement(conn, 2)
		second := end(conn)
		asStatement(conn, 3)
		insert(conn, 4)

		task := waitState(t, d, "Error")
		if task.EventGroup == nil || (task.EventGroup.GTID == "") != (s.Name == "mysql-5.5") {
			t.Fatalf("the task names no event group: %+v", task)
		}
		out := command(t, d, 0, "skip", harness.Topic, "--dry-run")
		if !strings.Contains(out, first) || !strings.Contains(out, task.EventGroup.GTID) {
			t.Errorf("want %s and %s named by\n%s", first, task.EventGroup.GTID, out)
		}
		wantLog(t, d, 1) // a dry run
		follow(t, d)
		gaps := wantLog(t, d, 1, 0)
		if g := gaps[0].Gap; !strings.Contains(g.From, first) || !strings.Contains(g.To, second) {
			t.Errorf("the gap is %+v, want it from %s to %s", g, first, second)
		}
		d.Kill()
		d.Start()
		follow(t, d)
		wantLog(t, d, 1, 0, 0, 4)

		d.Stop()
		way.Close() // another error
		d.Start()
		waitState(t, d, "Error")
		if out := command(t, d, 6, "skip", harness.Topic); !strings.Contains(out, "is another") {
			t.Errorf("an error of another kind: %s", out)
		}
	})
}
