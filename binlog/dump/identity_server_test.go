//go:build servers

package dump_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"daybook/binlog/dump"
	"daybook/e2e/servers"
)

// lines are the servers that the identity is tested on; IDENTITY_SERVERS names
// others.
func lines() []string {
	if list := os.Getenv("IDENTITY_SERVERS"); list != "" {
		return strings.Split(list, ",")
	}
	return []string{"mysql-5.7", "mysql-8.0", "mariadb-10.11"}
}

// subtest is one of those that run beside each other.
type subtest struct {
	name string
	run  func(t *testing.T)
}

// beside runs subtests, so many at a time. They wait for servers to start and to
// end and for networks that are silent, hardly ever for a processor; t.Parallel
// goes by the number of these, and lets too few begin.
func beside(t *testing.T, most int, tests []subtest) {
	var running errgroup.Group
	running.SetLimit(most)
	for _, s := range tests {
		running.Go(func() error {
			t.Run(s.name, s.run)
			return nil
		})
	}
	_ = running.Wait()
}

// eachLine runs fn for each line that it is for.
func eachLine(t *testing.T, is func(version string) bool, fn func(t *testing.T, version string)) {
	var tests []subtest
	for _, v := range lines() {
		if is(v) {
			tests = append(tests, subtest{v, func(t *testing.T) { fn(t, v) }})
		}
	}
	beside(t, len(tests), tests)
}

// eachMode runs fn for each line, reading by GTID and without.
func eachMode(t *testing.T, fn func(t *testing.T, version string, gtid bool)) {
	var tests []subtest
	for _, v := range lines() {
		for _, gtid := range []bool{true, false} {
			if gtid && v == "mysql-5.5" {
				continue
			}
			tests = append(tests, subtest{fmt.Sprintf("%s/gtid=%t", v, gtid), func(t *testing.T) { fn(t, v, gtid) }})
		}
	}
	beside(t, 4, tests)
}

func mariaDB(version string) bool { return strings.HasPrefix(version, "mariadb") }

// TestReset: after RESET MASTER and more transactions than were read before,
// nothing is read any more, however the reader stood to the source then.
func TestReset(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, version string, gtid bool) {
		o := begin(t, version, gtid)
		next := 100
		for _, state := range []string{"stopped", "cut off", "connected", "connected in a later file", "rotated as far", "nothing read"} {
			t.Run(state, func(t *testing.T) {
				o.t = t
				o.connect()
				w := &wire{}
				f := follow(t, o.source(w), o.start())
				if state == "nothing read" {
					p := f.saved()
					f.feed.Close()
					o.reset()
					o.insert(next, next+9)
					follow(t, o.source(nil), p).refused(20*time.Second, dump.ErrOtherServer)
					return
				}
				o.insert(next, next+4)
				if strings.Contains(state, "later") || strings.Contains(state, "rotated") {
					o.db.Exec("FLUSH LOGS", "FLUSH LOGS")
				}
				o.insert(next+5, next+9)
				f.want(next, next+9)
				p := f.saved()
				switch state {
				case "stopped", "rotated as far":
					f.feed.Close()
				case "cut off":
					w.cut()
				}
				o.reset()
				if state == "rotated as far" {
					o.insert(next+10, next+19)
					o.db.Exec("FLUSH LOGS", "FLUSH LOGS")
				}
				o.insert(next+20, next+49)
				switch state {
				case "stopped", "rotated as far":
					f = follow(t, o.source(nil), p)
				case "cut off":
					w.heal("")
				}
				f.refused(30*time.Second, dump.ErrOtherServer, "binlog.00000")
				next += 100
			})
		}
	})
}

// copyData copies a server's data directory while it is stopped.
func copyData(t *testing.T, from, to string) {
	t.Helper()
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
		t.Fatalf("%s", out)
	}
}

