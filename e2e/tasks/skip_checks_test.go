//go:build servers

package tasks

import (
	"slices"
	"strings"
	"testing"

	"daybook/admin"
	"daybook/e2e/harness"
	"daybook/e2e/servers"
)

// TestSkippedWarnings has warnings of the precheck skipped by name before a task starts and while it is read: they are not told
// any more, over kills too. What fails cannot be skipped.
func TestSkippedWarnings(t *testing.T) {
	t.Setenv("SECOND_PASSWORD", "repl")
	s := servers.Get(t, "mysql-8.0") // which warns of its sync_binlog and binlog_row_metadata
	db, conn := s.Database(t)
	user := "skip_" + db[len(db)-8:]
	conn.Exec("CREATE TABLE t (id INT PRIMARY KEY)", "CREATE USER "+user+" IDENTIFIED BY 'repl'", "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO "+user)
	t.Cleanup(func() { conn.Exec("DROP USER " + user) })
	d := harness.Start(t, harness.Config{Source: s.Address, Include: []string{db + ".none"}, Start: "now", SchemaChanges: "none"})
	l := &life{t, d}
	create := func(exit int, name, user string) string {
		return command(t, d, exit, "create", name, "--source", s.Address, "--user", user, "--password-env", "SECOND_PASSWORD", "--include", db+".t", "--schema-changes", "none")
	}
	checked := func(name, status string) {
		t.Helper()
		l.await("with the check "+name+" "+status, func(task *admin.Task) bool {
			return slices.ContainsFunc(task.Checks, func(c admin.Check) bool {
				return c.Name == name && c.Status == status && c.Skippable == (status == "warn")
			})
		})
	}

	if out := create(0, "second", "repl"); !strings.Contains(out, `daybook task precheck second --skip "binlog sync"`) {
		t.Errorf("how to skip a warning is not told: %s", out)
	}
	checked("binlog sync", "warn")
	for _, wrong := range []string{"login", "no such check"} {
		if out := command(t, d, 1, "precheck", "second", "--skip", wrong); !strings.Contains(out, "is no check that warns: those that do, and may be skipped, are GTID, ") || strings.Contains(out, wrong) {
			t.Errorf("--skip %s: %s", wrong, out)
		}
	}
	if out := command(t, d, 0, "precheck", "second", "--skip", "binlog sync"); strings.Contains(out, "warn binlog sync") || !strings.Contains(out, "skipped binlog sync") {
		t.Errorf("a warning that is skipped is told: %s", out)
	}
	l.crash()
	l.state("Not Started")
	checked("binlog sync", "skipped")
	checked("row metadata", "warn")
	command(t, d, 0, "start", "second")
	task := l.state("Normal")
	told := func(check string) bool {
		return slices.ContainsFunc(strings.Split(d.Log(), "\n"), func(line string) bool {
			return strings.Contains(line, "precheck warns") && strings.Contains(line, "task=second") && strings.Contains(line, check)
		})
	}
	if told("binlog sync") || !told("row metadata") {
		t.Errorf("in the log: binlog sync %v, row metadata %v", told("binlog sync"), told("row metadata"))
	}
	command(t, d, 0, "reconfigure", "second", "--skip-check", "row metadata", "--skip-check", "replica's binlog")
	checked("row metadata", "skipped")
	checked("binlog sync", "warn") // the list was replaced
	if now := l.state("Normal"); !now.Since.Equal(task.Since) {
		t.Error("the reading was restarted")
	}
	if out := command(t, d, 1, "reconfigure", "second", "--skip-check", "version"); !strings.Contains(out, "skip_checks[0]: is no check that warns") {
		t.Errorf("a check that does not warn: %s", out)
	}
	if out := command(t, d, 0, "events", "second"); !strings.Contains(out, "precheck, skipping the warnings of binlog sync (by") {
		t.Errorf("the events are %s", out)
	}

	create(1, "third", user)
	if out := command(t, d, 1, "precheck", "third", "--skip", "privilege SELECT"); !strings.Contains(out, "privilege SELECT fails, and only a warning can be skipped") {
		t.Errorf("a failure is skipped: %s", out)
	}
	command(t, d, 1, "precheck", "third", "--skip", "privilege TRIGGER")
	conn.Exec("GRANT SELECT ON *.* TO " + user)
	if out := command(t, d, 0, "precheck", "third"); !strings.Contains(out, "skipped privilege TRIGGER") {
		t.Errorf("the precheck says %s", out)
	}
}
