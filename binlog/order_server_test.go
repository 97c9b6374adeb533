//go:build servers

package binlog_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"daybook/binlog"
	"daybook/e2e/servers"
)

// TestOtherOrderAfterFailover reads two former sources' transactions at one server, and leads to one that has them in
// another order: the one that was not read yet stands before the one that was. If they meet in a row it is
// told too late, which is an error; if not it makes no difference, and replicas that do not keep their source's
// order are like that.
func TestOtherOrderAfterFailover(t *testing.T) {
	const former, later = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1", "4e11fa47-71ca-11e1-9e33-c80aa9429562:1"
	as := func(db *servers.Conn, gtid, sql string) {
		db.Exec("SET original_commit_timestamp = 1700000000000000", "SET gtid_next = '"+gtid+"'", sql, "SET gtid_next = 'AUTOMATIC'")
	}
	for _, meets := range []bool{false, true} {
		t.Run(fmt.Sprintf("meets=%t", meets), func(t *testing.T) {
			start := func() *servers.Server {
				s := own(t, "mysql-8.0", "--binlog-transaction-dependency-tracking=WRITESET", "--transaction-write-set-extraction=XXHASH64")
				db := s.Connect(t, "")
				db.Exec("SET sql_log_bin = 0", "CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY, v INT)", "INSERT INTO d.t VALUES (1, 0), (2, 0)",
					"CREATE DATABASE e", "CREATE TABLE e.e (id INT PRIMARY KEY)", "SET sql_log_bin = 1")
				return s
			}
			a, b := start(), start()
			first, second := "UPDATE d.t SET v = 1 WHERE id = 1", "UPDATE d.t SET v = v + 2 WHERE id = 2"
			if meets {
				second = "UPDATE d.t SET v = v + 2 WHERE id = 1"
			}
			r := open(t, options(a, "d"))
			as(a.Connect(t, ""), later, second)
			read := r.take(1)
			for r.save(); bytes.Contains(r.last, []byte("taken")); r.save() { // within the group
				if c, err := r.Poll(); c != nil || err != nil {
					t.Fatal(c, err)
				}
			}
			b.Connect(t, "").Exec("INSERT INTO e.e VALUES (1)") // all meet what a binlog begins with
			as(b.Connect(t, ""), former, first)
			as(b.Connect(t, ""), later, second)
			r.options.Source.Address = b.Address
			r.reopen(r.last)
			if !meets {
				equal(t, append(read, r.take(1)...), []string{"update t 2 0 2 2", "update t 1 0 1 1"})
				r.save()
				r.reopen(r.last)
				b.Connect(t, "d").Exec("INSERT INTO t VALUES (3, 3)")
				equal(t, r.take(1), []string{"insert t 3 3"})
				return
			}
			if err := r.failure(); !errors.Is(err, binlog.ErrOtherServer) || !strings.Contains(err.Error(), former+" stands in") {
				t.Error(err)
			}
		})
	}
}