// TestRestored: a backup restored under the same server UUID, in which as many
// transactions followed, and one in which the position still is.
func TestRestored(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, version string, gtid bool) {
		o := begin(t, version, gtid)
		data := filepath.Clean(o.db.Query("SELECT @@datadir")[0][0])
		backup := filepath.Join(t.TempDir(), "backup")
		o.insert(1, 5)
		f := follow(t, o.source(nil), o.start())
		f.feed.Close()
		before := f.saved()
		o.insert(6, 10)
		o.Stop(t)
		copyData(t, data, backup)
		o.restart()
		f = follow(t, o.source(nil), before)
		o.insert(11, 20)
		f.want(6, 20)
		f.feed.Close()
		o.Stop(t)
		copyData(t, backup, data)
		time.Sleep(time.Second)
		o.restart()
		o.insert(111, 140)
		again := follow(t, o.source(nil), before)
		again.read(140)
		if want := 5 + 30; len(again.values) != want || again.values[4] != "10" || again.values[5] != "111" {
			t.Errorf("from before the backup: %s", again.values)
		}
		follow(t, o.source(nil), f.saved()).refused(20*time.Second, dump.ErrOtherServer, "made")
	})
}

// purge purges all files but the newest. A file goes only when the dump that
// read it has noticed its end, and MariaDB when it has written a checkpoint.
func (o *origin) purge() {
	o.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		rows := o.db.Query("SHOW BINARY LOGS")
		if len(rows) == 1 {
			return
		}
		o.db.Exec("PURGE BINARY LOGS TO '" + rows[len(rows)-1][0] + "'")
	}
	o.t.Fatal("the files were not purged")
}

// TestPurged: files purged behind the position do not matter; those that were
// not read do.
func TestPurged(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, version string, gtid bool) {
		o := begin(t, version, gtid)
		f := follow(t, o.source(nil), o.start())
		o.insert(1, 5)
		o.db.Exec("FLUSH LOGS")
		o.insert(6, 10)
		f.want(1, 10)
		f.feed.Close()
		p := f.saved()
		o.purge()
		f = follow(t, o.source(nil), p)
		o.insert(11, 15)
		f.want(11, 15)
		f.feed.Close()
		p = f.saved()
		o.db.Exec("FLUSH LOGS")
		o.purge() // all of it was read, and the file is gone
		o.insert(16, 20)
		f = follow(t, o.source(nil), p)
		if gtid || o.MariaDB() { // which lists its GTIDs in each file
			f.want(16, 20)
			f.feed.Close()
			p = f.saved()
		} else {
			f.refused(20*time.Second, dump.ErrPurged, p.File)
		}
		o.insert(21, 25)
		o.db.Exec("FLUSH LOGS")
		o.purge()
		o.insert(26, 30)
		follow(t, o.source(nil), p).refused(20*time.Second, dump.ErrPurged)
	})
}

// TestRenamed: another server ID or UUID over the same binlogs changes nothing.
func TestRenamed(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, version string, gtid bool) {
		o := begin(t, version, gtid, "--log-slave-updates")
		data := filepath.Clean(o.db.Query("SELECT @@datadir")[0][0])
		f := follow(t, o.source(nil), o.start())
		o.insert(1, 5)
		f.want(1, 5)
		f.feed.Close()
		o.db.Exec("SET GLOBAL server_id=77")
		o.insert(6, 10)
		f = follow(t, o.source(nil), f.saved())
		f.want(6, 10)
		if f.p.ServerID != 77 {
			t.Errorf("the position's server ID is %d", f.p.ServerID)
		}
		o.Stop(t)
		_ = os.Remove(filepath.Join(data, "auto.cnf"))
		o.restart()
		o.insert(11, 15)
		f.want(11, 15)
		f.feed.Close()
		o.insert(16, 20)
		follow(t, o.source(nil), f.saved()).want(16, 20)
	})
}

// TestSwitchedGTIDs: GTIDs off and on again, with file and offset as the bridge.
func TestSwitchedGTIDs(t *testing.T) {
	t.Parallel()
	switches := func(v string) bool { return !mariaDB(v) && v >= "mysql-5.7" }
	eachLine(t, switches, func(t *testing.T, v string) {
		o := begin(t, v, true)
		f := follow(t, o.source(nil), o.start())
		o.insert(1, 5)
		for round := range 2 {
			next := 10 * round
			f.want(next+1, next+5)
			modes := []string{"ON_PERMISSIVE", "OFF_PERMISSIVE", "OFF"}
			if round == 1 {
				modes = []string{"OFF_PERMISSIVE", "ON_PERMISSIVE", "ON"}
			}
			f.feed.Close()
			for _, m := range modes {
				o.db.Exec("SET GLOBAL gtid_mode=" + m)
			}
			o.insert(next+6, next+10)
			f = follow(t, o.source(nil), f.saved())
			f.want(next+6, next+10)
			o.insert(next+11, next+15)
		}
		f.want(21, 25)
		if f.p.GTIDs == nil || !f.p.GTIDs.Contains(f.p.LastGroup.GTID) {
			t.Errorf("GTIDs %v, last group %+v", f.p.GTIDs, f.p.LastGroup)
		}
	})
}

