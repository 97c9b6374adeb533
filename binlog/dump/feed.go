package dump

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// FeedOptions say what a Feed reads.
type FeedOptions struct {
	Source   Source
	ServerID uint32 // of this replica
	// BufferBytes bounds what is read ahead, apart from one event that is
	// larger; 0: 8 MiB.
	BufferBytes int
	// HeadersOnly leaves the rows out of rows events that are larger than a
	// block: who looks at nothing but the order of events needs no memory for them.
	HeadersOnly bool
	// Collations has the Status of connections tell their names, which a MariaDB has 46 KB of.
	Collations bool
	// Unverified leaves checksums unlooked at until Verify is called.
	Unverified bool
	Logger     *slog.Logger
}

// Feed is the events of a source's binlog from a position on: one goroutine
// that connects, reads and queues, and after a failure waits to be told where
// to go on.
type Feed struct {
	o    FeedOptions
	log  *slog.Logger
	pool *pool

	chunks  chan chunk
	resume  chan *Position
	ready   chan struct{} // of capacity 1
	starved atomic.Bool
	chunk   chunk    // that Next is taking events from
	former  identity // of the last dump's connection; the goroutine's own
	refused bool     // what comes until the connection has ended is not wanted

	collations map[int]string // of the version that was connected to last; the goroutine's own
	version    string

	why atomic.Pointer[error] // the consumer ended the connection; nil: it did not

	live     atomic.Pointer[live] // the connection that is read from
	short    int                  // dumps in a row that soon ended
	asked    Position             // where the dump before was asked for, by file and offset
	since    time.Time            // of the first failure since a dump led on; zero: none
	checking atomic.Bool          // guards watch
	watch    watch
	verified atomic.Bool

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// Connection is what is known of a connection when its dump begins.
type Connection struct {
	Status *Status // of the source
	From   From    // what was asked for
	// Purged is MySQL's gtid_purged when the dump began: transactions that count
	// as executed and are in no binlog. Nil: not asked.
	Purged *GTIDSet
	logs   []binaryLog
	// First is where the first group of a dump after a GTID set stands, or one
	// may that comes later; zero where the events tell: no file has 4 GiB.
	First Place
	// Overlap is that of a dump after a GTID set.
	Overlap Overlap
	// Thread is the connection's number: a session of the source with a higher
	// one began later, and so behind From.
	Thread uint32
	newest string // binlog file when the dump began
}

// EndsOpen tells whether a file that the dump leaves may lack its last event, of
// rotation or stop, as one does that the source was writing when it crashed. A
// file that was begun since the source last started, which is before the
// connection, may not: the binlogs were reset, and the connection should end.
func (c *Connection) EndsOpen(file string) bool {
	base, number := splitName(file)
	newestBase, newest := splitName(c.newest)
	return base == newestBase && number < newest
}

const (
	// chunkQueue bounds how many chunks are queued; their bytes are bounded by
	// the pool.
	chunkQueue         = 256
	defaultBufferBytes = 8 << 20
)

// NewFeed returns a feed that does not run yet. ready receives when Next may
// have something again; nil: the feed makes the channel, which has room for one.
func NewFeed(o FeedOptions, ready chan struct{}) *Feed {
	if o.BufferBytes <= 0 {
		o.BufferBytes = defaultBufferBytes
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if ready == nil {
		ready = make(chan struct{}, 1)
	}
	f := &Feed{o: o, log: o.Logger, chunks: make(chan chunk, chunkQueue), resume: make(chan *Position, 1), ready: ready}
	f.pool = newPool(o.BufferBytes, func(yes bool) {
		f.starved.Store(yes)
		f.Wake()
	})
	f.verified.Store(!o.Unverified)
	f.ctx, f.cancel = context.WithCancel(context.Background())
	return f
}

// Ready receives when Next may have something again.
func (f *Feed) Ready() <-chan struct{} { return f.ready }

// Wake makes Ready receive.
func (f *Feed) Wake() {
	select {
	case f.ready <- struct{}{}:
	default:
	}
}

// Starved tells that nothing more is read until buffers are given back: the
// consumer retains too many events to wait for another.
func (f *Feed) Starved() bool { return f.starved.Load() && len(f.chunks) == 0 }

// Start begins to read at p, which the feed copies.
func (f *Feed) Start(p *Position) {
	f.resume <- p.Clone()
	f.done.Go(func() { f.run(f.ctx) })
}

// Resume goes on at p after Next has returned a transient error, or after the
// consumer has found one, why, in what Next returned: that connection is ended,
// and what is left of it is not returned any more.
func (f *Feed) Resume(p *Position, why error) {
	if f.chunk.err == nil {
		f.refused = true
		f.Cut(why)
	}
	f.chunk.release()
	f.chunk = chunk{}
	f.resume <- p.Clone()
}

// Close ends the connection and waits for the goroutine, not for the source.
// It may be called from any goroutine.
func (f *Feed) Close() {
	f.cancel()
	f.done.Wait()
}

// Verify has checksums looked at from here on, which takes a new connection: it
// returns the transient error that asks for Resume.
func (f *Feed) Verify() error {
	f.verified.Store(true)
	return Transient(errors.New("read once more, with checksums"))
}

// Go runs work beside the feed that ends with it: ctx ends with Close, which
// waits for it.
func (f *Feed) Go(work func(ctx context.Context)) { f.done.Go(func() { work(f.ctx) }) }

// Next returns the next event, or the beginning of a connection, or neither if
// nothing is buffered. It does not block. A transient error (see IsTransient)
// asks for Resume; any other is final.
func (f *Feed) Next() (e Event, ok bool, c *Connection, err error) {
	for {
		if b := f.chunk.next(); b != nil {
			if e, err = parseEvent(b, f.chunk.checksum, f.chunk.cut); err != nil {
				return Event{}, false, nil, err
			}
			e.buffer = f.chunk.buffer
			return e, true, nil, nil
		}
		f.chunk.release()
		select {
		case f.chunk = <-f.chunks:
			if f.refused && !f.endsRefused() {
				continue
			}
			if f.chunk.err != nil {
				return Event{}, false, nil, f.chunk.err
			}
			if at := f.chunk.connection; at != nil {
				return Event{}, false, at, nil
			}
		default:
			return Event{}, false, nil, nil
		}
	}
}

// endsRefused drops a chunk of a connection that Resume has ended, and tells
// whether it says that there is to be no other.
func (f *Feed) endsRefused() bool {
	var end *lastingError
	f.refused = f.chunk.err == nil
	if errors.As(f.chunk.err, &end) {
		return true
	}
	f.chunk.release()
	f.chunk = chunk{}
	return false
}

// Release gives up the event that Next returned last, unless it is retained or
// others came in the same buffer.
func (f *Feed) Release() {
	if f.chunk.event == nil && len(f.chunk.packets) == 0 {
		f.chunk.release()
	}
}

// run reads one connection after the other. The first one is not tried again,
// so that who opens a reader is told what is wrong.
func (f *Feed) run(ctx context.Context) {
	for first := true; ; first = false {
		var p *Position
		select {
		case p = <-f.resume:
		case <-ctx.Done():
			return
		}
		err := f.connection(ctx, p, first)
		if ctx.Err() != nil {
			return
		}
		if f.push(ctx, chunk{err: err}) != nil {
			return
		}
	}
}

// push queues a chunk and wakes the consumer.
func (f *Feed) push(ctx context.Context, c chunk) error {
	select {
	case f.chunks <- c:
		f.Wake()
		return nil
	case <-ctx.Done():
		c.release()
		return ctx.Err()
	}
}

// connection connects, retrying unless it is the first time, and reads until
// the connection ends.
func (f *Feed) connection(ctx context.Context, p *Position, first bool) error {
	began := time.Now()
	if p.File != f.asked.File || p.Pos != f.asked.Pos {
		f.short, f.since = 0, time.Time{} // short as it was, the dump before led on
	}
	if f.since.IsZero() {
		f.since = began
	}
	f.asked = Position{File: p.File, Pos: p.Pos}
	if f.short > 0 {
		select {
		case <-time.After(backoff(min(f.short, maxShort))):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for attempt := 1; ; attempt++ {
		c, at, err := f.dump(ctx, p)
		if err == nil {
			if !first {
				f.log.Info("reconnected to the source", "source", f.o.Source.Address, "position", p.String(), "attempts", attempt, "after", time.Since(began).Round(time.Millisecond))
			}
			if err = f.push(ctx, chunk{connection: at}); err == nil {
				f.why.Store(nil)
				f.live.Store(&live{c, at.Status})
				start := time.Now()
				err = missingFile(f.read(ctx, c, at), at.logs, p)
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
			_ = c.Close()
			if err != nil && IsTransient(err) && ctx.Err() == nil {
				f.log.Warn("lost the connection to the source, reconnecting", "source", f.o.Source.Address, "error", err)
			}
			return err
		}
		if first || !IsTransient(err) || ctx.Err() != nil {
			return err
		}
		switch lacks := errors.Is(err, ErrOtherServer); {
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
	// one that a failover put in place may lack what was read from the former one.
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
	d := placing{dial: f.dial, log: f.log, c: c, s: s, p: p, logs: logs}
	at := &Connection{Status: s, newest: logs[len(logs)-1].name, logs: logs}
	if at.From, err = d.decide(ctx); err == nil && at.From.GTIDs != nil {
		if at.First, err = d.firstGroup(ctx, at.From); err == nil {
			at.Overlap, err = d.overlap(ctx)
		}
	}
	if err == nil && s.countsPurged() {
		at.Purged, err = d.set(ctx, "@@GLOBAL.gtid_purged")
	}
	return at, missingFile(err, logs, p)
}

var errFirst = errors.New("the source sent nothing")

// AwaitFirst waits until the first connection has sent something, so that a
// refused dump is known at once. It must come before Next.
func (f *Feed) AwaitFirst(ctx context.Context) (*Connection, error) {
	at, err := f.await(ctx)
	if err == nil {
		// The first packet tells whether the source accepts the position.
		f.chunk, err = f.await(ctx)
	}
	return at.connection, err
}

func (f *Feed) await(ctx context.Context) (chunk, error) {
	select {
	case c := <-f.chunks:
		return c, c.err
	case <-ctx.Done():
		return chunk{}, fmt.Errorf("%w: %w", errFirst, ctx.Err())
	}
}
