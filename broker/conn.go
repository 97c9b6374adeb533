package broker

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/auth"
	"daybook/group"
)

// errEnd ends a connection without a word in the log: the reason has been
// logged, or is none of the operator's business.
var errEnd = errors.New("end of connection")

// errRevoked is why a connection ends whose account was deleted, or got another
// password that ends the logins with the one before.
var errRevoked = errors.New("the login has ended")

// errCrowded is why a connection without a login ends that had to make room.
var errCrowded = errors.New("there are too many connections, and this one has not logged in")

// conn is one client's connection. All of it belongs to its own goroutine,
// except cut and end, and in while there is a watcher.
type conn struct {
	net.Conn
	s        *Server
	listener *listener
	host     string // the client's IP address
	log      *slog.Logger
	in       *bufio.Reader
	watcher  *watcher // nil unless the request being handled has waited
	out      []byte   // the response being encoded
	opened   time.Time
	ctx      context.Context // that requests are handled in
	end      context.CancelCauseFunc

	sasl      saslState
	exchange  *auth.Exchange  // nil before a handshake
	principal *auth.Principal // nil until authenticated
	forget    func() bool     // undoes endWith
	clientID  string          // of the request being handled
	last      bool            // end the connection after this response
	reader    *group.Reader   // nil until the first Fetch of the group's partition
}

func newConn(ctx context.Context, s *Server, l *listener, nc net.Conn) *conn {
	host, _, err := net.SplitHostPort(nc.RemoteAddr().String())
	if err != nil {
		host = nc.RemoteAddr().String()
	}
	c := &conn{
		Conn:     nc,
		s:        s,
		listener: l,
		host:     host,
		log:      s.o.Logger.With("listener", l.name, "client", nc.RemoteAddr().String()),
		in:       bufio.NewReader(nc),
		opened:   time.Now(),
		forget:   func() bool { return true },
	}
	c.ctx, c.end = context.WithCancelCause(ctx)
	return c
}

// serve handles requests until the client leaves, does something that is not
// allowed, or its context ends.
func (c *conn) serve() {
	ctx := c.ctx
	defer c.unwatch()
	defer c.Close()
	defer c.s.dismiss(c) // before the client can see the end, and come again
	defer c.endReading()
	defer c.end(nil)
	defer func() { c.forget() }()
	// Wakes a pending read; a request that is being handled sees ctx itself.
	stop := context.AfterFunc(ctx, func() { c.SetReadDeadline(time.Now()) })
	defer stop()
	err := c.handshake(ctx)
	for err == nil {
		err = c.next(ctx)
	}
	switch {
	case errors.Is(context.Cause(ctx), errRevoked):
		c.log.Info("connection closed", "client_id", c.clientID, "reason", context.Cause(ctx))
	case errors.Is(context.Cause(ctx), errCrowded):
		c.complain(slog.LevelWarn, "connection closed", "client_id", c.clientID, "reason", errCrowded)
	case ctx.Err() != nil, errors.Is(err, errEnd), errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.complain(slog.LevelInfo, "connection closed: the client was silent for too long", "client_id", c.clientID)
	default:
		c.complain(slog.LevelWarn, "connection closed", "client_id", c.clientID, "reason", err)
	}
}

// handshake does that of TLS, if the listener has it.
func (c *conn) handshake(ctx context.Context) error {
	tc, ok := c.Conn.(*tls.Conn)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithDeadline(ctx, c.opened.Add(c.s.o.LoginTimeout))
	defer cancel()
	err := tc.HandshakeContext(ctx)
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return fmt.Errorf("TLS handshake: %w", err)
}

// cut ends the connection at once, without TLS's word of farewell, for which
// the client may leave no room. Any goroutine may call it.
func (c *conn) cut() {
	if tc, ok := c.Conn.(*tls.Conn); ok {
		tc.NetConn().Close()
		return
	}
	c.Close()
}

// next reads one request and answers it.
func (c *conn) next(ctx context.Context) error {
	c.unwatch()
	limit, deadline := c.s.o.MaxRequestBytes, time.Now().Add(c.s.o.IdleTimeout)
	if c.principal == nil {
		limit, deadline = maxFrameBeforeLogin, c.opened.Add(c.s.o.LoginTimeout)
	}
	c.SetReadDeadline(deadline)
	if ctx.Err() != nil { // its AfterFunc may have run before the line above
		return errEnd
	}
	size, err := readSize(c.in, limit)
	if err != nil {
		return err
	}
	if size <= smallFrame {
		buf := c.s.frames.Get().(*[]byte)
		frame, err := readBody(c.in, *buf, size)
		if err != nil {
			return err
		}
		err = c.handleFrame(ctx, frame)
		*buf = frame
		c.s.frames.Put(buf)
		return err
	}
	select {
	case c.s.large <- struct{}{}:
		defer func() { <-c.s.large }()
	case <-ctx.Done():
		return errEnd
	}
	// It holds a place that others wait for.
	c.SetReadDeadline(time.Now().Add(c.s.o.TransferTimeout))
	if ctx.Err() != nil {
		return errEnd
	}
	frame, err := readBody(c.in, nil, size)
	if err != nil {
		return err
	}
	return c.handleFrame(ctx, frame)
}