// TestSequenceWentBack: MariaDB lets a server's own sequence go back; nothing is
// read twice.
func TestSequenceWentBack(t *testing.T) {
	t.Parallel()
	eachLine(t, mariaDB, func(t *testing.T, v string) {
		o := begin(t, v, true)
		f := follow(t, o.source(nil), o.start())
		o.db.Exec("SET gtid_seq_no=500")
		o.insert(1, 5)
		o.db.Exec("SET gtid_seq_no=1000")
		o.insert(6, 10)
		o.db.Exec("SET gtid_seq_no=500")
		o.insert(11, 13)
		f.want(1, 13)
		f.feed.Close()
		o.insert(14, 15)
		f = follow(t, o.source(nil), f.saved())
		f.want(14, 15)
		o.db.Exec("FLUSH LOGS")
		o.insert(16, 20)
		f.want(16, 20)
		f.feed.Close()
		o.insert(21, 22)
		follow(t, o.source(nil), f.saved()).want(21, 22)
	})
}

func (o *origin) has(value int) {
	o.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		rows := o.db.Query("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema='d'")
		if rows[0][0] != "0" && o.db.Query(fmt.Sprintf("SELECT COUNT(*) FROM d.t WHERE a=%d", value))[0][0] == "1" {
			return
		}
	}
	o.t.Fatalf("the replica did not get %d", value)
}

// TestFailover: a replica in the source's place is followed by GTID if it has
// what was read, and refused if it has another history.
func TestFailover(t *testing.T) {
	t.Parallel()
	hasGTIDs := func(v string) bool { return mariaDB(v) || v >= "mysql-5.6" }
	eachLine(t, hasGTIDs, func(t *testing.T, v string) {
		a := begin(t, v, true)
		b := blank(t, v, "--log-slave-updates")
		w := &wire{}
		f := follow(t, a.source(w), a.start())
		a.insert(1, 5)
		// A transaction of several seconds: the times in it differ on a replica.
		a.db.Exec("BEGIN")
		a.insert(6, 6)
		a.db.Exec("DO SLEEP(2.1)")
		a.insert(7, 7)
		a.db.Exec("DO SLEEP(1.1)", "COMMIT")
		b.Follow(t, a.Server, true)
		b.has(7)
		f.want(1, 7)
		unread := f.saved()
		b.Unfollow(t)
		a.insert(8, 9)
		f.want(8, 9)
		// To one that lags, and then is equal.
		w.cut()
		w.heal(b.Address)
		if err := f.until(2*time.Second, func() bool { return len(f.values) > 0 }); !errors.Is(err, errTimeout) {
			t.Fatalf("at one that lacks what was read: %s, %v", f.values, err)
		}
		first := dump.NewFeed(dump.FeedOptions{Source: b.source(nil), ServerID: dump.RandomServerID()}, nil)
		first.Start(f.saved())
		_, err := first.AwaitFirst(t.Context())
		first.Close()
		if !errors.Is(err, dump.ErrBehind) || !strings.Contains(err.Error(), "goes on by itself as soon as it has caught up") {
			t.Errorf("a start at one that is behind: %v", err)
		}
		b.Follow(t, a.Server, true)
		b.has(9)
		b.Unfollow(t)
		b.insert(10, 12)
		f.want(10, 12)
		if f.p.ServerID == unread.ServerID {
			t.Errorf("the position is still of the former source: %+v", f.p)
		}
		f.feed.Close()
		// The former source goes on by itself: other transactions under the
		// same numbers, in MySQL only if they were given.
		p := f.saved()
		set := strings.Split(p.LastGroup.GTID.String(), ":")
		time.Sleep(1100 * time.Millisecond)
		if !a.MariaDB() {
			for i := 1; i <= 3; i++ {
				a.db.Exec(fmt.Sprintf("SET gtid_next='%s:%d'", set[0], i))
				if e := a.db.Try(fmt.Sprintf("REPLACE INTO d.t VALUES (%d)", 100+i)); e != nil {
					t.Fatal(e)
				}
			}
			a.db.Exec("SET gtid_next=AUTOMATIC")
		} else {
			id := strings.Split(p.LastGroup.GTID.String(), "-")[1]
			a.db.Exec("SET server_id=" + id)
			a.insert(101, 103)
		}
		follow(t, a.source(nil), p).refused(30*time.Second, dump.ErrOtherServer, p.LastGroup.GTID.String())
	})
}

