package dump

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// question is what a connection waits for the answer to.
type question struct {
	ctx      context.Context
	deadline time.Time
	// silent is called when nothing has come for a while; nil: only the
	// deadline counts.
	silent func(ctx context.Context) error
}

// ask runs the exchange of a question and its answer, within limit. doing says
// what it is, for errors. What silent returns ends the exchange.
func (c *Conn) ask(ctx context.Context, doing string, limit time.Duration, exchange func() error) error {
	return c.askPatiently(ctx, doing, limit, nil, exchange)
}

func (c *Conn) askPatiently(ctx context.Context, doing string, limit time.Duration, silent func(context.Context) error, exchange func() error) error {
	if c.broken != nil {
		return fmt.Errorf("%s: the connection is broken: %w", doing, c.broken)
	}
	c.asked = question{ctx: ctx, deadline: time.Now().Add(limit), silent: silent}
	if err := c.net.SetDeadline(c.asked.deadline); err != nil {
		return c.breakOff(Transient(fmt.Errorf("%s: %w", doing, err)))
	}
	stop := context.AfterFunc(ctx, func() { _ = c.raw.SetDeadline(time.Unix(1, 0)) })
	err := exchange()
	if !stop() {
		err = errors.Join(ctx.Err(), err)
	}
	switch {
	case err == nil:
		if err = c.net.SetDeadline(time.Time{}); err != nil {
			return c.breakOff(Transient(fmt.Errorf("%s: %w", doing, err)))
		}
		return nil
	case serverError(err) != nil && ctx.Err() == nil:
		return classify(doing, err) // an answer, too
	case ctx.Err() != nil:
		return c.breakOff(fmt.Errorf("%s: %w", doing, ctx.Err()))
	case isTimeout(err):
		return c.breakOff(Transient(fmt.Errorf("%s: no answer within %s: %w", doing, limit, err)))
	case IsTransient(err) || errors.Is(err, ErrTLS) || errors.Is(err, ErrAuth) || errors.Is(err, ErrAnswer):
		return c.breakOff(fmt.Errorf("%s: %w", doing, err))
	}
	return c.breakOff(Transient(fmt.Errorf("%s: %w", doing, err)))
}

func (c *Conn) breakOff(err error) error {
	c.broken = err
	return err
}

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// answers reads for the question that was asked.
type answers struct{ c *Conn }

func (a answers) Read(b []byte) (int, error) {
	q, c := &a.c.asked, a.c
	for {
		until := q.deadline
		if next := time.Now().Add(c.times.Silence); q.silent != nil && next.Before(until) {
			until = next
		}
		if err := c.net.SetReadDeadline(until); err != nil {
			return 0, err
		}
		if err := q.ctx.Err(); err != nil { // whose deadline was overwritten just now
			return 0, err
		}
		n, err := c.net.Read(b)
		if n > 0 || !isTimeout(err) || q.silent == nil || !time.Now().Before(q.deadline) {
			return n, err
		}
		if err := q.silent(q.ctx); err != nil {
			return 0, err
		}
	}
}

// readPacket reads the next packet, of at most so many bytes, joined from parts
// of 16 MiB. Memory grows with what has come, not with what was announced.
func (c *Conn) readPacket(most int) ([]byte, error) {
	var b bytes.Buffer
	for {
		var h [packetHeader]byte
		if _, err := io.ReadFull(c.in, h[:]); err != nil {
			return nil, unexpected(err)
		}
		if h[3] != c.seq {
			return nil, fmt.Errorf("packet %d came in place of %d: no answer of a MySQL server", h[3], c.seq)
		}
		c.seq++
		n := packetLength(h[:])
		if b.Len()+n > most {
			return nil, fmt.Errorf("%w: more than %d bytes", ErrAnswer, most)
		}
		if _, err := io.CopyN(&b, c.in, int64(n)); err != nil {
			return nil, unexpected(err)
		}
		if n < maxPayload {
			break
		}
	}
	if b.Len() == 0 {
		return nil, errors.New("an empty packet")
	}
	return b.Bytes(), nil
}

// unexpected names the end of a connection within an answer.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("the source closed the connection: %w", io.ErrUnexpectedEOF)
	}
	return err
}

// writePacket sends payload, the next packet of an exchange.
func (c *Conn) writePacket(payload []byte) error {
	n := len(payload)
	if n >= maxPayload {
		return fmt.Errorf("a packet of %d bytes", n)
	}
	b := append(make([]byte, 0, packetHeader+n), byte(n), byte(n>>8), byte(n>>16), c.seq)
	c.seq++
	_, err := c.net.Write(append(b, payload...))
	return err
}

// command sends the first packet of an exchange.
func (c *Conn) command(payload []byte) error {
	c.seq = 0
	return c.writePacket(payload)
}

// readOK reads the answer of a command that has nothing else to say.
func (c *Conn) readOK() error {
	b, err := c.readPacket(maxSmallPacket)
	if err != nil {
		return err
	}
	switch b[0] {
	case headerOK:
		return nil
	case headerErr:
		return errorPacket(b)
	}
	return fmt.Errorf("a packet that begins with %#x in place of OK", b[0])
}

// maxSmallPacket bounds the packets of a login, of columns and of errors.
const maxSmallPacket = 64 << 10

// First bytes of packets.
const (
	headerOK    = 0x00
	headerMore  = 0x01
	headerLocal = 0xfb
	headerEOF   = 0xfe
	headerErr   = 0xff
)

// keepAlive finds out a host that is gone within 20 s.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 3 * time.Second, Count: 5}
