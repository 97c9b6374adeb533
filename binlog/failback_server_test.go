//go:build servers

package binlog_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"daybook/binlog"
	"daybook/e2e/servers"
)

// readAtUnlogged is a copied of which a does not log what it replicates, and is read.
func readAtUnlogged(t *testing.T, version string, ofB ...string) (*copied, *reading) {
	c := newCopied(t, version, ofB...)
	c.a.Restart(t, "--log-slave-updates=OFF")
	c.db = c.a.Connect(t, c.name)
	c.b.Connect(t, "").Exec("STOP SLAVE", "START SLAVE") // it would wait for a minute
	c.o, c.way = options(c.a, c.name), leadTo(c.a)
	c.o.Source.Dial = c.way.dial
	r := open(t, c.o)
	c.take(r, c.insert(2))
	return c, r
}

// turn promotes a replica, the former source follows it, and further values are committed there.
func (c *copied) turn(from, to *servers.Server, more ...*servers.Server) {
	c.t.Helper()
	for _, s := range append(more, to) {
		replicated(c.t, s, c.name, c.value+1)
	}
	c.promote(to, from)
	for _, s := range more {
		s.Unfollow(c.t)
		s.Follow(c.t, to, true)
	}
	c.db = to.Connect(c.t, c.name)
}

// TestFailbackBehindOwnTransactions goes back to a server that does not log what it replicates, at a position behind what it
// committed itself since: its gtid_slave_pos ends with a transaction that was read before.
func TestFailbackBehindOwnTransactions(t *testing.T) {
	for _, version := range []string{"mariadb-10.11", "mariadb-11.8"} {
		t.Run(version+" within its backlog", func(t *testing.T) {
			t.Parallel()
			c, r := readAtUnlogged(t, version)
			c.turn(c.a, c.b)
			c.lead(r, c.b)
			c.take(r, c.insert(2))
			c.turn(c.b, c.a)
			want := c.insert(4)
			replicated(t, c.b, c.name, c.value+1)
			equal(t, r.take(2), want[:2])
			r.save() // the next one may have come
			c.lead(r, c.a)
			c.take(r, want[2:])
		})
		t.Run(version+" another domain", func(t *testing.T) {
			t.Parallel()
			c, r := readAtUnlogged(t, version)
			c.turn(c.a, c.b)
			c.lead(r, c.b)
			c.take(r, c.insert(2))
			c.turn(c.b, c.a)
			c.lead(r, c.a)
			c.take(r, c.insert(1))
			replicated(t, c.b, c.name, c.value+1)
			c.b.Unfollow(t)
			c.a.Follow(t, c.b, true)
			c.a.Connect(t, "").Exec("STOP SLAVE", "CHANGE MASTER TO MASTER_USE_GTID=current_pos", "START SLAVE") // which leaves gtid_slave_pos as it is
			c.lead(r, c.b)
			c.db = c.b.Connect(t, c.name)
			c.db.Exec("SET gtid_domain_id = 9")
			c.take(r, c.insert(1))
			c.turn(c.b, c.a)
			c.lead(r, c.a)
			c.take(r, c.insert(1))
		})
		t.Run(version+" three servers", func(t *testing.T) {
			t.Parallel()
			c, r := readAtUnlogged(t, version)
			third := own(t, version, append(copiedOptions, "--server-id=103", "--log-slave-updates=OFF")...)
			c.dumpInto(third)
			c.turn(c.a, third, c.b)
			c.lead(r, third)
			c.take(r, c.insert(2))
			c.turn(third, c.b, c.a)
			c.lead(r, c.b)
			c.take(r, c.insert(2))
			c.turn(c.b, c.a, third)
			want := c.insert(4)
			replicated(t, c.b, c.name, c.value+1)
			equal(t, r.take(2), want[:2])
			r.save()
			c.lead(r, c.a)
			c.take(r, want[2:])
		})
	}
}

// TestStartBehindWhatWasReplicated starts at the GTID position of a promoted server that does not log what it replicates,
// as a replica does: what it ends with is in none of the server's binlogs.
func TestStartBehindWhatWasReplicated(t *testing.T) {
	for _, version := range []string{"mariadb-10.11", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			c := newCopied(t, version, "--log-slave-updates=OFF")
			c.insert(2)
			c.turn(c.a, c.b)
			at := c.db.Query("SELECT @@gtid_current_pos")[0][0]
			want := c.insert(2)
			r := c.open(binlog.Start{Mode: binlog.StartGTID, GTID: at})
			c.lead(r, c.b) // before anything was read
			c.take(r, want)
			c.turn(c.b, c.a)
			c.lead(r, c.a)
			c.take(r, c.insert(2))
		})
	}
}

