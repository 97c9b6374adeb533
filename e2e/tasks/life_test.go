//go:build servers

package tasks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"daybook/admin"
	"daybook/e2e/harness"
	"daybook/e2e/servers"
)

// sourcePassword is one that is found wherever it is not encrypted.
const sourcePassword = "s3cret-0f-the-S0urce"

// life is a task that is created at run time beside that of the file.
type life struct {
	t *testing.T
	d *harness.Daybook
}

// shown returns the task; nil: there is none.
func (l *life) shown() *admin.Task {
	l.t.Helper()
	out, text, code := l.d.Run("task", "show", "second", "-o", "json")
	if code == 5 {
		return nil
	}
	var task admin.Task
	if err := json.Unmarshal([]byte(out), &task); err != nil || code != 0 {
		l.t.Fatalf("task show: exit code %d, %v\n%s%s", code, err, out, text)
	}
	return &task
}

// await waits until the task is as wanted.
func (l *life) await(what string, is func(*admin.Task) bool) *admin.Task {
	l.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		task := l.shown()
		if is(task) {
			return task
		}
		if time.Now().After(deadline) {
			l.t.Fatalf("the task is %+v, want it %s", task, what)
		}
	}
}

func (l *life) state(state string) *admin.Task {
	l.t.Helper()
	return l.await(state, func(t *admin.Task) bool { return t != nil && t.State == state })
}

// has waits until the log has so many records.
func (l *life) has(records int64) {
	l.t.Helper()
	task := l.await(fmt.Sprintf("with %d records", records), func(t *admin.Task) bool { return t.HighWatermark >= records })
	if task.HighWatermark != records {
		l.t.Fatalf("the log has %d records, want %d", task.HighWatermark, records)
	}
}

// allows wants just these operations to be allowed, and tries the others.
func (l *life) allows(operations ...string) {
	l.t.Helper()
	if task := l.shown(); !slices.Equal(task.Allowed, operations) {
		l.t.Errorf("state %s allows %v, want %v", task.State, task.Allowed, operations)
	}
	for name, args := range map[string][]string{
		"precheck": {"precheck", "second"}, "start": {"start", "second"}, "pause": {"pause", "second"}, "resume": {"resume", "second"},
		"reconfigure": {"reconfigure", "second", "--include", "*.*"}, "restart": {"restart", "second", "--from", "now", "--force"}, "skip": {"skip", "second"},
	} {
		if !slices.Contains(operations, name) {
			command(l.t, l.d, 6, args...)
		}
	}
}

// crash kills Daybook and starts it anew.
func (l *life) crash() {
	l.t.Helper()
	l.d.Kill()
	l.d.Start()
}

