//go:build servers

package dump_test

import (
	"context"
	"net"
	"testing"
)

// TestBytesLikeAnEvent: where the last event that was read stands in the file of that name, a replica has
// bytes of a row that look like an event's header. That is no damage, but another file.
func TestBytesLikeAnEvent(t *testing.T) {
	t.Parallel()
	hasGTIDs := func(v string) bool { return mariaDB(v) || v >= "mysql-5.6" }
	eachLine(t, hasGTIDs, func(t *testing.T, v string) {
		const asItIs = "--binlog-format=MIXED" // of what is replicated
		a := begin(t, v, true, asItIs)
		b := blank(t, v, "--log-slave-updates", asItIs)
		b.Follow(t, a.Server, true)
		a.db.Exec("CREATE TABLE d.k (id INT PRIMARY KEY, b LONGBLOB)")
		a.insert(1, 1)
		b.has(1)
		replica := map[bool]string{true: "REPLICA", false: "SLAVE"}[v == "mysql-9"]
		b.db.Exec("STOP "+replica, "FLUSH LOGS")
		// As size of the event it gives 64, 16384, 4194304 or too much.
		a.db.Exec("SET binlog_format=ROW", "INSERT INTO d.k VALUES (1, REPEAT(X'40000000', 50000))", "FLUSH LOGS", "SET binlog_format=STATEMENT")
		f := follow(t, a.source(nil), a.start())
		b.db.Exec("START " + replica)
		for i, value := range []int{22, 333, 4444, 55555, 666666} {
			a.insert(value, value)
			f.want(value, value)
			b.has(value)
			other := follow(t, b.source(nil), f.saved())
			a.insert(101+i, 101+i)
			f.want(101+i, 101+i)
			other.want(101+i, 101+i)
			other.feed.Close()
		}
	})
}

// TestAddressOfTwo: for a while the address leads to a source and to its replica in turn, as that of
// a balancer may. One is not taken for the other, whose binlogs look like those of one that was reset.
func TestAddressOfTwo(t *testing.T) {
	t.Parallel()
	hasGTIDs := func(v string) bool { return mariaDB(v) || v >= "mysql-5.6" }
	eachLine(t, hasGTIDs, func(t *testing.T, v string) {
		a := begin(t, v, true)
		b := blank(t, v, "--log-slave-updates")
		b.Follow(t, a.Server, true)
		f := follow(t, a.source(nil), a.start())
		a.insert(1, 5)
		b.has(5)
		f.want(1, 5)
		f.feed.Close()
		w := &wire{}
		dials := 0
		source := a.source(nil)
		source.Dial = func(ctx context.Context, _ string) (net.Conn, error) {
			w.heal(a.Address)
			if dials++; dials%2 == 0 && dials < 10 {
				w.heal(b.Address)
			}
			return w.dial(ctx, "")
		}
		f = follow(t, source, f.saved())
		a.insert(6, 8)
		f.want(6, 8)
	})
}
