package broker

import (
	"bufio"
	"context"
	"errors"
	"os"
	"time"
)

// A connection's goroutine reads a request, handles it and reads the next, so
// while a handler waits for records or for other members nobody would notice
// that the client is gone. A handler that is about to wait therefore calls
// watch, which has a second goroutine read on until the next request; net/http
// does the same for its handlers. Requests that do not wait have no such
// goroutine, nor have connections without a request.

// watcher is the goroutine that reads while a handler waits.
type watcher struct {
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}
}

// aMomentAgo is a deadline that has passed.
var aMomentAgo = time.Unix(1, 0)

// watch returns a context that ends when ctx does or the client leaves, for
// what the request being handled waits for. It owns the connection's input
// until unwatch.
func (c *conn) watch(ctx context.Context) context.Context {
	if c.watcher != nil {
		return c.watcher.ctx
	}
	w := &watcher{done: make(chan struct{})}
	w.ctx, w.cancel = context.WithCancel(ctx)
	c.watcher = w
	c.SetReadDeadline(time.Time{}) // that of the request may end before the wait
	go func() {
		defer close(w.done)
		if left(c.in) {
			w.cancel()
		}
	}()
	return w.ctx
}

// unwatch gives the input back to the connection's goroutine, with all that the
// client has sent meanwhile.
func (c *conn) unwatch() {
	w := c.watcher
	if w == nil {
		return
	}
	c.watcher = nil
	c.SetReadDeadline(aMomentAgo)
	<-w.done
	w.cancel()
}

// left reads until the connection ends, which it tells, or its deadline, or the
// buffer is full of the requests that come next.
func left(in *bufio.Reader) bool {
	for in.Buffered() < in.Size() {
		if _, err := in.Peek(in.Buffered() + 1); err != nil {
			return !errors.Is(err, os.ErrDeadlineExceeded)
		}
	}
	return false
}