// TestLifeOfATask walks a task that is created at run time through its states, with a kill in each.
func TestLifeOfATask(t *testing.T) {
	t.Setenv("SECOND_PASSWORD", sourcePassword)
	t.Setenv("GROUP_PASSWORD", "G-password-1")
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		db, conn := s.Database(t)
		user := "life_" + db[len(db)-8:]
		conn.Exec("CREATE TABLE t (id INT PRIMARY KEY)", "CREATE TABLE u (id INT PRIMARY KEY)",
			fmt.Sprintf("CREATE USER %s IDENTIFIED BY 'not yet the right 0ne'", user),
			fmt.Sprintf("GRANT REPLICATION SLAVE, REPLICATION CLIENT, SELECT, TRIGGER ON *.* TO %s", user))
		t.Cleanup(func() { conn.Exec("DROP USER " + user) })
		d := harness.Start(t, harness.Config{Source: s.Address, Include: []string{db + ".none"}, Start: "now", SchemaChanges: "none"})
		l := &life{t, d}
		create := func(exit int, more ...string) string { // other tests change schemas on the same server meanwhile
			return command(t, d, exit, append([]string{"create", "second", "--source", s.Address, "--user", user, "--password-env", "SECOND_PASSWORD", "--include", db + ".t", "--schema-changes", "objects"}, more...)...)
		}

		if out := create(1); !strings.Contains(out, "refuses the login") || !strings.Contains(out, "daybook task precheck second") || !strings.Contains(out, "'daybook task start second' starts the task once it has passed") {
			t.Errorf("the precheck with a wrong password says %s", out)
		}
		create(6)
		l.crash()
		if task := l.state("Prechecking"); !slices.ContainsFunc(task.Checks, func(c admin.Check) bool { return c.Name == "login" && c.Status == "fail" && c.Fix != "" }) {
			t.Errorf("the check that failed is not told: %+v", task.Checks)
		}
		l.allows("precheck", "delete")
		conn.Exec(setPassword(s, user))
		command(t, d, 0, "precheck", "second")
		l.state("Not Started")
		l.allows("precheck", "start", "delete")
		l.crash()
		l.state("Not Started")

		command(t, d, 0, "start", "second")
		l.state("Normal")
		l.allows("reconfigure", "pause", "restart", "check", "delete")
		conn.Exec("INSERT INTO t VALUES (1)", "INSERT INTO u VALUES (1)", "INSERT INTO t VALUES (2)")
		l.has(2)

		command(t, d, 0, "pause", "second")
		conn.Exec("INSERT INTO t VALUES (3)")
		l.crash()
		l.state("Not Started")
		l.allows("resume", "reconfigure", "delete")
		l.has(2)
		command(t, d, 0, "resume", "second")
		l.has(3)
		l.state("Normal")

		if out := command(t, d, 0, "objects", "second", db); !strings.Contains(out, "*         t ") || !strings.Contains(out, "          u ") {
			t.Errorf("the tables are %s", out)
		}
		if out := command(t, d, 0, "objects", "second", "--include", db+".?", "--include", "nothing.*"); !strings.Contains(out, "2 tables match") || !strings.Contains(out, "match nothing: nothing.*") {
			t.Errorf("the preview is %s", out)
		}
		if out := command(t, d, 0, "objects", "second"); !strings.Contains(out, "*         "+db) {
			t.Errorf("the databases are %s", out)
		}
		command(t, d, 5, "objects", "second", "no such database")
		command(t, d, 1, "objects", "second", "--include", "t")
		command(t, d, 0, "reconfigure", "second", "--include", db+".t", "--include", db+".u")
		conn.Exec("INSERT INTO u VALUES (2)", "INSERT INTO t VALUES (4)")
		l.has(5)
		if out := command(t, d, 1, "reconfigure", "second", "--source", harness.FreeAddress(t)); !strings.Contains(out, "precheck failed") {
			t.Errorf("a source that is not there: %s", out)
		}
		if out := command(t, d, 1, "reconfigure", "second", "--include", "t"); !strings.Contains(out, "objects.include") {
			t.Errorf("a wrong pattern: %s", out)
		}
		l.crash()
		l.state("Normal")
		conn.Exec("INSERT INTO u VALUES (3)")
		l.has(6)
		if task := l.shown(); len(task.Objects.Include) != 2 || task.Source.Address != s.Address || task.Source.Password != "" || task.Owner != "store" {
			t.Errorf("the task is %+v", task)
		}
		key, _ := os.ReadFile(filepath.Join(d.DataDir(), "secret.key"))
		if out, text, code := d.Run("rotate-key"); code != 0 || !strings.Contains(out, "1 password is encrypted anew") {
			t.Errorf("rotate-key: exit code %d: %s%s", code, out, text)
		}
		if now, err := os.ReadFile(filepath.Join(d.DataDir(), "secret.key")); err != nil || bytes.Contains(now, bytes.TrimSpace(key)) {
			t.Errorf("the key was not changed: %v", err)
		}
		l.crash()
		l.state("Normal")
		l.secret(d.DataDir())
		l.exported(db)

		events := command(t, d, 0, "events", "second", "-n", "200")
		for _, want := range []string{" create: created: ", " start: start (by the token admin, from 127.0.0.1)", " pause: pause (by", " state: Not Started: paused", " reconfigure: reconfigured: {", " objects: other objects are selected ", " state: Normal"} {
			if !strings.Contains(events, want) {
				t.Errorf("the events lack %q:\n%s", want, events)
			}
		}
		if strings.Contains(events, sourcePassword) {
			t.Error("the password is among the events")
		}
		command(t, d, 2, "delete", "second")
		command(t, d, 6, "delete", harness.Topic, "--confirm", harness.Topic)
		l.deleted()
		if out, _, _ := d.Run("events"); !strings.Contains(out, "second deleted: ") {
			t.Errorf("the events do not tell of the deletion:\n%s", out)
		}
		create(0, "--auto-start")
		l.state("Normal")
		conn.Exec("INSERT INTO t VALUES (5)")
		l.has(1)
		if task := waitState(t, d, "Normal"); task.Owner != "file" || task.HighWatermark != 0 {
			t.Errorf("the task of the file is %+v", task)
		}
	})
}

