package task

import (
	"context"
	"fmt"
	"time"

	"daybook/binlog"
	"daybook/change"
	"daybook/format"
	"daybook/recordbatch"
	"daybook/store"

	"golang.org/x/sync/errgroup"
)

const (
	// batchBytes is where a batch is full. Big enough that syncing is not what
	// limits catch-up, and below the 1 MiB that old clients fetch at most.
	batchBytes = 512 << 10
	// idleSave is how often a position that moved without records is saved.
	idleSave = time.Second
)

// pump moves changes from a reader to a partition. Two goroutines share two
// batch builders: one fills a builder while the other's content is synced.
type pump struct {
	reader  *binlog.Reader
	encoder format.Encoder
	saved   *saved
	onIdle  func() // called each time everything that was read is handed on
	// onGap appends a batch whose record of that index is the last and a gap.
	onGap func(batch []byte, st store.State, gap change.GapInfo, index int) error
	// onCheck makes of a check that has ended what is saved of it, and onChecked
	// is told when it is.
	onCheck   func(*binlog.Check) (*found, store.Write)
	onChecked func(*found)

	out   output                    // of fill
	since redefined                 // of fill
	free  chan *recordbatch.Builder // builders that nobody uses; one here: the committer is idle
	ready chan flush                // never blocks: there are no more flushes than builders
	ended <-chan struct{}           // closed when the committer may have ended
}

// flush is what one append saves.
type flush struct {
	builder *recordbatch.Builder
	state   store.State
	since   redefined       // which tables have another definition, and from which record on
	gap     *change.GapInfo // the last record of the batch; nil: it is none
	found   *found          // by a check of the definitions; nil: none has ended
}

// run pumps until ctx is done or a fault that the reader cannot mend. What was
// encoded, and the position, are saved when it returns, unless that is the fault.
func (p *pump) run(ctx context.Context) error {
	p.free = make(chan *recordbatch.Builder, 2)
	p.ready = make(chan flush, 2)
	p.free <- new(recordbatch.Builder)
	p.free <- new(recordbatch.Builder)
	g, ctx := errgroup.WithContext(ctx)
	p.ended = ctx.Done()
	g.Go(func() error {
		defer close(p.ready)
		return p.fill(ctx)
	})
	g.Go(func() error { return p.commit() })
	return g.Wait()
}

// fill reads and encodes. There is no linger timer: a batch goes as soon as it
// is full, or the reader has nothing more and the previous sync is done.
func (p *pump) fill(ctx context.Context) error {
	save := time.NewTicker(idleSave)
	defer save.Stop()
	builder := <-p.free
	woken := false // before the source has sent anything, an empty buffer says nothing
	for {
		c, err := p.reader.Poll()
		if err != nil {
			p.flush(builder) // what came before the fault is good
			return err
		}
		if c != nil {
			if err := p.add(builder, c); err != nil {
				return err
			}
			if c.Op == change.Gap {
				if builder, err = p.flushGap(ctx, builder, *c.Gap); err != nil {
					return err
				}
				continue
			}
			if builder.Size() < batchBytes {
				continue
			}
			if builder.Size() >= largeBatch {
				if builder, err = p.flushLarge(ctx, builder); err != nil {
					return err
				}
				continue
			}
		}
		idle, moved, free := p.reader.Ready(), save.C, p.free
		switch {
		case c != nil || p.reader.Pending() >= batchBytes: // it is full: nothing goes on but by a free builder
			idle, moved = nil, nil
		case builder.Count() > 0:
			moved = nil
		default:
			if woken {
				p.onIdle()
			}
			free = nil
		}
		select {
		case <-ctx.Done():
			if builder.Count() > 0 || p.reader.Moved() {
				p.flush(builder)
			}
			return context.Cause(ctx)
		case <-idle:
			woken = true
		case <-moved:
			builder = p.savePosition(builder)
		case next := <-free:
			p.flush(builder)
			builder = next
		}
	}
}

// savePosition saves a position that moved without records, unless the
// committer is busy: then a later one will be.
func (p *pump) savePosition(b *recordbatch.Builder) *recordbatch.Builder {
	if !p.reader.Moved() {
		return b
	}
	select {
	case next := <-p.free:
		p.flush(b)
		return next
	default:
		return b
	}
}

// load returns a saved entry of the reader, which asks for it on the goroutine
// of fill. It waits until everything that was handed over is appended: until the
// committer has given back its builder.
func (p *pump) load(key []byte) ([]byte, error) {
	select {
	case b := <-p.free:
		p.free <- b
		return p.saved.value(key)
	case <-p.ended:
		return nil, fmt.Errorf("read saved entry: %w", context.Canceled)
	}
}

// add encodes one change. All records of a change go into one batch, so that
// the position behind the batch is between changes.
func (p *pump) add(b *recordbatch.Builder, c *change.Change) error {
	if n := p.reader.Redefined(); n != p.since.seen {
		p.since.note(n, p.reader.RedefinedKeys(), b.Count())
	}
	p.out = output{builder: b, timestamp: c.CommitMicros / 1000}
	if err := p.encoder.Encode(c, &p.out); err != nil {
		return fmt.Errorf("encode change at %s:%d: %w", c.File, c.Pos, err)
	}
	return nil
}

// output puts records into a batch, with the commit's time. It implements
// format.Records.
type output struct {
	builder   *recordbatch.Builder
	timestamp int64 // milliseconds
}

func (o *output) Begin(key []byte, room int) []byte { return o.builder.Begin(o.timestamp, key, room) }
func (o *output) End(value []byte)                  { o.builder.End(value) }

func (p *pump) flush(b *recordbatch.Builder) { p.ready <- p.flushOf(b) }

// flushOf takes a checkpoint for what was encoded.
func (p *pump) flushOf(b *recordbatch.Builder) flush {
	cp := p.reader.Checkpoint()
	f := flush{builder: b, state: p.saved.state(cp), since: p.since}
	p.since = redefined{}
	if cp.Check != nil {
		var w store.Write
		f.found, w = p.onCheck(cp.Check)
		f.state.Schema = append(f.state.Schema, w)
	}
	return f
}

// flushGap hands on a batch that ends with a gap, and returns a free builder.
func (p *pump) flushGap(ctx context.Context, b *recordbatch.Builder, gap change.GapInfo) (*recordbatch.Builder, error) {
	f := p.flushOf(b)
	f.gap = &gap
	p.ready <- f
	select {
	case next := <-p.free:
		return next, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// commit appends what fill hands over, in order, until fill ends.
func (p *pump) commit() error {
	for f := range p.ready {
		if err := p.append(f); err != nil {
			return fmt.Errorf("append to partition %s: %w", p.saved.partition.Topic(), err)
		}
		f.builder.Reset()
		p.free <- f.builder
	}
	return nil
}

func (p *pump) append(f flush) error {
	count := f.builder.Count()
	var batch []byte
	if count > 0 {
		batch = f.builder.Finish()
	}
	former, err := p.saved.former(f.state.Schema, count, f.since)
	if err != nil {
		return err
	}
	f.state.Schema = append(f.state.Schema, former...)
	if f.gap != nil {
		err = p.onGap(batch, f.state, *f.gap, count-1)
	} else {
		_, err = p.saved.partition.Append(batch, f.state)
	}
	if err == nil && f.found != nil {
		p.onChecked(f.found)
	}
	return err
}
