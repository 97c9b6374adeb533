// Package hush is a network that falls silent: a [Proxy] passes TCP connections
// on to a server until a [Trigger] says stop. From then on nothing passes, and
// nothing says so: no connection is closed, new ones are accepted. After
// [Proxy.Restore] new connections pass again; the old ones stay silent, as
// behind a router that has forgotten them.
//
// All methods may be called from any goroutine. The proxy ends with the test.
package hush

import (
	"net"
	"sync"
	"testing"
)

// Direction is that of bytes.
type Direction bool

// The directions.
const (
	ToServer Direction = true
	ToClient Direction = false
)

// Trigger looks at bytes that are about to pass on a connection, of which it is
// told how often the client has sent before; it returns how many of them still
// pass before silence falls, or -1: all, and no silence.
type Trigger func(d Direction, requests int, b []byte) int

// InAnswer falls silent in the middle of what the server sends after that many
// requests of a connection; 0: in its greeting.
func InAnswer(requests int) Trigger {
	return func(d Direction, n int, b []byte) int {
		if d == ToClient && n == requests {
			return len(b) / 2
		}
		return -1
	}
}

// Now falls silent with the next byte.
func Now(Direction, int, []byte) int { return 0 }

// Proxy passes connections on.
type Proxy struct {
	target   string
	listener net.Listener
	running  sync.WaitGroup
	ended    chan struct{}

	mu      sync.Mutex
	trigger Trigger
	out     bool
	fell    chan struct{} // closed when silence falls; nil: nobody waits
	dials   int
	conns   []net.Conn
	links   []*link
}

// link is one connection and how it goes on to the server.
type link struct {
	requests int
	silent   bool
}

// New listens on loopback and leads to the target, host:port.
func New(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{target: target, listener: l, ended: make(chan struct{})}
	p.running.Go(p.accept)
	t.Cleanup(func() {
		close(p.ended)
		_ = l.Close()
		p.Cut()
		p.running.Wait()
	})
	return p
}

// Address returns where the proxy listens.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Arm sets what makes silence fall, and returns a channel that is closed then.
func (p *Proxy) Arm(trigger Trigger) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	fell := make(chan struct{})
	p.trigger, p.fell = trigger, fell
	return fell
}

// Silence makes silence fall at once.
func (p *Proxy) Silence() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fall()
}

// Restore lets new connections pass, and disarms the trigger.
func (p *Proxy) Restore() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.out, p.trigger, p.fell = false, nil, nil
}

// Dials returns how many connections were made.
func (p *Proxy) Dials() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dials
}

// Cut closes all connections, the silent ones, too.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns, p.links = nil, nil
}

func (p *Proxy) fall() {
	if p.fell != nil {
		close(p.fell)
	}
	p.out, p.trigger, p.fell = true, nil, nil
	for _, l := range p.links {
		l.silent = true
	}
}

func (p *Proxy) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = near.Close()
			continue
		}
		p.mu.Lock()
		l := &link{silent: p.out}
		p.dials++
		p.conns, p.links = append(p.conns, near, far), append(p.links, l)
		p.mu.Unlock()
		p.running.Go(func() { p.pipe(far, near, l, ToServer) })
		p.running.Go(func() { p.pipe(near, far, l, ToClient) })
		select {
		case <-p.ended:
			p.Cut()
		default:
		}
	}
}

// pipe passes bytes on until one side ends, or silence falls.
func (p *Proxy) pipe(dst, src net.Conn, l *link, d Direction) {
	b := make([]byte, 64<<10)
	for {
		n, err := src.Read(b)
		pass, silent := p.pass(l, d, b[:n])
		if _, err := dst.Write(b[:pass]); err != nil {
			break
		}
		if silent {
			<-p.ended
			return
		}
		if err != nil {
			break
		}
	}
	_ = dst.Close()
	_ = src.Close()
}

// pass returns how many of the bytes pass, and whether silence is then.
func (p *Proxy) pass(l *link, d Direction, b []byte) (n int, silent bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.silent {
		return 0, true
	}
	if d == ToServer && len(b) > 0 {
		l.requests++
	}
	if p.trigger != nil && len(b) > 0 {
		if n := p.trigger(d, l.requests, b); n >= 0 {
			p.fall()
			return n, true
		}
	}
	return len(b), false
}
