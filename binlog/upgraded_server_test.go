//go:build servers

package binlog_test

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestUpgradedByFailover has a replica of a newer version take the source's place,
// as an upgrade goes: from then on what is read means what it means there.
func TestUpgradedByFailover(t *testing.T) {
	for _, u := range []struct{ from, to, comment, json string }{
		{"mysql-5.6", "mysql-5.7", "/*!50700 , c INT */", "JSON"},
		{"mysql-5.7", "mysql-8.0", "/*!80000 , c INT */", "JSON"},
		{"mysql-8.0", "mysql-9", "/*!90000 , c INT */", "JSON"},
		{"mariadb-10.5", "mariadb-11.8", "/*M!110000 , c INT */", "TEXT"},
	} {
		t.Run(u.from+" to "+u.to, func(t *testing.T) {
			settings := []string{"--log-slave-updates=ON"}
			if !strings.HasPrefix(u.from, "mariadb") {
				settings = append(settings, "--gtid-mode=ON", "--enforce-gtid-consistency=ON")
			}
			a, b := own(t, u.from, append(settings, "--server-id=101")...), own(t, u.to, append(settings, "--server-id=102")...)
			replicate(t, a, b)
			name, db := a.Database(t)
			o := options(a, name)
			var address atomic.Pointer[string]
			address.Store(&a.Address)
			o.Source.Dial = func(ctx context.Context, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "tcp", *address.Load())
			}
			r := open(t, o)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
			equal(t, r.take(2), []string{"schema CREATE TABLE t (id INT PRIMARY KEY)", "insert t 1"})
			replica, word := b.Connect(t, ""), "SLAVE"
			if u.to == "mysql-9" {
				word = "REPLICA"
			}
			for deadline := time.Now().Add(20 * time.Second); replica.Try("SELECT * FROM "+name+".t") != nil || len(replica.Query("SELECT id FROM "+name+".t")) == 0; time.Sleep(50 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("the replica does not follow: %v", replica.Query("SHOW "+word+" STATUS"))
				}
			}
			address.Store(&b.Address)
			a.Kill(t)
			replica.Exec("STOP "+word, "USE "+name, "INSERT INTO t VALUES (2)",
				"CREATE TABLE later (a INT, b INT "+u.comment+")", "INSERT INTO later VALUES (1, 2, 3)",
				"CREATE TABLE times (id INT, at TIMESTAMP NULL, text VARCHAR(10) DEFAULT 'é')", "INSERT INTO times VALUES (1, NULL, 'ü')",
				"CREATE TABLE documents (j "+u.json+")", `INSERT INTO documents VALUES ('[1.0, 1e30, 0.1]')`)
			var got, want []string
			for _, line := range r.take(7) {
				if !strings.HasPrefix(line, "schema") {
					got = append(got, line)
				}
			}
			for _, table := range []string{"later", "times", "documents"} {
				for _, row := range replica.Query("SELECT * FROM " + table) {
					want = append(want, "insert "+table+" "+strings.Join(row, " "))
				}
			}
			equal(t, got, append([]string{"insert t 2"}, want...))
		})
	}
}

// TestUpgradedInPlace has the source start in a newer version while some of what the
// older one wrote is still to be read: that means what it meant there.
func TestUpgradedInPlace(t *testing.T) {
	for _, u := range []struct{ from, to, comment string }{
		{"mysql-5.7", "mysql-8.0", "/*!80000 , c INT */"},
		{"mariadb-10.5", "mariadb-11.8", "/*M!110000 , c INT */"},
	} {
		t.Run(u.from+" to "+u.to, func(t *testing.T) {
			s := own(t, u.from)
			name, db := s.Database(t)
			r := open(t, options(s, name))
			r.save()
			_ = r.Close()
			create := "CREATE TABLE %s (a INT, b INT " + u.comment + ")"
			earlier, later := strings.Replace(create, "%s", "earlier", 1), strings.Replace(create, "%s", "later", 1)
			db.Exec(earlier, "INSERT INTO earlier VALUES (1, 2)")
			s.Upgrade(t, u.to)
			s.Connect(t, name).Exec(later, "INSERT INTO later VALUES (1, 2, 3)", "INSERT INTO earlier VALUES (3, 4)")
			r.reopen(r.last)
			earlier = strings.Replace(earlier, "!", " ", 1) // as servers log a comment that they did not run
			equal(t, r.take(5), []string{"schema " + earlier, "insert earlier 1 2", "schema " + later, "insert later 1 2 3", "insert earlier 3 4"})
		})
	}
}
