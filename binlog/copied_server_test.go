//go:build servers

package binlog_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"daybook/binlog"
	"daybook/e2e/servers"
)

// copied is a source a, and b that was set up from a dump of it and follows it. In a's binlogs stands,
// from before the dump, what b has not: of MariaDB a domain that is idle since.
type copied struct {
	t     *testing.T
	a, b  *servers.Server
	name  string
	db    *servers.Conn // to a
	o     binlog.Options
	way   *way
	value int
}

// copiedOptions have a server log what it replicates.
var copiedOptions = []string{"--log-slave-updates=ON", "--binlog-format=ROW"}

func newCopied(t *testing.T, version string, ofB ...string) *copied {
	c := &copied{t: t, a: own(t, version, append(copiedOptions, "--server-id=101")...), b: own(t, version, append(append(copiedOptions, "--server-id=102"), ofB...)...)}
	c.name, c.db = c.a.Database(t)
	c.db.Exec("CREATE TABLE t (id INT PRIMARY KEY, v INT)")
	if c.a.MariaDB() {
		c.db.Exec("SET gtid_domain_id = 1", "CREATE DATABASE "+c.name+"_other")
	}
	c.db.Exec("INSERT INTO t VALUES (901, 0)", "INSERT INTO t VALUES (902, 0)", "UPDATE t SET v = 1 WHERE id = 901", "DELETE FROM t WHERE id = 902")
	if c.a.MariaDB() {
		c.db.Exec("SET gtid_domain_id = 0")
	}
	c.insert(2)
	c.dumpInto(c.b)
	return c
}

// dumpInto loads a dump into a server, which goes on as a replica of the source.
func (c *copied) dumpInto(s *servers.Server) {
	c.t.Helper()
	db := s.Connect(c.t, "")
	db.Exec("SET sql_log_bin = 0", "CREATE DATABASE "+c.name, "USE "+c.name, "CREATE TABLE t (id INT PRIMARY KEY, v INT)")
	for _, row := range c.db.Query("SELECT id, v FROM t") {
		db.Exec("INSERT INTO t VALUES (" + strings.Join(row, ", ") + ")")
	}
	if c.a.MariaDB() {
		db.Exec("RESET MASTER", fmt.Sprintf("SET GLOBAL gtid_slave_pos = '%s'", c.db.Query("SELECT @@gtid_binlog_pos")[0][0]))
		s.Follow(c.t, c.a, true)
		return
	}
	end, err := dialStatus(c.t, c.a)
	if err != nil {
		c.t.Fatal(err)
	}
	s.FollowFrom(c.t, c.a, end.File, end.Pos)
}

// insert commits the next values at the source and returns what is to be read of them.
func (c *copied) insert(n int) (want []string) {
	c.t.Helper()
	for range n {
		c.value++
		c.db.Exec(fmt.Sprintf("INSERT INTO t VALUES (%d, 0)", c.value))
		want = append(want, fmt.Sprintf("insert t %d 0", c.value))
	}
	return want
}

// open begins to read at b.
func (c *copied) open(start binlog.Start) *reading {
	c.t.Helper()
	c.o, c.way = options(c.b, c.name), leadTo(c.b)
	c.o.Source.Dial, c.o.Start = c.way.dial, start
	return open(c.t, c.o)
}

// take wants those changes, and saves the position behind them.
func (c *copied) take(r *reading, want []string) {
	c.t.Helper()
	if equal(c.t, r.take(len(want)), want); len(want) > 0 {
		r.ended()
	}
}

// lead leads to another server, while the reader is stopped.
func (c *copied) lead(r *reading, to *servers.Server) {
	c.t.Helper()
	c.way.to.Store(to)
	r.reopen(r.last)
}

