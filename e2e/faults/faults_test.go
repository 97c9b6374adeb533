//go:build servers

// Package faults shows, on the real binary and real servers, that what is
// wrong from outside ends in one clear message with what to do.
package faults

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"daybook/e2e/harness"
	"daybook/e2e/oracle"
	"daybook/e2e/servers"
)

// wantAll fails unless the text holds every part and no trace of a panic or secret.
func wantAll(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q is missing in:\n%s", p, text)
		}
	}
	for _, p := range []string{"panic", "goroutine ", harness.Password, "s3cret"} {
		if strings.Contains(text, p) {
			t.Errorf("%q stands in:\n%s", p, text)
		}
	}
}

// TestWrongConfigEndsWithFileLineAndKey covers what serve and check share; the
// messages themselves are goldens of package config.
func TestWrongConfigEndsWithFileLineAndKey(t *testing.T) {
	d := harness.New(t, harness.Config{Source: "127.0.0.1:1", Extra: "    filter: x\n"})
	for _, command := range []string{"serve", "check"} {
		_, stderr, code := d.Run(command)
		if code != 2 {
			t.Errorf("%s ended with exit code %d, want 2", command, code)
		}
		wantAll(t, stderr, d.ConfigPath()+":", "tasks[0].filter", "unknown field")
	}
	if _, err := os.Stat(d.DataDir()); err == nil {
		t.Error("a wrong configuration made a data directory")
	}
}

func TestUsage(t *testing.T) {
	d := harness.New(t, harness.Config{Source: "127.0.0.1:1"})
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"serve", "--log-level", "loud"}, `--log-level "loud" is not one of`},
		{[]string{"serve", "--nonsense"}, "unknown flag: --nonsense; see 'daybook serve --help'"},
		{[]string{"check", "-o", "xml"}, `-o "xml" is not one of table, json`},
		{[]string{"check", "more"}, "see 'daybook check --help'"},
	} {
		_, stderr, code := d.Run(tt.args...)
		if code != 2 {
			t.Errorf("%v: exit code %d, want 2", tt.args, code)
		}
		wantAll(t, stderr, tt.want)
	}
}

// serveFault starts daybook against a faulty source and returns its log after
// the task has stopped twice: it keeps trying, tells each time, and lives.
func serveFault(t *testing.T, c harness.Config) string {
	t.Helper()
	d := harness.Start(t, c)
	d.WaitLog("task stopped; it resumes by itself", 20*time.Second)
	first := d.Log()
	for deadline := time.Now().Add(20 * time.Second); strings.Count(d.Log(), "task stopped") < 2; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the task did not try again")
		}
	}
	if n := strings.Count(d.Log(), "task stopped"); n > 3 {
		t.Errorf("the fault was logged %d times within the first retries", n)
	}
	if code := d.Stop(); code != 0 {
		t.Errorf("SIGTERM ended with exit code %d", code)
	}
	return first
}

func TestUnreachableSource(t *testing.T) {
	c := harness.Config{Source: harness.FreeAddress(t)}
	wantAll(t, serveFault(t, c), "server reachable", c.Source, "check source.address")
}

func TestWrongPassword(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		c := harness.Config{Source: s.Address, User: "repl", Pass: "s3cret-wrong"}
		wantAll(t, serveFault(t, c), "login", "repl", "check user and password")
		stdout, _, code := harness.New(t, c).Run("check")
		if code != 1 {
			t.Errorf("check ended with exit code %d, want 1", code)
		}
		wantAll(t, stdout, "login", "fail", "check user and password")
	})
}

func TestSourceWithoutBinlog(t *testing.T) {
	s := servers.Start(t, "mariadb-10.11", "--skip-log-bin")
	c := harness.Config{Source: s.Address}
	wantAll(t, serveFault(t, c), "log_bin is OFF", "set log_bin")
}

