//go:build servers

package binlog_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"daybook/binlog"
)

// TestBinlogMissing takes a binlog that was not read out of the source's
// index, as one does with a file that was lost.
func TestBinlogMissing(t *testing.T) {
	for _, c := range [][]string{{"mysql-8.0"}, {"mysql-5.7", "--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"}, {"mariadb-10.11"}} {
		t.Run(strings.Join(c, " "), func(t *testing.T) {
			s := own(t, c[0], c[1:]...)
			name, db := s.Database(t)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
			r := open(t, options(s, name))
			db.Exec("INSERT INTO t VALUES (1)")
			equal(t, r.take(1), []string{"insert t 1"})
			r.save()
			db.Exec("INSERT INTO t VALUES (2)", "FLUSH LOGS", "INSERT INTO t VALUES (3)", "FLUSH LOGS", "INSERT INTO t VALUES (4)")
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			s.Stop(t)
			index := filepath.Join(s.Data(), "binlog.index")
			list, err := os.ReadFile(index)
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.SplitAfter(string(list), "\n")
			if err := os.WriteFile(index, []byte(lines[0]+strings.Join(lines[2:], "")), 0o600); err != nil {
				t.Fatal(err)
			}
			s.Restart(t)
			r.reopen(r.last)
			equal(t, r.take(1), []string{"insert t 2"})
			if err := r.failure(); !errors.Is(err, binlog.ErrPurged) || !strings.Contains(err.Error(), "000003") {
				t.Errorf("error %v", err)
			}
		})
	}
}
