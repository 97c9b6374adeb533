//go:build servers

package binlog_test

import (
	"fmt"
	"strings"
	"testing"

	"daybook/binlog"
	"daybook/e2e/servers"
)

// TestHiddenColumnsOfUniqueKeys changes tables of which MariaDB keeps unique
// keys as a hash, in a column that no statement sees.
func TestHiddenColumnsOfUniqueKeys(t *testing.T) {
	for _, version := range []string{"mariadb-10.5", "mariadb-10.11", "mariadb-11.8"} {
		for _, metadata := range []string{"NO_LOG", "FULL"} {
			t.Run(version+"/"+metadata, func(t *testing.T) {
				s := servers.Get(t, version, "--binlog-row-metadata="+metadata)
				name, db := s.Database(t)
				o := options(s, name)
				o.SchemaChanges = binlog.SchemaChangesNone
				db.Exec("CREATE TABLE earlier (a INT, b TEXT, s POLYGON, UNIQUE (s(4)), UNIQUE (b))") // a prefix of 4 is shown as the whole
				r := open(t, o)
				db.Exec("INSERT INTO earlier (a, b) VALUES (1, 'x')")
				if got := r.next(); !strings.HasPrefix(got, "insert earlier 1 x") {
					t.Error(got)
				}
				n := 0
				for _, steps := range [][]string{
					{"CREATE TABLE @ (a TEXT UNIQUE, b INT)", "ALTER TABLE @ ADD c INT FIRST", "ALTER TABLE @ MODIFY a INT", "ALTER TABLE @ MODIFY a BLOB, ADD UNIQUE (a)", "ALTER TABLE @ DROP INDEX a"},
					{"CREATE TABLE @ (a INT, b INT, UNIQUE (a) USING HASH)", "ALTER TABLE @ COMMENT 'x'", "CREATE UNIQUE INDEX x USING HASH ON @ (b)", "ALTER TABLE @ ADD c BIGINT"},
					{"CREATE TABLE @ (a INT, b INT)", "CREATE UNIQUE INDEX x ON @ (b) USING HASH COMMENT 'x'", "ALTER TABLE @ RENAME INDEX x TO y", "ALTER TABLE @ DROP INDEX y"},
					{"CREATE TABLE @ (a INT, b VARCHAR(1500), UNIQUE (b)) ENGINE=MyISAM CHARSET latin1", "ALTER TABLE @ ENGINE=InnoDB", "ALTER TABLE @ MODIFY b VARCHAR(1500) CHARACTER SET utf8mb4", "ALTER TABLE @ MODIFY b VARCHAR(20)"},
					{"CREATE TABLE @ (a INT, b TEXT, UNIQUE (b(10)), UNIQUE (b, a), UNIQUE (a, b))", "ALTER TABLE @ DROP INDEX b", "CREATE TABLE @2 LIKE @", "RENAME TABLE @ TO @3, @2 TO @"},
					{"CREATE TABLE @ (a INT, b TEXT, UNIQUE (b(3073)), UNIQUE (a))", "ALTER TABLE @ ADD d JSON UNIQUE"},
					{"CREATE TABLE @ (a INT, b TEXT, UNIQUE (b)) ENGINE=MyISAM"},
					// What IF EXISTS makes void and what says only how leave the hash as it is; all else ends it.
					{"CREATE TABLE @ (a INT, b INT, UNIQUE (a) USING HASH)", "ALTER TABLE @", "ALTER TABLE @ DROP COLUMN IF EXISTS z", "ALTER TABLE @ ADD COLUMN IF NOT EXISTS b BIGINT FIRST",
						"ALTER TABLE @ MODIFY COLUMN IF EXISTS z INT", "ALTER TABLE @ ADD KEY IF NOT EXISTS a (b)", "ALTER TABLE @ DROP INDEX IF EXISTS z", "ALTER TABLE @ DROP FOREIGN KEY IF EXISTS z",
						"CREATE INDEX IF NOT EXISTS a ON @ (b)", "DROP INDEX IF EXISTS z ON @", "ALTER TABLE @ LOCK=NONE, ALGORITHM=COPY", "ALTER TABLE @ DISABLE KEYS, DROP COLUMN IF EXISTS z",
						"ALTER TABLE @ RENAME TO @2", "ALTER TABLE @2 ENABLE KEYS, RENAME TO @", "ALTER TABLE @ ADD c BIGINT AS (1 + 1) PERSISTENT"},
					{"CREATE TABLE @ (a INT, f TEXT, s POLYGON, b VARCHAR(9))", "CREATE UNIQUE INDEX k USING HASH ON @ (s)", "ALTER TABLE @ MODIFY f TEXT INVISIBLE AFTER s", "ALTER TABLE @ MODIFY a SERIAL", "ALTER TABLE @ ADD w INT AS (1 + 1) PERSISTENT"},
					{"CREATE TABLE @ (a INT, b INT, UNIQUE (a) USING HASH)", "ALTER TABLE @ DROP COLUMN IF EXISTS z, FORCE", "ALTER TABLE @ ADD c BIGINT"},
					{"CREATE TABLE @ (a INT, b INT, c INT, UNIQUE (a) USING HASH, KEY (b), CONSTRAINT @f FOREIGN KEY @f (c) REFERENCES @ (b))", "ALTER TABLE @ ADD FOREIGN KEY IF NOT EXISTS @f (c) REFERENCES @ (b)", "ALTER TABLE @ ADD CONSTRAINT @f FOREIGN KEY IF NOT EXISTS (c) REFERENCES @ (b)",
						"ALTER TABLE @ DROP IF EXISTS z, MODIFY IF EXISTS z INT, ADD IF NOT EXISTS b INT FIRST, ALTER IF EXISTS z SET DEFAULT 4", "ALTER TABLE @ RENAME COLUMN IF EXISTS z TO y", "ALTER TABLE @ COMMENT 'x'"},
					// Over a whole geometry but a POINT it is a hash until the definition is written anew, and a prefix then.
					{"CREATE TABLE @ (a INT, s POLYGON, q TEXT, b VARCHAR(9), UNIQUE (s), UNIQUE (q))", "ALTER TABLE @ DROP COLUMN IF EXISTS z", "ALTER TABLE @ ADD c INT", "CREATE UNIQUE INDEX k2 ON @ (s(12), q)", "ALTER TABLE @ FORCE, ADD UNIQUE (a, s)"},
					{"CREATE TABLE @ (a INT, b INT, p POINT, q TEXT, g GEOMETRY, UNIQUE (p), UNIQUE (g), UNIQUE (q))", "OPTIMIZE TABLE @", "ALTER TABLE @ ADD l LINESTRING UNIQUE", "CREATE TABLE @2 LIKE @", "RENAME TABLE @ TO @3, @2 TO @",
						"ALTER TABLE @ MODIFY q POINT", "ALTER TABLE @ DROP g, ADD g TEXT, ADD UNIQUE (g, a), MODIFY l TEXT"},
					{"CREATE TABLE @ (a INT, b TEXT, UNIQUE (b), UNIQUE (a) USING HASH)", "OPTIMIZE TABLE @", "ALTER TABLE @ ADD c BIGINT"},
				} {
					n++
					table := fmt.Sprintf("t%d", n)
					for i, step := range steps {
						db.Exec(strings.ReplaceAll(step, "@", table))
						if strings.HasSuffix(step, " TO @2") {
							continue
						}
						db.Exec(fmt.Sprintf("INSERT INTO %s (a, b) VALUES (%d, '%d')", table, i, i))
						columns := len(db.Query("SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '" + name + "' AND TABLE_NAME = '" + table + "'"))
						c := r.nextChange()
						if got := len(c.After); got != columns {
							t.Fatalf("after %s: a row of %d columns, want %d", step, got, columns)
						}
						at := 0
						for c.Table.Columns[at].Name != "b" {
							at++
						}
						if got := text(&c.After[at]); got != fmt.Sprint(i) {
							t.Errorf("after %s: b is %s, want %d", step, got, i)
						}
						db.Exec("DELETE FROM " + table)
						if got := r.next(); !strings.HasPrefix(got, "delete "+table) {
							t.Errorf("after %s: %s", step, got)
						}
					}
				}
			})
		}
	}
}

