//go:build servers

package dump_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daybook/binlog/dump"
	"daybook/e2e/servers"
)

// pair is a source that is read, and a replica of it.
type pair struct {
	t    *testing.T
	a, b *origin
	f    *follower
}

func newPair(t *testing.T, version string) *pair {
	const asItIs = "--binlog-format=STATEMENT" // of what is replicated
	p := &pair{t: t, a: begin(t, version, true, asItIs), b: blank(t, version, "--log-slave-updates", asItIs)}
	p.f = follow(t, p.a.source(nil), p.a.start())
	return p
}

// swap goes on at the replica, whose replica the source becomes: from where the one was that it was
// the source of.
func (p *pair) swap() {
	p.t.Helper()
	p.f.feed.Close()
	p.b.Unfollow(p.t)
	p.a.db.Exec(fmt.Sprintf("SET GLOBAL gtid_slave_pos='%s'", p.b.db.Query("SELECT @@gtid_binlog_pos")[0][0]))
	p.a.Follow(p.t, p.b.Server, true)
	p.a, p.b = p.b, p.a
}

// goOn reads at what is the source now.
func (p *pair) goOn() { p.f = follow(p.t, p.a.source(nil), p.f.saved()) }

// refused wants the error that names the stray, and goes on behind it.
func (p *pair) refused(stray string, first, last int) {
	p.t.Helper()
	saved := p.f.saved()
	f := follow(p.t, p.a.source(nil), saved)
	err := f.until(30*time.Second, func() bool { return len(f.values) > 0 })
	var missing *dump.MissingError
	if !errors.Is(err, dump.ErrOtherServer) || !errors.As(err, &missing) || !strings.Contains(err.Error(), stray) {
		p.t.Fatalf("read %s, error %v, want one of %s", f.values, err, stray)
	}
	p.t.Log(err)
	p.a.begins(missing.Next)
	next := &dump.Position{Flavor: saved.Flavor, ServerID: p.a.id(), File: missing.Next.File, Pos: missing.Next.Pos}
	p.f = follow(p.t, p.a.source(nil), next)
	p.f.want(first, last)
}

// begins wants a place that a start at is not refused.
func (o *origin) begins(at dump.Place) {
	o.t.Helper()
	rows := o.db.Query(fmt.Sprintf("SHOW BINLOG EVENTS IN '%s' FROM %d LIMIT 1", at.File, at.Pos))
	if len(rows) > 0 && at.Pos > 4 && !strings.Contains("Gtid Anonymous_Gtid Rotate Stop", rows[0][2]) {
		o.t.Errorf("at %s is a %s", at, rows[0][2])
	}
}

func (o *origin) id() uint32 {
	var id uint32
	if _, err := fmt.Sscan(o.db.Query("SELECT @@global.server_id")[0][0], &id); err != nil {
		o.t.Fatal(err)
	}
	return id
}

// own commits a value that no other server gets, and returns its GTID.
func (o *origin) own(value int) string {
	o.insert(value, value)
	return o.db.Query("SELECT @@last_gtid")[0][0]
}

// TestStray: a MariaDB server that committed something itself while it was a replica, or before it
// became one again, is refused: its binlogs have it before the place that was read up to.
func TestStray(t *testing.T) {
	t.Parallel()
	eachLine(t, mariaDB, func(t *testing.T, v string) {
		t.Run("of a replica", func(t *testing.T) {
			p := newPair(t, v)
			p.b.Follow(t, p.a.Server, true)
			p.a.insert(1, 5)
			p.b.has(5)
			stray := p.b.own(51)
			p.a.insert(6, 9)
			p.b.has(9)
			p.f.want(1, 9)
			p.swap()
			p.a.insert(10, 12)
			p.refused(stray, 10, 12)
			p.a.insert(13, 14)
			p.f.want(13, 14)
		})
		t.Run("right before the last", func(t *testing.T) {
			p := newPair(t, v)
			p.b.Follow(t, p.a.Server, true)
			p.a.insert(1, 5)
			p.b.has(5)
			stray := p.b.own(51)
			p.a.insert(6, 6)
			p.b.has(6)
			p.f.want(1, 6)
			p.swap()
			p.a.insert(7, 8)
			p.refused(stray, 7, 8)
		})
		t.Run("of the source before", func(t *testing.T) {
			p := newPair(t, v)
			p.b.Follow(t, p.a.Server, true)
			p.a.insert(1, 5)
			p.b.has(5)
			p.f.want(1, 5)
			p.f.feed.Close()
			p.b.Unfollow(t)
			stray := p.a.own(51)
			p.swap()
			p.a.insert(6, 8)
			p.goOn()
			p.f.want(6, 8)
			p.b.has(8)
			p.swap()
			p.a.insert(9, 10)
			p.refused(stray, 9, 10)
		})
	})
}

