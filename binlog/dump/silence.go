package dump

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// identity is by what a connection is found in the server's list of threads.
type identity struct {
	thread string
	server string
	since  time.Time // no later than the connection was made
}

// number is the thread's, as events have it: 32 bits.
func (i identity) number() uint32 {
	n, err := strconv.ParseUint(i.thread, 10, 32)
	if err != nil {
		return math.MaxUint32
	}
	return uint32(n)
}

// thread is what the server's list tells of the thread of a connection.
type thread struct {
	listed  bool // false: it has ended
	command string
	state   string
}

// identify asks for what probe needs, before the connection is busy.
func (c *Conn) identify(ctx context.Context) error {
	if c.self.thread != "" {
		return nil
	}
	rows, err := c.Query(ctx, "SELECT CONNECTION_ID(), @@hostname, @@port, @@server_id")
	if err != nil {
		return err
	}
	if len(rows) != 1 || len(rows[0]) != 4 {
		return fmt.Errorf("%w: to SELECT CONNECTION_ID()", ErrAnswer)
	}
	c.self = identity{rows[0][0].String, serverName(rows[0][1:]), c.since}
	return nil
}

func serverName(row []Text) string { return row[0].String + ":" + row[1].String + " " + row[2].String }

var errUnknown = errors.New("the source does not tell what its thread is doing")

// probe asks, over a second connection, what the source's thread of c is doing.
// It tries twice: a transient error says that the source cannot be reached any
// more. errUnknown says that it can be, which is all that is known then.
func (c *Conn) probe(ctx context.Context) (t thread, err error) {
	for range 2 {
		if t, err = c.probeOnce(ctx); err == nil || !IsTransient(err) || serverError(err) != nil {
			break
		}
	}
	switch {
	case err == nil:
		return t, nil
	case ctx.Err() != nil:
		return t, ctx.Err()
	case IsTransient(err) && serverError(err) == nil:
		return t, Transient(fmt.Errorf("the source has been silent for %s and cannot be reached: %w", c.times.Silence, err))
	}
	return t, errUnknown // too many connections, or the account was changed
}

func (c *Conn) probeOnce(ctx context.Context) (thread, error) {
	s := c.source
	s.Times.Login = min(c.times.Login, c.times.Silence)
	s.Times.Answer = min(c.times.Answer, c.times.Silence)
	second, err := Dial(ctx, s)
	if err != nil {
		return thread{}, err
	}
	defer second.Close()
	if err := second.identify(ctx); err != nil {
		return thread{}, err
	}
	if second.self.server != c.self.server {
		return thread{}, errUnknown // the address leads to several servers
	}
	return second.thread(ctx, c.self.thread)
}

// thread looks for one of the account's own threads in the server's list.
func (c *Conn) thread(ctx context.Context, id string) (thread, error) {
	rows, err := c.Query(ctx, "SHOW PROCESSLIST")
	if err != nil {
		return thread{}, err
	}
	for _, row := range rows {
		if len(row) >= 7 && row[0].String == id {
			return thread{listed: true, command: row[4].String, state: row[6].String}, nil
		}
	}
	return thread{}, nil
}

// endFormer ends what the server still has of an earlier dump of this replica:
// a thread that waits for a network which takes nothing more. MariaDB lets a
// new dump of the same server ID begin only when the old one has ended, and
// ends it by itself only after net_write_timeout.
func (c *Conn) endFormer(ctx context.Context, former identity) error {
	if err := c.identify(ctx); err != nil || former.thread == "" || former.server != c.self.server {
		return err
	}
	rows, err := c.Query(ctx, "SHOW GLOBAL STATUS LIKE 'Uptime'")
	if err != nil {
		return err
	}
	if len(rows) != 1 || len(rows[0]) != 2 {
		return nil
	}
	uptime, err := strconv.ParseInt(rows[0][1].String, 10, 64)
	if err != nil || time.Duration(uptime)*time.Second < time.Since(former.since) {
		return nil // it was started anew, and its threads have other numbers
	}
	t, err := c.thread(ctx, former.thread)
	if err != nil || !t.listed {
		return err
	}
	if _, err = c.Query(ctx, "KILL "+former.thread); err != nil && c.broken == nil {
		return nil // it has ended meanwhile
	}
	return err
}

var errAnswered = errors.New("the source has answered")

// silentQuery decides whether to go on waiting for the answer to a query.
func (c *Conn) silentQuery(ctx context.Context) error {
	t, err := c.probe(ctx)
	switch {
	case errors.Is(err, errUnknown):
		return nil
	case err != nil:
		return err
	case !t.listed:
		return Transient(fmt.Errorf("the source has ended connection %s", c.self.thread))
	case t.command == "Sleep":
		return Transient(fmt.Errorf("%w on connection %s, and the answer has not come", errAnswered, c.self.thread))
	}
	return nil
}

// silentRounds is how often in a row a dump may be silent once its events have
// come, though the source is at it: MySQL before 5.7 sends no heartbeats while a
// large transaction is being written to the binlog. Before the first event it
// may be as often as it likes: the source is looking for the place.
const silentRounds = 3

// silentDump decides whether to go on waiting for a dump that was silent round
// times in a row. begun tells whether events have come; heartbeats, whether the
// server sends any.
func (c *Conn) silentDump(ctx context.Context, round int, begun, heartbeats bool) error {
	t, err := c.probe(ctx)
	waited := time.Duration(round) * c.times.Silence
	unknown := errors.Is(err, errUnknown)
	switch {
	case err != nil && !unknown:
		return err
	case !unknown && !t.listed:
		return Transient(fmt.Errorf("the source has ended the dump of connection %s, and has been silent for %s", c.self.thread, waited))
	case !heartbeats:
		return nil
	case !unknown && strings.Contains(strings.ToLower(t.state), "has sent all binlog"):
		return Transient(fmt.Errorf("the source has sent everything on connection %s, and nothing has come for %s", c.self.thread, waited))
	case begun && round >= silentRounds:
		return Transient(fmt.Errorf("nothing has come of the dump for %s, no heartbeats either; the source is at %s", waited, strconv.Quote(t.state)))
	}
	return nil
}

// framer returns what reads the dump that c has asked for.
func (c *Conn) framer(ctx context.Context, s *Status, p *pool, push func(context.Context, chunk) error) framer {
	heartbeats := s.Version >= 50500
	return framer{
		conn: c.net, silence: c.times.Silence, pool: p, push: push, seq: 1,
		silent: func(round int, begun bool) error { return c.silentDump(ctx, round, begun, heartbeats) },
	}
}