// TestBegunAtACopy begins at a MariaDB server that was set up from a dump, a domain of which is idle since, and goes on at its
// source, which has that domain's transactions in its binlogs, and at a copy of the copy, which knows nothing of it.
func TestBegunAtACopy(t *testing.T) {
	for _, version := range []string{"mariadb-10.11", "mariadb-11.8"} {
		for name, start := range map[string]binlog.Start{"now": {}, "earliest": {Mode: binlog.StartEarliest}} {
			t.Run(version+" "+name, func(t *testing.T) {
				t.Parallel()
				c := newCopied(t, version)
				want := c.insert(2)
				replicated(t, c.b, c.name, c.value+1)
				if start.Mode != binlog.StartEarliest {
					want = nil
				}
				r := c.open(start)
				want = append(want, c.insert(2)...)
				c.take(r, want)
				replicated(t, c.b, c.name, c.value+1)
				c.b.Connect(t, "").Exec("FLUSH BINARY LOGS") // whose list lacks the domain, too
				want = c.insert(1)
				c.take(r, want)
				c.lead(r, c.a)
				want = append(c.insert(1), "insert t 903 0")
				c.db.Exec("SET gtid_domain_id = 1", "INSERT INTO t VALUES (903, 0)", "SET gtid_domain_id = 0")
				c.take(r, want)
				replicated(t, c.b, c.name, c.value+2)
				c.lead(r, c.b)
				want = c.insert(2)
				c.take(r, want)
			})
		}
		t.Run(version+" nothing read", func(t *testing.T) {
			t.Parallel()
			c := newCopied(t, version)
			c.insert(1)
			replicated(t, c.b, c.name, c.value+1)
			r := c.open(binlog.Start{})
			c.lead(r, c.a)
			want := c.insert(2)
			c.take(r, want)
		})
		t.Run(version+" to a copy of the copy", func(t *testing.T) {
			t.Parallel()
			c := newCopied(t, version)
			c.insert(1)
			replicated(t, c.b, c.name, c.value+1)
			r := c.open(binlog.Start{})
			want := c.insert(2)
			c.take(r, want)
			replicated(t, c.b, c.name, c.value+1)
			copied := own(t, version, append(copiedOptions, "--server-id=103")...)
			c.a, c.db = c.b, c.b.Connect(t, c.name)
			c.b.Unfollow(t)
			c.dumpInto(copied)
			c.lead(r, copied)
			want = c.insert(2)
			c.take(r, want)
		})
		t.Run(version+" from the position that is shown", func(t *testing.T) {
			t.Parallel()
			c := newCopied(t, version)
			want := c.insert(1)
			replicated(t, c.b, c.name, c.value+1)
			r := c.open(binlog.Start{Mode: binlog.StartEarliest})
			c.take(r, want)
			_ = r.Close()
			place, err := binlog.PlaceOf(r.last)
			if err != nil || strings.Count(place.GTIDs, ",") != 1 {
				t.Fatalf("%s, error %v", place, err)
			}
			want = c.insert(2)
			r = c.open(binlog.Start{Mode: binlog.StartGTID, GTID: place.GTIDs})
			c.take(r, want)
			c.lead(r, c.a)
			want = c.insert(2)
			c.take(r, want)
		})
	}
}

// TestBegunAtACopyThatWasNotTold begins at a server that was set up from a dump without its GTIDs, and goes on at its source:
// whose transactions from before the dump are refused and not told once more, whatever stands in front of them.
func TestBegunAtACopyThatWasNotTold(t *testing.T) {
	for _, version := range []string{"mysql-8.0", "mysql-9", "mariadb-10.11", "mariadb-11.8"} {
		for _, read := range []int{0, 2} {
			for _, third := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/read=%d/third=%t", version, read, third), func(t *testing.T) {
					t.Parallel()
					c := newCopied(t, version)
					to := c.a
					if third {
						to = own(t, version, append(copiedOptions, "--server-id=103")...)
						to.Follow(t, c.a, true)
					}
					c.insert(1)
					replicated(t, c.b, c.name, c.value+1)
					if c.a.MariaDB() {
						b := c.b.Connect(t, "")
						c.b.Unfollow(t)
						b.Exec(fmt.Sprintf("SET GLOBAL gtid_slave_pos = '%s'", b.Query("SELECT @@gtid_binlog_pos")[0][0])) // without the idle domain
					}
					r := c.open(binlog.Start{})
					r.options.SchemaChanges = binlog.SchemaChangesInstance
					if c.a.MariaDB() {
						c.b.Connect(t, "").Exec(fmt.Sprintf("SET GLOBAL gtid_slave_pos = '%s'", c.db.Query("SELECT @@gtid_binlog_pos")[0][0]))
						c.b.Follow(t, c.a, true)
					}
					want := c.insert(read)
					c.take(r, want)
					replicated(t, to, c.name, c.value+1)
					c.way.to.Store(to)
					r.reopen(r.last)
					for {
						told, err := r.Poll()
						if told != nil {
							t.Fatalf("told %s", describe(told))
						}
						if err == nil {
							<-r.Ready()
							continue
						}
						if !errors.Is(err, binlog.ErrOtherServer) || !errors.As(err, new(*binlog.MissingError)) || !strings.Contains(err.Error(), "set up from a copy") {
							t.Fatalf("error %v", err)
						}
						break
					}
				})
			}
		}
	}
}

