//go:build servers

package binlog_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"daybook/binlog"
	"daybook/change"
	"daybook/e2e/servers"
)

// endXA commits or rolls back what another session prepared, once the source
// has noticed that the session is gone.
func endXA(t *testing.T, s *servers.Server, statement string) {
	t.Helper()
	c := s.Connect(t, "")
	late := time.Now().Add(30 * time.Second)
	for {
		err := c.Try(statement)
		if err == nil {
			return
		}
		if time.Now().After(late) {
			t.Fatalf("%s: %v", statement, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// until takes changes until one is want. The first times that the reader has
// had much to keep, it is saved and opened anew.
func (r *reading) until(want string) []string {
	r.t.Helper()
	var all []string
	again := 3
	for late := time.After(60 * time.Second); ; {
		c, err := r.Poll()
		if err != nil {
			r.t.Fatal(err)
		}
		if c != nil {
			text := describe(c)
			if text == want {
				return all
			}
			all = append(all, text[:min(len(text), 14)])
			continue
		}
		if again > 0 && r.Pending() > 0 {
			again--
			r.save()
			r.reopen(r.last)
		}
		select {
		case <-r.Ready():
		case <-late:
			r.t.Fatalf("%s has not come within 60 s, but %v", want, all)
		}
	}
}

// TestXARolledBackToSavepoint wants of XA transactions just what was not rolled
// back to a savepoint, or could not be. Servers log it because of temporary
// tables and of tables without transactions.
func TestXARolledBackToSavepoint(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"mysql-5.7", "mysql-8.0", "mariadb-10.11"} { // older ones have no savepoints within XA
		t.Run(version, func(t *testing.T) {
			s := own(t, version, anonymous[version]...)
			name, db := s.Database(t)
			connect := func() {
				db = s.Connect(t, name)
				db.Exec("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED") // lock no gaps
			}
			connect()
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY, v LONGTEXT) ENGINE=InnoDB", "CREATE TABLE m (id INT PRIMARY KEY) ENGINE=MyISAM")
			n := 100
			var early, want []string
			xa := func(end string, size int, cause, within string) {
				n += 10
				xid := fmt.Sprintf("'x%d'", n)
				db.Exec("XA START "+xid, cause, fmt.Sprintf("INSERT INTO t VALUES (%d, '')", n), "SAVEPOINT s")
				for i := range size {
					db.Exec(fmt.Sprintf("INSERT INTO t VALUES (%d, REPEAT('x', 400000))", 1000*n+i))
				}
				db.Exec(fmt.Sprintf("INSERT INTO t VALUES (%d, '')", n+1), within)
				db.Exec("ROLLBACK TO s", fmt.Sprintf("INSERT INTO t VALUES (%d, REPEAT('x', %d))", n+2, 1+400_000*size), "XA END "+xid)
				if end == "ONE PHASE" {
					db.Exec("XA COMMIT " + xid + " ONE PHASE")
					return
				}
				db.Exec("XA PREPARE " + xid)
				if end != "" {
					db.Exec("XA " + end + " " + xid)
					return
				}
				early = append(early, xid)
				db.Close()
				connect()
			}
			rows := func() { want = append(want, fmt.Sprintf("insert t %d ", n), fmt.Sprintf("insert t %d x", n+2)) }
			const temporary = "DROP TEMPORARY TABLE IF EXISTS nope"
			xa("", 0, temporary, "DO 1")
			xa("", 8, temporary, "DO 1")
			db.Exec("FLUSH LOGS")
			o := options(s, name)
			o.BufferBytes = 1 << 20 // so that the larger ones are not held
			o.SchemaChanges = binlog.SchemaChangesNone
			first := open(t, o)
			start, schema := first.last, maps.Clone(first.schema)
			for _, size := range []int{0, 8} {
				for _, end := range []string{"COMMIT", "ROLLBACK", "ONE PHASE"} {
					xa(end, size, temporary, "DO 1")
					if end != "ROLLBACK" {
						rows()
					}
				}
			}
			for i, end := range []string{"COMMIT", "ROLLBACK", "ONE PHASE"} {
				xa(end, 0, "DO 1", fmt.Sprintf("INSERT INTO m VALUES (%d)", i+1))
				want = append(want, fmt.Sprintf("insert m %d", i+1))
				if end != "ROLLBACK" {
					rows()
				}
			}
			for i, xid := range early {
				endXA(t, s, "XA COMMIT "+xid)
				want = append(want, fmt.Sprintf("insert t %d ", 110+10*i), fmt.Sprintf("insert t %d x", 112+10*i))
			}
			s.Connect(t, name).Exec("INSERT INTO t VALUES (1, '')")
			for _, taken := range []int{0, 3, 12} {
				r := &reading{t: t, options: o, schema: maps.Clone(schema)}
				r.reopen(start)
				got := r.take(taken)
				for i := range got {
					got[i] = got[i][:min(len(got[i]), 14)]
				}
				r.save()
				r.reopen(r.last)
				got = append(got, r.until("insert t 1 ")...)
				r.save()
				for key := range r.schema {
					if strings.HasPrefix(key, "x\x00") || strings.HasPrefix(key, "y\x00") {
						t.Errorf("entry %q is left", key)
					}
				}
				_ = r.Close()
				inOrder(t, got, slices.Clone(want))
			}
		})
	}
}

// TestXACommittedAfterRollback commits XA transactions after their ROLLBACK is
// in the binlog, as a source may that was killed before its engine did it; and
// one whose COMMIT is there already, which has no rows of its own.
func TestXACommittedAfterRollback(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"mysql-5.7", "mariadb-10.11"} { // MySQL 8.0 does at its start what its binlog says
		t.Run(version, func(t *testing.T) {
			s := own(t, version)
			name, db := s.Database(t)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
			r := open(t, options(s, name))
			// ended logs how it is ended first, and leaves it prepared as it was.
			ended := func(xid, how, between string, id int) {
				insert := fmt.Sprintf("INSERT INTO t VALUES (%d)", id)
				c := s.Connect(t, name)
				c.Exec("XA START '"+xid+"'", insert, "XA END '"+xid+"'", "XA PREPARE '"+xid+"'")
				db.Exec(between)
				c.Exec("XA "+how+" '"+xid+"'",
					"SET sql_log_bin = 0", fmt.Sprintf("DELETE FROM t WHERE id = %d", id),
					"XA START '"+xid+"'", insert, "XA END '"+xid+"'", "XA PREPARE '"+xid+"'")
				c.Close()
			}
			ended("same file", "ROLLBACK", "DO 1", 1)
			ended("earlier file", "ROLLBACK", "FLUSH LOGS", 2)
			ended("twice", "COMMIT", "FLUSH LOGS", 3)
			ended("purged", "ROLLBACK", "DO 1", 4)
			s.Restart(t) // or it may not log the end of what was prepared unlogged
			for _, xid := range []string{"same file", "earlier file", "twice"} {
				endXA(t, s, "XA COMMIT '"+xid+"'")
			}
			s.Connect(t, name).Exec("INSERT INTO t VALUES (10)")
			equal(t, r.take(4), []string{"insert t 3", "insert t 1", "insert t 2", "insert t 10"})
			s.Connect(t, name).Exec("FLUSH LOGS", "PURGE BINARY LOGS BEFORE NOW() + INTERVAL 1 DAY")
			endXA(t, s, "XA COMMIT 'purged'")
			if err := r.failure(); !errors.Is(err, binlog.ErrEvent) || !strings.Contains(err.Error(), "purged or reset") {
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestXAPreparedBeforeReset commits one whose rows went with the binlogs that were reset: there is a first
// binlog file, and nothing of it in that.
func TestXAPreparedBeforeReset(t *testing.T) {
	t.Parallel() // its servers are its own, and mostly start
	for _, version := range []string{"mysql-5.7", "mysql-8.0", "mariadb-10.11"} {
		t.Run(version, func(t *testing.T) {
			s := own(t, version)
			name, db := s.Database(t)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
			c := s.Connect(t, name)
			c.Exec("XA START 'x'", "INSERT INTO t VALUES (1)", "XA END 'x'", "XA PREPARE 'x'")
			c.Close()
			db.Exec("RESET MASTER", "INSERT INTO t VALUES (2)")
			o := options(s, name)
			o.Start = binlog.Start{Mode: binlog.StartEarliest}
			r := open(t, o)
			equal(t, r.take(1), []string{"insert t 2"})
			endXA(t, s, "XA COMMIT 'x'")
			if err := r.failure(); !errors.Is(err, binlog.ErrEvent) || !strings.Contains(err.Error(), "purged or reset") {
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestXALargeRow is killed whenever a piece of a large row of an XA transaction is
// saved, and then goes on with the row, or passes over the group, so that the commit
// has to look for it. No piece is left, and nothing that is saved at once is large.
func TestXALargeRow(t *testing.T) {
	t.Parallel()
	s := own(t, "mysql-8.0", "--max-allowed-packet=64M")
	name, db := s.Database(t)
	db.Exec("CREATE TABLE t (id INT PRIMARY KEY, v LONGTEXT)", "CREATE TABLE u (id INT PRIMARY KEY)")
	o := options(s, name)
	o.Start = binlog.Start{Mode: binlog.StartEarliest}
	o.SchemaChanges = binlog.SchemaChangesNone
	db.Exec("FLUSH LOGS")
	at := db.Query("SHOW MASTER STATUS")[0]
	offset, err := strconv.ParseUint(at[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	group := &binlog.GroupPlace{File: at[0], Pos: offset}
	db.Exec("XA START 'x'", "INSERT INTO t VALUES (1, 'small'), (2, REPEAT('2', 10000000)), (3, 'small')", "INSERT INTO t VALUES (4, '')", "XA END 'x'", "XA PREPARE 'x'",
		"INSERT INTO u VALUES (1)", "XA COMMIT 'x'", "INSERT INTO u VALUES (2)")
	all := []string{"insert u 1", "insert t 1 smal", "insert t 2 2222", "insert t 3 smal", "insert t 4 ", "insert u 2"}
	pieces := func(r *reading) (n int) {
		for key, value := range r.schema {
			if strings.HasPrefix(key, "y\x00") {
				n++
			}
			if len(value) > 1<<20 {
				t.Errorf("entry %q has %d bytes", key, len(value))
			}
		}
		return n
	}
	for _, skipped := range []bool{false, true} {
		for kill, prepared := 1, false; !prepared; kill++ {
			r := open(t, o)
			for saved := 0; saved < kill && !prepared; {
				c, err := r.Poll()
				if err != nil {
					t.Fatal(err)
				}
				if prepared = c != nil; prepared {
					break
				}
				if r.Pending() > 0 {
					r.save()
					saved++
				} else {
					<-r.Ready()
				}
			}
			if kill > 2 && pieces(r) == 0 {
				t.Errorf("after %d checkpoints no piece is saved", kill)
			}
			if skipped {
				r.options.Skip = group
			}
			r.reopen(r.last)
			if skipped {
				if c := r.nextChange(); c.Op != change.Gap {
					t.Fatalf("%s and no gap", describe(c))
				}
				r.save()
				r.options.Skip = nil
				r.reopen(r.last)
				if n := pieces(r); n > 0 {
					t.Errorf("killed after %d checkpoints, and skipped: %d pieces are left", kill, n)
				}
			}
			var got []string
			for range all {
				text := r.next()
				got = append(got, text[:min(len(text), 15)])
			}
			equal(t, got, slices.Clone(all))
			r.save()
			if n := pieces(r); n > 0 {
				t.Errorf("killed after %d checkpoints: at the end %d pieces are left", kill, n)
			}
			_ = r.Close()
		}
	}
}

// TestXAGroupEndsWithCommit has MySQL 5.7 commit what follows a deadlock within
// an XA transaction, which it logs as XA START … COMMIT.
func TestXAGroupEndsWithCommit(t *testing.T) {
	s := servers.Get(t, "mysql-5.7")
	name, db := s.Database(t)
	db.Exec("CREATE TABLE t (id INT PRIMARY KEY, v INT)", "INSERT INTO t VALUES (1, 0), (2, 0), (3, 0), (4, 0), (5, 0)")
	o := options(s, name)
	o.SchemaChanges = binlog.SchemaChangesNone
	r := open(t, o)
	xa, plain := s.Connect(t, name), s.Connect(t, name)
	plain.Exec("BEGIN", "UPDATE t SET v = 2 WHERE id >= 2")
	xa.Exec("XA START '"+name+"'", "UPDATE t SET v = 1 WHERE id = 1")
	done := make(chan error, 1)
	go func() { done <- plain.Try("UPDATE t SET v = 2 WHERE id = 1") }()
	waiting := fmt.Sprintf("SELECT COUNT(*) FROM information_schema.innodb_trx x JOIN information_schema.processlist p ON p.id = x.trx_mysql_thread_id WHERE x.trx_state = 'LOCK WAIT' AND p.db = '%s'", name)
	// The server shows what that table held when it was read last, if that is less than 0.1 s ago.
	for late := time.Now().Add(30 * time.Second); db.Query(waiting)[0][0] == "0"; time.Sleep(200 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatal("the session does not wait for a lock")
		}
	}
	if err := xa.Try("UPDATE t SET v = 1 WHERE id = 2"); err == nil {
		t.Fatal("no deadlock")
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	plain.Exec("ROLLBACK")
	xa.Exec("INSERT INTO t VALUES (99, 0)")
	if err := xa.Try("XA END '" + name + "'"); err == nil {
		t.Fatal("XA END after a deadlock")
	}
	xa.Exec("XA ROLLBACK '" + name + "'")
	if got := db.Query("SELECT COUNT(*) FROM t WHERE id = 99")[0][0]; got != "1" {
		t.Fatalf("the source has %s rows of it", got)
	}
	db.Exec("INSERT INTO t VALUES (100, 0)")
	equal(t, r.take(2), []string{"insert t 99 0", "insert t 100 0"})
}

// TestXAWithoutRows commits XA transactions that change nothing that counts,
// under an XID of which another was rolled back. Some servers log no XA PREPARE
// of them; then no XA COMMIT, or it would be taken for the other's.
func TestXAWithoutRows(t *testing.T) {
	for _, version := range []string{"mysql-5.7", "mysql-8.0", "mysql-9", "mariadb-10.5", "mariadb-10.11", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) {
			s := own(t, version)
			name, db := s.Database(t)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY)", "CREATE TABLE m (id INT AUTO_INCREMENT PRIMARY KEY) ENGINE=MyISAM")
			o := options(s, name)
			o.SchemaChanges, o.Exclude = binlog.SchemaChangesNone, []string{name + ".m"}
			r := open(t, o)
			n := 0
			for _, body := range [][]string{
				{}, {"SELECT * FROM t FOR UPDATE"}, {"UPDATE t SET id = 5 WHERE id = -1"}, {"SELECT * FROM m"}, {"INSERT INTO m VALUES ()"},
				{"SAVEPOINT s", "INSERT INTO t VALUES (1000)", "ROLLBACK TO s"}, {"INSERT INTO x VALUES (1)"},
			} {
				for _, detached := range []bool{false, true} {
					n++
					xid := fmt.Sprintf("'x%d'", n)
					c := s.Connect(t, name)
					c.Exec("CREATE TEMPORARY TABLE x (a INT)",
						"XA START "+xid, fmt.Sprintf("INSERT INTO t VALUES (%d)", n), "XA END "+xid, "XA PREPARE "+xid, "XA ROLLBACK "+xid, "XA START "+xid)
					for _, statement := range body {
						_ = c.Try(statement) // some servers refuse some
					}
					c.Exec("XA END "+xid, "XA PREPARE "+xid)
					if detached {
						gone(t, s, c)
						c = s.Connect(t, name)
					}
					_ = c.Try("XA COMMIT " + xid) // may be rolled back by then, as it does nothing
					c.Close()
				}
			}
			s.Connect(t, name).Exec("INSERT INTO t VALUES (2000)")
			equal(t, r.take(1), []string{"insert t 2000"})
		})
	}
}

// gone closes a session and waits until the source has noticed.
func gone(t *testing.T, s *servers.Server, c *servers.Conn) {
	t.Helper()
	id := c.Query("SELECT CONNECTION_ID()")[0][0]
	c.Close()
	other := s.Connect(t, "")
	late := time.Now().Add(30 * time.Second)
	for other.Query("SELECT COUNT(*) FROM information_schema.processlist WHERE id = " + id)[0][0] != "0" {
		if time.Now().After(late) {
			t.Fatal("the session does not end")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// TestXAPreparedBeforeWithTemporary has XA transactions change temporary tables, by
// statements that are logged, before the reading begins, which looks for them at
// their commit. MySQL 8 lets none of it through.
func TestXAPreparedBeforeWithTemporary(t *testing.T) {
	for _, version := range []string{"mysql-5.7", "mariadb-10.5", "mariadb-10.11", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) {
			s := own(t, version, anonymous[version]...)
			name, db := s.Database(t)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY)", "CREATE TABLE u (id INT PRIMARY KEY)")
			var held []*servers.Conn
			var want []string
			for i, body := range [][]string{
				{"CREATE TEMPORARY TABLE u (id INT, a INT)", "INSERT INTO u VALUES (1, 2)", "DELETE FROM u", "DROP TEMPORARY TABLE u"}, // hides a tracked one
				{"CREATE TEMPORARY TABLE x (id INT, a INT)", "INSERT INTO x VALUES (1, 2)"},
				{"INSERT INTO old VALUES (1, 2)", "UPDATE old SET a = 3", "DELETE FROM old WHERE a = 3"},
				{"INSERT INTO old VALUES (1, 2)", "DROP TEMPORARY TABLE old"},
			} {
				c := s.Connect(t, name)
				c.Exec("SET SESSION binlog_format = MIXED", "CREATE TEMPORARY TABLE old (id INT, a INT)", fmt.Sprintf("XA START 'x%d'", i))
				c.Exec(body...)
				c.Exec(fmt.Sprintf("INSERT INTO t SELECT %d + 0 * LENGTH(UUID())", i), fmt.Sprintf("XA END 'x%d'", i), fmt.Sprintf("XA PREPARE 'x%d'", i))
				held, want = append(held, c), append(want, fmt.Sprintf("insert t %d", i))
			}
			r := open(t, options(s, name))
			for i, c := range held {
				c.Exec(fmt.Sprintf("XA COMMIT 'x%d'", i))
			}
			db.Exec("INSERT INTO u VALUES (200)", "DROP TABLE u")
			equal(t, r.take(len(want)+1), append(want, "insert u 200"))
			if c := r.nextChange(); c.DDL == nil || !strings.HasPrefix(c.DDL.SQL, "DROP TABLE") {
				t.Errorf("got %s", describe(c))
			}
		})
	}
}
