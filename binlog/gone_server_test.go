//go:build servers

package binlog_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"daybook/binlog"
	"daybook/e2e/servers"
)

// refused returns the error with which a resume at the saved position ends, at
// its start or later.
func (r *reading) refused() error {
	r.t.Helper()
	o := r.options
	o.Resume, o.Schema = r.last, func(yield func(k, v []byte) bool) {
		for k, v := range r.schema {
			if !yield([]byte(k), v) {
				return
			}
		}
	}
	r.Reader = binlog.New(o)
	if err := r.Open(r.t.Context()); err != nil {
		r.t.Logf("error: %v", err)
		return err
	}
	return r.failure()
}

// leadsOn starts anew at the place that an error names, and wants what is there.
func (r *reading) leadsOn(err error, want ...string) {
	r.t.Helper()
	var missing *binlog.MissingError
	if !errors.Is(err, binlog.ErrPurged) || !errors.As(err, &missing) {
		r.t.Fatalf("error %v", err)
	}
	r.options.Start = binlog.Start{Mode: binlog.StartFile, File: missing.Next.File, Pos: missing.Next.Pos}
	r.schema = map[string][]byte{}
	r.reopen(nil)
	equal(r.t, r.take(len(want)), want)
	r.save()
	r.reopen(r.last)
}

// stopped saves the position behind the transaction of a row, and closes.
func (r *reading) stopped(want string) {
	r.t.Helper()
	equal(r.t, r.take(1), []string{want})
	r.ended()
	if err := r.Close(); err != nil {
		r.t.Fatal(err)
	}
}

// ended saves the position behind the transaction of the row that was taken last.
func (r *reading) ended() {
	r.t.Helper()
	for r.save(); !r.Moved(); {
		if c, err := r.Poll(); c != nil || err != nil {
			r.t.Fatalf("%v, %v", c, err)
		}
	}
	r.save()
}

// TestReplicatedUnderAnotherName has a replica, which is read, replicate for a
// while under another name of its binlogs: what it replicated then is missing.
func TestReplicatedUnderAnotherName(t *testing.T) {
	a := own(t, "mysql-8.0", "--server-id=101")
	b := own(t, "mysql-8.0", "--server-id=102")
	b.Follow(t, a, true)
	name, db := a.Database(t)
	db.Exec("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
	o := options(b, name)
	o.Start, o.SchemaChanges = binlog.Start{Mode: binlog.StartEarliest}, binlog.SchemaChangesNone
	replicated(t, b, name, 1)
	r := open(t, o)
	r.stopped("insert t 1")
	for i, under := range []string{"other", "binlog"} {
		b.Restart(t, "--log-bin="+filepath.Join(b.Data(), under))
		db.Exec(fmt.Sprintf("INSERT INTO t VALUES (%d)", i+2))
		replicated(t, b, name, i+2)
	}
	r.leadsOn(r.refused(), "insert t 3")
}

// replicated waits until a replica has so many rows of t.
func replicated(t *testing.T, b *servers.Server, database string, rows int) {
	t.Helper()
	db := b.Connect(t, "")
	for deadline := time.Now().Add(30 * time.Second); db.Try("SELECT * FROM "+database+".t") != nil || len(db.Query("SELECT id FROM "+database+".t")) < rows; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the replica does not follow: %s", b.ReplicaStatus(t))
		}
	}
}

// TestPurgedFromTheStart: what was in no binlog when reading began is not missing
// later, however it began; nor is what a replica does not log.
func TestPurgedFromTheStart(t *testing.T) {
	for _, version := range []string{"mysql-5.7", "mysql-8.0"} {
		t.Run(version, func(t *testing.T) {
			s := own(t, version, "--log-slave-updates=OFF")
			name, db := s.Database(t)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
			db.Exec("RESET MASTER", "SET GLOBAL gtid_purged = '00000000-1111-2222-3333-444444444444:1-7'", "INSERT INTO t VALUES (1)", "FLUSH LOGS", "INSERT INTO t VALUES (2)")
			file := db.Query("SHOW BINARY LOGS")[1][0]
			for _, start := range []binlog.Start{{Mode: binlog.StartEarliest}, {Mode: binlog.StartFile, File: file, Pos: 4}, {}} {
				o := options(s, name)
				o.Start = start
				r := open(t, o)
				for range map[binlog.StartMode]int{binlog.StartEarliest: 2, binlog.StartFile: 1, binlog.StartNow: 0}[start.Mode] {
					r.next()
				}
				db.Exec("REPLACE INTO t VALUES (3)")
				r.next()
				r.save()
				r.reopen(r.last)
				db.Exec("FLUSH LOGS", "DELETE FROM t WHERE id = 3")
				equal(t, r.take(1), []string{"delete t 3"})
			}
		})
	}
}

// TestBinlogGone deletes a binlog that is still in the index: the one that is
// read next, and the one of the position.
func TestBinlogGone(t *testing.T) {
	for _, version := range []string{"mysql-5.6", "mysql-5.7", "mysql-8.0", "mariadb-10.11"} {
		t.Run(version, func(t *testing.T) {
			s := own(t, version)
			name, db := s.Database(t)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
			r := open(t, options(s, name))
			db.Exec("INSERT INTO t VALUES (1)")
			r.stopped("insert t 1")
			db.Exec("INSERT INTO t VALUES (2)", "FLUSH LOGS", "INSERT INTO t VALUES (3)", "FLUSH LOGS", "INSERT INTO t VALUES (4)", "FLUSH LOGS", "INSERT INTO t VALUES (5)")
			logs := db.Query("SHOW BINARY LOGS")
			remove := func(i int) {
				if err := os.Remove(filepath.Join(s.Data(), logs[len(logs)-4+i][0])); err != nil {
					t.Fatal(err)
				}
			}
			remove(1)
			r.reopen(r.last)
			equal(t, r.take(1), []string{"insert t 2"})
			r.save()
			for range 2 {
				if err := r.failure(); !errors.Is(err, binlog.ErrPurged) {
					t.Fatalf("error %v", err)
				}
				r.save()
				r.reopen(r.last)
			}
			r.leadsOn(r.failure(), "insert t 4", "insert t 5")
			remove(0)
			r.options.Start = binlog.Start{Mode: binlog.StartEarliest}
			r.schema = map[string][]byte{}
			r.reopen(nil)
			for r.next() != "insert t 5" {
			}
		})
	}
}
