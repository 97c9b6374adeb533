//go:build servers

package hosted

import (
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"daybook/e2e/harness"
	"daybook/e2e/servers"
)

// box is what stands between Daybook and its source: far away, and forgetful.
type box struct {
	listener net.Listener
	targets  []string // the source, and another server
	running  sync.WaitGroup
	mu       sync.Mutex
	conns    []net.Conn
	ended    bool
	told     map[string]int // what it did, how often
	bad      atomic.Bool    // else it is far away, and no more
}

// latency is of each direction.
const latency = 75 * time.Millisecond

func newBox(t *testing.T, targets ...string) *box {
	l, err := net.Listen("tcp", harness.FreeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	b := &box{listener: l, targets: targets, told: map[string]int{}}
	b.running.Go(b.accept)
	t.Cleanup(func() {
		_ = l.Close()
		b.mu.Lock()
		b.ended = true
		for _, c := range b.conns {
			_ = c.Close()
		}
		b.mu.Unlock()
		b.running.Wait()
		t.Logf("the box did %v", b.told)
	})
	return b
}

func (b *box) did(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.told[what]++
}

// keep notes connections that the box's end closes.
func (b *box) keep(conns ...net.Conn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.conns = append(b.conns, conns...)
	return !b.ended
}

func (b *box) accept() {
	for {
		near, err := b.listener.Accept()
		if err != nil {
			return
		}
		target, cut := b.targets[0], -1
		switch n := rand.IntN(10); {
		case !b.bad.Load():
		case n == 0:
			target = b.targets[1]
			b.did("lead elsewhere")
		case n < 3:
			cut = rand.IntN(3000) // within greeting, TLS handshake, login and first questions
			b.did("cut early")
		}
		far, err := net.Dial("tcp", target)
		if err != nil || !b.keep(near, far) {
			_ = near.Close()
			continue
		}
		w := &way{box: b, near: near, far: far, left: cut}
		b.running.Go(func() { w.pass(near, far) })
		b.running.Go(func() { w.pass(far, near) })
	}
}

// way is one connection through the box.
type way struct {
	box       *box
	near, far net.Conn
	mu        sync.Mutex
	left      int // bytes until it is cut; negative: it is not
	forgotten bool
}

func (w *way) reset() {
	for _, c := range []net.Conn{w.near, w.far} {
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
	}
}

// fate decides about n bytes: whether the connection is reset, or the bytes are swallowed, as all are from then on.
func (w *way) fate(n int) (reset, swallow bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.left >= 0 {
		if w.left -= n; w.left < 0 {
			return true, false
		}
	}
	switch r := rand.IntN(1000); {
	case w.forgotten || !w.box.bad.Load():
	case r < 10:
		w.box.did("reset")
		return true, false
	case r < 12:
		w.box.did("forget")
		w.forgotten = true
	}
	return false, w.forgotten
}

// pass hands bytes on, each after the latency, in order.
func (w *way) pass(from, to net.Conn) {
	type late struct {
		b  []byte
		at time.Time
	}
	queue := make(chan late, 1024)
	w.box.running.Go(func() {
		for l := range queue {
			time.Sleep(time.Until(l.at))
			if _, err := to.Write(l.b); err != nil {
				_ = from.Close()
			}
		}
		_ = to.Close()
	})
	defer close(queue)
	for {
		b := make([]byte, 16<<10)
		n, err := from.Read(b)
		if err != nil {
			return
		}
		reset, swallow := w.fate(n)
		if reset {
			w.reset()
			return
		}
		if !swallow {
			queue <- late{b[:n], time.Now().Add(latency)}
		}
	}
}

// TestMiddleBox reads through a box that is 150 ms away, resets one in a hundred of what it passes on, forgets connections without a
// word, cuts TLS handshakes in the middle, and leads to another server now and then.
func TestMiddleBox(t *testing.T) { middleBox(t, 20*time.Second, "mysql-8.0", "mariadb-10.11") }

func middleBox(t *testing.T, long time.Duration, versions ...string) {
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			s := servers.Start(t, version, "--server-id=101")
			prepare(t, s)
			b := newBox(t, s.Address, servers.Get(t, version).Address)
			tls := ""
			if !s.MariaDB() && version != "mysql-5.7" { // whose package has no certificate
				tls = "tls: {mode: required}"
			}
			d := daybook(t, b.listener.Addr().String(), tls)
			l := start(t, s.Address, 2)
			b.bad.Store(true)
			for end := time.Now().Add(long); time.Now().Before(end); {
				l.more(t, 100)
			}
			d.Kill()
			d.Start()
			l.more(t, 300)
			b.bad.Store(false)
			l.stop()
			equals(t, d, s)
		})
	}
}
