//go:build servers

package binlog_test

import (
	"fmt"
	"strings"
	"testing"
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
			b.Follow(t, a, true)
			name, db := a.Database(t)
			o := options(a, name)
			way := leadTo(a)
			o.Source.Dial = way.dial
			r := open(t, o)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
			equal(t, r.take(2), []string{"schema CREATE TABLE t (id INT PRIMARY KEY)", "insert t 1"})
			replicated(t, b, name, 1)
			way.to.Store(b)
			a.Kill(t)
			b.Unfollow(t)
			replica := b.Connect(t, name)
			replica.Exec("INSERT INTO t VALUES (2)",
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
	for _, u := range []struct{ from, to, option, create, insert, was, is string }{
		{"mysql-5.7", "mysql-8.0", "--log-slave-updates", "CREATE TABLE %s (a JSON)", "'[1.0]'", "[1]", "[1.0]"},
		{"mariadb-10.5", "mariadb-11.8", "--old-mode=", "CREATE TABLE %s (a CHAR(100) CHARACTER SET utf8)", "'ä'", "ä", "ä"}, // utf8mb3, and then utf8mb4
	} {
		t.Run(u.from+" to "+u.to, func(t *testing.T) {
			s := own(t, u.from)
			name, db := s.Database(t)
			r := open(t, options(s, name))
			r.save()
			_ = r.Close()
			earlier, later := fmt.Sprintf(u.create, "earlier"), fmt.Sprintf(u.create, "later")
			db.Exec(earlier, "INSERT INTO earlier VALUES ("+u.insert+")")
			s.Upgrade(t, u.to, u.option)
			s.Connect(t, name).Exec(later, "INSERT INTO later VALUES ("+u.insert+")", "INSERT INTO earlier VALUES ("+u.insert+")")
			r.reopen(r.last)
			equal(t, r.take(5), []string{"schema " + earlier, "insert earlier " + u.was, "schema " + later, "insert later " + u.is, "insert earlier " + u.is})
		})
	}
}
