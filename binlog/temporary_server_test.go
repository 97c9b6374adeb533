//go:build servers

package binlog_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"daybook/binlog"
	"daybook/e2e/servers"
)

// hiding are statements of a session with a temporary table that hides the
// tracked table t (id, a, b). {db} is the tracked database, {other} one that is
// not. What is about permanent tables of the former is to be told, and nothing else.
var hiding = []struct {
	name    string
	does    []string
	want    []string // begins of what is told
	maria   bool     // MariaDB only
	mysql   bool
	formats string // those that it can be run in; "": all
	insert  string // into which table a row is inserted afterwards; "": t (1, 2, 3)
	columns string // of that

}{
	{name: "alter", does: []string{"CREATE TEMPORARY TABLE t (id INT, a INT, b INT)", "ALTER TABLE t CHANGE a c INT, CHANGE b a INT", "ALTER TABLE t ADD COLUMN d INT FIRST"}},
	{name: "index", does: []string{"CREATE TEMPORARY TABLE t (id INT, a INT, b INT)", "CREATE UNIQUE INDEX i ON t (b)", "DROP INDEX i ON t"}},
	{name: "truncate", does: []string{"CREATE TEMPORARY TABLE t (id INT)", "TRUNCATE TABLE t", "TRUNCATE {db}.t"}},
	{name: "rename by alter", does: []string{"CREATE TEMPORARY TABLE t (id INT)", "ALTER TABLE t RENAME TO w", "ALTER TABLE w ADD COLUMN a INT", "ALTER TABLE w RENAME AS t, ADD COLUMN c INT", "TRUNCATE t"}},
	{name: "like", does: []string{"CREATE TEMPORARY TABLE t LIKE u", "ALTER TABLE t DROP COLUMN a", "TRUNCATE TABLE t"}},
	{name: "select", does: []string{"CREATE TEMPORARY TABLE t AS SELECT * FROM {other}.o", "ALTER TABLE t CHANGE a z INT", "TRUNCATE TABLE t"}},
	{name: "if not exists", does: []string{"CREATE TEMPORARY TABLE IF NOT EXISTS t (a INT)", "CREATE TEMPORARY TABLE IF NOT EXISTS t (b INT)", "ALTER TABLE t ADD COLUMN b INT"}},
	{name: "quoted", does: []string{"CREATE TEMPORARY TABLE `t` (id INT)", "USE {other}", "alter table /* it */ `{db}`.`t` add `a` int", "TRUNCATE {db} . `t`"}},
	{name: "other database", does: []string{"USE {other}", "CREATE TEMPORARY TABLE t (id INT)", "TRUNCATE TABLE t", "TRUNCATE TABLE {db}.u", "ALTER TABLE t ADD COLUMN a INT"}, want: []string{"schema TRUNCATE TABLE {db}.u"}},
	{name: "dropped", does: []string{"CREATE TEMPORARY TABLE t (id INT)", "ALTER TABLE t ADD COLUMN z INT", "DROP TEMPORARY TABLE t", "ALTER TABLE t COMMENT 'x'", "TRUNCATE t"},
		want: []string{"schema ALTER TABLE t COMMENT 'x'", "schema TRUNCATE t"}},
	{name: "dropped with others", does: []string{"CREATE TEMPORARY TABLE t (id INT)", "CREATE TEMPORARY TABLE x (id INT)", "DROP TABLE IF EXISTS t, n, x", "TRUNCATE t"},
		want: []string{"schema DROP TABLE IF EXISTS `n`", "schema TRUNCATE t"}},
	{name: "dropped plainly", does: []string{"CREATE TEMPORARY TABLE t (id INT)", "DROP TABLE t", "TRUNCATE t", "CREATE TEMPORARY TABLE t (a INT)", "TRUNCATE t"}, want: []string{"schema TRUNCATE t"}},
	{name: "in a transaction", does: []string{"CREATE TEMPORARY TABLE t (id INT, a INT)", "BEGIN", "INSERT INTO {other}.o VALUES (5, 5, 5)", "ALTER TABLE t ADD COLUMN b INT", "TRUNCATE TABLE t", "ROLLBACK", "TRUNCATE TABLE t", "DROP TEMPORARY TABLE t", "TRUNCATE TABLE t"},
		want: []string{"schema TRUNCATE TABLE t"}},
	{name: "in a procedure", does: []string{"CALL p()", "TRUNCATE t"}, want: []string{"schema ALTER TABLE u COMMENT", "schema TRUNCATE TABLE u", "schema TRUNCATE t"}},
	{name: "rows", does: []string{"CREATE TEMPORARY TABLE t (id INT, a INT, b INT)", "INSERT INTO t VALUES (1, 1, 1), (2, 2, 2)", "INSERT INTO t SELECT * FROM {other}.o", "UPDATE t SET a = 5", "UPDATE t, {other}.o SET t.b = 1, o.b = 2 WHERE t.id = o.id",
		"DELETE t FROM t JOIN {other}.o USING (id)", "REPLACE INTO {db}.t VALUES (3, 3, 3)", "DELETE FROM t WHERE id = 3", "DELETE FROM t"}},
	{name: "rows of a MEMORY table", does: []string{"CREATE TEMPORARY TABLE m (id INT)", "INSERT INTO m VALUES (1)", "DELETE FROM m"}},
	{name: "create like", does: []string{"CREATE TEMPORARY TABLE t (id INT, x INT)", "CREATE TABLE l LIKE t"}, want: []string{"schema CREATE TABLE"}, insert: "l VALUES (1, 2)", columns: "id x"},
	{name: "permanent beside it", does: []string{"CREATE TEMPORARY TABLE l (id INT)", "CREATE TABLE l (id INT, c INT)", "ALTER TABLE l ADD COLUMN z INT", "TRUNCATE l"}, want: []string{"schema CREATE TABLE l"}, insert: "l VALUES (1, 2)", columns: "id c"},
	{name: "or replace", maria: true, does: []string{"CREATE OR REPLACE TEMPORARY TABLE t (id INT)", "CREATE OR REPLACE TEMPORARY TABLE t (id INT, a INT)", "ALTER TABLE IF EXISTS t DROP COLUMN a", "DROP TABLE t", "TRUNCATE t"}, want: []string{"schema TRUNCATE t"}},
	{name: "rename", maria: true, formats: "STATEMENT MIXED", does: []string{"CREATE TEMPORARY TABLE t (id INT)", "RENAME TABLE t TO w", "TRUNCATE t", "RENAME TABLE w TO t", "TRUNCATE t", "ALTER TABLE t ADD COLUMN k INT"}, want: []string{"schema TRUNCATE t"}},
	{name: "rename of both", maria: true, formats: "STATEMENT MIXED", does: []string{"CREATE TEMPORARY TABLE t (id INT)", "RENAME TABLE t TO w, u TO u2", "RENAME TABLE u2 TO u, w TO t", "TRUNCATE t"},
		want: []string{"schema RENAME TABLE t TO w, u TO u2", "schema RENAME TABLE u2 TO u"}},
	{name: "rename of both of one name", maria: true, does: []string{"CREATE TEMPORARY TABLE t (id INT)", "RENAME TABLE t TO w, u TO x, x TO u, t TO v", "RENAME TABLE v TO t, w TO y"},
		want: []string{"schema RENAME TABLE t TO w, u TO x, x TO u, t TO v", "schema RENAME TABLE v TO t"}},
	{name: "rename of what is not there any more", maria: true, does: []string{"SET SESSION sql_if_exists = 1", "RENAME TABLE t TO w, t TO v, nosuch TO x", "ALTER TABLE w ADD COLUMN k INT", "RENAME TABLE w TO x, w TO w, x TO t", "ALTER TABLE t DROP COLUMN k", "SET SESSION sql_if_exists = 0", "RENAME TABLE IF EXISTS t TO w, t TO v", "RENAME TABLE w TO t"},
		want: []string{"schema RENAME TABLE t TO w", "schema ALTER TABLE w", "schema RENAME TABLE w TO x", "schema ALTER TABLE t", "schema RENAME TABLE IF EXISTS t TO w", "schema RENAME TABLE w TO t"}},
	{name: "rename of the permanent one", mysql: true, does: []string{"CREATE TEMPORARY TABLE t (id INT)", "RENAME TABLE t TO w", "RENAME TABLE w TO t", "TRUNCATE t"}, want: []string{"schema RENAME TABLE t TO w", "schema RENAME TABLE w TO t"}},
}

