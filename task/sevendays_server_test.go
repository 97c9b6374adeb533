//go:build servers

package task_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"daybook/binlog"
	"daybook/e2e/servers"
	"daybook/recordbatch"
	"daybook/store"
	"daybook/store/storetest"
	"daybook/task"
)

// link is a way to a server that can be cut.
type link struct {
	address string
	dialed  chan struct{} // of one, which tells of a connection that was made
	mu      sync.Mutex
	cut     bool
	conns   []net.Conn
}

func (l *link) dial(ctx context.Context, _ string) (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut {
		return nil, errors.New("no route to host")
	}
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", l.address)
	if err == nil {
		l.conns = append(l.conns, c)
		select {
		case l.dialed <- struct{}{}:
		default:
		}
	}
	return c, err
}

func (l *link) away() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = true
	for _, c := range l.conns {
		_ = c.Close()
	}
	l.conns = nil
	select {
	case <-l.dialed:
	default:
	}
}

func (l *link) back() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = false
}

// TestSevenDays has a real server be away for 6 days and 23 hours by the clock of Daybook, which is restarted
// meanwhile: the task goes on by itself, and nothing is lost. When it is away for longer, the task stays in Error,
// also after a restart with the server back, until it is resumed; then too nothing is lost.
//
// Where the server is there the clock stands still, as what is read from a network is not of its bubble.
func TestSevenDays(t *testing.T) {
	s := servers.Get(t, "mysql-8.0")
	db, conn := s.Database(t)
	conn.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
	synctest.Test(t, func(t *testing.T) {
		l := &link{address: s.Address, dialed: make(chan struct{}, 1)}
		o := options(s, servers.Repl, servers.Repl)
		o.Name, o.Include, o.SchemaChanges, o.Source.Dial = "shop", []string{db + ".t"}, binlog.SchemaChangesNone, l.dial
		d := &daybook{t: t, o: o, s: storetest.OpenWith(t, store.Options{Dir: "data", FS: vfs.NewMem()})}
		d.open()
		insert := func(id int) { conn.Exec(fmt.Sprintf("INSERT INTO t VALUES (%d)", id)) }
		d.await(task.Normal)
		insert(1)
		d.read(1)

		l.away()
		insert(2)
		time.Sleep(3 * 24 * time.Hour)
		d.open()
		insert(3)
		time.Sleep(3*24*time.Hour + 23*time.Hour)
		d.await(task.Error)
		insert(4)
		l.back()
		<-l.dialed // until then the clock goes on
		d.await(task.Normal)
		insert(5)
		d.read(2, 3, 4, 5)

		l.away()
		insert(6)
		time.Sleep(7*24*time.Hour + time.Hour)
		l.back()
		for range 2 {
			time.Sleep(24 * time.Hour)
			if st := d.await(task.Error); !strings.Contains(st.Reason, task.ErrGaveUp.Error()) || !st.Retry.IsZero() {
				t.Errorf("after seven days: %+v", st)
			}
			d.open()
		}
		insert(7)
		d.read()
		tracked, _ := d.m.Task("shop")
		if err := tracked.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-l.dialed
		d.await(task.Normal)
		d.read(6, 7)
		if err := d.m.Close(); err != nil {
			t.Error(err)
		}
	})
}

// daybook is a manager of one task, and what its log was read to.
type daybook struct {
	t    *testing.T
	o    task.Options
	s    *store.Store
	m    *task.Manager
	next int64
}

// open opens it anew.
func (d *daybook) open() {
	d.t.Helper()
	if d.m != nil {
		if err := d.m.Close(); err != nil {
			d.t.Fatal(err)
		}
	}
	d.m = task.NewManager(task.ManagerOptions{Store: d.s, Declared: []task.Options{d.o}})
	if err := d.m.Open(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
}

// until waits by the world's clock, as that of the bubble stands still.
func (d *daybook) until(what string, is func() bool) {
	d.t.Helper()
	for range 3000 {
		if is() {
			return
		}
		_ = syscall.Nanosleep(&syscall.Timespec{Nsec: 1e7}, nil)
	}
	tracked, _ := d.m.Task("shop")
	d.t.Fatalf("not %s within 30 seconds: %+v", what, tracked.Status())
}

func (d *daybook) await(state task.State) (st task.Status) {
	d.t.Helper()
	tracked, _ := d.m.Task("shop")
	d.until(string(state), func() bool { st = tracked.Status(); return st.State == state })
	return st
}

// read wants the log to go on with the insertion of just these rows.
func (d *daybook) read(ids ...int) {
	d.t.Helper()
	p, _ := d.s.Partition("shop")
	if len(ids) > 0 {
		d.until("read", func() bool { return p.HighWatermark() >= d.next+int64(len(ids)) })
	}
	var got []string
	for d.next < p.HighWatermark() {
		b, err := p.Read(nil, d.next, 1)
		if err != nil {
			d.t.Fatal(err)
		}
		for r, err := range recordbatch.Records(b) {
			if err != nil {
				d.t.Fatal(err)
			}
			got = append(got, string(r.Key))
			d.next = r.Offset + 1
		}
	}
	var want []string
	for _, id := range ids {
		want = append(want, fmt.Sprintf(`{"id":%d}`, id))
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		d.t.Errorf("the log goes on with %v, want %v", got, want)
	}
}
