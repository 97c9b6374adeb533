//go:build servers

package binlog_test

import (
	"errors"
	"strings"
	"testing"

	"daybook/binlog"
)

// TestDatabasesLeftOutAfterRestart has the source come back with databases left out of its binlog.
func TestDatabasesLeftOutAfterRestart(t *testing.T) {
	for _, version := range []string{"mysql-5.7", "mysql-9", "mariadb-10.11"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			s := own(t, version)
			name, db := s.Database(t)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
			var notices []binlog.Notice
			wide, narrow := options(s, name), options(s, name)
			wide.Include, wide.SchemaChanges, wide.Notify = []string{"*.t"}, binlog.SchemaChangesNone, func(n binlog.Notice) { notices = append(notices, n) }
			readers := []*reading{open(t, wide), open(t, narrow)}
			db.Exec("INSERT INTO t VALUES (1)")
			for _, r := range readers {
				equal(t, r.take(1), []string{"insert t 1"})
				r.save()
			}
			s.Restart(t, "--binlog-do-db=other")
			if err := readers[1].failure(); !errors.Is(err, binlog.ErrLeftOut) || !strings.Contains(err.Error(), "selected databases "+name+" are") {
				t.Fatalf("error %v", err)
			}
			if err := readers[1].refused(); !errors.Is(err, binlog.ErrLeftOut) {
				t.Fatalf("opened: error %v", err)
			}
			other := s.Connect(t, "")
			other.Exec("CREATE DATABASE other", "CREATE TABLE other.t (id INT PRIMARY KEY)", "INSERT INTO other.t VALUES (2)")
			equal(t, readers[0].take(1), []string{"insert t 2"})
			// MariaDB leaves out the CREATE TABLE, too, of a session without a default database.
			if n := len(notices); n > 1 && notices[n-1].Kind == binlog.DefinitionAdopted && notices[n-1].Table == "other.t" {
				notices = notices[:n-1]
			}
			if len(notices) != 1 || notices[0].Kind != binlog.DatabasesLeftOut || !strings.Contains(notices[0].Text, name+", which a wildcard or regular expression covers") {
				t.Errorf("told %+v", notices)
			}
		})
	}
}