// TestToldToPassOver leads to a replica that was told by hand past what was read of its source, and logs what it replicates.
func TestToldToPassOver(t *testing.T) {
	for _, version := range []string{"mariadb-10.11", "mariadb-11.8"} {
		for name, more := range map[string]int{"and goes on": 1, "and ends": 0} {
			t.Run(version+" "+name, func(t *testing.T) {
				t.Parallel()
				c := newCopied(t, version)
				var notices []binlog.Notice
				c.o, c.way = options(c.a, c.name), leadTo(c.a)
				c.o.Source.Dial, c.o.Notify = c.way.dial, func(n binlog.Notice) { notices = append(notices, n) }
				r := open(t, c.o)
				c.take(r, c.insert(1))
				replicated(t, c.b, c.name, c.value+1)
				b := c.b.Connect(t, "")
				b.Exec("STOP SLAVE")
				c.take(r, c.insert(2))
				b.Exec("SET GLOBAL gtid_slave_pos = '" + c.db.Query("SELECT @@gtid_binlog_pos")[0][0] + "'")
				b.Exec("START SLAVE")
				c.take(r, c.insert(more))
				replicated(t, c.b, c.name, c.value-1)
				c.promote(c.b, c.a)
				c.lead(r, c.b)
				c.db = c.b.Connect(t, c.name)
				c.take(r, c.insert(1))
				if len(notices) == 0 || notices[0].Kind != binlog.NumbersLeftOut || !strings.Contains(notices[0].Text, "the source's binlogs lack the transaction 0-101-") {
					t.Errorf("told %+v", notices)
				}
			})
		}
	}
}

// TestUnreadAndNotLogged leads to a promoted server that has replicated what was not read, and did not log it: the error says so, and
// where to go on; of a domain of which nothing was read it is told.
func TestUnreadAndNotLogged(t *testing.T) {
	for _, version := range []string{"mariadb-10.11", "mariadb-11.8"} {
		for _, domain := range []string{"0", "1", "9"} {
			t.Run(version+" domain "+domain, func(t *testing.T) {
				t.Parallel()
				c := newCopied(t, version, "--log-slave-updates=OFF")
				var notices []binlog.Notice
				c.o, c.way = options(c.a, c.name), leadTo(c.a)
				c.o.Source.Dial, c.o.Notify = c.way.dial, func(n binlog.Notice) { notices = append(notices, n) }
				r := open(t, c.o)
				c.take(r, c.insert(2))
				_ = r.Close()
				c.db.Exec("SET gtid_domain_id = "+domain, "CREATE DATABASE "+c.name+"_unread", "SET gtid_domain_id = 0")
				at := c.db.Query("SELECT @@gtid_binlog_pos")[0][0]
				for b := c.b.Connect(t, ""); len(b.Query("SHOW DATABASES LIKE '"+c.name+"_unread'")) == 0; {
					time.Sleep(50 * time.Millisecond)
				}
				c.turn(c.a, c.b)
				want := c.insert(2)
				c.way.to.Store(c.b)
				if domain == "9" {
					r.reopen(r.last)
					c.take(r, want)
					if !slices.ContainsFunc(notices, func(n binlog.Notice) bool {
						return n.Kind == binlog.NumbersLeftOut && strings.Contains(n.Text, "has replicated 9-101-1")
					}) {
						t.Errorf("told %+v", notices)
					}
					return
				}
				err := r.refused()
				var missing *binlog.MissingError
				if !errors.As(err, &missing) || !errors.Is(err, binlog.ErrPurged) || missing.From() != at || !strings.Contains(err.Error(), "log_slave_updates=OFF") {
					t.Fatalf("error %v; %s", err, at)
				}
				r.options.Start = binlog.Start{Mode: binlog.StartGTID, GTID: missing.From()}
				r.schema = map[string][]byte{}
				r.reopen(nil)
				c.take(r, want)
			})
		}
	}
}

