// Package broker serves the store's partitions and the consumer groups over
// the Kafka protocol.
//
// A [Server] binds the listeners of its [Options] and runs one goroutine per
// connection, which handles one request at a time, in order, as Kafka does; while
// a request waits, a second one looks out for the client's end.
// Every API key has a file of its own, where its version range is registered
// beside its handler; the answer to ApiVersions is made from that register.
//
// Guarantees:
//   - Nothing but ApiVersions and the SASL exchange is answered before a
//     connection is authenticated; then its [auth.Principal] decides: other
//     groups are not authorized, other topics do not exist.
//   - A size that a client states is checked before anything is allocated for
//     it, and memory for responses is taken from one budget for all clients,
//     of which no principal can take the share of another.
//   - Only durable records are served, since the store shows no others.
//   - A connection ends with its login: at once when that is revoked.
//   - Strangers can neither fill the log nor keep others out with connections on
//     which nothing happens.
//   - Close ends every connection and waits for every goroutine, within
//     seconds, however many requests are waiting.
//
// New, Open and Close belong to one goroutine; Addrs may be called by any after Open,
// AwaitEnd after New.
package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"daybook/auth"
	"daybook/group"
	"daybook/store"
)

// ErrPortInUse is returned by Open if another process listens on an address.
var ErrPortInUse = errors.New("address already in use")

// Options configure a Server. The zero value of a limit takes its default.
type Options struct {
	Listeners []Listener
	Store     *store.Store
	Groups    *group.Coordinator
	Accounts  *auth.Registry
	Logger    *slog.Logger
	// Refused is told of each login that is refused, from which IP address; nil: nobody is. The reason may hold
	// what a stranger says, but no password.
	Refused func(address, reason string)

	// Compression is that of the records of a topic for its consumers; plain
	// where there is none. nil: everywhere.
	Compression func(topic string) Compression

	MaxConnections  int           // in all; default 1000
	MaxPerAddress   int           // connections from one IP address; default 500
	MaxPerPrincipal int           // connections that authenticate as the same principal; default 100
	MaxRequestBytes int           // one request after authentication; default 1 MiB + 64 KiB, what a producer sends
	MaxFetchBytes   int           // records in one Fetch response, if its first batch is not larger; default 4 MiB
	FetchMemory     int64         // records in all responses under way; default 64 MiB
	IdleTimeout     time.Duration // a connection without a request; default 10 min, as Kafka
	LoginTimeout    time.Duration // from the accept to a successful login, a TLS handshake included; default 15 s
	DenyDelay       time.Duration // before a failed login or a producer is answered; default 500 ms
	Linger          time.Duration // between the answer to a failed login and the end of its connection, for a client that does not end it; default 1 s
	TransferTimeout time.Duration // for a client to take one response, or to send a request above 16 KiB; default 1 min
	RefusalLines    int           // in the log, about one address in 10 s: refused connections, failed logins and the like; default 5
	ReloadInterval  time.Duration // between two looks at the certificate files; default 2 s
}

func (o Options) withDefaults() Options {
	defaultTo(&o.MaxConnections, 1000)
	defaultTo(&o.MaxPerAddress, 500)
	defaultTo(&o.MaxPerPrincipal, 100)
	defaultTo(&o.MaxRequestBytes, 1<<20+64<<10)
	defaultTo(&o.MaxFetchBytes, 4<<20)
	defaultTo(&o.FetchMemory, 64<<20)
	defaultTo(&o.IdleTimeout, 10*time.Minute)
	defaultTo(&o.LoginTimeout, 15*time.Second)
	defaultTo(&o.DenyDelay, 500*time.Millisecond)
	defaultTo(&o.Linger, time.Second)
	defaultTo(&o.TransferTimeout, time.Minute)
	defaultTo(&o.RefusalLines, 5)
	defaultTo(&o.ReloadInterval, 2*time.Second)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Refused == nil {
		o.Refused = func(string, string) {}
	}
	return o
}

func defaultTo[T int | int64 | time.Duration](v *T, def T) {
	if *v <= 0 {
		*v = def
	}
}

const (
	// nodeID is the ID of the one broker.
	nodeID = 0
	// leaderEpoch of every partition: leadership never moves.
	leaderEpoch = 0
	// closeGrace is how long Close lets responses under way be finished.
	closeGrace = 2 * time.Second
	// largeFrames is how many requests above smallFrame may be held at once.
	largeFrames = 8
)

// Server serves the Kafka protocol.
type Server struct {
	o    Options
	apis map[int16]api

	cancel    context.CancelFunc
	running   sync.WaitGroup // listeners and connections
	listeners []*listener

	frames      sync.Pool     // *[]byte for requests up to smallFrame
	batches     sync.Pool     // *[]byte for fetched records
	large       chan struct{} // held by requests above smallFrame
	fetchMemory *budget
	refusals    *refusals
	damages     damages
	packing     *packing

	mu          sync.Mutex
	conns       map[*conn]struct{}
	byAddress   map[string]int
	byPrincipal map[auth.Principal]int
	dismissed   chan struct{} // closed when a connection has ended, if anybody waits for that
}

