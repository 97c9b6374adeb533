//go:build servers

package dump_test

import (
	"fmt"
	"testing"
	"time"

	"daybook/binlog/dump"
)

// promote makes the replica the source of what was its own, which is read on where it was.
func (p *pair) promote() {
	p.t.Helper()
	p.b.Unfollow(p.t)
	p.a.db.Exec(fmt.Sprintf("SET GLOBAL gtid_slave_pos='%s'", p.a.db.Query("SELECT @@gtid_binlog_pos")[0][0]))
	p.a.Follow(p.t, p.b.Server, true)
}

// at reads at one of the two from now on.
func (p *pair) at(o *origin) {
	p.t.Helper()
	p.f.feed.Close()
	p.f = follow(p.t, o.source(nil), p.f.saved())
}

// TestStrayBelowTheLast: a replica that committed something itself became the source, and the former source
// never got that, but later ones of the same server. Read at the one, it is missing at the other,
// though the last number of each server is the same.
func TestStrayBelowTheLast(t *testing.T) {
	t.Parallel()
	eachLine(t, mariaDB, func(t *testing.T, v string) {
		t.Run("not read", func(t *testing.T) {
			p := newPair(t, v)
			p.b.Follow(t, p.a.Server, true)
			p.a.insert(1, 5)
			p.b.has(5)
			stray := p.b.own(51)
			p.a.insert(6, 9)
			p.b.has(9)
			p.promote()
			p.b.insert(10, 12)
			p.f.want(1, 12)
			p.f.feed.Close()
			p.a, p.b = p.b, p.a
			p.a.insert(13, 14)
			p.refused(stray, 13, 14)
			p.a.insert(15, 16)
			p.f.want(15, 16)
		})
		t.Run("in the file before", func(t *testing.T) {
			p := newPair(t, v)
			p.b.Follow(t, p.a.Server, true)
			p.a.insert(1, 5)
			p.b.has(5)
			stray := p.b.own(51)
			p.a.insert(6, 9)
			p.b.has(9)
			p.promote()
			p.b.db.Exec("FLUSH BINARY LOGS")
			p.b.insert(10, 12)
			p.f.want(1, 12)
			p.f.feed.Close()
			p.a, p.b = p.b, p.a
			p.a.insert(13, 14)
			p.refused(stray, 13, 14)
		})
		t.Run("read", func(t *testing.T) {
			p := newPair(t, v)
			p.b.Follow(t, p.a.Server, true)
			p.a.insert(1, 5)
			p.b.has(5)
			p.f.want(1, 5)
			p.at(p.b)
			lost := p.b.own(51)
			p.f.want(51, 51)
			p.a.insert(6, 9)
			p.b.has(9)
			p.promote()
			p.b.insert(10, 12)
			p.f.want(6, 12)
			p.a.has(12)
			p.f.feed.Close()
			follow(t, p.a.source(nil), p.f.saved()).refused(30*time.Second, dump.ErrBehind, lost)
		})
	})
}

// TestManySwitchOvers: the source and its replica change places again and again, in several domains, with other
// server IDs, and what is read is one or the other.
func TestManySwitchOvers(t *testing.T) {
	t.Parallel()
	eachLine(t, mariaDB, func(t *testing.T, v string) {
		p := newPair(t, v)
		p.b.Follow(t, p.a.Server, true)
		next := 1
		for i := range 12 {
			p.a.db.Exec(fmt.Sprintf("SET gtid_domain_id=%d", i/2%3))
			p.a.insert(next, next+i%3)
			p.f.want(next, next+i%3)
			p.b.has(next + i%3)
			next += i%3 + 1
			switch i % 4 {
			case 0:
				p.at(p.b)
				p.promote()
				p.a, p.b = p.b, p.a
			case 1:
				p.at(p.b)
			case 2:
				p.a.db.Exec(fmt.Sprintf("SET GLOBAL server_id=%d", 1_000_000+i), "FLUSH BINARY LOGS")
				p.a.connect()
			case 3:
				p.swap()
				p.goOn()
			}
		}
	})
}

// TestFilteringReplica: a replica that does not replicate all lacks numbers of its source, and the source has what was not read
// there: each is gone on with.
func TestFilteringReplica(t *testing.T) {
	t.Parallel()
	eachLine(t, mariaDB, func(t *testing.T, v string) {
		p := newPair(t, v)
		p.b.db.Exec("SET GLOBAL replicate_wild_ignore_table='other.%'")
		p.b.Follow(t, p.a.Server, true)
		round := func(first int) {
			t.Helper()
			p.a.insert(first, first)
			p.a.db.Exec("CREATE TABLE other.x (a INT)", "DROP TABLE other.x")
			p.a.insert(first+1, first+1)
			p.b.has(first + 1)
			p.f.want(first, first+1)
		}
		p.a.db.Exec("CREATE DATABASE other")
		round(1)
		p.at(p.b)
		round(3)
		p.at(p.a)
		round(5)
		p.swap() // what filters is the source
		p.goOn()
		p.a.insert(7, 8)
		p.f.want(7, 8)
		p.b.has(8)
		p.at(p.b)
		p.a.insert(9, 9)
		p.f.want(9, 9)
		p.b.has(9)
		p.swap() // and the replica again
		p.goOn()
		round(10)
		p.at(p.b)
		round(12)
		p.at(p.a)
		round(14)
	})
}
