//go:build servers

package dump_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"daybook/binlog/dump"
)

// TestBuiltFromACopy leads to a MariaDB server that was set up from a copy of the source, and told its GTIDs: it has
// nothing that was read in its binlogs, and is followed if the copy ends with what was read last.
func TestBuiltFromACopy(t *testing.T) {
	t.Parallel()
	eachLine(t, mariaDB, func(t *testing.T, v string) {
		a := begin(t, v, true)
		f := follow(t, a.source(nil), a.start())
		a.insert(1, 5)
		f.want(1, 5)
		f.feed.Close()
		position := a.db.Query("SELECT @@gtid_binlog_pos")[0][0]
		build := func() *origin {
			b := blank(t, v, "--log-slave-updates", "--binlog-format=MIXED")
			b.db.Exec("CREATE USER own@localhost", "SET sql_log_bin=0", "CREATE DATABASE d", "CREATE TABLE d.t (a INT PRIMARY KEY) ENGINE=InnoDB",
				"INSERT INTO d.t VALUES (1), (2), (3), (4), (5)", "SET sql_log_bin=1", fmt.Sprintf("SET GLOBAL gtid_slave_pos='%s'", position))
			return b
		}
		t.Run("in its place", func(t *testing.T) {
			b := build()
			b.t = t
			f := follow(t, b.source(nil), f.saved())
			b.insert(6, 8)
			f.want(6, 8)
			f.feed.Close()
			f = follow(t, b.source(nil), f.saved())
			b.insert(9, 10)
			f.want(9, 10)
		})
		t.Run("in its place, and at work", func(t *testing.T) {
			b := build()
			b.insert(6, 8)
			follow(t, b.source(nil), f.saved()).want(6, 8)
		})
		t.Run("a replica", func(t *testing.T) {
			b := build()
			b.Follow(t, a.Server, true)
			a.insert(6, 8)
			b.has(8)
			follow(t, b.source(nil), f.saved()).want(6, 8)
			b.Unfollow(t)
			a.insert(9, 9)
			position = a.db.Query("SELECT @@gtid_binlog_pos")[0][0]
		})
		t.Run("of a later copy", func(t *testing.T) { // what was between is in no binlog
			b := build()
			b.insert(10, 11)
			follow(t, b.source(nil), f.saved()).refused(30*time.Second, dump.ErrOtherServer)
		})
	})
}

// TestNumberedAnew leads to a MariaDB server that was the source's replica and had all that was read, and whose binlogs
// were reset: it numbers its own transactions from 1, and a dump behind what was read leaves out those that
// have a lower number. That is told, with the place from which all is read.
func TestNumberedAnew(t *testing.T) {
	t.Parallel()
	eachLine(t, mariaDB, func(t *testing.T, v string) {
		for _, logs := range []string{"--log-slave-updates=OFF", "--log-slave-updates=ON"} {
			a := begin(t, v, true)
			f := follow(t, a.source(nil), a.start())
			b := blank(t, v, logs)
			b.db.Exec("SET sql_log_bin=0", "CREATE DATABASE d", "CREATE TABLE d.t (a INT PRIMARY KEY) ENGINE=InnoDB", "SET sql_log_bin=1",
				fmt.Sprintf("SET GLOBAL gtid_slave_pos='%s'", a.db.Query("SELECT @@gtid_binlog_pos")[0][0]))
			b.Follow(t, a.Server, true)
			a.insert(1, 9)
			f.want(1, 9)
			f.feed.Close()
			b.has(9)
			b.Unfollow(t)
			b.db.Exec("RESET MASTER")
			b.insert(10, 12)
			at := follow(t, b.source(nil), f.saved())
			err := at.until(30*time.Second, func() bool { return len(at.values) > 0 })
			var missing *dump.MissingError
			if !errors.As(err, &missing) || !errors.Is(err, dump.ErrOtherServer) || !strings.Contains(err.Error(), "RESET MASTER") {
				t.Fatalf("%s: read %s, error %v", logs, at.values, err)
			}
			t.Log(err)
			p := b.start()
			p.File, p.Pos, p.GTIDs = missing.Next.File, missing.Next.Pos, f.saved().GTIDs
			f = follow(t, b.source(nil), p)
			f.want(10, 12)
			b.insert(13, 14)
			f.want(13, 14)
			f.feed.Close()
		}
	})
}

// TestDomainSkipped leads to a MariaDB server that was set up from a copy later than what was read of one domain:
// what is between is in none of its binlogs, which go on in that domain. One whose other domain is idle since the copy
// is followed.
func TestDomainSkipped(t *testing.T) {
	t.Parallel()
	eachLine(t, mariaDB, func(t *testing.T, v string) {
		a := begin(t, v, true, "--binlog-format=MIXED")
		f := follow(t, a.source(nil), a.start())
		other := a.Connect(t, "")
		other.Exec("SET gtid_domain_id = 1", "SET binlog_format=STATEMENT", "REPLACE INTO d.t VALUES (1)", "REPLACE INTO d.t VALUES (2)")
		a.insert(3, 3)
		f.want(1, 3)
		f.feed.Close()
		build := func() *origin {
			b := blank(t, v, "--log-slave-updates", "--binlog-format=MIXED")
			b.db.Exec("SET sql_log_bin=0", "CREATE DATABASE d", "CREATE TABLE d.t (a INT PRIMARY KEY) ENGINE=InnoDB", "SET sql_log_bin=1",
				fmt.Sprintf("SET GLOBAL gtid_slave_pos='%s'", a.db.Query("SELECT @@gtid_binlog_pos")[0][0]))
			return b
		}
		idle := build()
		idle.Follow(t, a.Server, true)
		a.insert(4, 5)
		idle.has(5)
		follow(t, idle.source(nil), f.saved()).want(4, 5)

		other.Exec("REPLACE INTO d.t VALUES (6)", "REPLACE INTO d.t VALUES (7)")
		late := build()
		late.Follow(t, a.Server, true)
		other.Exec("REPLACE INTO d.t VALUES (8)")
		a.insert(9, 9)
		late.has(9)
		follow(t, a.source(nil), f.saved()).want(4, 9)
		early := f.saved()
		follow(t, late.source(nil), early).refused(30*time.Second, dump.ErrPurged, "later copy")
	})
}