// TestTemporaryTables wants of a session with temporary tables what it does to
// permanent ones alone, in each format, and once more with a restart of the
// Reader after each statement.
func TestTemporaryTables(t *testing.T) {
	t.Parallel()
	servers.Each(t, func(t *testing.T, s *servers.Server) { temporaryTables(t, s) })
	for _, version := range []string{"mysql-5.5", "mysql-9", "mariadb-10.5", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) { temporaryTables(t, servers.Get(t, version)) })
	}
	t.Run("names folded", func(t *testing.T) { temporaryTables(t, own(t, "mysql-5.7", "--lower-case-table-names=1")) })
}

func temporaryTables(t *testing.T, s *servers.Server) {
	folds := s.Connect(t, "").Query("SELECT @@lower_case_table_names")[0][0] == "1"
	for _, format := range []string{"STATEMENT", "MIXED", "ROW"} {
		for i := range hiding {
			h := hiding[i]
			if h.maria && !s.MariaDB() || h.mysql && s.MariaDB() || h.formats != "" && !strings.Contains(h.formats, format) {
				continue
			}
			for _, restarts := range []bool{false, true} {
				if restarts && format != "STATEMENT" {
					continue // the same statements, or fewer
				}
				t.Run(fmt.Sprintf("%s/%s/restarts=%t", format, h.name, restarts), func(t *testing.T) {
					name, db := s.Database(t)
					db.Exec("CREATE DATABASE "+name+"_other", "USE "+name+"_other", "CREATE TABLE o (id INT PRIMARY KEY, a INT, b INT)", "INSERT INTO o VALUES (1, 1, 1)", "USE "+name)
					defer db.Exec("DROP DATABASE " + name + "_other")
					db.Exec("CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT)", "CREATE TABLE u (id INT PRIMARY KEY, a INT, b INT)", "CREATE TABLE n (id INT)", "CREATE TABLE m (id INT) ENGINE=MEMORY", "CREATE TABLE mark (id INT PRIMARY KEY AUTO_INCREMENT)",
						"CREATE PROCEDURE p() BEGIN CREATE TEMPORARY TABLE t (id INT); ALTER TABLE t ADD COLUMN a INT; ALTER TABLE u COMMENT 'y'; TRUNCATE TABLE t; TRUNCATE TABLE u; ALTER TABLE t CHANGE a b INT; DROP TEMPORARY TABLE t; END")
					r := open(t, options(s, name))
					c := s.Connect(t, name)
					c.Exec("SET SESSION binlog_format = "+format, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
					var got []string
					for _, sql := range h.does {
						if folds { // names only
							sql = strings.NewReplacer(" t", " T", " u", " U", ".t", ".T", "`t`", "`T`").Replace(sql)
						}
						c.Exec(hidingNames(sql, name))
						if restarts {
							db.Exec("INSERT INTO mark VALUES ()")
							got = append(got, r.untilMark()...)
							r.save()
							r.reopen(r.last)
						}
					}
					insert, want := "t VALUES (1, 2, 3)", "insert t 1 2 3 of id a b"
					if h.insert != "" {
						insert, want = h.insert, "insert l 1 2 of "+h.columns
					}
					db.Exec("INSERT INTO "+insert, "INSERT INTO mark VALUES ()")
					got = append(got, r.untilMark()...)
					if h.name == "create like" { // a statement that does not tell what is created: the definition is told by itself
						got = slices.DeleteFunc(got, func(s string) bool { return s == "schema " })
					}
					list := append([]string(nil), h.want...)
					for i := range list {
						list[i] = hidingNames(list[i], name)
					}
					list = append(list, want)
					for i := range got {
						if i < len(list) && len(got) == len(list) && strings.HasPrefix(strings.ToLower(got[i]), strings.ToLower(list[i])) {
							got[i] = list[i]
						}
					}
					equal(t, got, list)
				})
			}
		}
	}
}

func hidingNames(sql, database string) string {
	return strings.NewReplacer("{db}", database, "{other}", database+"_other").Replace(sql)
}

// untilMark reads up to the next row of the table mark. Rows come with the names
// of their columns.
func (r *reading) untilMark() []string {
	r.t.Helper()
	var all []string
	for {
		c := r.nextChange()
		text := describe(c)
		if c.Table != nil {
			if c.Table.Name == "mark" {
				return all
			}
			text += " of"
			for _, column := range c.Table.Columns {
				text += " " + column.Name
			}
		}
		all = append(all, text)
	}
}

// TestTemporaryTableFromBefore has a session with a temporary table that was
// created before the reading began. A DDL on it cannot be told from one on the
// permanent table by the binlog: the table's definition is looked up, and of
// a truncation a warning tells.
func TestTemporaryTableFromBefore(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		for _, reopened := range []bool{false, true} {
			name, db := s.Database(t)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT)", "CREATE TABLE mark (id INT PRIMARY KEY AUTO_INCREMENT)")
			c := s.Connect(t, name)
			c.Exec("SET SESSION binlog_format = STATEMENT", "CREATE TEMPORARY TABLE t (id INT, a INT, b INT)")
			o := options(s, name)
			var log bytes.Buffer
			o.Logger = slog.New(slog.NewTextHandler(&log, nil))
			r := open(t, o)
			c.Exec("ALTER TABLE t CHANGE a b INT, CHANGE b a INT", "TRUNCATE TABLE t")
			db.Exec("INSERT INTO mark VALUES ()")
			r.untilMark() // the ALTER is told: nobody knows better
			if reopened {
				r.save()
				r.reopen(r.last)
			}
			db.Exec("INSERT INTO t VALUES (1, 2, 3)", "INSERT INTO mark VALUES ()")
			equal(t, r.untilMark(), []string{"schema ", "insert t 1 2 3 of id a b"}) // what was told is put right
			if !strings.Contains(log.String(), "may not have been") {
				t.Error("no warning of the truncation")
			}
			// The permanent one: what is told is right, and nothing is looked up in vain.
			c.Exec("DROP TEMPORARY TABLE t", "ALTER TABLE t CHANGE a b INT, CHANGE b a INT")
			db.Exec("INSERT INTO t VALUES (2, 3, 4)", "INSERT INTO mark VALUES ()")
			if got := r.untilMark(); len(got) != 2 || got[1] != "insert t 2 3 4 of id b a" {
				t.Error(got)
			}
			_ = r.Close()
		}
	})
}