func TestStatementFormatAndMinimalImage(t *testing.T) {
	s := servers.Start(t, "mysql-5.7", "--binlog-format=STATEMENT", "--binlog-row-image=MINIMAL")
	c := harness.Config{Source: s.Address}
	wantAll(t, serveFault(t, c), "binlog_format is STATEMENT", "SET GLOBAL binlog_format = 'ROW'", "binlog_row_image is MINIMAL")
}

// TestStatementOfOneSession: the server's format is ROW, one session's is not.
func TestStatementOfOneSession(t *testing.T) {
	s := servers.Get(t, "mysql-5.7")
	db, conn := s.Database(t)
	conn.Exec("CREATE TABLE "+db+".tracked (id INT PRIMARY KEY)", "CREATE TABLE "+db+".other (id INT PRIMARY KEY)")
	d := harness.Start(t, harness.Config{Source: s.Address, Include: []string{db + ".tracked"}})
	d.WaitLog("state=Normal", 20*time.Second)
	conn.Exec("USE "+db, "SET SESSION binlog_format = 'STATEMENT'", "INSERT INTO other VALUES (1)", "INSERT INTO tracked VALUES (1)")
	d.WaitLog("task stopped", 20*time.Second)
	wantAll(t, d.Log(), "tracked", "binlog_format")
}

func TestMissingPrivileges(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		db, conn := s.Database(t)
		user := "u" + db[max(0, len(db)-8):]
		conn.Exec("CREATE USER "+user+"@'%' IDENTIFIED BY 's3cret-User1'", "GRANT SELECT ON "+db+".* TO "+user+"@'%'")
		t.Cleanup(func() { s.Connect(t, "").Exec("DROP USER " + user + "@'%'") })
		c := harness.Config{Source: s.Address, User: user, Pass: "s3cret-User1", Include: []string{db + ".*"}}
		wantAll(t, serveFault(t, c), "privilege REPLICATION SLAVE", "GRANT REPLICATION SLAVE ON *.* TO '"+user+"'")
	})
}

func TestPurgedStart(t *testing.T) {
	s := servers.Start(t, "mysql-8.0")
	conn := s.Connect(t, "")
	first := conn.Query("SHOW BINARY LOGS")[0][0]
	conn.Exec("FLUSH BINARY LOGS")
	logs := conn.Query("SHOW BINARY LOGS")
	conn.Exec("PURGE BINARY LOGS TO '" + logs[len(logs)-1][0] + "'")
	c := harness.Config{Source: s.Address, Start: "{file: " + first + ", pos: 4}"}
	d := harness.Start(t, c) // which stops for good: no time brings back what is purged
	d.WaitLog("task stopped", 20*time.Second)
	if strings.Contains(d.Log(), "resumes by itself") {
		t.Error("it is said to resume by itself")
	}
	wantAll(t, d.Log(), first, "no longer in the source's binlogs", "daybook task restart shop --from earliest")
}

