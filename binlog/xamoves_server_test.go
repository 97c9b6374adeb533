//go:build servers

package binlog_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"daybook/binlog"
	"daybook/change"
)

// TestXATablesMoved renames, empties and drops tables of prepared XA
// transactions, on servers that hold no lock for those: what is told at the
// commit must be what the source has then. The reader goes on, is opened anew in
// between, or starts only when all is done but the commit.
func TestXATablesMoved(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		ddl   []string
		rows  []string // of the commit, in the table's name by then
		error string
	}{
		{"rename", []string{"RENAME TABLE t TO r"}, []string{"insert r 2 2", "update r 1 1 1 5"}, ""},
		{"alter rename", []string{"ALTER TABLE t RENAME r"}, []string{"insert r 2 2", "update r 1 1 1 5"}, ""},
		{"swap", []string{"CREATE TABLE o (id INT PRIMARY KEY, v INT)", "RENAME TABLE t TO x, o TO t, x TO o"}, []string{"insert o 2 2", "update o 1 1 1 5"}, ""},
		{"away", []string{"RENAME TABLE t TO r", "CREATE TABLE t (a VARCHAR(9))"}, []string{"insert r 2 2", "update r 1 1 1 5"}, ""},
		{"twice", []string{"RENAME TABLE t TO r", "RENAME TABLE r TO OTHER.z", "RENAME TABLE OTHER.z TO s"}, []string{"insert s 2 2", "update s 1 1 1 5"}, ""},
		{"to a database that is not tracked", []string{"RENAME TABLE t TO OTHER.t"}, nil, ""},
		{"truncate", []string{"TRUNCATE TABLE t"}, nil, ""},
		{"drop", []string{"DROP TABLE t"}, nil, ""},
		{"drop and create", []string{"DROP TABLE t", "CREATE TABLE t (id INT PRIMARY KEY, v INT)"}, nil, ""},
		{"rename and truncate", []string{"RENAME TABLE t TO r", "TRUNCATE r"}, nil, ""},
		{"another is dropped", []string{"CREATE TABLE r (id INT)", "DROP TABLE r", "ALTER TABLE t ALTER v SET DEFAULT 3"}, []string{"insert t 2 2", "update t 1 1 1 5"}, ""},
		{"partitions that lose no rows", []string{"ALTER TABLE p ADD PARTITION (PARTITION p1 VALUES LESS THAN (20))", "ALTER TABLE p ANALYZE PARTITION p0", "RENAME TABLE p TO q"},
			[]string{"insert t 2 2", "update t 1 1 1 5", "insert q 1 1"}, ""},
		{"partition", []string{"ALTER TABLE p TRUNCATE PARTITION p0"}, []string{"insert t 2 2", "update t 1 1 1 5"}, "partitions"},
	}
	for _, version := range []string{"mysql-5.7", "mariadb-10.5"} {
		t.Run(version, func(t *testing.T) {
			s := own(t, version)
			for i, c := range cases {
				for _, how := range []string{"goes on", "is opened anew", "starts before the commit", "starts before the DDL"} {
					t.Run(c.name+"/"+how, func(t *testing.T) {
						name, db := s.Database(t)
						other, _ := s.Database(t)
						xid := fmt.Sprintf("'x%d %s'", i, how)
						db.Exec("CREATE TABLE t (id INT PRIMARY KEY, v INT)", "INSERT INTO t VALUES (1, 1)",
							"CREATE TABLE p (id INT PRIMARY KEY, v INT) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10))")
						o := options(s, name)
						o.SchemaChanges = binlog.SchemaChangesNone
						var r *reading
						if how == "goes on" || how == "is opened anew" {
							r = open(t, o)
						}
						x := s.Connect(t, name)
						x.Exec("XA START "+xid, "INSERT INTO t VALUES (2, 2)", "UPDATE t SET v = 5 WHERE id = 1")
						if strings.Contains(c.name, "partition") {
							x.Exec("INSERT INTO p VALUES (1, 1)")
						}
						x.Exec("XA END "+xid, "XA PREPARE "+xid)
						x.Close()
						if how == "starts before the DDL" {
							r = open(t, o)
						}
						db.Exec("SET lock_wait_timeout = 5")
						for _, sql := range c.ddl {
							for late := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) { // until the server is rid of the session
								err := db.Try(strings.ReplaceAll(sql, "OTHER", "`"+other+"`"))
								if err == nil {
									break
								}
								if time.Now().After(late) {
									t.Fatal(err)
								}
							}
						}
						db.Exec("CREATE TABLE mark (id INT)", "INSERT INTO mark VALUES (1)")
						if r != nil {
							equal(t, r.take(1), []string{"insert mark 1"})
						}
						switch how {
						case "is opened anew":
							r.save()
							r.reopen(r.last)
						case "starts before the commit":
							r = open(t, o)
						}
						endXA(t, s, "XA COMMIT "+xid)
						db.Exec("INSERT INTO mark VALUES (2)")
						if c.error != "" {
							if err := r.failure(); !strings.Contains(err.Error(), c.error) {
								t.Errorf("error %v", err)
							}
							return
						}
						equal(t, r.take(len(c.rows)+1), append(c.rows[:len(c.rows):len(c.rows)], "insert mark 2"))
					})
				}
			}
		})
	}
}