func setPassword(s *servers.Server, user string) string {
	if s.Name == "mysql-5.6" || s.MariaDB() {
		return fmt.Sprintf("SET PASSWORD FOR %s = PASSWORD('%s')", user, sourcePassword)
	}
	return fmt.Sprintf("ALTER USER %s IDENTIFIED BY '%s'", user, sourcePassword)
}

// exported exports the task, and makes it as the file says.
func (l *life) exported(db string) {
	l.t.Helper()
	text := command(l.t, l.d, 0, "export", "second")
	if strings.Contains(text, sourcePassword) || !strings.Contains(text, "password_env: SECOND_PASSWORD") {
		l.t.Fatalf("exported is\n%s", text)
	}
	file := filepath.Join(l.t.TempDir(), "second.yaml")
	apply := func(text string, more ...string) string {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			l.t.Fatal(err)
		}
		return command(l.t, l.d, 0, append([]string{"apply", "-f", file}, more...)...)
	}
	if out := apply(text); !strings.Contains(out, "is as the file says") {
		l.t.Errorf("the same once more: %s", out)
	}
	other := regexp.MustCompile("(?m)^ *- "+db+"\\.u\n").ReplaceAllString(text, "")
	other = strings.Replace(other, "name: second\n", "name: second\ntombstones: true\n", 1)
	if out := apply(other, "--dry-run"); !strings.Contains(out, `"tombstones":true`) || !strings.Contains(out, "would be changed") {
		l.t.Errorf("what would change: %s", out)
	}
	apply(other)
	l.state("Normal") // before which it cannot be changed again
	if task := l.shown(); len(task.Objects.Include) != 1 || !task.Tombstones {
		l.t.Errorf("the task is %+v", task)
	}
	apply(text)
	if task := l.shown(); len(task.Objects.Include) != 2 || task.Tombstones {
		l.t.Errorf("the task is %+v", task)
	}
	l.state("Normal")
}

// deleted deletes the task with a group, and kills Daybook in the middle: nothing is left of both.
func (l *life) deleted() {
	l.t.Helper()
	for i := range 8 { // so that the kill comes between
		if out, text, code := l.d.Run("group", "create", fmt.Sprint("secondgroup", i), "--task", "second", "--account", "app", "--password-env", "GROUP_PASSWORD"); code != 0 {
			l.t.Fatalf("group create: exit code %d: %s%s", code, out, text)
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.d.Run("task", "delete", "second", "--confirm", "second")
	}()
	l.await("being deleted", func(t *admin.Task) bool { return t == nil || strings.Contains(t.Reason, "deleted") })
	l.crash()
	<-done
	l.await("gone", func(t *admin.Task) bool { return t == nil })
	for i := range 8 {
		if _, _, code := l.d.Run("group", "show", fmt.Sprint("secondgroup", i)); code != 5 {
			l.t.Errorf("group %d is still there: exit code %d", i, code)
		}
	}
}

// secret wants the source's password nowhere in Daybook's files and log.
func (l *life) secret(dir string) {
	l.t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil // a file that is gone by now has no secret
		}
		content, err := os.ReadFile(path)
		if err == nil && bytes.Contains(content, []byte(sourcePassword)) {
			l.t.Errorf("the password is in %s", path)
		}
		files++
		return nil
	})
	if err != nil || files < 5 {
		l.t.Errorf("looked at %d files: %v", files, err)
	}
	if strings.Contains(l.d.Log(), sourcePassword) {
		l.t.Error("the password is in the log")
	}
}
