//go:build servers

package binlog_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"daybook/binlog"
	"daybook/e2e/servers"
)

// newUnlogged is a source a and its replica b, which does not log what it replicates.
func newUnlogged(t *testing.T, version string) *copied {
	t.Helper()
	c := &copied{t: t, a: own(t, version, append(copiedOptions, "--server-id=101")...), b: own(t, version, "--server-id=102", "--log-slave-updates=OFF")}
	c.b.Follow(t, c.a, true)
	c.name, c.db = c.a.Database(t)
	c.db.Exec("CREATE TABLE t (id INT PRIMARY KEY, v INT)")
	c.insert(1)
	return c
}

// TestReplicaThatDoesNotLog leads to a replica of which the binlog does not have what it replicates: an
// error while it is one, and it is followed as soon as it is the source.
func TestReplicaThatDoesNotLog(t *testing.T) {
	for _, version := range []string{"mysql-5.7", "mysql-8.0", "mysql-9", "mariadb-10.11", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			c := newUnlogged(t, version)
			c.o, c.way = options(c.a, c.name), leadTo(c.a)
			c.o.Source.Dial = c.way.dial
			r := open(t, c.o)
			c.take(r, c.insert(2))
			want := c.insert(1)
			c.take(r, want)
			replicated(t, c.b, c.name, c.value)
			c.way.to.Store(c.b)
			a := c.db
			cutDumps(t, c.a)
			if err := r.failure(); !errors.Is(err, binlog.ErrNotLogged) || !strings.Contains(err.Error(), "RESET") {
				t.Fatalf("error %v", err)
			}
			if err := r.refused(); !errors.Is(err, binlog.ErrNotLogged) {
				t.Fatalf("tried once more: error %v", err)
			}
			c.way.to.Store(c.a)
			r.reopen(r.last)
			c.db = a
			c.take(r, c.insert(1)) // nothing was lost
			replicated(t, c.b, c.name, c.value)
			c.way.to.Store(c.b)
			cutDumps(t, c.a)
			time.Sleep(2 * time.Second) // it is waited for
			c.b.Unfollow(t)
			c.db = c.b.Connect(t, c.name)
			c.take(r, c.insert(2))
		})
	}
}

// TestSourceBecomesAReplica has the source itself follow another, while it is read and idle.
func TestSourceBecomesAReplica(t *testing.T) {
	for _, version := range []string{"mysql-5.7", "mariadb-10.11"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			c := newUnlogged(t, version)
			replicated(t, c.b, c.name, c.value)
			c.b.Unfollow(t)
			r := c.open(binlog.Start{})
			other := c.db
			c.db = c.b.Connect(t, c.name)
			c.take(r, c.insert(1))
			c.b.Follow(t, c.a, true)
			c.db = other
			if err := r.failure(); !errors.Is(err, binlog.ErrNotLogged) {
				t.Fatalf("error %v", err)
			}
		})
	}
}

// TestReplicaThatCannotBeSeen: MariaDB shows the usual account no replication that is stopped. What was replicated
// once is told, and the server followed.
func TestReplicaThatCannotBeSeen(t *testing.T) {
	t.Parallel()
	c := newUnlogged(t, "mariadb-10.11")
	c.o, c.way = options(c.a, c.name), leadTo(c.a)
	var notices []binlog.Notice
	c.o.Source.Dial, c.o.Notify = c.way.dial, func(n binlog.Notice) { notices = append(notices, n) }
	r := open(t, c.o)
	c.take(r, c.insert(2))
	replicated(t, c.b, c.name, c.value)
	c.b.Connect(t, "").Exec("STOP SLAVE")
	c.way.to.Store(c.b)
	cutDumps(t, c.a)
	c.db = c.b.Connect(t, c.name)
	c.take(r, c.insert(2))
	if len(notices) != 1 || notices[0].Kind != binlog.ReplicaUnseen || !strings.Contains(notices[0].Text, "SLAVE MONITOR") {
		t.Errorf("told %+v", notices)
	}
	c.b.Connect(t, "").Exec("START SLAVE")
	if err := r.failure(); !errors.Is(err, binlog.ErrNotLogged) {
		t.Fatalf("error %v", err)
	}
}

// cutDumps ends the dumps that a server sends.
func cutDumps(t *testing.T, s *servers.Server) {
	t.Helper()
	db := s.Connect(t, "")
	for _, row := range db.Query("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = '" + servers.Repl + "' AND COMMAND LIKE 'Binlog Dump%' AND HOST LIKE '127.0.0.1:%'") {
		_ = db.Try("KILL " + row[0])
	}
}