// TestBegunBehindTheBinlogs begins at a MariaDB server whose data are later than its binlogs, and goes on at its source: nothing
// from before the start is told, and all that comes behind it.
func TestBegunBehindTheBinlogs(t *testing.T) {
	for _, version := range []string{"mariadb-10.11", "mariadb-11.8"} {
		for _, read := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s loaded anew, read=%t", version, read), func(t *testing.T) {
				t.Parallel()
				c := newCopied(t, version)
				c.insert(1)
				replicated(t, c.b, c.name, c.value+1)
				c.reseed(3)
				r := c.open(binlog.Start{})
				if read {
					c.take(r, c.insert(2))
				}
				c.lead(r, c.b) // connects anew
				replicated(t, c.b, c.name, c.value+1)
				c.b.Connect(t, "").Exec("FLUSH BINARY LOGS")
				c.lead(r, c.a)
				c.take(r, c.insert(2))
			})
			t.Run(fmt.Sprintf("%s not logged, read=%t", version, read), func(t *testing.T) {
				t.Parallel()
				c := newCopied(t, version, "--log-slave-updates=OFF")
				c.insert(3)
				replicated(t, c.b, c.name, c.value+1)
				c.b.Connect(t, "").Exec("STOP SLAVE")
				r := c.open(binlog.Start{})
				var want []string
				if !read { // what b replicates behind the start
					c.b.Connect(t, "").Exec("START SLAVE")
					want = c.insert(1)
					replicated(t, c.b, c.name, c.value+1)
				}
				c.b.Unfollow(t)
				if read { // what b commits itself, as it was promoted
					a := c.db
					c.db = c.b.Connect(t, c.name)
					c.take(r, c.insert(2))
					c.db.Exec("FLUSH BINARY LOGS")
					c.take(r, c.insert(1))
					a.Exec(fmt.Sprintf("SET GLOBAL gtid_slave_pos = '%s'", a.Query("SELECT @@gtid_binlog_pos")[0][0]))
					c.a.Follow(t, c.b, true)
					replicated(t, c.a, c.name, c.value+1)
				}
				if read {
					c.lead(r, c.b)
				} else {
					c.way.to.Store(c.b)
					if err := r.refused(); !errors.Is(err, binlog.ErrPurged) || !strings.Contains(err.Error(), "log_slave_updates=OFF") {
						t.Fatalf("error %v", err)
					}
				}
				c.lead(r, c.a)
				c.take(r, append(want, c.insert(2)...))
			})
		}
		t.Run(version+" led to a copy and back", func(t *testing.T) {
			t.Parallel()
			c := newCopied(t, version)
			c.o, c.way = options(c.a, c.name), leadTo(c.a)
			c.o.Source.Dial, c.o.Start, c.o.SchemaChanges = c.way.dial, binlog.Start{Mode: binlog.StartEarliest}, binlog.SchemaChangesNone
			r := open(t, c.o)
			r.take(4)
			c.take(r, []string{"insert t 1 0", "insert t 2 0"})
			for range 2 {
				want := c.insert(1)
				replicated(t, c.b, c.name, c.value+1)
				c.lead(r, c.b)
				c.take(r, want)
				c.b.Connect(t, "").Exec("FLUSH BINARY LOGS")
				want = c.insert(1)
				replicated(t, c.b, c.name, c.value+1)
				c.take(r, want)
				c.lead(r, c.a)
				c.take(r, c.insert(1))
			}
		})
	}
}

