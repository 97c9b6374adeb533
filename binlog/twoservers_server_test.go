//go:build servers

package binlog_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
)

// TestLookupAtTwoServers has the address lead to another server once, just when a
// definition is asked for, as that of a balancer does: the row has the definition of
// the server that it comes from.
func TestLookupAtTwoServers(t *testing.T) {
	for _, version := range []string{"mysql-8.0", "mariadb-10.11"} {
		t.Run(version, func(t *testing.T) {
			a, b := own(t, version, "--server-id=101"), own(t, version, "--server-id=102")
			name, db := a.Database(t)
			db.Exec("CREATE TABLE t (id INT)", "INSERT INTO t VALUES (1), (2), (3), (4), (5)")
			other := b.Connect(t, "")
			other.Exec("SET sql_log_bin = 0", "CREATE DATABASE "+name, "CREATE TABLE "+name+".u (a INT, b ENUM('no', 'never'))")
			o := options(a, name)
			var astray atomic.Bool
			o.Source.Dial = func(ctx context.Context, _ string) (net.Conn, error) {
				to := a
				if astray.CompareAndSwap(true, false) {
					to = b
				}
				return leadTo(to).dial(ctx, "")
			}
			r := open(t, o)
			db.Exec("SET sql_log_bin = 0", "CREATE TABLE u (a INT, b ENUM('yes', 'always'))", "SET sql_log_bin = 1")
			astray.Store(true)
			db.Exec("INSERT INTO u VALUES (1, 'always')")
			equal(t, r.take(2), []string{"schema ", "insert u 1 always"})
			if astray.Load() {
				t.Error("nothing was dialled")
			}
		})
	}
}
