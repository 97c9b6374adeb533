//go:build servers

package binlog_test

import (
	"fmt"
	"strings"
	"testing"

	"daybook/binlog"
	"daybook/change"
	"daybook/e2e/servers"
)

// TestDefinitionChangedBehindTheBinlog changes a table with sql_log_bin=0, as
// rolling schema changes do. With full row metadata its rows go on, right, behind
// a schema change without a statement.
func TestDefinitionChangedBehindTheBinlog(t *testing.T) {
	for _, version := range []string{"mysql-8.0", "mysql-9", "mariadb-10.5", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) {
			s := servers.Get(t, version, "--binlog-row-metadata=FULL")
			name, db := s.Database(t)
			r := open(t, options(s, name))
			for i, c := range []struct{ ddl, insert, want string }{
				{"ADD COLUMN m INT FIRST", "(id, m, e) VALUES (1, 7, 'b')", "7 1 b 3"},
				{"DROP COLUMN v", "(id, e) VALUES (1, 'b')", "1 b"},
				{"MODIFY v BIGINT UNSIGNED", "(id, e, v) VALUES (1, 'b', 18446744073709551615)", "1 b 18446744073709551615"},
				{"MODIFY v INT UNSIGNED", "(id, e, v) VALUES (1, 'b', 4294967295)", "1 b 4294967295"},
				{"CHANGE v w VARCHAR(20) CHARACTER SET utf8mb4", "(id, e, w) VALUES (1, 'b', 'ä')", "1 b ä"},
				{"MODIFY e ENUM('b','a')", "(id, e) VALUES (1, 'b')", "1 b 3"},
				{"MODIFY e ENUM('a','b','c') FIRST", "(id, e) VALUES (1, 'c')", "c 1 3"},
				{"DROP PRIMARY KEY, ADD PRIMARY KEY (v, id)", "(id, e) VALUES (1, 'b')", "1 b 3"},
			} {
				table := fmt.Sprintf("t%d", i)
				db.Exec("CREATE TABLE " + table + " (id INT PRIMARY KEY, e ENUM('a','b') CHARACTER SET latin1, v INT NOT NULL DEFAULT 3)")
				r.next()
				db.Exec("INSERT INTO "+table+" (id) VALUES (0)", "DELETE FROM "+table, "SET sql_log_bin = 0", "ALTER TABLE "+table+" "+c.ddl, "SET sql_log_bin = 1", "INSERT INTO "+table+" "+c.insert)
				r.take(2)
				told := r.nextChange()
				if told.Op != change.Schema || told.DDL.SQL != "" || len(told.DDL.Tables) != 1 || told.DDL.Tables[0].Type != change.Altered || told.DDL.Tables[0].Name != table {
					t.Fatalf("%s: no schema change: %s", c.ddl, describe(told))
				}
				if i%2 == 0 {
					r.save()
					r.reopen(r.last)
				}
				if got := r.next(); got != "insert "+table+" "+c.want {
					t.Errorf("%s: got %s, want %s", c.ddl, got, c.want)
				}
				db.Exec("ALTER TABLE "+table+" ADD COLUMN z INT DEFAULT 5", "DELETE FROM "+table)
				if got := r.next(); !strings.HasPrefix(got, "schema ALTER") {
					t.Errorf("%s: %s", c.ddl, got)
				}
				if got := r.next(); got != "delete "+table+" "+c.want+" 5" {
					t.Errorf("%s: after a DDL: got %s, want %s 5", c.ddl, got, c.want)
				}
			}
			r.options.SchemaChanges = binlog.SchemaChangesNone
			r.save()
			r.reopen(r.last)
			db.Exec("SET sql_log_bin = 0", "ALTER TABLE t0 ADD COLUMN y INT FIRST", "SET sql_log_bin = 1", "INSERT INTO t0 (id) VALUES (9)")
			equal(t, r.take(1), []string{"insert t0 NULL NULL 9 NULL 3 5"})
		})
	}
}

// TestCreatedBehindTheBinlog creates tables with sql_log_bin=0: behind a schema change without a statement their
// rows go on, right, and later statements on them are followed. What the source cannot tell any more
// its rows tell, with full row metadata.
func TestCreatedBehindTheBinlog(t *testing.T) {
	eachBehind(t, func(t *testing.T, s *servers.Server, full, _ bool) {
		name, db := s.Database(t)
		r := open(t, options(s, name))
		told := func(table string) {
			t.Helper()
			c := r.nextChange()
			if c.Op != change.Schema || c.DDL.SQL != "" || len(c.DDL.Tables) != 1 || c.DDL.Tables[0].Type != change.Created || c.DDL.Tables[0].Name != table {
				t.Fatalf("no schema change: %s", describe(c))
			}
		}
		create := func(table string) {
			unlogged(db, table, "CREATE TABLE T (id INT PRIMARY KEY, e ENUM('a','b') CHARACTER SET latin1, v INT DEFAULT 3, UNIQUE KEY u (v))")
		}
		for i, table := range []string{"t", "u"} {
			create(table)
			db.Exec("INSERT INTO " + table + " (id, e) VALUES (1, 'b')")
			told(table)
			if i > 0 {
				r.save()
				r.reopen(r.last)
			}
			db.Exec("ALTER TABLE "+table+" ADD COLUMN z INT DEFAULT 5, DROP KEY u", "UPDATE "+table+" SET v = 4")
			got := r.take(3)
			if want := "insert " + table + " 1 b 3"; got[0] != want || !strings.HasPrefix(got[1], "schema ALTER") {
				t.Errorf("got %q, want %q and an ALTER", got, want)
			}
			if want := "update " + table + " 1 b 3 5 1 b 4 5"; got[2] != want {
				t.Errorf("got %q, want %q", got[2], want)
			}
		}
		if !full {
			return
		}
		create("gone")
		r.save()
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		db.Exec("INSERT INTO gone VALUES (1, 'b', 3)", "DROP TABLE gone")
		r.reopen(r.last)
		told("gone")
		equal(t, r.take(1), []string{"insert gone 1 b 3"})
	})
}

// TestDefaultsOfToldLabels has rows of a CREATE … SELECT, whose CREATE TABLE shows question marks in
// labels and defaults, tell the labels: the defaults are among them.
func TestDefaultsOfToldLabels(t *testing.T) {
	for _, version := range []string{"mysql-8.0", "mysql-9", "mariadb-10.5", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) {
			s := servers.Get(t, version, "--binlog-row-metadata=FULL")
			name, db := s.Database(t)
			r := open(t, options(s, name))
			db.Exec("SET NAMES utf8mb4", "CREATE TABLE t (e ENUM('a','😀') CHARACTER SET utf8mb4 DEFAULT '😀', s SET('x','😀','b😀') CHARACTER SET utf8mb4 DEFAULT 'x,b😀')",
				"INSERT INTO t VALUES (1, 1)", "CREATE TABLE u SELECT * FROM t")
			for {
				c := r.nextChange()
				if c.DDL != nil || c.Table.Name != "u" {
					continue
				}
				for i, want := range []string{"😀", "x,b😀"} {
					got := "NULL"
					if d := c.Table.Columns[i].Default; d != nil {
						got = *d
					}
					if version == "mysql-9" && i == 1 {
						continue // which logs a default that no label of its statement has
					}
					if got != want {
						t.Errorf("the default is %q, want %q; the labels are %q", got, want, c.Table.Columns[i].Members)
					}
				}
				return
			}
		})
	}
}