// TestLacking: a server that lacks what was read is refused soon while
// connected, too: a replica that may only be behind has 15 s.
func TestLacking(t *testing.T) {
	t.Parallel()
	hasGTIDs := func(v string) bool { return mariaDB(v) || v >= "mysql-5.6" }
	eachLine(t, hasGTIDs, func(t *testing.T, v string) {
		a := begin(t, v, true)
		b := blank(t, v, "--log-slave-updates")
		w := &wire{}
		f := follow(t, a.source(w), a.start())
		a.insert(1, 3)
		b.Follow(t, a.Server, true)
		b.has(3)
		b.Unfollow(t)
		a.insert(4, 4)
		f.want(1, 4)
		p := f.saved()
		w.cut()
		b.insert(51, 53)
		w.heal(b.Address)
		f.refused(40*time.Second, dump.ErrOtherServer)
		f.feed.Close()
		w = &wire{}
		f = follow(t, a.source(w), p)
		a.insert(5, 6)
		f.want(5, 6)
		w.cut()
		a.Restart(t, "--log-bin="+filepath.Join(a.Data(), "other"))
		a.connect()
		a.insert(7, 7)
		w.heal(a.Address)
		if mariaDB(v) { // MySQL keeps its GTIDs in a table
			f.refused(10*time.Second, dump.ErrOtherServer, "that were already read")
			return
		}
		f.want(7, 7)
	})
}

// TestSetUpFromADump: a replica that was set up from a dump has little in its
// binlogs, here only the transaction that was read last.
func TestSetUpFromADump(t *testing.T) {
	t.Parallel()
	eachLine(t, mariaDB, func(t *testing.T, v string) {
		a := begin(t, v, true)
		b := &origin{Server: servers.Start(t, v, "--log-slave-updates"), t: t, gtid: true}
		b.connect()
		b.db.Exec("CREATE DATABASE d", "CREATE TABLE d.t (a INT PRIMARY KEY) ENGINE=InnoDB")
		b.reset()
		f := follow(t, a.source(nil), a.start())
		a.insert(1, 3)
		b.db.Exec(fmt.Sprintf("SET GLOBAL gtid_slave_pos='%s'", a.db.Query("SELECT @@gtid_binlog_pos")[0][0]))
		b.Follow(t, a.Server, true)
		a.insert(4, 4)
		b.has(4)
		f.want(1, 4)
		f.feed.Close()
		b.Unfollow(t)
		b.insert(5, 6)
		follow(t, b.source(nil), f.saved()).want(5, 6)
	})
}

// TestDomainDeleted: MariaDB forgets a domain that was read. It matters only
// where nothing but GTIDs is left to go by.
func TestDomainDeleted(t *testing.T) {
	t.Parallel()
	eachLine(t, mariaDB, func(t *testing.T, v string) {
		o := begin(t, v, true)
		f := follow(t, o.source(nil), o.start())
		o.db.Exec("SET gtid_domain_id=5")
		o.insert(1, 2)
		o.db.Exec("SET gtid_domain_id=0")
		o.insert(3, 4)
		f.want(1, 4)
		early := f.saved()
		o.db.Exec("FLUSH BINARY LOGS")
		o.insert(5, 6)
		f.want(5, 6)
		f.feed.Close()
		o.purge()
		o.db.Exec("FLUSH BINARY LOGS DELETE_DOMAIN_ID=(5)")
		o.insert(7, 8)
		f = follow(t, o.source(nil), f.saved())
		f.want(7, 8)
		if strings.Contains(f.p.GTIDs.String(), "5-") {
			t.Errorf("the position has %s", f.p.GTIDs)
		}
		f.feed.Close()
		follow(t, o.source(nil), early).refused(20*time.Second, dump.ErrPurged, "DELETE_DOMAIN_ID")
		o.db.Exec("SET gtid_domain_id=5")
		o.insert(9, 15) // beyond the numbers that were read
		follow(t, o.source(nil), early).refused(20*time.Second, dump.ErrPurged, "DELETE_DOMAIN_ID")
	})
}
