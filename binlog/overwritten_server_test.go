//go:build servers

package binlog_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"daybook/binlog"
)

// TestBinlogOverwritten copies a binlog that was read over one that was not, as a
// restore of single files does, or cuts that at a group's end or within an event. However
// often it is tried, nothing comes twice and nothing is passed over; the place that
// the error names leads on.
func TestBinlogOverwritten(t *testing.T) {
	t.Parallel() // its servers are its own, and mostly start
	for _, version := range []string{"mysql-8.0", "mariadb-10.11", "mariadb-11.8"} {
		for _, how := range []string{"overwritten", "cut at a group's end", "cut within an event"} {
			t.Run(version+" "+how, func(t *testing.T) {
				s := own(t, version)
				name, db := s.Database(t)
				db.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
				r := open(t, options(s, name))
				db.Exec("INSERT INTO t VALUES (1)")
				equal(t, r.take(1), []string{"insert t 1"})
				r.save()
				db.Exec("INSERT INTO t VALUES (2)", "FLUSH LOGS", "INSERT INTO t VALUES (3)")
				end, err := strconv.ParseInt(db.Query("SHOW MASTER STATUS")[0][1], 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				db.Exec("INSERT INTO t VALUES (4)", "FLUSH LOGS", "INSERT INTO t VALUES (5)")
				if err := r.Close(); err != nil {
					t.Fatal(err)
				}
				s.Stop(t)
				file := func(n string) string { return filepath.Join(s.Data(), "binlog.00000"+n) }
				switch how {
				case "overwritten":
					b, err := os.ReadFile(file("1"))
					if err == nil {
						err = os.WriteFile(file("2"), b, 0o600)
					}
					if err != nil {
						t.Fatal(err)
					}
				case "cut within an event":
					end += 30
					fallthrough
				default:
					if err := os.Truncate(file("2"), end); err != nil {
						t.Fatal(err)
					}
				}
				s.Restart(t)
				r.reopen(r.last)
				want := []string{"insert t 2"}
				if how != "overwritten" {
					want = append(want, "insert t 3")
				}
				equal(t, r.take(len(want)), want)
				var missing *binlog.MissingError
				for try := range 3 {
					if err := r.failure(); !errors.As(err, &missing) || missing.Next.File == "" {
						t.Fatalf("error %v at try %d", err, try)
					}
					r.save()
					r.reopen(r.last)
				}
				if how == "overwritten" { // which begins where the error names it
					missing.Next.File = strings.Replace(missing.Next.File, "2", "3", 1)
				}
				r.options.Start = binlog.Start{Mode: binlog.StartFile, File: missing.Next.File, Pos: missing.Next.Pos}
				r.schema = map[string][]byte{}
				r.reopen(nil)
				equal(t, r.take(1), []string{"insert t 5"})
			})
		}
	}
}
