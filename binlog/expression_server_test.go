//go:build servers

package binlog_test

import (
	"testing"

	"daybook/binlog"
)

// TestKeysOverExpressions reads tables with such keys, whose hidden columns MySQL 8.0.13 to 8.0.17 write into the rows, too.
func TestKeysOverExpressions(t *testing.T) {
	for _, version := range []string{"mysql-8.0.15", "mysql-8.0", "mysql-9"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			s := own(t, version, "--binlog-row-metadata=FULL")
			name, db := s.Database(t)
			o := options(s, name)
			o.Notify = func(n binlog.Notice) { t.Errorf("%+v", n) }
			r := open(t, o)
			r.options.SchemaChanges = binlog.SchemaChangesNone
			r.reopen(r.last)
			take := func(want ...string) {
				t.Helper()
				equal(t, r.take(len(want)), want)
				r.save()
			}
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20), d DATETIME(3), KEY k ((UPPER(v)), (id + 1)), UNIQUE u ((id * 2.5)), KEY w ((CAST(d AS DATE))))",
				"INSERT INTO t VALUES (1, 'a', NULL), (2, NULL, '2026-01-02 03:04:05.678')", "UPDATE t SET v = 'b' WHERE id = 1", "DELETE FROM t WHERE id = 2")
			take("insert t 1 a NULL", "insert t 2 NULL ", "update t 1 a NULL 1 b NULL", "delete t 2 NULL ")
			r.reopen(r.last)
			db.Exec("ALTER TABLE t DROP KEY k", "INSERT INTO t VALUES (3, 'c', NULL)", "ALTER TABLE t DROP KEY u, DROP KEY w", "DELETE FROM t")
			take("insert t 3 c NULL", "delete t 1 b NULL", "delete t 3 c NULL")
		})
	}
}
