//go:build servers

package binlog_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"daybook/e2e/servers"
)

// silencer dials connections of which the first dump falls silent when told:
// nothing comes any more, and nothing says that it is over.
type silencer struct {
	silent atomic.Bool
	dials  atomic.Int32
}

func (s *silencer) dial(ctx context.Context, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	s.dials.Add(1)
	here, there := net.Pipe()
	return &silentConn{Conn: conn, silencer: s, nothing: here, end: there}, nil
}

// silentConn reads from a pipe that nobody writes to while it is silent.
type silentConn struct {
	net.Conn
	silencer     *silencer
	nothing, end net.Conn
}

func (c *silentConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.silencer.silent.Load() {
		return c.nothing.Read(b)
	}
	return n, err
}

func (c *silentConn) SetDeadline(t time.Time) error {
	_ = c.nothing.SetDeadline(t)
	return c.Conn.SetDeadline(t)
}

func (c *silentConn) SetReadDeadline(t time.Time) error {
	_ = c.nothing.SetReadDeadline(t)
	return c.Conn.SetReadDeadline(t)
}

func (c *silentConn) Close() error {
	_, _ = c.nothing.Close(), c.end.Close()
	return c.Conn.Close()
}

// TestSilentConnection lets the network swallow everything in the middle of a
// transaction: the heartbeats that fail to come give it away.
func TestSilentConnection(t *testing.T) {
	t.Parallel() // it waits for the read timeout, most of it idly
	s := servers.Get(t, "mysql-8.0")
	name, db := s.Database(t)
	o := options(s, name)
	network := &silencer{}
	o.Source.Dial = network.dial
	r := open(t, o)
	db.Exec("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1), (2)")
	got := r.take(2)
	network.silent.Store(true)
	db.Exec("INSERT INTO t VALUES (3)")
	dials := network.dials.Load()
	time.AfterFunc(2*time.Second, func() {
		// The heartbeat or the row that comes first is swallowed; new connections are whole.
		network.silent.Store(false)
	})
	got = append(got, r.take(2)...)
	equal(t, got, []string{"schema CREATE TABLE t (id INT PRIMARY KEY)", "insert t 1", "insert t 2", "insert t 3"})
	if network.dials.Load() == dials {
		t.Error("the silent connection was not given up")
	}
}