// New returns a server that does nothing until Open.
func New(o Options) *Server {
	o = o.withDefaults()
	if o.Compression == nil {
		o.Compression = func(string) Compression { return "" }
	}
	return &Server{
		o:           o,
		apis:        register(),
		frames:      sync.Pool{New: func() any { return new([]byte) }},
		batches:     sync.Pool{New: func() any { return new([]byte) }},
		large:       make(chan struct{}, largeFrames),
		fetchMemory: newBudget(o.FetchMemory),
		refusals:    &refusals{log: o.Logger, lines: o.RefusalLines},
		packing:     newPacking(o.MaxFetchBytes),
		conns:       make(map[*conn]struct{}),
		byAddress:   make(map[string]int),
		byPrincipal: make(map[auth.Principal]int),
	}
}

// Open binds every listener and starts to serve. If one cannot be bound, none
// stays open; an address that is taken is ErrPortInUse. When ctx ends, so does
// the service, but Close is needed to wait for it.
func (s *Server) Open(ctx context.Context) error {
	ctx, s.cancel = context.WithCancel(ctx)
	for _, l := range s.o.Listeners {
		bound, err := bind(ctx, l, s.o.Logger)
		if err != nil {
			s.cancel()
			for _, l := range s.listeners {
				l.Close()
			}
			s.listeners = nil
			return err
		}
		s.listeners = append(s.listeners, bound)
	}
	s.packing.watch = func(part *store.Partition) {
		s.running.Go(func() {
			select {
			case <-part.Deleted():
				s.packing.forget(part.TopicID())
			case <-ctx.Done():
			}
		})
	}
	for _, l := range s.listeners {
		stop := context.AfterFunc(ctx, func() { l.Close() })
		s.running.Go(func() {
			defer stop()
			s.accept(ctx, l)
		})
		if l.certificates != nil {
			s.running.Go(func() { l.certificates.Watch(ctx, s.o.ReloadInterval) })
		}
		s.o.Logger.Info("kafka listener is up", "listener", l.name, "address", l.Addr().String(), "advertised", l.advertised(), "tls", l.certificates != nil)
	}
	return nil
}

// Addrs returns the bound addresses, in the order of Options.Listeners.
func (s *Server) Addrs() []net.Addr {
	addrs := make([]net.Addr, len(s.listeners))
	for i, l := range s.listeners {
		addrs[i] = l.Addr()
	}
	return addrs
}

// Close ends all connections, the waiting requests among them, and waits for
// every goroutine. Clients that do not take their response within two seconds
// are cut off.
func (s *Server) Close() error {
	if s.cancel == nil {
		return nil
	}
	s.cancel()
	cut := time.AfterFunc(closeGrace, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for c := range s.conns {
			c.cut()
		}
	})
	s.running.Wait()
	cut.Stop()
	s.refusals.close()
	return nil
}

// admit counts a new connection in, unless there are too many. If there are, the
// one that has tried to log in for longest makes room: whoever just connects, and
// does nothing more, cannot keep the others out.
func (s *Server) admit(c *conn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.byAddress[c.host]; n >= s.o.MaxPerAddress {
		return fmt.Errorf("there are %d connections from this address already", n)
	}
	if n := len(s.conns); n >= s.o.MaxConnections {
		stranger := s.stranger()
		if stranger == nil {
			return fmt.Errorf("there are %d connections already", n)
		}
		delete(s.conns, stranger)
		stranger.end(errCrowded)
		stranger.cut()
	}
	s.byAddress[c.host]++
	s.conns[c] = struct{}{}
	return nil
}

// stranger returns the connection that has been without a login for longest, or
// nil.
func (s *Server) stranger() (oldest *conn) {
	for c := range s.conns {
		if c.principal == nil && (oldest == nil || c.opened.Before(oldest.opened)) {
			oldest = c
		}
	}
	return oldest
}

// login counts an authenticated connection in, unless its principal has too
// many.
func (s *Server) login(c *conn, p auth.Principal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.conns[c]; !ok {
		return errCrowded
	}
	if n := s.byPrincipal[p]; n >= s.o.MaxPerPrincipal {
		return fmt.Errorf("this account has %d connections already", n)
	}
	s.byPrincipal[p]++
	c.principal = &p
	return nil
}

func (s *Server) dismiss(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	decrease(s.byAddress, c.host)
	if c.principal != nil {
		decrease(s.byPrincipal, *c.principal)
	}
	if s.dismissed != nil {
		close(s.dismissed)
		s.dismissed = nil
	}
}

// AwaitEnd waits until no connection is logged in to a group, and no request of
// one is under way. Once the group's account is deleted, that is soon, and for
// good. Any goroutine may call it.
func (s *Server) AwaitEnd(ctx context.Context, group string) error {
	for {
		dismissed := s.nextEnd(group)
		if dismissed == nil {
			return nil
		}
		select {
		case <-dismissed:
		case <-ctx.Done():
			return fmt.Errorf("wait for the end of the connections of group %s: %w", group, context.Cause(ctx))
		}
	}
}

// nextEnd is closed when the next connection has ended; it is nil if the group
// has none.
func (s *Server) nextEnd(group string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range s.byPrincipal {
		if p.Group == group {
			if s.dismissed == nil {
				s.dismissed = make(chan struct{})
			}
			return s.dismissed
		}
	}
	return nil
}

// decrease counts one down, and forgets what is at zero.
func decrease[K comparable](counts map[K]int, key K) {
	if counts[key]--; counts[key] == 0 {
		delete(counts, key)
	}
}
