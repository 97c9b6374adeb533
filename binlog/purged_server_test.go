//go:build servers

package binlog_test

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"daybook/binlog"
)

// dumpHook runs something right before one of the dumps that a reader asks for.
type dumpHook struct {
	net.Conn
	left *atomic.Int32
	run  func()
}

// Write looks for the commands.
func (h *dumpHook) Write(b []byte) (int, error) {
	const dump, dumpGTID = 0x12, 0x1e
	if len(b) > 4 && b[3] == 0 && (b[4] == dump || b[4] == dumpGTID) && h.left.Add(-1) == 0 {
		h.run()
	}
	return h.Conn.Write(b)
}

// TestPurgedMeanwhile purges the binlogs, all of which was read, between the moment when they are listed and that when they are asked
// for: reading goes on.
func TestPurgedMeanwhile(t *testing.T) {
	for _, version := range []string{"mysql-5.7", "mysql-8.0", "mysql-9", "mariadb-10.11", "mariadb-11.8"} {
		for nth := int32(1); nth <= 2; nth++ { // of a look, and of the reading itself
			t.Run(fmt.Sprintf("%s/%d", version, nth), func(t *testing.T) {
				t.Parallel()
				s := own(t, version)
				name, db := s.Database(t)
				db.Exec("CREATE TABLE t (id INT PRIMARY KEY)", "FLUSH BINARY LOGS")
				var left atomic.Int32
				o := options(s, name)
				o.Source.TLS.Mode = binlog.TLSDisabled
				var mu sync.Mutex
				var conns []net.Conn
				purger, number := s.Connect(t, ""), 0
				if _, err := fmt.Sscanf(newest(db), "binlog.%d", &number); err != nil {
					t.Fatal(err)
				}
				purged := make(chan struct{})
				purge := func() {
					if err := cmp.Or(purger.Try("FLUSH BINARY LOGS"), purger.Try(fmt.Sprintf("PURGE BINARY LOGS TO 'binlog.%06d'", number+1))); err != nil {
						t.Error(err)
					}
					close(purged)
				}
				o.Source.Dial = func(ctx context.Context, address string) (net.Conn, error) {
					c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
					mu.Lock()
					defer mu.Unlock()
					conns = append(conns, c)
					return &dumpHook{c, &left, purge}, err
				}
				r := open(t, o)
				db.Exec("INSERT INTO t VALUES (1)")
				equal(t, r.take(1), []string{"insert t 1"})
				r.ended()
				left.Store(nth)
				mu.Lock()
				for _, c := range conns {
					_ = c.Close()
				}
				mu.Unlock()
				for done := false; !done; {
					if c, err := r.Poll(); c != nil || err != nil {
						t.Fatalf("%v, %v", c, err)
					}
					select {
					case <-purged:
						done = true
					case <-r.Ready():
					}
				}
				db.Exec("INSERT INTO t VALUES (2)")
				equal(t, r.take(1), []string{"insert t 2"})
			})
		}
	}
}