// TestReplicatedUnread goes back to a server that does not log what it replicates, and has replicated what another one committed
// in its place and was not read there: the error says so, and where to go on.
func TestReplicatedUnread(t *testing.T) {
	for _, c := range []struct {
		version string
		first   []string // of the session that commits elsewhere
	}{
		{"mysql-5.7", nil}, {"mysql-8.0", nil}, {"mariadb-10.5", nil}, {"mariadb-10.11", nil}, {"mariadb-11.8", nil}, {"mariadb-11.8", []string{"SET gtid_domain_id = 5"}},
	} {
		t.Run(c.version+" "+strings.Join(c.first, ""), func(t *testing.T) {
			t.Parallel()
			first := c.first
			c, r := readAtUnlogged(t, c.version)
			r.save()
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			c.turn(c.a, c.b)
			c.db.Exec(first...)
			c.insert(2)
			c.turn(c.b, c.a)
			want := c.insert(2)
			err := r.refused()
			var missing *binlog.MissingError
			if !errors.As(err, &missing) || !errors.Is(err, binlog.ErrPurged) || !strings.Contains(err.Error(), "which were not read") && !strings.Contains(err.Error(), "what is between is in none") {
				t.Fatalf("error %v", err)
			}
			t.Log(err)
			r.options.Start = binlog.Start{Mode: binlog.StartGTID, GTID: missing.From()}
			if missing.Behind == nil {
				r.options.Start = binlog.Start{Mode: binlog.StartFile, File: missing.Next.File, Pos: missing.Next.Pos}
			}
			r.schema = map[string][]byte{}
			r.reopen(nil)
			c.take(r, want)
			r.save()
			r.reopen(r.last)
			c.take(r, c.insert(1))
		})
	}
}

// TestReplicatedFromAStranger has a server that does not log what it replicates be, for a while, the replica of one that has nothing to
// do with it and numbers its transactions in the same domain, lower: what came from there is in no binlog.
func TestReplicatedFromAStranger(t *testing.T) {
	for _, version := range []string{"mariadb-10.5", "mariadb-10.11", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			c, r := readAtUnlogged(t, version)
			c.take(r, c.insert(9))
			r.save()
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			stranger := own(t, version, "--server-id=177")
			there := stranger.Connect(t, "")
			there.Exec("CREATE DATABASE stranger", "CREATE TABLE stranger.t (id INT PRIMARY KEY)")
			c.a.Follow(t, stranger, true)
			there.Exec("INSERT INTO stranger.t VALUES (1)")
			replicated(t, c.a, "stranger", 1)
			c.a.Unfollow(t)
			want := c.insert(2)
			err := r.refused()
			var missing *binlog.MissingError
			if !errors.As(err, &missing) || !errors.Is(err, binlog.ErrPurged) || !strings.Contains(err.Error(), "does not log what it replicates") {
				t.Fatalf("error %v", err)
			}
			t.Log(err)
			r.options.Start = binlog.Start{Mode: binlog.StartGTID, GTID: missing.From()}
			r.schema = map[string][]byte{}
			r.reopen(nil)
			c.take(r, want)
		})
	}
}

// TestXAHeldAtAnUnloggedServer leads to a promoted server that does not log what it replicates while an XA transaction of the former
// source is prepared: that is told, as its commit there is in no binlog.
func TestXAHeldAtAnUnloggedServer(t *testing.T) {
	for _, version := range []string{"mysql-8.0", "mysql-9"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			c := newCopied(t, version)
			b := own(t, version, "--server-id=103", "--log-slave-updates=OFF")
			b.Follow(t, c.a, true)
			var notices []binlog.Notice
			c.o, c.way = options(c.a, c.name), leadTo(c.a)
			c.o.Source.Dial, c.o.Notify = c.way.dial, func(n binlog.Notice) { notices = append(notices, n) }
			r := open(t, c.o)
			c.db.Exec("XA START 'x'", "INSERT INTO t VALUES (905, 0)", "XA END 'x'", "XA PREPARE 'x'")
			c.a.Connect(t, c.name).Exec("INSERT INTO t VALUES (904, 0)")
			c.take(r, []string{"insert t 904 0"})
			replicated(t, b, c.name, c.value+2)
			b.Unfollow(t)
			c.lead(r, b)
			b.Connect(t, c.name).Exec("INSERT INTO t VALUES (906, 0)")
			c.take(r, []string{"insert t 906 0"})
			if len(notices) != 1 || notices[0].Kind != binlog.XANotLogged {
				t.Errorf("told %+v", notices)
			}
		})
	}
}
