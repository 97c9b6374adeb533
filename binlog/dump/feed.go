package dump

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	// Had is what a server has that does not log what it replicates; see [Position.Had].
	Had *GTIDSet
	// Told is what of the position the binlogs of a MariaDB server lack that is asked by GTID: it was told so.
	Told *GTIDSet
	// Lacks tells people what the binlogs of a server that is gone on at by GTID lack, or may lack, without being refused for it.
	Lacks []string
	logs  []binaryLog
	// First is where the first group of a dump after a GTID set stands, or one
	// may that comes later; zero where the events tell: no file has 4 GiB.
	First Place
	// Overlap is that of a dump after a GTID set.
	Overlap Overlap
	// Unlogged is what the server does not log of what it replicates, which may be Unseen.
	Unlogged Unlogged
	// Filters are the databases that the server logs.
	Filters LogFilters
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
