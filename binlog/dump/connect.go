package dump

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
)

// connection connects, retrying unless it is the first time, and reads until
// the connection ends.
func (f *Feed) connection(ctx context.Context, p *Position, first bool) error {
	began, away := time.Now(), f.o.Source.Times.withDefaults().Away
	if err := f.slowDown(ctx, p, began); err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		c, at, err := f.dump(ctx, p)
		if err == nil {
			if !first {
				f.log.Info("reconnected to the source", "source", f.o.Source.Address, "position", p.String(), "attempts", attempt, "after", time.Since(began).Round(time.Millisecond))
			}
			return f.follow(ctx, c, at, p)
		}
		if first || !IsTransient(err) || ctx.Err() != nil {
			return err
		}
		switch lacks := errors.Is(err, ErrOtherServer) || errors.Is(err, ErrNotLogged); {
		case lacks && time.Since(began) > away:
			return fmt.Errorf("waited %s: %w", away, errors.Unwrap(err))
		case !lacks && time.Since(f.since) > away:
			return lasting(err, away)
		}
		if attempt%20 == 0 {
			f.log.Warn("the source is still away", "source", f.o.Source.Address, "attempts", attempt, "error", err)
		}
		pause := backoff(attempt)
		if left := away - time.Since(began); left > 0 {
			pause = min(pause, left) // or it would be told late that a server lacks what was read
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// slowDown waits before what follows p is asked for once more, if dumps that began
// there have soon ended.
func (f *Feed) slowDown(ctx context.Context, p *Position, now time.Time) error {
	if p.File != f.asked.File || p.Pos != f.asked.Pos {
		f.short, f.since = 0, time.Time{} // short as it was, the dump before led on
	}
	if f.since.IsZero() {
		f.since = now
	}
	f.asked = Position{File: p.File, Pos: p.Pos}
	if f.short == 0 {
		return nil
	}
	select {
	case <-time.After(backoff(min(f.short, maxShort))):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// follow hands a connection over, and passes on what comes by it until it ends.
func (f *Feed) follow(ctx context.Context, c *Conn, at *Connection, p *Position) error {
	defer func() { _ = c.Close() }()
	err := f.push(ctx, chunk{connection: at})
	if err == nil {
		f.why.Store(nil)
		f.live.Store(&live{c, at.Status})
		start := time.Now()
		err = f.read(ctx, c, at)
		if at.From.GTIDs != nil || slices.ContainsFunc(at.logs, func(l binaryLog) bool { return l.name == at.From.File }) {
			err = purgedMeanwhile(err)
		}
		err = missingFile(err, at.logs, p)
		f.live.Store(nil)
		if why := f.why.Swap(nil); why != nil && IsTransient(err) {
			err = Transient(*why)
		}
		if f.short++; time.Since(start) > shortDump {
			f.short, f.since = 0, time.Time{}
		}
		if IsTransient(err) && f.short > 0 && time.Since(f.since) > stuck {
			err = lasting(err, stuck)
		}
	}
	if err != nil && IsTransient(err) && ctx.Err() == nil {
		f.log.Warn("lost the connection to the source, reconnecting", "source", f.o.Source.Address, "error", err)
	}
	return err
}

const (
	// shortDump is how long a dump that led to no further position must have
	// lasted for the next one to be asked for at once.
	shortDump = time.Second
	// maxShort bounds the pause before it, to about a second: rows of a large
	// transaction may have come.
	maxShort = 4
)

const (
	// away is how long a source may not be reached before that is an error, and
	// one that a failover put in place may lack what was read from the former one, or
	// be a replica still that does not log what it replicates.
	away = 15 * time.Second
	// stuck is the same of one whose dumps soon end and lead no further: rows of a
	// large transaction may have come.
	stuck = 30 * time.Second
)

// backoff doubles from 100 ms to 10 s, with a jitter of a half.
func backoff(attempt int) time.Duration {
	d := min(10*time.Second, 100*time.Millisecond<<min(attempt-1, 10))
	return d/2 + rand.N(d)
}

// read passes on what comes until the connection or ctx ends.
func (f *Feed) read(ctx context.Context, c *Conn, at *Connection) error {
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	fr := c.framer(ctx, at.Status, f.pool, f.push)
	fr.headersOnly, fr.unverified = f.o.HeadersOnly, !f.verified.Load()
	silent := fr.silent
	fr.silent = func(round int, begun bool) error {
		err := silent(round, begun)
		if err == nil && round == 1 {
			f.log.Info("the source is silent, but at work for the dump", "source", f.o.Source.Address, "from", at.From.String())
		}
		return err
	}
	return fr.run(ctx)
}

// dump connects, sees that the source is the one that p is from, and asks for
// the binlog from p on.
func (f *Feed) dump(ctx context.Context, p *Position) (*Conn, *Connection, error) {
	c, err := Dial(ctx, f.o.Source)
	if err != nil {
		return nil, nil, err
	}
	at, err := f.place(ctx, c, p)
	if err == nil {
		err = c.endFormer(ctx, f.former)
	}
	if err == nil {
		err = c.startDump(ctx, at.Status, f.o.ServerID, at.From)
	}
	if err != nil {
		_ = c.Close()
		return nil, nil, err
	}
	f.former, at.Thread = c.self, c.self.number()
	return c, at, nil
}

// place finds out how to ask the server of c for what follows p.
func (f *Feed) place(ctx context.Context, c *Conn, p *Position) (*Connection, error) {
	s, err := c.Facts(ctx)
	if err != nil {
		return nil, err
	}
	if f.o.Collations && f.version != s.VersionText {
		if f.collations, err = c.collations(ctx, s); err != nil {
			return nil, err
		}
		f.version = s.VersionText
	}
	s.Collations = f.collations
	logs, err := c.binaryLogs(ctx)
	if err != nil {
		return nil, err
	}
	if err := inOrder(logs); err != nil {
		return nil, err
	}
	d := placing{dial: f.beside(s), log: f.log, c: c, s: s, p: p, logs: logs}
	at := &Connection{Status: s, newest: logs[len(logs)-1].name, logs: logs}
	if at.Unlogged, err = d.logging(ctx); err != nil {
		return nil, err
	}
	if at.Filters, err = c.LogFilters(ctx, s); err != nil {
		return nil, err
	}
	if err := d.askFor(ctx); err != nil {
		return nil, err
	}
	if at.From, err = d.decide(ctx); err == nil && at.From.GTIDs != nil {
		if at.First, err = d.firstGroup(ctx, at.From); err == nil {
			if at.Overlap, err = d.overlap(ctx); err == nil {
				at.Told, err = d.notLogged(ctx)
			}
		}
		at.Lacks = d.lacks
	}
	if err == nil && s.countsPurged() {
		at.Purged, err = d.set(ctx, "@@GLOBAL.gtid_purged")
	}
	if err == nil {
		at.Had, err = c.Had(ctx, s)
	}
	return at, d.unlogged(missingFile(err, logs, p))
}

// beside connects to a server once more. An address may lead to another one the next
// time, as that of a failover or of a balancer does, which has other binlogs.
func (f *Feed) beside(s *Status) func(context.Context) (*Conn, error) {
	return func(ctx context.Context) (*Conn, error) { return DialServer(ctx, f.o.Source, s) }
}

// DialServer connects to a server whose facts are known. Where the address leads to
// another one the error is transient.
func DialServer(ctx context.Context, source Source, s *Status) (*Conn, error) {
	c, err := Dial(ctx, source)
	if err != nil {
		return nil, err
	}
	if err := c.isServer(ctx, s); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

func (c *Conn) isServer(ctx context.Context, s *Status) error {
	v, err := c.variables(ctx, append(nodeVariables[:len(nodeVariables):len(nodeVariables)], "server_id", "server_uuid")...)
	if err != nil {
		return err
	}
	if node := nodeName(v); s.Flavor == MariaDB && node != s.Node.Name {
		return Transient(fmt.Errorf("the address leads to more than one node of a Galera cluster: to %q and to %q", s.Node.Name, node))
	}
	if id := strconv.FormatUint(uint64(s.ServerID), 10); v["server_id"] != id || v["server_uuid"] != s.ServerUUID {
		return Transient(fmt.Errorf("the address leads to more than one server: to one with server_uuid %q and server_id %s, and to one with %q and %s", s.ServerUUID, id, v["server_uuid"], v["server_id"]))
	}
	return nil
}