// TestTemporaryTableOfFunction has a function create a temporary table, of
// which the binlog tells nothing.
func TestTemporaryTableOfFunction(t *testing.T) {
	t.Parallel()
	eachOwn(t, func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		db.Exec("CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT)", "CREATE TABLE mark (id INT PRIMARY KEY AUTO_INCREMENT)")
		c := s.Connect(t, name)
		c.Exec("CREATE FUNCTION hide() RETURNS INT DETERMINISTIC BEGIN CREATE TEMPORARY TABLE t (id INT, a INT, b INT); RETURN 1; END")
		r := open(t, options(s, name))
		c = s.Connect(t, name) // newer than the reading
		c.Exec("SET SESSION binlog_format = STATEMENT", "DO hide()", "ALTER TABLE t CHANGE a b INT, CHANGE b a INT")
		db.Exec("INSERT INTO t VALUES (1, 2, 3)", "INSERT INTO mark VALUES ()")
		got := r.untilMark()
		equal(t, got[len(got)-1:], []string{"insert t 1 2 3 of id a b"})
	})
}

// TestRenameOfTemporaryTableInRowSession has MariaDB log nothing else of the
// table: it is told as the permanent one's, whose rows are looked up.
func TestRenameOfTemporaryTableInRowSession(t *testing.T) {
	s := servers.Get(t, "mariadb-10.11")
	name, db := s.Database(t)
	db.Exec("CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT)", "CREATE TABLE mark (id INT PRIMARY KEY AUTO_INCREMENT)")
	r := open(t, options(s, name))
	db.Exec("CREATE TEMPORARY TABLE t (id INT)", "RENAME TABLE t TO w", "INSERT INTO t VALUES (1, 2, 3)", "INSERT INTO mark VALUES ()")
	equal(t, r.untilMark(), []string{"schema RENAME TABLE t TO w", "schema ", "insert t 1 2 3 of id a b"})
	db.Exec("RENAME TABLE w TO t", "DROP TEMPORARY TABLE t", "INSERT INTO t VALUES (2, 3, 4)", "INSERT INTO mark VALUES ()")
	equal(t, r.untilMark(), []string{"schema RENAME TABLE w TO t", "insert t 2 3 4 of id a b"})
}

