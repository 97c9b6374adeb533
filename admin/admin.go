// Package admin is how Daybook is managed: an HTTP server with a JSON API,
// metrics and a health check, and the Go client that package cli uses.
//
// The main types are [Server] and [Client]; from those that both speak, such as
// [Group] and [ResetRequest], the API's OpenAPI description is made. A new
// operation is registered in the file of its resource, see groupOperations.
//
// Guarantees:
//   - What is served is what is described, and requests are held to it.
//   - Nothing but the health check and the description is answered without a token
//     whose role covers what the operation needs; who has one is served at once, however
//     many wrong ones are tried.
//   - No error repeats a password.
//   - A page in a browser can neither read nor change anything: names that are
//     not the server's are refused (DNS rebinding), so are writes from other
//     origins, and there are no cookies.
//   - Sizes and times of what a client sends are bounded.
//   - What an answer acknowledges is durable.
//
// New, Open and Close of a Server belong to one goroutine. A Client may be used
// by any number of them.
package admin

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"daybook/access"
	"daybook/auth"
	"daybook/group"
	"daybook/journal"
	"daybook/servertls"
	"daybook/store"
	"daybook/tail"
	"daybook/task"
)

// ErrPortInUse is returned by Open if another process listens on the address.
var ErrPortInUse = errors.New("address already in use")

// Options configure a Server. All but Hosts, TLS, AwaitEnd and Logger are required.
type Options struct {
	Address string           // host:port to bind; port 0 takes a free one
	Hosts   []string         // further names that clients may call it by, such as a reverse proxy's
	TLS     *servertls.Files // nil: connections are not encrypted

	Tokens   *access.Registry // open
	Store    *store.Store
	Groups   *group.Coordinator
	Accounts *auth.Registry
	Tasks    *task.Manager
	Journal  *journal.Log      // of events
	Refusals *journal.Refusals // events of tokens and roles that were refused
	// AwaitEnd waits until no connection of a group, whose account is gone, is left.
	AwaitEnd func(ctx context.Context, group string) error

	DataDir    string     // for people
	Listeners  []Listener // for consumers, for people
	ConfigFile string     // that declares tasks and groups, for messages
	Version    string     // of Daybook
	Logger     *slog.Logger
}

const (
	maxConnections  = 256
	maxReaders      = 32 // of changes
	maxTurns        = 2  // batches of the logs in memory
	maxWaiting      = 32 // requests with a wrong token, which are answered late
	maxHeaderBytes  = 16 << 10
	maxRequestBytes = 64 << 10
	headerTimeout   = 5 * time.Second
	readTimeout     = 15 * time.Second
	writeTimeout    = time.Minute
	idleTimeout     = time.Minute
	closeGrace      = 2 * time.Second
	reloadInterval  = 2 * time.Second
)

// Server serves the API.
type Server struct {
	o        Options
	throttle *auth.Throttle
	refusals *limitedLog   // of clients
	troubles *limitedLog   // of the server's own, which refusals must not drown
	waiting  chan struct{} // held by requests with a wrong token until they are answered
	origins  *http.CrossOriginProtection

	readers chan struct{} // held by requests that read changes
	turn    tail.Turn     // of reading the logs

	// changes is held while a group comes or goes, which takes several steps.
	changes sync.Mutex

	started  time.Time
	http     *http.Server
	listener net.Listener
	conns    atomic.Int64
	cancel   context.CancelFunc
	running  sync.WaitGroup
}

// New returns a server that does nothing until Open.
func New(o Options) *Server {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.AwaitEnd == nil {
		o.AwaitEnd = func(context.Context, string) error { return nil }
	}
	return &Server{
		o: o, started: time.Now(), throttle: auth.NewThrottle(), refusals: &limitedLog{log: o.Logger}, troubles: &limitedLog{log: o.Logger},
		readers: make(chan struct{}, maxReaders), turn: make(tail.Turn, maxTurns),
		waiting: make(chan struct{}, maxWaiting), origins: http.NewCrossOriginProtection(),
	}
}

// Open binds the address and starts to serve; an address that is taken is ErrPortInUse. When ctx ends, requests that
// wait do too, but Close is needed to wait for them.
func (s *Server) Open(ctx context.Context) error {
	handler, err := s.handler()
	if err != nil {
		return fmt.Errorf("open admin API: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	certificates, err := s.bind(ctx)
	if err != nil {
		cancel()
		return fmt.Errorf("open admin API: %w", err)
	}
	s.cancel = cancel
	s.http = &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnState:         s.count,
		ErrorLog:          log.New(errorLog{s.refusals}, "", 0),
	}
	s.running.Go(func() {
		if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			s.o.Logger.Error("the admin API's listener failed", "error", err)
		}
	})
	if certificates != nil {
		s.running.Go(func() { certificates.Watch(ctx, reloadInterval) })
	}
	s.o.Logger.Info("admin API is up", "address", s.Addr().String(), "tls", certificates != nil)
	return nil
}

func (s *Server) bind(ctx context.Context) (*servertls.Certificates, error) {
	var certificates *servertls.Certificates
	if s.o.TLS != nil {
		var err error
		if certificates, err = servertls.Load(*s.o.TLS, s.o.Logger.With("listener", "admin")); err != nil {
			return nil, err
		}
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.o.Address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s: %w: stop the process that listens there, or change admin.address in the configuration", s.o.Address, ErrPortInUse)
	}
	if err != nil {
		return nil, err
	}
	if certificates != nil {
		l = tls.NewListener(l, &tls.Config{
			GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return certificates.Config(), nil },
		})
	}
	s.listener = l
	return certificates, nil
}

// Addr returns the bound address. It may be called after Open.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Close ends the service: requests under way have two seconds to be answered.
func (s *Server) Close() error {
	if s.cancel == nil {
		return nil
	}
	s.cancel()
	ctx, cancel := context.WithTimeout(context.Background(), closeGrace)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		_ = s.http.Close() // of connections that did not end in time
	}
	s.running.Wait()
	return nil
}

// count keeps the number of connections below maxConnections.
func (s *Server) count(c net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		if s.conns.Add(1) > maxConnections {
			s.refusals.warn("connection to the admin API refused: there are too many", "address", host(c.RemoteAddr().String()))
			_ = c.Close() // the server notices when it reads
		}
	case http.StateClosed, http.StateHijacked:
		s.conns.Add(-1)
	}
}

// host returns the address without its port.
func host(address string) string {
	if h, _, err := net.SplitHostPort(address); err == nil {
		return h
	}
	return address
}
