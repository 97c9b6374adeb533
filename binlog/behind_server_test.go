//go:build servers

package binlog_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"daybook/binlog"
	"daybook/change"
	"daybook/e2e/servers"
)

// behindTable is the table that the ways below change.
const behindTable = " (id INT PRIMARY KEY, a INT, b INT, v VARCHAR(50) CHARACTER SET latin1, e ENUM('x','y') CHARACTER SET latin1, d DECIMAL(10,2), t DATETIME)"

// behindWays are ten ways to change a table behind the binlog's back, a row that
// is inserted then, and what is to be read.
var behindWays = []struct {
	name, ddl, insert, want string
	// quiet: the table map does not show it without full row metadata; with
	// signs: on servers that tell neither the columns' signs.
	quiet, signs bool
}{
	{name: "add", ddl: "ALTER TABLE T ADD COLUMN n INT AFTER id", insert: "(id, n, a) VALUES (1, 7, 2)", want: "1 7 2 NULL NULL NULL NULL NULL"},
	{name: "drop", ddl: "ALTER TABLE T DROP COLUMN b", insert: "(id, a, v) VALUES (1, 2, 'ä')", want: "1 2 ä NULL NULL NULL"},
	{name: "sign", ddl: "ALTER TABLE T MODIFY a INT UNSIGNED", insert: "(id, a) VALUES (1, 4294967295)", want: "1 4294967295 NULL NULL NULL NULL NULL", signs: true},
	{name: "length", ddl: "ALTER TABLE T MODIFY v VARCHAR(300) CHARACTER SET latin1", insert: "(id, v) VALUES (1, 'long')", want: "1 NULL NULL long NULL NULL NULL"},
	{name: "charset", ddl: "ALTER TABLE T MODIFY v VARCHAR(50) CHARACTER SET utf8mb4", insert: "(id, v) VALUES (1, 'ä€')", want: "1 NULL NULL ä€ NULL NULL NULL"},
	{name: "labels", ddl: "ALTER TABLE T MODIFY e ENUM('y','x') CHARACTER SET latin1", insert: "(id, e) VALUES (1, 'y')", want: "1 NULL NULL NULL y NULL NULL", quiet: true},
	{name: "rename", ddl: "ALTER TABLE T CHANGE a z INT", insert: "(id, z) VALUES (1, 5)", want: "1 5 NULL NULL NULL NULL NULL", quiet: true},
	{name: "swap", ddl: "ALTER TABLE T MODIFY a INT AFTER b", insert: "(id, a, b) VALUES (1, 5, 6)", want: "1 6 5 NULL NULL NULL NULL", quiet: true},
	{name: "scale", ddl: "ALTER TABLE T MODIFY d DECIMAL(10,4)", insert: "(id, d) VALUES (1, 1.2345)", want: "1 NULL NULL NULL NULL 1.2345 NULL"},
	{name: "fraction", ddl: "ALTER TABLE T MODIFY t DATETIME(3)", insert: "(id, a) VALUES (1, 3)", want: "1 3 NULL NULL NULL NULL NULL"},
	{name: "again", ddl: "DROP TABLE T; CREATE TABLE T (x BIGINT PRIMARY KEY, y VARCHAR(10) CHARACTER SET utf8mb4)", insert: "VALUES (1, 'ö')", want: "1 ö"},
}

// behindServers are the servers that the ways are tried on; those with metadata are own ones.
var behindServers = []struct {
	version string
	full    bool
	signs   bool // table maps tell the columns' signs
}{
	{"mysql-5.7", false, false}, {"mysql-8.0", false, true}, {"mariadb-10.11", false, false}, {"mysql-8.0", true, true}, {"mariadb-10.11", true, true},
}

// unlogged runs a way's statements on its table without the binlog.
func unlogged(db *servers.Conn, table, ddl string) {
	db.Exec("SET sql_log_bin = 0")
	for _, sql := range strings.Split(ddl, "; ") {
		db.Exec(strings.ReplaceAll(sql, "TABLE T", "TABLE "+table))
	}
	db.Exec("SET sql_log_bin = 1")
}

func eachBehind(t *testing.T, run func(t *testing.T, s *servers.Server, full, signs bool)) {
	for _, c := range behindServers {
		t.Run(fmt.Sprintf("%s/full=%t", c.version, c.full), func(t *testing.T) {
			s := servers.Get(t, c.version)
			if c.full {
				s = servers.Get(t, c.version, "--binlog-row-metadata=FULL")
			}
			run(t, s, c.full, c.signs)
		})
	}
}

// TestRowsOfADefinitionBehindTheBinlog changes a table in each way and wants its
// rows right where they show that it was changed, behind a schema change
// without a statement.
func TestRowsOfADefinitionBehindTheBinlog(t *testing.T) {
	eachBehind(t, func(t *testing.T, s *servers.Server, full, signs bool) {
		name, db := s.Database(t)
		r := open(t, options(s, name))
		for i, w := range behindWays {
			table := "t_" + w.name
			if !full && (w.quiet || w.signs && !signs) {
				continue // the check finds it
			}
			db.Exec("CREATE TABLE "+table+behindTable, "INSERT INTO "+table+" (id) VALUES (0)", "DELETE FROM "+table)
			r.take(3)
			unlogged(db, table, w.ddl)
			db.Exec("INSERT INTO " + table + " " + w.insert)
			told := r.nextChange()
			if told.Op != change.Schema || told.DDL.SQL != "" || len(told.DDL.Tables) != 1 || told.DDL.Tables[0].Type != change.Altered || told.DDL.Tables[0].Name != table {
				t.Errorf("%s: no schema change: %s", w.name, describe(told))
				continue
			}
			if i%2 == 0 {
				r.save()
				r.reopen(r.last)
			}
			if got := r.next(); got != "insert "+table+" "+w.want {
				t.Errorf("%s: got %s, want %s", w.name, got, w.want)
			}
			db.Exec("DELETE FROM " + table)
			if got := r.next(); got != "delete "+table+" "+w.want {
				t.Errorf("%s: got %s, want %s", w.name, got, w.want)
			}
		}
	})
}

// TestDefinitionBehindTheBinlogIsNotGuessed has the definition that the source
// has now be another one than that of the rows: a later DDL is ahead, or it does
// not fit.
func TestDefinitionBehindTheBinlogIsNotGuessed(t *testing.T) {
	for _, version := range []string{"mysql-5.7", "mysql-8.0", "mariadb-10.11"} {
		for _, c := range []struct{ later, want string }{
			{"ALTER TABLE t ADD COLUMN y INT", "a later DDL has changed it"},
			{"SET sql_log_bin = 0; ALTER TABLE t ADD COLUMN y INT; SET sql_log_bin = 1", "nor do the rows fit the definition that the source has now"},
			{"DROP TABLE t", "it is not there any more"},
			{"RENAME TABLE t TO u", "it is not there any more"},
		} {
			t.Run(version+" "+c.later, func(t *testing.T) {
				s := servers.Get(t, version)
				name, db := s.Database(t)
				db.Exec("CREATE TABLE t" + behindTable)
				r := open(t, options(s, name))
				unlogged(db, "t", "ALTER TABLE T ADD COLUMN n INT AFTER id")
				db.Exec("INSERT INTO t (id) VALUES (1)")
				db.Exec(strings.Split(c.later, "; ")...)
				if err := r.failure(); !errors.Is(err, binlog.ErrSchema) || !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %v", err)
				}
			})
		}
	}
}
