//go:build servers

package binlog_test

import (
	"fmt"
	"slices"
	"testing"

	"daybook/change"
	"daybook/e2e/servers"
)

// TestCharsetLeftOut fills tables that the server logs without their character set: by
// CREATE … SELECT in modes in which it leaves a table's options out, and by CREATE TABLE … LIKE a
// temporary table.
func TestCharsetLeftOut(t *testing.T) {
	t.Parallel()
	fn := func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		db.Exec("ALTER DATABASE CHARACTER SET latin1", "CREATE TABLE anchor (id INT)", "USE "+name)
		r := open(t, options(s, name))
		for i, mode := range []string{"ANSI", "NO_TABLE_OPTIONS", "MYSQL40", "ORACLE", "MAXDB"} {
			if db.Try("SET SESSION sql_mode = '"+mode+"'") != nil {
				continue // newer MySQL has only the first
			}
			table := []string{"a", "b", "c", "d", "e"}[i]
			next := func() string {
				for {
					if c := r.nextChange(); c.DDL == nil { // the definition may be told once more
						return describe(c)
					}
				}
			}
			db.Exec("CREATE TABLE " + table + " CHARACTER SET cp1251 SELECT CONVERT('ж' USING cp1251) AS t")
			equal(t, []string{next()}, []string{"insert " + table + " ж"})
			db.Exec("ALTER TABLE "+table+" ADD e TEXT", "SET SESSION sql_mode = ''", "INSERT INTO "+table+" VALUES ('щ', 'ю')")
			equal(t, []string{next()}, []string{"insert " + table + " щ ю"})
		}
		db.Exec("SET SESSION sql_mode = ''", "CREATE TEMPORARY TABLE x (t TEXT, e ENUM('щ')) CHARACTER SET cp1251", "CREATE TABLE y LIKE x", "DROP TEMPORARY TABLE x", "INSERT INTO y VALUES ('ж', 1)")
		c := r.nextChange()
		for c.DDL != nil {
			c = r.nextChange()
		}
		equal(t, []string{describe(c)}, []string{"insert y ж щ"})
	}
	for _, version := range []string{"mysql-5.5", "mysql-5.6", "mysql-5.7", "mysql-8.0", "mysql-9", "mariadb-10.5", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) {
			fn(t, own(t, version, "--loose-enforce-gtid-consistency=OFF", "--loose-gtid-mode=OFF"))
		})
	}
}

// TestAbridgedCreate fills tables by CREATE … SELECT, and one whose primary key MySQL makes up, in modes in which
// the server logs it without all that it, its columns and keys have: the rows come with the definition that the table has.
func TestAbridgedCreate(t *testing.T) {
	for _, version := range []string{"mysql-5.6", "mysql-5.7", "mysql-8.0", "mysql-9", "mariadb-10.5", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) {
			s := own(t, version, "--loose-enforce-gtid-consistency=OFF", "--loose-gtid-mode=OFF", "--loose-binlog-row-metadata=FULL")
			name, db := s.Database(t)
			db.Exec("USE " + name)
			r := open(t, options(s, name))
			generatedKey(t, r, db)
			for i, mode := range []string{"", "ANSI", "NO_FIELD_OPTIONS", "NO_KEY_OPTIONS", "MYSQL40", "ORACLE"} {
				if db.Try("SET SESSION sql_mode = '"+mode+"'") != nil {
					continue // newer MySQL has only the first
				}
				table := fmt.Sprintf("t%d", i)
				db.Exec("CREATE TABLE " + table + " (id INT AUTO_INCREMENT PRIMARY KEY COMMENT 'the key', v INT, UNIQUE (v) USING HASH) COMMENT 'a table' SELECT 7 AS v")
				c := r.nextChange()
				for c.DDL != nil { // the definition may be told once more
					c = r.nextChange()
				}
				id := slices.IndexFunc(c.Table.Columns, func(c change.Column) bool { return c.Name == "id" })
				if got := &c.Table.Columns[id]; !got.AutoIncrement || got.Comment != "the key" || c.Table.Comment != "a table" {
					t.Errorf("in mode %q: the column is %+v, the table's comment %q", mode, got, c.Table.Comment)
				}
				equal(t, []string{describe(c)}, []string{"insert " + table + " 1 7"})
			}
		})
	}
}

func generatedKey(t *testing.T, r *reading, db *servers.Conn) {
	if db.Try("SET SESSION sql_generate_invisible_primary_key = 1") != nil {
		return // older ones, and MariaDB
	}
	db.Exec("SET SESSION sql_mode = 'ANSI'", "CREATE TABLE g (v TEXT) COMMENT 'a table' CHARACTER SET cp1251", "INSERT INTO g (v) VALUES ('ж')")
	c := r.nextChange()
	for c.DDL != nil {
		c = r.nextChange()
	}
	if c.Table.Comment != "a table" || c.Table.Charset != "cp1251" {
		t.Errorf("the table's comment is %q, its charset %s", c.Table.Comment, c.Table.Charset)
	}
	equal(t, []string{describe(c)}, []string{"insert g 1 ж"})
	db.Exec("SET SESSION sql_generate_invisible_primary_key = 0")
}