// TestGTIDTwice: with gtid_strict_mode=OFF the sequence of a source may go back, so that the GTID read last
// stands in the binlogs of its replica twice: once read, and once where the server begins. And what went
// back and beyond again is followed.
func TestGTIDTwice(t *testing.T) {
	t.Parallel()
	eachLine(t, mariaDB, func(t *testing.T, v string) {
		goBack := func(p *pair) (twice string) {
			p.b.Follow(t, p.a.Server, true)
			p.a.insert(1, 5)
			twice = p.a.db.Query("SELECT @@last_gtid")[0][0]
			p.a.insert(6, 9)
			p.a.db.Exec("SET gtid_seq_no=" + twice[strings.LastIndexByte(twice, '-')+1:])
			p.a.insert(10, 10)
			return twice
		}
		t.Run("read last", func(t *testing.T) {
			p := newPair(t, v)
			twice := goBack(p)
			p.f.want(1, 10)
			p.b.has(10)
			p.swap()
			p.a.insert(11, 12)
			p.refused(twice, 11, 12)
		})
		t.Run("beyond again", func(t *testing.T) {
			p := newPair(t, v)
			goBack(p)
			p.a.insert(11, 15)
			p.f.want(1, 15)
			p.b.has(15)
			p.swap()
			p.a.insert(16, 17)
			p.goOn()
			p.f.want(16, 17)
		})
	})
}

// TestReadIsLost: a source that lacks what was read of another server is refused, though it has what was
// read last; one that was set up later than that is not.
func TestReadIsLost(t *testing.T) {
	t.Parallel()
	eachLine(t, mariaDB, func(t *testing.T, v string) {
		p := newPair(t, v)
		p.b.Follow(t, p.a.Server, true)
		p.a.insert(1, 3)
		p.b.has(3)
		p.f.want(1, 3)
		p.f.feed.Close()
		p.f = follow(t, p.b.source(nil), p.f.saved())
		lost := p.b.own(51)
		p.f.want(51, 51)
		p.a.insert(4, 5)
		p.b.has(5)
		p.f.want(4, 5)
		p.f.feed.Close()
		follow(t, p.a.source(nil), p.f.saved()).refused(30*time.Second, dump.ErrBehind, lost)

		p.b.Unfollow(t)
		p.a.db.Exec("RESET MASTER", fmt.Sprintf("SET GLOBAL gtid_slave_pos='%s'", p.b.db.Query("SELECT @@gtid_binlog_pos")[0][0]))
		p.a.Follow(t, p.b.Server, true)
		p.f = follow(t, p.b.source(nil), p.f.saved())
		p.b.insert(6, 8)
		p.f.want(6, 8)
		p.a.has(8)
		p.f.feed.Close()
		p.goOn()
		p.a.insert(9, 10)
		p.f.want(9, 10)
	})
}

// TestOtherOrder: two sources that commit in one domain have theirs in different orders, so that what was
// read at the one stands behind what was read last at the other.
func TestOtherOrder(t *testing.T) {
	t.Parallel()
	eachLine(t, mariaDB, func(t *testing.T, v string) {
		p := newPair(t, v)
		p.b.Follow(t, p.a.Server, true)
		p.a.insert(1, 3)
		p.b.has(3)
		p.a.db.Exec(fmt.Sprintf("SET GLOBAL gtid_slave_pos='%s'", p.b.db.Query("SELECT @@gtid_binlog_pos")[0][0]))
		p.a.Follow(t, p.b.Server, true)
		p.a.db.Exec("STOP SLAVE")
		p.b.db.Exec("STOP SLAVE")
		p.a.insert(4, 6)
		again := p.a.db.Query("SELECT @@last_gtid")[0][0]
		p.b.insert(51, 51)
		p.a.db.Exec("START SLAVE")
		p.b.db.Exec("START SLAVE")
		p.a.has(51)
		p.b.has(6)
		p.f.want(1, 6)
		p.f.want(51, 51)
		p.a.Unfollow(t)
		p.swap()
		p.a.insert(7, 8)
		p.refused(again, 7, 8)
	})
}

// TestNoStray: what is on one server alone, and is no stray: how it was set up; and many
// failovers leave none.
func TestNoStray(t *testing.T) {
	t.Parallel()
	eachLine(t, mariaDB, func(t *testing.T, v string) {
		p := newPair(t, v)
		p.a.insert(1, 3)
		p.b.db.Exec("CREATE DATABASE d", "CREATE TABLE d.t (a INT PRIMARY KEY) ENGINE=InnoDB")
		p.b.insert(1, 3)
		p.b.insert(100, 130)
		p.b.db.Exec("FLUSH LOGS", fmt.Sprintf("SET GLOBAL gtid_slave_pos='%s'", p.a.db.Query("SELECT @@gtid_binlog_pos")[0][0]))
		p.b.Follow(t, p.a.Server, true)
		p.a.insert(4, 4)
		p.b.has(4)
		p.b.db.Exec("ANALYZE TABLE d.t", "CREATE USER other@localhost", "DROP USER other@localhost")
		p.a.insert(5, 5)
		p.b.has(5)
		p.f.want(1, 5)
		next := 6
		for range 4 {
			p.swap()
			p.goOn()
			p.a.insert(next, next+2)
			p.f.want(next, next+2)
			p.b.has(next + 2)
			next += 3
		}
	})
}

