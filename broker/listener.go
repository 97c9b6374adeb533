package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"syscall"
	"time"

	"daybook/auth"
	"daybook/servertls"
)

// Listener is one address to serve on.
type Listener struct {
	Name       string
	Address    string           // host:port to bind; port 0 takes a free one
	Advertised string           // host:port that clients are told to connect to; "": the bound address
	Mechanisms []auth.Mechanism // that clients may log in by; nil: all
	TLS        *servertls.Files // nil: connections are not encrypted
}

// listener is a bound Listener and what it tells clients about itself.
type listener struct {
	net.Listener
	name         string
	host         string // advertised
	port         int32  // advertised
	mechanisms   []auth.Mechanism
	certificates *servertls.Certificates // nil without TLS
}

func (l *listener) advertised() string { return net.JoinHostPort(l.host, strconv.Itoa(int(l.port))) }

// bind reads the certificates of l, if it has any, and opens its port.
func bind(ctx context.Context, l Listener, log *slog.Logger) (*listener, error) {
	bound := &listener{name: l.Name, mechanisms: l.Mechanisms}
	if len(bound.mechanisms) == 0 {
		bound.mechanisms = auth.Mechanisms()
	}
	if l.TLS != nil {
		var err error
		if bound.certificates, err = servertls.Load(*l.TLS, log.With("listener", l.Name)); err != nil {
			return nil, fmt.Errorf("open kafka listener %q: %w", l.Name, err)
		}
	}
	var lc net.ListenConfig
	nl, err := lc.Listen(ctx, "tcp", l.Address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("open kafka listener %q: %s: %w: stop the process that listens there, or change the listener's address", l.Name, l.Address, ErrPortInUse)
	}
	if err != nil {
		return nil, fmt.Errorf("open kafka listener %q: %w", l.Name, err)
	}
	bound.Listener = nl
	if bound.host, bound.port, err = advertise(l, nl.Addr()); err != nil {
		nl.Close()
		return nil, fmt.Errorf("open kafka listener %q: %w", l.Name, err)
	}
	return bound, nil
}

// advertise returns the address that clients of l are told. A port that is
// left to the system is filled in from the bound address.
func advertise(l Listener, bound net.Addr) (host string, port int32, err error) {
	address := l.Advertised
	if address == "" {
		address = l.Address
	}
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fmt.Errorf("advertised address %q: %w", address, err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		return "", 0, fmt.Errorf("advertised address %q: clients cannot connect to it: set an advertised host and port that they can reach", address)
	}
	n, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("advertised address %q: the port is no number from 0 to 65535", address)
	}
	if n == 0 {
		n = uint64(bound.(*net.TCPAddr).Port)
	}
	return host, int32(n), nil
}

// accept serves connections until the listener is closed.
func (s *Server) accept(ctx context.Context, l *listener) {
	const retry = 50 * time.Millisecond
	for {
		nc, err := l.Accept()
		if ctx.Err() != nil {
			if err == nil {
				nc.Close()
			}
			return
		}
		if err != nil {
			// Out of file descriptors, mostly: it passes when connections end.
			if s.refusals.pass(l.Addr().String()) {
				s.o.Logger.Error("cannot accept a connection", "listener", l.name, "error", err)
			}
			sleep(ctx, retry)
			continue
		}
		if l.certificates != nil {
			nc = tls.Server(nc, l.certificates.Config())
		}
		c := newConn(ctx, s, l, nc)
		if err := s.admit(c); err != nil {
			c.complain(slog.LevelWarn, "connection refused", "reason", err)
			c.end(nil)
			nc.Close()
			continue
		}
		s.running.Go(c.serve)
	}
}

// sleep waits for d or the end of ctx.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