func TestPortInUse(t *testing.T) {
	s := servers.Get(t, "mariadb-10.11")
	d := harness.New(t, harness.Config{Source: s.Address})
	l, err := net.Listen("tcp", d.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	d.Launch()
	if code := d.Wait(); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	wantAll(t, d.Log(), d.Address(), "in use")
}

func TestDataDirectoryInUse(t *testing.T) {
	s := servers.Get(t, "mariadb-10.11")
	d := harness.Start(t, harness.Config{Source: s.Address})
	_, stderr, code := d.Run("serve")
	if code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	wantAll(t, stderr, d.DataDir(), "another process")
	if !d.Running() {
		t.Error("the first process ended")
	}
}

func TestReadOnlyDisk(t *testing.T) {
	s := servers.Get(t, "mariadb-10.11")
	t.Run("empty", func(t *testing.T) {
		d := harness.New(t, harness.Config{Source: s.Address, Mount: `mount -t tmpfs -o ro tmpfs "$D"`})
		d.Launch()
		wantRefused(t, d)
	})
	t.Run("used before", func(t *testing.T) {
		c := harness.Config{Source: s.Address}
		d := harness.Start(t, c)
		d.WaitLog("state=Normal", 20*time.Second)
		if code := d.Stop(); code != 0 {
			t.Fatalf("exit code %d", code)
		}
		c.Mount = `mount --bind "$D" "$D"; mount -o remount,bind,ro "$D"`
		d.WriteConfig(c)
		d.Launch()
		wantRefused(t, d)
		checkMounted(t, d)
	})
	t.Run("check of one in use", func(t *testing.T) {
		c := harness.Config{Source: s.Address}
		d := harness.Start(t, c)
		c.Mount = `mount --bind "$D" "$D"; mount -o remount,bind,ro "$D"`
		d.WriteConfig(c)
		if _, stderr, code := d.Run("store", "check"); code != 1 || !strings.Contains(stderr, "another process") {
			t.Errorf("exit code %d: %s", code, stderr)
		}
	})
}

// checkMounted reads all of a data directory that is mounted read-only, as the snapshot of a
// disk is: nothing is damaged, and nothing more is needed, no file for a lock and no password.
func checkMounted(t *testing.T, d *harness.Daybook) {
	t.Helper()
	d.WithoutSecrets()
	for range 2 {
		if stdout, stderr, code := d.Run("store", "check"); code != 0 || !strings.Contains(stdout, "nothing") {
			t.Errorf("exit code %d: %s%s", code, stdout, stderr)
		}
		if err := os.RemoveAll(filepath.Join(d.DataDir(), "LOCK")); err != nil {
			t.Fatal(err)
		}
	}
}

func wantRefused(t *testing.T, d *harness.Daybook) {
	t.Helper()
	if code := d.Wait(); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	wantAll(t, d.Log(), d.DataDir(), "read-only")
}

// TestFullDisk fills a small file system while changes arrive: it is told,
// consumers are served on, and nothing is lost when there is room again.
func TestFullDisk(t *testing.T) {
	const rows = 80
	s := servers.Get(t, "mysql-8.0")
	db, conn := s.Database(t)
	conn.Exec("CREATE TABLE " + db + ".t (id INT PRIMARY KEY, b LONGTEXT)")
	d := harness.Start(t, harness.Config{
		Source: s.Address, Include: []string{db + ".*"}, SchemaChanges: "none",
		Mount: `mount -t tmpfs -o size=170m tmpfs "$D"`, // 128 MiB of it are kept free
	})
	d.WaitLog("state=Normal", 20*time.Second)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range rows {
		conn.Exec(fmt.Sprintf("INSERT INTO %s.t VALUES (%d, '%s')", db, i, incompressible(random, 1<<20)))
	}
	d.WaitLog("the disk is full", 30*time.Second)
	wantAll(t, d.Log(), "free some space")
	client := d.Client()
	served := oracle.HighWatermark(t, client)
	for range oracle.Records(t, d, served) { // the records before are read on
	}
	out, err := exec.Command("nsenter", "-t", strconv.Itoa(d.PID()), "-m", "-U", "--preserve-credentials",
		"mount", "-o", "remount,size=600m", d.DataDir()).CombinedOutput()
	if err != nil {
		t.Fatalf("enlarge the file system: %v: %s", err, out)
	}
	for deadline := time.Now().Add(time.Minute); oracle.HighWatermark(t, client) < rows; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d records after there was room, %d before, want %d", oracle.HighWatermark(t, client), served, rows)
		}
	}
	n := 0
	for r := range oracle.Records(t, d, -1) {
		if want := fmt.Sprintf(`{"id":%d}`, n); string(r.Key) != want {
			t.Fatalf("record %d has the key %s", n, r.Key)
		}
		n++
	}
	if n != rows {
		t.Errorf("%d records, want %d", n, rows)
	}
}

// incompressible returns n random letters and digits.
func incompressible(r *rand.Rand, n int) []byte {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/"
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[r.IntN(len(letters))]
	}
	return b
}