// TestTemporaryTablesInThePast begins before a session altered a temporary table:
// the permanent one is known all the time.
func TestTemporaryTablesInThePast(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		db.Exec("CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT)", "CREATE TABLE mark (id INT PRIMARY KEY AUTO_INCREMENT)")
		status, err := dialStatus(t, s)
		if err != nil {
			t.Fatal(err)
		}
		o := options(s, name)
		o.Start = binlog.Start{Mode: binlog.StartFile, File: status.File, Pos: status.Pos}
		db.Exec("INSERT INTO t VALUES (1, 2, 3)")
		c := s.Connect(t, name)
		c.Exec("SET SESSION binlog_format = STATEMENT", "CREATE TEMPORARY TABLE t (id INT, a INT, b INT)", "ALTER TABLE t CHANGE a b INT, CHANGE b a INT")
		db.Exec("INSERT INTO t VALUES (2, 3, 4)")
		c.Exec("ALTER TABLE t CHANGE a b INT, CHANGE b a INT")
		db.Exec("INSERT INTO mark VALUES ()")
		equal(t, open(t, o).untilMark(), []string{"insert t 1 2 3 of id a b", "insert t 2 3 4 of id a b"})
	})
}

// TestTemporaryTablesEndWithTheServer has a server that was killed give the
// number of a session with a temporary table to another one.
func TestTemporaryTablesEndWithTheServer(t *testing.T) {
	t.Parallel() // its servers are its own, and mostly start
	for _, version := range []string{"mysql-5.7", "mariadb-10.11"} {
		t.Run(version, func(t *testing.T) {
			s := own(t, version)
			name, db := s.Database(t)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT)", "CREATE TABLE mark (id INT PRIMARY KEY AUTO_INCREMENT)",
				"CREATE PROCEDURE p() BEGIN CREATE TEMPORARY TABLE x (id INT); INSERT INTO x VALUES (1); ALTER TABLE t CHANGE a b INT, CHANGE b a INT; DROP TEMPORARY TABLE x; END")
			r := open(t, options(s, name))
			var c *servers.Conn
			for range 5 {
				c = s.Connect(t, name)
			}
			c.Exec("SET SESSION binlog_format = STATEMENT", "CREATE TEMPORARY TABLE t (id INT)")
			thread := c.Query("SELECT CONNECTION_ID()")[0][0]
			db.Exec("INSERT INTO mark VALUES ()")
			equal(t, r.untilMark(), nil)
			r.save()
			s.Kill(t)
			s.Restart(t)
			for range 100 {
				if c = s.Connect(t, name); c.Query("SELECT CONNECTION_ID()")[0][0] == thread {
					break
				}
			}
			if got := c.Query("SELECT CONNECTION_ID()")[0][0]; got != thread {
				t.Fatalf("session %s in place of %s", got, thread)
			}
			c.Exec("CALL p()", "INSERT INTO t VALUES (1, 2, 3)", "INSERT INTO mark VALUES ()")
			for range 2 { // the second time from the position before the restart
				got := r.untilMark()
				if len(got) != 2 || !strings.HasPrefix(got[0], "schema ALTER TABLE t") || got[1] != "insert t 1 2 3 of id b a" {
					t.Error(got)
				}
				r.reopen(r.last)
			}
		})
	}
}

