//go:build servers

package binlog_test

import (
	"testing"

	"daybook/e2e/servers"
)

// TestReplacedByNothing has a CREATE OR REPLACE fail after it has dropped the
// table, which the source logs with an error code.
func TestReplacedByNothing(t *testing.T) {
	s := servers.Get(t, "mariadb-10.11")
	name, db := s.Database(t)
	r := open(t, options(s, name))
	db.Exec("CREATE TABLE t (a INT)", "INSERT INTO t VALUES (1)")
	for _, sql := range []string{
		"CREATE OR REPLACE TABLE t (d DATETIME(6)) PARTITION BY RANGE (UNIX_TIMESTAMP(d)) (PARTITION p VALUES LESS THAN (1))",
		"CREATE OR REPLACE TABLE no (a INT, a INT)",
	} {
		if db.Try(sql) == nil {
			t.Fatalf("does not fail: %s", sql)
		}
	}
	db.Exec("CREATE TABLE IF NOT EXISTS t (b VARCHAR(9), c INT)", "INSERT INTO t VALUES ('x', 2)")
	equal(t, r.take(5), []string{"schema CREATE TABLE t (a INT)", "insert t 1", "schema DROP TABLE IF EXISTS `" + name + "`.`t`",
		"schema CREATE TABLE IF NOT EXISTS t (b VARCHAR(9), c INT)", "insert t x 2"})
}
