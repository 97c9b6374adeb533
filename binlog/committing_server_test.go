//go:build servers

package binlog_test

import (
	"strings"
	"testing"
	"time"

	"daybook/binlog"
	"daybook/e2e/servers"
)

// committingServers are servers on which a commit waits for a while behind its place in the binlog: for the
// disk, or for a semi-synchronous replica that is not there.
var committingServers = map[string][]string{
	"mysql-5.7":     {"--binlog-group-commit-sync-delay=1000000"},
	"mysql-8.0":     {"--binlog-group-commit-sync-delay=1000000"},
	"mysql-9":       {"--plugin-load-add=semisync_source.so", "--loose-rpl-semi-sync-source-enabled=1", "--loose-rpl-semi-sync-source-timeout=2000"},
	"mariadb-10.5":  {"--rpl-semi-sync-master-enabled=1", "--rpl-semi-sync-master-timeout=2000", "--rpl-semi-sync-master-wait-point=AFTER_SYNC"},
	"mariadb-10.11": {"--rpl-semi-sync-master-enabled=1", "--rpl-semi-sync-master-timeout=2000", "--rpl-semi-sync-master-wait-point=AFTER_SYNC"},
	"mariadb-11.8":  {"--rpl-semi-sync-master-enabled=1", "--rpl-semi-sync-master-timeout=2000", "--rpl-semi-sync-master-wait-point=AFTER_SYNC"},
}

// semisync switches the waiting on, which ends when it took too long.
func semisync(db *servers.Conn, on string) {
	for _, name := range []string{"rpl_semi_sync_source_enabled", "rpl_semi_sync_master_enabled"} {
		_ = db.Try("SET GLOBAL " + name + " = " + on)
	}
}

// waiting runs a statement in a session of its own, and returns when it is in the binlog, where its commit waits; the
// channel has what becomes of it.
func waiting(t *testing.T, s *servers.Server, database, sql string) <-chan error {
	t.Helper()
	slow := s.Connect(t, database)
	semisync(slow, "0")
	semisync(slow, "1")
	before, err := dialStatus(t, s)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- slow.Try(sql) }()
	for at := before; at.Pos == before.Pos; time.Sleep(5 * time.Millisecond) {
		if at, err = dialStatus(t, s); err != nil {
			t.Fatal(err)
		}
	}
	return done
}

// TestStartWhileATransactionCommits starts at the end of the binlog while a transaction is in it that
// nobody sees yet, so that a copy of the tables that is made then lacks it: it is told, and all that follows.
func TestStartWhileATransactionCommits(t *testing.T) {
	t.Parallel() // its servers are its own
	for version, args := range committingServers {
		t.Run(version, func(t *testing.T) {
			s := servers.Start(t, version, args...)
			name, db := s.Database(t)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
			committed := waiting(t, s, name, "INSERT INTO t VALUES (1)")
			r := open(t, options(s, name))
			if seen := db.Query("SELECT * FROM t"); len(seen) > 0 {
				t.Fatal("the transaction was committed before the reading began: the test shows nothing")
			}
			equal(t, r.take(1), []string{"insert t 1"})
			if err := <-committed; err != nil {
				t.Fatal(err)
			}
			db.Exec("INSERT INTO t VALUES (2)", "FLUSH LOGS", "INSERT INTO t VALUES (3)")
			equal(t, r.take(2), []string{"insert t 2", "insert t 3"})
			r.save()
			r.reopen(r.last)
			db.Exec("INSERT INTO t VALUES (4)")
			equal(t, r.take(1), []string{"insert t 4"})
		})
	}
}

// TestStartWhileATableIsAltered starts while an ALTER is in the binlog whose session still waits. Whether the
// definitions that are read then have it or not, the rows are right.
func TestStartWhileATableIsAltered(t *testing.T) {
	t.Parallel() // its servers are its own
	for version, args := range committingServers {
		t.Run(version, func(t *testing.T) {
			s := servers.Start(t, version, args...)
			name, db := s.Database(t)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
			altered := waiting(t, s, name, "ALTER TABLE t ADD COLUMN a INT FIRST")
			r := open(t, options(s, name))
			if err := <-altered; err != nil {
				t.Fatal(err)
			}
			db.Exec("INSERT INTO t VALUES (1, 2)", "FLUSH LOGS", "INSERT INTO t VALUES (3, 4)")
			got := r.take(2)
			if strings.HasPrefix(got[0], "schema ALTER") {
				got = append(got[1:], r.take(1)...)
			}
			equal(t, got, []string{"insert t 1 2", "insert t 3 4"})
		})
	}
}