// TestTemporaryTablesAndFailover replaces the source by its replica, on which
// the session's temporary table goes on.
func TestTemporaryTablesAndFailover(t *testing.T) {
	for _, version := range []string{"mysql-8.0", "mariadb-10.11"} {
		t.Run(version, func(t *testing.T) {
			a, b := own(t, version, "--log-slave-updates=ON", "--server-id=101"), own(t, version, "--log-slave-updates=ON", "--server-id=102")
			b.Follow(t, a, true)
			name, db := a.Database(t)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT)", "CREATE TABLE mark (id INT PRIMARY KEY AUTO_INCREMENT)")
			r := open(t, options(a, name))
			c := a.Connect(t, name)
			c.Exec("SET SESSION binlog_format = STATEMENT", "CREATE TEMPORARY TABLE t (id INT, a INT, b INT)", "ALTER TABLE t ADD COLUMN c INT")
			db.Exec("INSERT INTO t VALUES (1, 2, 3)", "INSERT INTO mark VALUES ()")
			equal(t, r.untilMark(), []string{"insert t 1 2 3 of id a b"})
			r.save()
			c.Exec("ALTER TABLE t CHANGE a b INT, CHANGE b a INT", "TRUNCATE TABLE t")
			db.Exec("INSERT INTO t VALUES (2, 3, 4)", "INSERT INTO mark VALUES ()")
			r.options = options(b, name)
			r.reopen(r.last)
			equal(t, r.untilMark(), []string{"insert t 2 3 4 of id a b"})
		})
	}
}

