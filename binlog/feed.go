package binlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"sync"
	"time"
)

// feed is the network side of a Reader: one goroutine that connects, reads and
// queues, and after a failure waits to be told where to go on.
type feed struct {
	source   Source
	serverID uint32
	log      *slog.Logger
	pool     *blockPool

	chunks chan chunk
	resume chan *position
	ready  chan struct{} // of capacity 1

	ctx    context.Context // ends with close
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// chunkQueue bounds how many chunks are queued; their bytes are bounded by the
// pool.
const chunkQueue = 256

func newFeed(o Options) *feed {
	return &feed{
		source: o.Source, serverID: o.ServerID, log: o.Logger, pool: newBlockPool(o.BufferBytes),
		chunks: make(chan chunk, chunkQueue), resume: make(chan *position, 1), ready: make(chan struct{}, 1),
	}
}

// start begins to read at p. The feed owns p.
func (f *feed) start(p *position) {
	f.ctx, f.cancel = context.WithCancel(context.Background())
	f.resume <- p
	f.done.Go(func() { f.run(f.ctx) })
}

func (f *feed) close() {
	if f.cancel != nil {
		f.cancel()
		f.done.Wait()
	}
}

// run reads one connection after the other. The first one is not tried again,
// so that Open tells what is wrong.
func (f *feed) run(ctx context.Context) {
	for first := true; ; first = false {
		var p *position
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
func (f *feed) push(ctx context.Context, c chunk) error {
	select {
	case f.chunks <- c:
		f.wake()
		return nil
	case <-ctx.Done():
		c.release()
		return ctx.Err()
	}
}

func (f *feed) wake() {
	select {
	case f.ready <- struct{}{}:
	default:
	}
}

// connection connects, retrying unless it is the first time, and reads until
// the connection ends.
func (f *feed) connection(ctx context.Context, p *position, first bool) error {
	began := time.Now()
	for attempt := 1; ; attempt++ {
		c, at, err := f.dump(ctx, p)
		if err == nil {
			if !first {
				f.log.Info("reconnected to the source", "source", f.source.Address, "position", p.String(), "attempts", attempt, "after", time.Since(began).Round(time.Millisecond))
			}
			if err = f.push(ctx, chunk{connected: at}); err == nil {
				err = f.read(ctx, c)
			}
			_ = c.Close()
			if err != nil && isTransient(err) && ctx.Err() == nil {
				f.log.Warn("lost the connection to the source, reconnecting", "source", f.source.Address, "error", err)
			}
			return err
		}
		if first || !isTransient(err) || ctx.Err() != nil {
			return err
		}
		if errors.Is(err, ErrOtherServer) && time.Since(began) > catchUp {
			return fmt.Errorf("waited %s: %w", catchUp, errors.Unwrap(err))
		}
		if attempt%20 == 0 {
			f.log.Warn("the source is still away", "source", f.source.Address, "attempts", attempt, "error", err)
		}
		select {
		case <-time.After(backoff(attempt)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// catchUp is how long a source that a failover put in place may lack
// transactions that were read from the former one.
const catchUp = 5 * time.Minute

// backoff doubles from 100 ms to 10 s, with a jitter of a half.
func backoff(attempt int) time.Duration {
	d := min(10*time.Second, 100*time.Millisecond<<min(attempt-1, 10))
	return d/2 + rand.N(d)
}

// read passes on what comes until the connection or ctx ends.
func (f *feed) read(ctx context.Context, c *Conn) error {
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	fr := framer{conn: c.c.Conn.Conn, pool: f.pool, push: f.push, seq: 1}
	return fr.run(ctx)
}

// dump connects and asks for the binlog from p on.
func (f *feed) dump(ctx context.Context, p *position) (*Conn, *connected, error) {
	c, err := Dial(ctx, f.source)
	if err != nil {
		return nil, nil, err
	}
	from, s, err := dumpPlace(ctx, c, p)
	if err == nil {
		err = c.startDump(ctx, s, f.serverID, from)
	}
	if err != nil {
		_ = c.Close()
		return nil, nil, err
	}
	return c, &connected{s, from}, nil
}

// dumpPlace finds out how to ask the server for what follows p: by GTID set
// where it is known and the server can, else by file and offset, and then only
// the server that the offset is from.
func dumpPlace(ctx context.Context, c *Conn, p *position) (dumpFrom, *Status, error) {
	s, err := c.facts(ctx)
	if err != nil {
		return dumpFrom{}, nil, err
	}
	if s.Flavor != p.flavor {
		return dumpFrom{}, nil, fmt.Errorf("%w: it was %s and is %s now; start the task anew", ErrOtherServer, p.flavor, s.Flavor)
	}
	if p.gtids != nil && s.usesGTID() && (s.Flavor == MySQL || !p.gtids.isEmpty()) {
		return dumpFrom{gtids: p.gtids}, s, c.hasExecuted(ctx, s, p.gtids)
	}
	if s.ServerUUID != p.serverUUID || s.ServerID != p.serverID && s.ServerUUID == "" {
		return dumpFrom{}, nil, fmt.Errorf("%w: server UUID %q and ID %d in place of %q and %d, and without GTIDs (gtid_mode=ON on both) the position %s means nothing there; point the task at the former server or start it anew",
			ErrOtherServer, s.ServerUUID, s.ServerID, p.serverUUID, p.serverID, p)
	}
	from := dumpFrom{file: p.file, pos: p.pos}
	if from.pos > math.MaxUint32 {
		// The command has room for 32 bits; what is before pos is stepped over.
		from.pos = 4
	}
	return from, s, nil
}

// hasExecuted checks that the server has all transactions that were read
// already. If not, it may be a replica that will have them soon, or they are
// lost.
func (c *Conn) hasExecuted(ctx context.Context, s *Status, read *gtidSet) error {
	variable := "@@GLOBAL.gtid_executed"
	if s.Flavor == MariaDB {
		variable = "@@GLOBAL.gtid_binlog_pos"
	}
	text, err := c.value(ctx, "SELECT "+variable)
	if err != nil {
		return err
	}
	executed, err := parseGTIDSet(s.Flavor, text)
	if err != nil {
		return err
	}
	if !executed.containsSet(read) {
		return transient(fmt.Errorf("%w: it lacks transactions that were already read: it has %q, read was %q; if a failover lost them or its binlogs were reset, start the task anew",
			ErrOtherServer, executed, read))
	}
	return nil
}

var errFirst = errors.New("the source sent nothing")

// first waits for the first chunk of a connection, so that a refused dump is
// known at once.
func (f *feed) first(ctx context.Context) (chunk, error) {
	select {
	case c := <-f.chunks:
		return c, c.err
	case <-ctx.Done():
		return chunk{}, fmt.Errorf("%w: %w", errFirst, ctx.Err())
	}
}