// TestCheckWhileATableIsAltered compares the definitions when an ALTER was read that is not committed at the source: the
// table differs in nothing.
func TestCheckWhileATableIsAltered(t *testing.T) {
	t.Parallel() // its server is its own
	s := servers.Start(t, "mysql-9", "--plugin-load-add=semisync_source.so", "--loose-rpl-semi-sync-source-timeout=8000")
	name, db := s.Database(t)
	db.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
	r := open(t, options(s, name))
	semisync(db, "1")
	slow := s.Connect(t, name)
	altered := make(chan error, 1)
	go func() { altered <- slow.Try("ALTER TABLE t ADD COLUMN a INT FIRST") }()
	if got := r.next(); !strings.HasPrefix(got, "schema ALTER") {
		t.Fatal(got)
	}
	if columns := db.Query("SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '" + name + "'"); len(columns) > 1 {
		t.Fatal("the ALTER was committed before it was read: the test shows nothing")
	}
	if c, told := r.check(binlog.CheckOptions{Adopt: true}); c.Same != 1 || len(c.Differ) > 0 || len(told) > 0 {
		t.Errorf("the check found %+v, and told %v", c, told)
	}
	if err := <-altered; err != nil {
		t.Fatal(err)
	}
}

// TestOthersSelectedWhileATransactionCommits selects a table while a transaction on it was read that
// nobody sees yet: a copy of the table that is made once the selection holds has it.
func TestOthersSelectedWhileATransactionCommits(t *testing.T) {
	t.Parallel() // its servers are its own
	for version, args := range committingServers {
		if !strings.Contains(args[0], "semi") && len(args) == 1 {
			continue // what waits for the disk is not sent
		}
		t.Run(version, func(t *testing.T) {
			s := servers.Start(t, version, args...)
			name, db := s.Database(t)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY)", "CREATE TABLE u (id INT PRIMARY KEY)")
			o := options(s, name)
			o.Include = []string{name + ".t"}
			r := open(t, o)
			committed := waiting(t, s, name, "INSERT INTO u VALUES (1)")
			end, err := dialStatus(t, s)
			if err != nil {
				t.Fatal(err)
			}
			for late := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
				if _, err := r.Poll(); err != nil || time.Now().After(late) {
					t.Fatalf("the transaction was not read: %v", err)
				}
				if at, err := binlog.PlaceOf(r.Checkpoint().Position); err == nil && at.File == end.File && at.Pos >= end.Pos {
					break
				}
			}
			r.save()
			if seen := db.Query("SELECT * FROM u"); len(seen) > 0 {
				t.Fatal("the transaction was committed before it was read: the test shows nothing")
			}
			r.options.Include = []string{name + ".*"}
			r.reopen(r.last)
			if seen := db.Query("SELECT * FROM u"); len(seen) != 1 {
				t.Error("the table is selected, and a copy of it lacks a row that will not be read")
			}
			if err := <-committed; err != nil {
				t.Fatal(err)
			}
			db.Exec("INSERT INTO u VALUES (2)")
			equal(t, r.take(1), []string{"insert u 2"})
		})
	}
}

// TestStartWhileAGTIDIsHeld starts while an idle session holds a GTID that it was given, and has written nothing: nothing is
// waited for, and what it commits later is read.
func TestStartWhileAGTIDIsHeld(t *testing.T) {
	for _, version := range []string{"mysql-5.6", "mysql-5.7", "mysql-9"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel() // its servers are its own
			s := servers.Start(t, version)
			name, db := s.Database(t)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
			if db.Query("SELECT @@gtid_mode")[0][0] != "ON" {
				t.Fatal("the server has no GTIDs: the test shows nothing")
			}
			slow := s.Connect(t, name)
			slow.Exec("SET gtid_next = '11111111-2222-3333-4444-555555555555:7'", "BEGIN", "INSERT INTO t VALUES (2)")
			if db.Query("SELECT @@GLOBAL.gtid_owned")[0][0] == "" {
				t.Fatal("no GTID is held: the test shows nothing")
			}
			r := open(t, options(s, name))
			db.Exec("INSERT INTO t VALUES (1)")
			equal(t, r.take(1), []string{"insert t 1"})
			slow.Exec("COMMIT", "SET gtid_next = AUTOMATIC")
			db.Exec("FLUSH LOGS", "INSERT INTO t VALUES (3)")
			equal(t, r.take(2), []string{"insert t 2", "insert t 3"})
		})
	}
}