// TestCopyThatDoesNotLog: a copy of the source's directory became its replica without logging that,
// as MariaDB does by default; its binlogs have what it committed before and after.
func TestCopyThatDoesNotLog(t *testing.T) {
	t.Parallel()
	eachLine(t, mariaDB, func(t *testing.T, v string) {
		a := begin(t, v, true)
		f := follow(t, a.source(nil), a.start())
		a.insert(1, 5)
		f.want(1, 5)
		f.feed.Close()
		b := &origin{Server: servers.Start(t, v), t: t, gtid: true}
		b.Stop(t)
		a.Stop(t)
		from, to := filepath.Clean(a.Data()), filepath.Clean(b.Data())
		copyData(t, from, to)
		index := filepath.Join(to, "binlog.index") // it has whole paths
		list, err := os.ReadFile(index)
		if err == nil {
			err = os.WriteFile(index, bytes.ReplaceAll(list, []byte(from), []byte(to)), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		a.restart()
		b.restart()
		b.db.Exec(fmt.Sprintf("SET GLOBAL gtid_slave_pos='%s'", b.db.Query("SELECT @@gtid_binlog_pos")[0][0]))
		b.Follow(t, a.Server, true)
		a.insert(6, 9)
		b.has(9)
		b.Unfollow(t)
		b.insert(10, 12)
		follow(t, b.source(nil), f.saved()).refused(30*time.Second, dump.ErrOtherServer, "log_slave_updates")
	})
}

// TestStartAtASetWithHoles: of a set that has what stands behind what it lacks, nothing comes again
// when the server is connected to once more before anything new is written.
func TestStartAtASetWithHoles(t *testing.T) {
	t.Parallel()
	hasGTIDs := func(v string) bool { return mariaDB(v) || v >= "mysql-5.6" }
	eachLine(t, hasGTIDs, func(t *testing.T, v string) {
		o := begin(t, v, true)
		p := o.start()
		if mariaDB(v) {
			o.db.Exec("SET gtid_domain_id=5")
			o.insert(1, 2)
			o.db.Exec("SET gtid_domain_id=0")
			o.insert(3, 5)
			set, err := dump.ParseGTIDSet(dump.MariaDB, o.db.Query("SELECT CONCAT('5-', @@server_id, '-1,', @@last_gtid)")[0][0])
			if err != nil {
				t.Fatal(err)
			}
			p = &dump.Position{Flavor: p.Flavor, ServerID: p.ServerID, Pos: 4, GTIDs: set}
		} else {
			o.insert(1, 1)
			had := o.start().GTIDs // with 1, without 2
			o.insert(2, 2)
			lacking := o.start().GTIDs.String()
			o.insert(3, 5)
			all := o.start().GTIDs.String()
			uuid, _, _ := strings.Cut(all, ":")
			set, err := dump.ParseGTIDSet(dump.MySQL, fmt.Sprintf("%s,%s:%d-%d", had, uuid, lastNumber(t, lacking)+1, lastNumber(t, all)))
			if err != nil {
				t.Fatal(err)
			}
			p = &dump.Position{Flavor: p.Flavor, ServerUUID: p.ServerUUID, ServerID: p.ServerID, Pos: 4, GTIDs: set}
		}
		f := follow(t, o.source(nil), p)
		f.want(2, 2)
		for range 2 {
			f.feed.Close()
			f = follow(t, o.source(nil), f.saved())
			if err := f.until(time.Second, func() bool { return len(f.values) > 0 }); !errors.Is(err, errTimeout) {
				t.Fatalf("read %s, %v", f.values, err)
			}
		}
		o.insert(6, 7)
		f.want(6, 7)
		if f.saved().Overlap != (dump.Overlap{}) {
			t.Errorf("the overlap is still %+v", f.p.Overlap)
		}
		f.feed.Close()
		o.insert(8, 9)
		follow(t, o.source(nil), f.saved()).want(8, 9)
	})
}

// lastNumber returns the last transaction ID of a set of one server.
func lastNumber(t *testing.T, set string) (n int) {
	t.Helper()
	if _, err := fmt.Sscan(set[strings.LastIndexAny(set, ":-")+1:], &n); err != nil {
		t.Fatalf("%q: %v", set, err)
	}
	return n
}
