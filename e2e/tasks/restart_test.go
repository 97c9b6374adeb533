//go:build servers

package tasks

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"daybook/admin"
	"daybook/e2e/harness"
	"daybook/e2e/oracle"
	"daybook/e2e/servers"
)

// command runs `daybook task` and wants its exit code; it returns what it printed.
func command(t *testing.T, d *harness.Daybook, exit int, args ...string) string {
	t.Helper()
	stdout, stderr, code := d.Run(append([]string{"task"}, args...)...)
	if code != exit {
		t.Fatalf("daybook task %q: exit code %d, want %d\n%s%s", args, code, exit, stdout, stderr)
	}
	return stdout + stderr
}

func show(t *testing.T, d *harness.Daybook) (task admin.Task) {
	t.Helper()
	if err := json.Unmarshal([]byte(command(t, d, 0, "show", harness.Topic, "-o", "json")), &task); err != nil {
		t.Fatal(err)
	}
	return task
}

// waitState waits until the task is in the state.
func waitState(t *testing.T, d *harness.Daybook, state string) admin.Task {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		task := show(t, d)
		if task.State == state {
			return task
		}
		if time.Now().After(deadline) {
			t.Fatalf("the task is %+v, want it in state %s", task, state)
		}
	}
}

// end is the end of the binlog, as --from takes it.
func end(conn *servers.Conn) string {
	at := oracle.End(conn)
	return fmt.Sprintf("%s:%d", at.File, at.Pos)
}

// wantLog wants the log to be inserts of rows of these IDs; 0 is a gap record.
func wantLog(t *testing.T, d *harness.Daybook, ids ...int) (gaps []logged) {
	t.Helper()
	for i, r := range records(t, d, int64(len(ids))) {
		if r.After.ID != ids[i] || (r.Gap != nil) != (ids[i] == 0) {
			t.Errorf("record %d is %+v, want row %d", i, r, ids[i])
		}
		if r.Gap != nil {
			gaps = append(gaps, r)
		}
	}
	return gaps
}

var named = regexp.MustCompile(`'daybook task ([^']+)'`)

// follow runs the command that the task's error names.
func follow(t *testing.T, d *harness.Daybook) string {
	t.Helper()
	task := waitState(t, d, "Error")
	m := named.FindStringSubmatch(task.Reason)
	if m == nil {
		t.Fatalf("no command is named by %q", task.Reason)
	}
	t.Logf("%s: daybook task %s", task.Reason, m[1])
	return command(t, d, 0, strings.Fields(m[1])...)
}

func TestRestartOfATaskThatRuns(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		db, conn := s.Database(t)
		conn.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
		d := harness.Start(t, harness.Config{Source: s.Address, Include: []string{db + ".t"}, Start: "now", SchemaChanges: "none"})
		d.WaitLog("state=Normal", patience)
		insert(conn, 1)
		from := end(conn)
		insert(conn, 2)
		wantLog(t, d, 1, 2)

		if out := command(t, d, 6, "restart", harness.Topic, "--from", from); !strings.Contains(out, "--force") {
			t.Errorf("it is not told how: %s", out)
		}
		command(t, d, 1, "restart", harness.Topic, "--from", "yesterday", "--force")
		command(t, d, 0, "restart", harness.Topic, "--from", from, "--force", "--dry-run")
		if out := command(t, d, 1, "restart", harness.Topic, "--from", "binlog.999999:4", "--force"); !strings.Contains(out, "goes on as before") {
			t.Errorf("a place that the source does not have: %s", out)
		}
		insert(conn, 3)
		wantLog(t, d, 1, 2, 3)

		command(t, d, 0, "restart", harness.Topic, "--from", from, "--force")
		gaps := wantLog(t, d, 1, 2, 3, 0, 2, 3)
		if g := gaps[0].Gap; !strings.HasPrefix(g.To, from) || !strings.Contains(g.From, ".") || g.From == g.To || g.Reason == "" {
			t.Errorf("the gap is %+v", g)
		}
		d.Kill() // done is done
		d.Start()
		insert(conn, 4)
		wantLog(t, d, 1, 2, 3, 0, 2, 3, 4)
		if task := waitState(t, d, "Normal"); task.Command != "" || task.Position == nil {
			t.Errorf("the task is %+v", task)
		}
	})
}

// TestRestartSurvivesAKill gives the command while the source cannot be
// reached, and kills the process: it is done once, when the source is there.
func TestRestartSurvivesAKill(t *testing.T) {
	for _, name := range []string{"mysql-8.0", "mariadb-10.11"} {
		t.Run(name, func(t *testing.T) {
			s := servers.Get(t, name)
			db, conn := s.Database(t)
			conn.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
			way := harness.NewProxy(t, s.Address)
			d := harness.Start(t, harness.Config{Source: way.Address(), Include: []string{db + ".t"}, Start: "now", SchemaChanges: "none"})
			d.WaitLog("state=Normal", patience)
			insert(conn, 1)
			wantLog(t, d, 1)
			way.Close()
			command(t, d, 7, "restart", harness.Topic, "--from", "now", "--force")
			if task := show(t, d); task.State != "Error" || !strings.Contains(task.Command, "restart from now") {
				t.Errorf("the task is %+v", task)
			}
			d.Kill()
			insert(conn, 2)
			d.Start()
			way.Open()
			waitState(t, d, "Normal")
			insert(conn, 3)
			wantLog(t, d, 1, 0, 3)
			d.Kill()
			d.Start()
			insert(conn, 4)
			wantLog(t, d, 1, 0, 3, 4)
		})
	}
}

// purge leaves only the binlog that is written. What a connection still reads
// is not purged, and the server learns late that one has ended.
func purge(t *testing.T, conn *servers.Conn) {
	t.Helper()
	last := oracle.End(conn).File
	for deadline := time.Now().Add(patience); conn.Query("SHOW BINARY LOGS")[0][0] != last; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the server does not purge its binlogs")
		}
		conn.Exec("PURGE BINARY LOGS TO '" + last + "'")
	}
}

// TestPurgedBinlogs follows the command of the error.
func TestPurgedBinlogs(t *testing.T) {
	for _, version := range []string{"mysql-8.0", "mariadb-10.11"} {
		t.Run(version, func(t *testing.T) {
			s := servers.Start(t, version)
			db, conn := s.Database(t)
			conn.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
			d := harness.Start(t, harness.Config{Source: s.Address, Include: []string{db + ".t"}, Start: "now", SchemaChanges: "none"})
			d.WaitLog("state=Normal", patience)
			insert(conn, 1)
			wantLog(t, d, 1)
			d.Stop()
			insert(conn, 2)
			conn.Exec("FLUSH BINARY LOGS")
			purge(t, conn)
			insert(conn, 3)
			d.Start()
			follow(t, d)
			gaps := wantLog(t, d, 1, 0, 3)
			if !strings.HasPrefix(gaps[0].Gap.To, oracle.End(conn).File+":4") {
				t.Errorf("the gap is %+v", gaps[0].Gap)
			}
			waitState(t, d, "Normal")
		})
	}
}
