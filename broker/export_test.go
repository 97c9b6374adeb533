package broker

import (
	"context"
	"net"
)

// ServeConn serves one connection, which no listener has accepted, until it
// ends.
func (s *Server) ServeConn(ctx context.Context, nc net.Conn) {
	c := newConn(s, s.listeners[0], nc)
	if s.admit(c) == nil {
		c.serve(ctx)
	}
}
