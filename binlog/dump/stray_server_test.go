//go:build servers

package dump_test

import (
	"errors"
	"fmt"
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
	p := &pair{t: t, a: begin(t, version, true), b: &origin{Server: servers.Start(t, version, "--log-slave-updates"), t: t, gtid: true}}
	p.b.connect()
	p.b.reset()
	p.f = follow(t, p.a.source(nil), p.a.start())
	return p
}

// swap goes on at the replica, whose replica the source becomes: from where the one was that it was
// the source of.
func (p *pair) swap() {
	p.t.Helper()
	p.f.feed.Close()
	p.b.stopReplica()
	p.a.db.Exec(fmt.Sprintf("SET GLOBAL gtid_slave_pos='%s'", p.b.db.Query("SELECT @@gtid_binlog_pos")[0][0]))
	p.a.replicate(p.b.Server)
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
	next := &dump.Position{Flavor: saved.Flavor, ServerID: p.a.id(), File: missing.Next.File, Pos: missing.Next.Pos}
	p.f = follow(p.t, p.a.source(nil), next)
	p.f.want(first, last)
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
			for _, purged := range []bool{false, true} {
				p := newPair(t, v)
				p.b.replicate(p.a.Server)
				p.a.insert(1, 5)
				p.b.has(5)
				stray := p.b.own(51)
				if purged {
					p.b.db.Exec("FLUSH LOGS")
				}
				p.a.insert(6, 9)
				p.b.has(9)
				p.f.want(1, 9)
				if purged {
					p.b.purge()
				}
				p.swap()
				p.a.insert(10, 12)
				p.refused(stray, 10, 12)
				p.a.insert(13, 14)
				p.f.want(13, 14)
			}
		})
		t.Run("right before the last", func(t *testing.T) {
			p := newPair(t, v)
			p.b.replicate(p.a.Server)
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
			p.b.replicate(p.a.Server)
			p.a.insert(1, 5)
			p.b.has(5)
			p.f.want(1, 5)
			p.f.feed.Close()
			p.b.stopReplica()
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
		p.b.replicate(p.a.Server)
		p.a.insert(4, 5)
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