// TestXIDUsedAgain prepares transactions under the XID of an earlier one, whose end
// was not logged, or was passed over: nothing of that is left, not where its tables
// went nor its rows.
func TestXIDUsedAgain(t *testing.T) {
	for _, version := range []string{"mysql-5.7", "mariadb-10.5"} {
		t.Run(version, func(t *testing.T) {
			s := own(t, version)
			name, db := s.Database(t)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY, v MEDIUMTEXT)",
				"CREATE TABLE p (id INT PRIMARY KEY) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10))")
			o := options(s, name)
			o.SchemaChanges = binlog.SchemaChangesNone
			r := open(t, o)
			prepare := func(xid string, rows ...string) {
				c := s.Connect(t, name)
				c.Exec("XA START '" + xid + "'")
				c.Exec(rows...)
				c.Exec("XA END '"+xid+"'", "XA PREPARE '"+xid+"'")
				gone(t, s, c)
			}
			prepare("unlogged", "INSERT INTO t VALUES (1, REPEAT('x', 300000))", "INSERT INTO t VALUES (2, REPEAT('x', 300000))")
			prepare("one phase", "INSERT INTO t VALUES (3, '')")
			prepare("passed over", "INSERT INTO p VALUES (1)")
			db = s.Connect(t, name)
			db.Exec("RENAME TABLE t TO r", "CREATE TABLE t (id INT PRIMARY KEY, v MEDIUMTEXT)", "ALTER TABLE p TRUNCATE PARTITION p0",
				"INSERT INTO t VALUES (10, '')")
			equal(t, r.take(1), []string{"insert t 10 "})
			r.save()
			r.reopen(r.last)
			db.Exec("SET sql_log_bin = 0", "XA COMMIT 'unlogged'", "XA COMMIT 'one phase'", "SET sql_log_bin = 1",
				"XA START 'one phase'", "INSERT INTO t VALUES (11, '')", "XA END 'one phase'", "XA COMMIT 'one phase' ONE PHASE")
			prepare("unlogged", "INSERT INTO t VALUES (12, '')")
			db.Exec("XA COMMIT 'unlogged'", "XA COMMIT 'passed over'")
			equal(t, r.take(2), []string{"insert t 11 ", "insert t 12 "})
			err := r.failure()
			var group *binlog.GroupError
			if !errors.As(err, &group) || !strings.Contains(err.Error(), "partitions") {
				t.Fatalf("error %v", err)
			}
			place := group.Place()
			r.save()
			r.options.Skip = &place
			r.reopen(r.last)
			if c := r.nextChange(); c.Op != change.Gap {
				t.Errorf("got %s", describe(c))
			}
			prepare("passed over", "INSERT INTO p VALUES (2)")
			prepare("one phase", "INSERT INTO t VALUES (13, '')") // MariaDB logs no XID in one phase
			db.Exec("XA COMMIT 'passed over'", "XA COMMIT 'one phase'", "INSERT INTO t VALUES (14, '')")
			equal(t, r.take(3), []string{"insert p 2", "insert t 13 ", "insert t 14 "})
			r.save()
			for key := range r.schema {
				if strings.HasPrefix(key, "x\x00") || strings.HasPrefix(key, "y\x00") || strings.HasPrefix(key, "z\x00") {
					t.Errorf("entry %q is left", key)
				}
			}
		})
	}
}