// TestSelectFromTemporary fills tables from temporary ones, as procedures do, and drops
// them before they are looked at.
func TestSelectFromTemporary(t *testing.T) {
	for _, version := range []string{"mysql-5.5", "mysql-5.7", "mysql-8.0", "mariadb-10.5"} {
		t.Run(version, func(t *testing.T) {
			var args []string
			if version == "mysql-5.7" || version == "mysql-8.0" {
				args = []string{"--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"}
			}
			s := own(t, version, args...)
			name, db := s.Database(t)
			r := open(t, options(s, name))
			db.Exec("CREATE TEMPORARY TABLE tmp (a TEXT)", "INSERT INTO tmp VALUES ('é')", "CREATE TABLE t (a VARCHAR(9)) SELECT a FROM tmp", "DROP TABLE t",
				"CREATE TABLE t (a VARCHAR(9)) CHARACTER SET ucs2 SELECT a FROM tmp", "DROP TABLE t")
			var rows []string
			for len(rows) < 2 {
				if c := r.nextChange(); c.DDL == nil {
					rows = append(rows, describe(c))
				}
			}
			equal(t, rows, []string{"insert t é", "insert t é"})
		})
	}
}

// TestLikeTemporaryElsewhere makes a table of a temporary one in a database other than the session's,
// which has a table of that name. MySQL before 5.7 logs it without its database.
func TestLikeTemporaryElsewhere(t *testing.T) {
	fn := func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		other, _ := s.Database(t)
		o := options(s, name)
		o.Include = append(o.Include, other+".*")
		r := open(t, o)
		db.Exec("CREATE TABLE t (a INT UNSIGNED)", "CREATE TEMPORARY TABLE tmp (a INT)", "CREATE TABLE "+other+".t LIKE tmp", "INSERT INTO t VALUES (4294967295)", "INSERT INTO "+other+".t VALUES (-1)")
		var rows []string
		for len(rows) < 2 {
			if c := r.nextChange(); c.DDL == nil {
				rows = append(rows, describe(c))
			}
		}
		equal(t, rows, []string{"insert t 4294967295", "insert t -1"})
	}
	servers.Each(t, fn)
	t.Run("mysql-5.5", func(t *testing.T) { fn(t, servers.Get(t, "mysql-5.5")) })
}