// TestGeneratedColumns changes rows of tables with generated columns, which new
// MariaDBs leave out of the images.
func TestGeneratedColumns(t *testing.T) {
	fn := func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		o := options(s, name)
		o.SchemaChanges = binlog.SchemaChangesNone
		r := open(t, o)
		left := strings.HasPrefix(s.Name, "mariadb-11.8")
		for i, b := range []string{"b INT AS (a + 1) STORED", "b INT AS (a + 1) VIRTUAL", "b INT AS (a + 1) VIRTUAL, KEY (b)"} {
			table := fmt.Sprintf("t%d", i)
			db.Exec("CREATE TABLE "+table+" (id INT PRIMARY KEY, a INT, "+b+", z INT)", "INSERT INTO "+table+" (id, a, z) VALUES (1, 1, 1)",
				"UPDATE "+table+" SET a = 5", "UPDATE "+table+" SET id = 2", "DELETE FROM "+table)
			with := func(s string) string {
				if left {
					s = strings.NewReplacer(" [2]", " -", " [6]", " -").Replace(s)
				}
				return strings.NewReplacer("[", "", "]", "").Replace(s)
			}
			equal(t, r.take(4), []string{
				"insert " + table + " 1 1 2 1", with("update " + table + " 1 1 [2] 1 1 5 [6] 1"),
				with("update " + table + " 1 5 [6] 1 2 5 [6] 1"), with("delete " + table + " 2 5 [6] 1")})
		}
	}
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		if s.Name != "mysql-5.6" { // which has none
			fn(t, s)
		}
	})
	for _, version := range []string{"mysql-9", "mariadb-10.5", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) { fn(t, servers.Get(t, version)) })
	}
}

// TestOnlyGeneratedColumns deletes rows of a table that has nothing but generated columns.
// Those of new MariaDBs are logged without any, so that they cannot be counted.
func TestOnlyGeneratedColumns(t *testing.T) {
	fn := func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		r := open(t, options(s, name))
		db.Exec("CREATE TABLE t (a INT AS (7) STORED)", "INSERT INTO t () VALUES (), ()", "DELETE FROM t LIMIT 1")
		equal(t, r.take(3), []string{"schema CREATE TABLE t (a INT AS (7) STORED)", "insert t 7", "insert t 7"})
		if !strings.HasPrefix(s.Name, "mariadb-11.8") {
			equal(t, r.take(1), []string{"delete t 7"})
			return
		}
		if err := r.failure(); !strings.Contains(err.Error(), "leaves generated columns out") {
			t.Errorf("the deletion came to the error %v", err)
		}
	}
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		if s.Name != "mysql-5.6" { // which has none
			fn(t, s)
		}
	})
	t.Run("mariadb-11.8", func(t *testing.T) { fn(t, servers.Get(t, "mariadb-11.8")) })
}
