//go:build servers

package binlog_test

import (
	"fmt"
	"strings"
	"testing"

	"daybook/change"
	"daybook/e2e/servers"
)

// TestEscapesOfTheServersStatements has statements with backslashes written by servers, who
// double them whatever the sql_mode is, and by a client in NO_BACKSLASH_ESCAPES.
func TestEscapesOfTheServersStatements(t *testing.T) {
	t.Parallel()
	fn := func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		r := open(t, options(s, name))
		db.Exec("SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES'")
		const columns = "(\n  `a` int(11) NOT NULL COMMENT 'x\\y',\n  `e` enum('a\\b','c''\\n') NOT NULL DEFAULT 'a\\b',\n  `b` binary(4) NOT NULL DEFAULT 'y')"
		statements := []string{"CREATE TABLE `t0` " + columns, "CREATE TABLE t1 SELECT * FROM t0", "CREATE TABLE t2 ENGINE=MyISAM SELECT * FROM t0", "CREATE TABLE t3 LIKE tmp",
			"CREATE TABLE `t4` (\n  `a` int(11) NOT NULL COMMENT 'x\\y',\n  `e` enum('a\\\\b') NOT NULL DEFAULT 'a\\\\b',\n  `b` binary(4) NOT NULL DEFAULT 'y'\n) ENGINE=InnoDB DEFAULT CHARSET=latin1"}
		db.Exec("CREATE TEMPORARY TABLE tmp " + columns)
		if db.Try("SET SESSION sql_generate_invisible_primary_key = 1") == nil {
			statements = append(statements, "CREATE TABLE `t5` "+columns)
		}
		for i, sql := range statements {
			db.Exec(sql)
			if !strings.Contains(sql, "SELECT") {
				db.Exec(fmt.Sprintf("INSERT INTO t%d (a) VALUES (1)", i))
			}
			var c *change.Change
			var told *change.Table
			for {
				if c = r.nextChange(); c.Op != change.Schema {
					break
				}
				told = c.DDL.Tables[0].Table
				if own := c.DDL.SQL != sql; own == strings.Contains(c.DDL.Session.SQLMode, "NO_BACKSLASH_ESCAPES") {
					t.Errorf("the sql_mode of %s is %q", c.DDL.SQL, c.DDL.Session.SQLMode)
				}
			}
			at := len(told.Columns) - 3
			a, e, b := told.Columns[at], told.Columns[at+1], told.Columns[at+2]
			if e.Default == nil || b.Default == nil {
				t.Fatalf("after %s: %+v", sql, told)
			}
			comment := db.Query(fmt.Sprintf("SELECT COLUMN_COMMENT FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '%s' AND TABLE_NAME = 't%d' AND COLUMN_NAME = 'a'", name, i))[0][0]
			label := db.Query(fmt.Sprintf("SELECT e FROM t%d", i))[0][0]
			if a.Comment != comment || e.Members[0] != label || *e.Default != label || strings.TrimRight(*b.Default, "\x00") != "y" {
				t.Errorf("after %s: %q, %q, %q, %q", sql, a.Comment, e.Members, *e.Default, *b.Default)
			}
			if got := string(c.After[at+1].Bytes); got != label {
				t.Errorf("the row after %s has %q", sql, got)
			}
		}
	}
	for _, version := range []string{"mysql-5.5", "mysql-5.6", "mysql-5.7", "mysql-8.0", "mysql-9", "mariadb-10.5", "mariadb-10.11", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) { // GTIDs forbid CREATE … SELECT
			fn(t, own(t, version, "--loose-gtid-mode=OFF", "--loose-enforce-gtid-consistency=OFF"))
		})
	}
}

// TestEmptyStringsOfTheServersStatements has defaults of empty strings in statements that MariaDB writes, and in a client's,
// in EMPTY_STRING_IS_NULL.
func TestEmptyStringsOfTheServersStatements(t *testing.T) {
	for _, version := range []string{"mariadb-10.5", "mariadb-10.11", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) {
			s := servers.Get(t, version)
			name, db := s.Database(t)
			r := open(t, options(s, name))
			db.Exec("CREATE TABLE t0 (v VARCHAR(5) NOT NULL DEFAULT '', w VARCHAR(5) DEFAULT '')", "CREATE TEMPORARY TABLE tmp LIKE t0", "SET SESSION sql_mode = 'EMPTY_STRING_IS_NULL'",
				"CREATE TABLE t1 SELECT * FROM t0", "CREATE TABLE t2 LIKE tmp", "CREATE TABLE `t3` (\n  `v` varchar(5) DEFAULT 'x',\n  `w` varchar(5) DEFAULT ''\n)")
			for i := range 4 {
				c := r.nextChange()
				w, client := c.DDL.Tables[0].Table.Columns[1], i == 3
				if (w.Default == nil) != client || strings.Contains(c.DDL.Session.SQLMode, "EMPTY_STRING_IS_NULL") != client {
					t.Errorf("%s: the column is %+v, the sql_mode %q", c.DDL.SQL, w, c.DDL.Session.SQLMode)
				}
			}
		})
	}
}