// handleFrame answers the request in frame.
func (c *conn) handleFrame(ctx context.Context, frame []byte) error {
	if c.sasl == saslRawToken {
		return c.rawToken(ctx, frame)
	}
	h, body, err := parseHeader(frame)
	if err != nil {
		return err
	}
	c.clientID = h.clientID
	a, ok := c.s.apis[h.key]
	name := kmsg.NameForKey(h.key)
	switch {
	case !ok:
		return fmt.Errorf("the client asked for API key %d (%s), which is not served", h.key, name)
	case c.principal == nil && !a.beforeLogin:
		return fmt.Errorf("the client sent %s before it authenticated: SASL is required", name)
	case h.version < a.min || h.version > a.max:
		if h.key == apiVersionsKey {
			return c.send(h, unsupportedApiVersions(a), nil)
		}
		return fmt.Errorf("the client asked for %s version %d; versions %d to %d are served", name, h.version, a.min, a.max)
	}
	req := a.new()
	req.SetVersion(h.version)
	if err := a.decode(req, body); err != nil {
		return fmt.Errorf("read %s version %d: %w", name, h.version, err)
	}
	resp, err := a.handle(ctx, c, req)
	if err != nil {
		return err
	}
	var records []byte
	if f, ok := resp.(*fetchResponse); ok {
		records = f.records
		defer f.release()
	}
	if resp != nil {
		err = c.send(h, resp, records)
	}
	if err == nil && c.last {
		return c.linger(ctx)
	}
	return err
}

// linger waits for the client to end the connection after its last answer: a
// client that finds answer and end together may drop the answer and come again,
// as kafka-python 3 does. What it sends instead is not read as requests.
func (c *conn) linger(ctx context.Context) error {
	c.SetReadDeadline(time.Now().Add(c.s.o.Linger))
	if ctx.Err() == nil { // its AfterFunc may have run before the line above
		_, _ = io.CopyN(io.Discard, c.in, maxFrameBeforeLogin)
	}
	return errEnd
}

// decode reads a request's body, and the tags of its header if it has any.
// Bytes behind the body's end are ignored, as Kafka does: librdkafka sends three
// after a Metadata request for all topics from version 9 on.
func (a api) decode(req kmsg.Request, body []byte) (err error) {
	if req.IsFlexible() {
		w := walk{left: maxElements}
		if body, err = w.tags(body, noTag); err != nil {
			return err
		}
	}
	rest, err := a.layout.check(body, req.GetVersion(), req.IsFlexible())
	if err != nil {
		return err
	}
	body = body[:len(body)-len(rest)]
	// kmsg has no known panic; but it reads bytes from outside, and must not
	// be able to end the process that also reads the binlog.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: decoder panic: %v\n%s", errBadFrame, p, debug.Stack())
		}
	}()
	return req.ReadFrom(body)
}

// keepOut is the largest buffer for responses that a connection keeps.
const keepOut = 16 << 10

// send writes a response with one system call. Records, if any, belong in its
// last field but the tags: see fetchResponse.
func (c *conn) send(h header, resp kmsg.Response, records []byte) error {
	out := append(c.out[:0], 0, 0, 0, 0)
	out = binary.BigEndian.AppendUint32(out, uint32(h.correlation))
	// The response header of ApiVersions has no tags in any version, so that
	// a client can read it before it knows the broker (KIP-511).
	if resp.IsFlexible() && h.key != apiVersionsKey {
		out = append(out, 0)
	}
	out = resp.AppendTo(out)
	var tail []byte
	if len(records) > 0 {
		out, tail = spliceRecords(out, len(records), resp.IsFlexible())
	}
	binary.BigEndian.PutUint32(out, uint32(len(out)-4+len(records)+len(tail)))
	if c.out = nil; cap(out) <= keepOut {
		c.out = out
	}
	return c.write(out, records, tail)
}

func (c *conn) write(parts ...[]byte) error {
	c.SetWriteDeadline(time.Now().Add(c.s.o.TransferTimeout))
	bufs := net.Buffers(parts)
	_, err := bufs.WriteTo(c.Conn)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("the client did not take its response for %v", c.s.o.TransferTimeout)
	}
	return err
}
