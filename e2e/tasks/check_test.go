//go:build servers

package tasks

import (
	"slices"
	"strings"
	"testing"
	"time"

	"daybook/admin"
	"daybook/e2e/harness"
	"daybook/e2e/servers"
)

// TestCheck has an INT made UNSIGNED behind the binlog's back, which rows of these
// servers do not show. It is found by itself within its time, and both ways on that
// are named lead on.
func TestCheck(t *testing.T) {
	for _, version := range []string{"mysql-5.7", "mariadb-10.11"} {
		t.Run(version, func(t *testing.T) {
			s := servers.Get(t, version)
			db, conn := s.Database(t)
			conn.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
			d := harness.Start(t, harness.Config{Source: s.Address, Include: []string{db + ".t"}, Start: "now", SchemaChanges: "none", Extra: "    check_definitions: 1s\n"})
			d.WaitLog("state=Normal", patience)
			insert(conn, 1)
			wantLog(t, d, 1)
			read := time.Now()
			waitTask(t, d, "a check that finds nothing", func(task *admin.Task) bool { return task.Definitions.Checked.After(read) })
			conn.Exec("SET SESSION sql_log_bin = 0", "ALTER TABLE t MODIFY id INT UNSIGNED", "SET SESSION sql_log_bin = 1")
			insert(conn, 4294967295)
			wantLog(t, d, 1, -1)
			task := waitTask(t, d, "the table that differs", func(task *admin.Task) bool { return len(task.Definitions.Differ) > 0 })
			found := task.Definitions.Differ[0]
			if found.Table != db+".t" || len(found.What) != 1 || !strings.Contains(found.What[0], "id is INT NOT NULL, at the source INT UNSIGNED NOT NULL") || found.Since.Before(read) {
				t.Errorf("it found %+v", found)
			}
			if !slices.ContainsFunc(task.Events, func(e admin.Event) bool { return e.Kind == "definition_differs" && e.Table == found.Table }) {
				t.Errorf("no event tells of it: %+v", task.Events)
			}
			d.Kill()
			d.Start()
			waitState(t, d, "Normal")
			if now := show(t, d).Definitions.Differ; len(now) != 1 || now[0].SincePlace != found.SincePlace {
				t.Errorf("after a kill it tells of %+v, before of %+v", now, found)
			}
			if out := command(t, d, 1, "check", harness.Topic); !strings.Contains(out, found.SincePlace) {
				t.Errorf("by command: %s", out)
			}

			ways := named.FindAllStringSubmatch(task.Definitions.WayOn, -1)
			if len(ways) != 2 {
				t.Fatalf("want two ways on, got %q", task.Definitions.WayOn)
			}
			command(t, d, 0, strings.Fields(ways[0][1])...)
			insert(conn, 4294967294)
			wantLog(t, d, 1, -1, 4294967294)
			d.Kill() // what is adopted stays
			d.Start()
			waitState(t, d, "Normal")
			if out := command(t, d, 0, "check", harness.Topic, "--table", db+".t"); !strings.Contains(out, "as at the source: 1") {
				t.Errorf("after it was adopted: %s", out)
			}
			if now := show(t, d).Definitions; len(now.Differ) != 0 {
				t.Errorf("after it was adopted it tells of %+v", now)
			}
			command(t, d, 0, strings.Fields(ways[1][1])...)
			wantLog(t, d, 1, -1, 4294967294, 0, 4294967295, 4294967294)
		})
	}
}

// waitTask waits until the task is as wanted.
func waitTask(t *testing.T, d *harness.Daybook, what string, wanted func(*admin.Task) bool) admin.Task {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		task := show(t, d)
		if wanted(&task) {
			return task
		}
		if time.Now().After(deadline) {
			t.Fatalf("want %s; the task is %+v", what, task)
		}
	}
}