// TestBegunAtTheEndOfBinlogs begins at the end of what a MariaDB server has logged, which does not log what it replicates, by
// file and by time, as a start now does: what it has replicated is from before the start.
func TestBegunAtTheEndOfBinlogs(t *testing.T) {
	for _, version := range []string{"mariadb-10.11", "mariadb-11.8"} {
		for _, mode := range []binlog.StartMode{binlog.StartNow, binlog.StartFile, binlog.StartTime} {
			t.Run(fmt.Sprintf("%s/%d", version, mode), func(t *testing.T) {
				t.Parallel()
				c := newCopied(t, version, "--log-slave-updates=OFF")
				c.promote(c.b, c.a)
				c.b.Connect(t, c.name).Exec("INSERT INTO t VALUES (904, 0)") // in the domain that a commits in, later
				replicated(t, c.a, c.name, c.value+2)
				c.promote(c.a, c.b)
				c.db.Exec("SET gtid_seq_no = 100")
				c.insert(3)
				replicated(t, c.b, c.name, c.value+2)
				c.b.Connect(t, "").Exec("STOP SLAVE")
				end, err := dialStatus(t, c.b)
				if err != nil {
					t.Fatal(err)
				}
				start := binlog.Start{Mode: mode, File: end.File, Pos: end.Pos}
				if mode == binlog.StartTime {
					time.Sleep(1100 * time.Millisecond) // the binlog's times are whole seconds
					start = binlog.Start{Mode: mode, Time: time.Now().Truncate(time.Second)}
				}
				r := c.open(start)
				c.lead(r, c.a)
				c.take(r, c.insert(2))
			})
		}
	}
}

// TestFailbackWithoutLogging leads to a replica that was promoted, and back, of MariaDB servers that do not log what they
// replicate, as is their default: each has all, and a part of it in its binlogs.
func TestFailbackWithoutLogging(t *testing.T) {
	for _, version := range []string{"mariadb-10.11", "mariadb-11.8"} {
		for _, off := range []string{"both", "one"} {
			t.Run(version+" "+off, func(t *testing.T) {
				t.Parallel()
				ofB := []string{"--log-slave-updates=OFF"}
				c := newCopied(t, version, ofB...)
				if off == "both" {
					c.a.Restart(t, ofB...)
					c.db = c.a.Connect(t, c.name)
					c.b.Connect(t, "").Exec("STOP SLAVE", "START SLAVE") // it would wait for a minute
				}
				c.o, c.way = options(c.a, c.name), leadTo(c.a)
				c.o.Source.Dial = c.way.dial
				r := open(t, c.o)
				c.take(r, c.insert(2))
				from, to := c.a, c.b
				for range 4 {
					replicated(t, to, c.name, c.value+1)
					c.promote(to, from)
					c.lead(r, to)
					c.db = to.Connect(t, c.name)
					c.take(r, c.insert(2))
					c.db.Exec("FLUSH BINARY LOGS")
					c.take(r, c.insert(1))
					from, to = to, from
				}
			})
		}
	}
}

// TestPromotedWithoutLogging leads to a promoted replica that has what was not read yet and did not log it: the error names
// the setting.
func TestPromotedWithoutLogging(t *testing.T) {
	for version, setting := range map[string]string{"mysql-5.7": "log_slave_updates", "mysql-8.0": "log_replica_updates", "mysql-9": "log_replica_updates", "mariadb-11.8": "log_slave_updates"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			c := newCopied(t, version, "--log-slave-updates=OFF")
			if !c.a.MariaDB() { // which would lack what is from before the dump
				c.b = own(t, version, append(copiedOptions, "--server-id=103", "--log-slave-updates=OFF")...)
				c.b.Follow(t, c.a, true)
			}
			c.o, c.way = options(c.a, c.name), leadTo(c.a)
			c.o.Source.Dial = c.way.dial
			r := open(t, c.o)
			c.take(r, c.insert(2))
			_ = r.Close()
			c.insert(2)
			replicated(t, c.b, c.name, c.value+1)
			c.b.Unfollow(t)
			c.b.Connect(t, c.name).Exec("INSERT INTO t VALUES (904, 0)")
			c.way.to.Store(c.b)
			err := r.refused()
			var missing *binlog.MissingError
			if !errors.As(err, &missing) || !strings.Contains(err.Error(), setting+"=OFF") {
				t.Fatalf("error %v", err)
			}
			r.options.Start, r.schema = binlog.Start{Mode: binlog.StartGTID, GTID: missing.From()}, map[string][]byte{}
			r.reopen(nil)
			c.take(r, []string{"insert t 904 0"})
		})
	}
}

