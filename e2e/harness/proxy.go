package harness

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Proxy passes TCP connections on to a server. It cuts them on demand, at
// whatever byte they are, as a network does, refuses new ones for as long as it
// is closed, and can lead to another server. All methods may be called from any
// goroutine; it ends with the test.
type Proxy struct {
	listener net.Listener
	running  sync.WaitGroup

	mu      sync.Mutex
	target  string
	refuses bool
	conns   map[net.Conn]bool
	ended   bool
}

// NewProxy listens on loopback and leads to the target, host:port.
func NewProxy(t *testing.T, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", FreeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: l, target: target, conns: make(map[net.Conn]bool)}
	p.running.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close()
		p.mu.Lock()
		p.ended = true
		p.mu.Unlock()
		p.Cut()
		p.running.Wait()
	})
	return p
}

// Address returns where the proxy listens.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Close cuts every connection and ends new ones at once, until Open.
func (p *Proxy) Close() {
	p.mu.Lock()
	p.refuses = true
	p.mu.Unlock()
	p.Cut()
}

// Open lets new connections pass again.
func (p *Proxy) Open() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuses = false
}

// Lead makes new connections go to another server, and cuts the others.
func (p *Proxy) Lead(target string) {
	p.mu.Lock()
	p.target = target
	p.mu.Unlock()
	p.Cut()
}

// Cut resets every connection.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
	}
}

func (p *Proxy) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		target, refuses := p.target, p.refuses
		p.mu.Unlock()
		if refuses {
			_ = near.Close()
			continue
		}
		far, err := net.Dial("tcp", target)
		if err != nil { // the server is down, and so is the way to it
			_ = near.Close()
			continue
		}
		if p.add(near, far) {
			p.running.Go(func() { p.pipe(near, far) })
			p.running.Go(func() { p.pipe(far, near) })
		}
	}
}

// add says false, and ends the connections, if there is no way any more.
func (p *Proxy) add(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		if p.ended || p.refuses {
			_ = c.Close()
		} else {
			p.conns[c] = true
		}
	}
	return !p.ended && !p.refuses
}

// pipe ends both connections when one ends.
func (p *Proxy) pipe(dst, src net.Conn) {
	_, _ = io.Copy(dst, src)
	_ = dst.Close()
	_ = src.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, dst)
	delete(p.conns, src)
}
