package broker

import (
	"context"
	"log/slog"
	"net"
	"runtime"
	"testing"
)

// ServeConn serves one connection, which no listener has accepted, until it
// ends.
func (s *Server) ServeConn(ctx context.Context, nc net.Conn) {
	c := newConn(ctx, s, s.listeners[0], nc)
	if s.admit(c) == nil {
		c.serve()
	}
}

// Allocates fails unless f allocates at most limit bytes, at least in one of
// some runs: work in the background may fall into others.
func Allocates(t *testing.T, limit int, f func()) {
	t.Helper()
	var got uint64
	for range 5 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		if got = after.TotalAlloc - before.TotalAlloc; got <= uint64(limit) {
			return
		}
	}
	t.Errorf("%d bytes were allocated, the limit is %d", got, limit)
}

// FreeFetchMemory is what no response holds.
func (s *Server) FreeFetchMemory() int64 {
	s.fetchMemory.mu.Lock()
	defer s.fetchMemory.mu.Unlock()
	return s.fetchMemory.free
}

const (
	RefusalWindow    = refusalWindow
	RefusalAddresses = refusalAddresses
)

func NewRefusals(log *slog.Logger, lines int) *refusals { return &refusals{log: log, lines: lines} }
func (r *refusals) Pass(address string) bool            { return r.pass(address) }
func (r *refusals) Close()                              { r.close() }

// Addresses is how many are kept.
func (r *refusals) Addresses() int { return len(r.counts) }

// PackedBytes is what is kept of compressed batches.
func (s *Server) PackedBytes() int {
	s.packing.mu.Lock()
	defer s.packing.mu.Unlock()
	bytes := 0
	for _, b := range s.packing.packed {
		bytes += len(b.bytes)
	}
	if bytes != s.packing.size {
		panic("the size of what is kept is wrong")
	}
	return bytes
}