// TestFilesOfOneSecond leads to another server, whose binlog has the name and was made in the second of that which was
// read, before anything of it was read.
func TestFilesOfOneSecond(t *testing.T) {
	for _, version := range []string{"mysql-8.0", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			c := newCopied(t, version)
			third := own(t, version, append(copiedOptions, "--server-id=103")...)
			third.Follow(t, c.a, true)
			replicated(t, third, c.name, c.value+1)
			a, other := c.a.Connect(t, ""), third.Connect(t, "")
			other.Exec("STOP SLAVE SQL_THREAD")
			c.insert(3) // before the start, and in the other one's file of that name
			for files := ""; files != "same"; {
				time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(1050 * time.Millisecond))) // early in one
				a.Exec("FLUSH BINARY LOGS")
				other.Exec("FLUSH BINARY LOGS")
				if files = "same"; newest(a) < newest(other) {
					files = "a lacks one"
					a.Exec("FLUSH BINARY LOGS")
				} else if newest(a) > newest(other) {
					files = "the other one lacks one"
					other.Exec("FLUSH BINARY LOGS")
				}
			}
			c.o, c.way = options(c.a, c.name), leadTo(c.a)
			c.o.Source.Dial = c.way.dial
			r := open(t, c.o)
			at := newest(a)
			other.Exec("START SLAVE SQL_THREAD")
			want := c.insert(2)
			replicated(t, third, c.name, c.value+1)
			if newest(other) != at {
				t.Fatalf("the binlogs are %s and %s", at, newest(other))
			}
			c.lead(r, third)
			c.take(r, want)
		})
	}
}

// newest returns the name of a server's last binlog.
func newest(db *servers.Conn) string {
	logs := db.Query("SHOW BINARY LOGS")
	return logs[len(logs)-1][0]
}

// promote has a replica lead the other way round.
func (c *copied) promote(replica, source *servers.Server) {
	c.t.Helper()
	replica.Unfollow(c.t)
	if source.MariaDB() {
		db := source.Connect(c.t, "")
		if at := db.Query("SELECT @@gtid_slave_pos <> @@gtid_current_pos, @@gtid_current_pos")[0]; at[0] == "1" {
			db.Exec("SET GLOBAL gtid_slave_pos = '" + at[1] + "'")
		}
	}
	source.Follow(c.t, replica, true)
}

// reseed has b not replicate the next values, but have them loaded, and be told so.
func (c *copied) reseed(n int) {
	c.t.Helper()
	b := c.b.Connect(c.t, c.name)
	b.Exec("STOP SLAVE")
	c.insert(n)
	b.Exec("SET sql_log_bin = 0")
	for i := range n {
		b.Exec(fmt.Sprintf("INSERT INTO t VALUES (%d, 0)", c.value-i))
	}
	b.Exec(fmt.Sprintf("SET GLOBAL gtid_slave_pos = '%s'", c.db.Query("SELECT @@gtid_binlog_pos")[0][0]), "START SLAVE")
}

// TestReseededInPlace loads what a replica, which is read, has not replicated yet into it anew, and tells it the GTIDs of that:
// it is in none of its binlogs, which is told.
func TestReseededInPlace(t *testing.T) {
	for _, version := range []string{"mariadb-10.11", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			c := newCopied(t, version)
			want := c.insert(1)
			replicated(t, c.b, c.name, c.value+1)
			var notices []binlog.Notice
			o := options(c.b, c.name)
			o.Start, o.Notify = binlog.Start{Mode: binlog.StartEarliest}, func(n binlog.Notice) { notices = append(notices, n) }
			r := open(t, o)
			c.take(r, want)
			last := c.db.Query("SELECT @@gtid_binlog_pos")[0][0]
			c.reseed(3)
			want = c.insert(2)
			c.take(r, want)
			if len(notices) != 1 || notices[0].Kind != binlog.NumbersLeftOut || !strings.Contains(notices[0].Text, " behind 0-101-"+strings.Split(last, ",")[0][len("0-101-"):]+":") {
				t.Errorf("told %+v; read last was %s", notices, last)
			}
		})
	}
}
