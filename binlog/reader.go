package binlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"

	"daybook/binlog/rowevent"
	"daybook/binlog/schema"
	"daybook/change"
)

// Reader reads the changes of one source.
type Reader struct {
	o      Options
	log    *slog.Logger
	filter *filter
	status *Status // of the source when it was opened
	feed   *feed
	closed atomic.Bool
	mu     sync.Mutex // guards the setting of replay against Close
	err    error      // fatal; returned for ever

	catalog    *schema.Catalog
	generation int // grows with each DDL
	held       map[schema.TableName]held
	entries    []SchemaEntry
	prepared   map[string]prepared // XA transactions by XID
	lookup     *lookup             // of a definition that rows wait for
	scan       *scan               // set in a Reader that only looks for statements
	replaying  bool                // set in a Reader that reads one XA transaction
	replayed   bool                // and has read it
	replay     *replay             // reads the XA transaction that is being committed

	// Where the stream stands.
	chunk   chunk
	payload *payload // open TRANSACTION_PAYLOAD event; nil or inside
	inside  payload
	zstd    *zstd.Decoder
	format  format
	file    string
	offset  uint64 // of the next event in file
	start   uint64 // of the current event
	skipTo  uint64 // events of the first file before this offset are not wanted

	pos     position // resume point after the change handed out last
	settled bool     // pos.file and pos.pos follow the stream
	byGTID  bool     // the stream was asked for by GTID set
	group   group
	tables  map[uint64]*tableState
	rows    rowsCursor
	change  change.Change
	ddl     change.SchemaChange

	saved       *position // last checkpoint taken
	badChecksum int
}

// New returns a Reader that is not open.
func New(o Options) *Reader {
	o = o.withDefaults()
	return &Reader{o: o, log: o.Logger, tables: map[uint64]*tableState{}, held: map[schema.TableName]held{}, prepared: map[string]prepared{}}
}

// Ready receives when Poll may have something again. It is of no use before
// Open.
func (r *Reader) Ready() <-chan struct{} { return r.feed.ready }

// pollEvents bounds the events that one Poll looks at, so that a stream
// without selected rows lets the caller save its position too.
const pollEvents = 4096

// Poll returns the next change, or nil when nothing is buffered or much was
// stepped over: wait for Ready then. It does not block. The change is the
// caller's until the next call. An error is fatal and returned for ever.
func (r *Reader) Poll() (*change.Change, error) {
	for range pollEvents {
		if r.err != nil {
			return nil, r.err
		}
		if r.closed.Load() {
			return nil, ErrClosed
		}
		if c, wait, err := r.nextOfEvent(); err != nil {
			return nil, r.fail(err)
		} else if c != nil || wait {
			return c, nil
		} else if r.rows.active {
			continue
		}
		e, ok, err := r.nextEvent()
		switch {
		case err != nil && isTransient(err):
			r.reconnect()
			return nil, nil
		case err != nil:
			return nil, r.fail(err)
		case !ok:
			return nil, nil
		}
		c, err := r.handle(e)
		if err != nil {
			return nil, r.fail(err)
		}
		if c != nil {
			return c, nil
		}
	}
	r.feed.wake()
	return nil, nil
}

// nextOfEvent returns the next row of the event that was read last, if that
// holds rows or commits an XA transaction. wait: there is more, but not yet.
func (r *Reader) nextOfEvent() (c *change.Change, wait bool, err error) {
	switch {
	case r.rows.active:
		c, err = r.nextRow()
		return c, false, err
	case r.replay != nil:
		return r.pollReplay()
	case r.lookup != nil:
		wait, err = r.pollLookup()
		return nil, wait, err
	case r.replayed:
		return nil, true, nil
	}
	return nil, false, nil
}

// fail makes err the Reader's end.
func (r *Reader) fail(err error) error {
	r.err = fmt.Errorf("read binlog of %s at %s:%d: %w", r.o.Source.Address, r.file, r.start, err)
	r.rows = rowsCursor{}
	return r.err
}

// nextEvent takes the next event of the open payload or of what is buffered.
func (r *Reader) nextEvent() (event, bool, error) {
	for {
		if r.payload != nil {
			e, ok, err := r.payload.next()
			if ok || err != nil {
				return e, ok, err
			}
			r.payload = nil
		}
		if b := r.chunk.next(); b != nil {
			e, err := parseEvent(b, r.chunk.checksum)
			return e, err == nil, err
		}
		r.chunk.release()
		select {
		case r.chunk = <-r.feed.chunks:
			if err := r.chunk.err; err != nil {
				return event{}, false, r.checkChecksum(err)
			}
			if at := r.chunk.connected; at != nil {
				r.connected(at)
			}
		default:
			return event{}, false, nil
		}
	}
}

// connected begins a new connection's stream.
func (r *Reader) connected(at *connected) {
	r.status = at.status
	r.byGTID = at.from.gtids != nil
	if !r.byGTID && at.from.pos < r.pos.pos {
		r.skipTo = r.pos.pos
	}
}

// checkChecksum lets a wrong checksum be read again twice: it may have
// happened on the way.
func (r *Reader) checkChecksum(err error) error {
	if errors.Is(err, ErrChecksum) && r.badChecksum < 2 {
		r.badChecksum++
		r.log.Warn("an event's checksum is wrong, reading it again", "source", r.o.Source.Address, "error", err)
		return transient(err)
	}
	return err
}

// reconnect lets the feed go on from the resume point.
func (r *Reader) reconnect() {
	r.chunk.release()
	r.beginAt(r.pos)
	p := r.pos
	if p.gtids != nil {
		p.gtids = p.gtids.clone()
	}
	r.feed.resume <- &p
}

// beginAt prepares for a stream that begins at p.
func (r *Reader) beginAt(p position) {
	r.pos = p
	r.payload = nil
	r.rows = rowsCursor{}
	r.group = group{skip: p.taken}
	r.file, r.offset, r.start = p.file, p.pos, p.pos
	r.skipTo, r.settled, r.byGTID = 0, false, false
	clear(r.tables)
}

// Checkpoint is a resume point and the entries of the schema history that
// changed since the one before; they belong into one atomic write.
type Checkpoint struct {
	Position []byte
	Schema   []SchemaEntry
}

// Checkpoint returns the resume point right after the change that Poll
// returned last.
func (r *Reader) Checkpoint() Checkpoint {
	c := Checkpoint{Position: r.pos.encode(), Schema: r.takeEntries()}
	saved := r.pos
	saved.gtids = nil
	r.saved = &saved
	return c
}

// Moved tells whether the resume point differs from the last checkpoint's.
func (r *Reader) Moved() bool {
	if r.saved == nil {
		return true
	}
	return r.saved.file != r.pos.file || r.saved.pos != r.pos.pos || r.saved.taken != r.pos.taken || len(r.entries) > 0
}

func (r *Reader) takeEntries() []SchemaEntry {
	entries := r.entries
	r.entries = nil
	for _, e := range r.catalog.Dirty() {
		entries = append(entries, SchemaEntry{Key: e.Key, Value: e.Value})
	}
	return entries
}

// Flavor returns the family of the source, once the Reader is open.
func (r *Reader) Flavor() Flavor { return r.status.Flavor }

// Close ends the connection and waits for the Reader's goroutine, but not for
// the source. Poll returns ErrClosed from then on.
func (r *Reader) Close() error {
	r.mu.Lock()
	closed, replay := r.closed.Swap(true), r.replay
	r.mu.Unlock()
	if closed {
		return nil
	}
	if r.feed != nil {
		r.feed.close()
	}
	if replay != nil {
		return replay.Close()
	}
	return nil
}

// Open connects, checks the source, reads or loads the tables' definitions and
// starts to read.
func (r *Reader) Open(ctx context.Context) error {
	r.feed = newFeed(r.o)
	err := r.open(ctx)
	if err != nil {
		_ = r.Close()
		return fmt.Errorf("open binlog of %s: %w", r.o.Source.Address, err)
	}
	return nil
}

func (r *Reader) open(ctx context.Context) error {
	p, err := r.prepare(ctx)
	if err != nil {
		return err
	}
	r.beginAt(*p)
	first := *p
	if p.gtids != nil {
		first.gtids = p.gtids.clone()
	}
	r.feed.start(&first)
	at, err := r.feed.first(ctx)
	if err == nil {
		r.connected(at.connected)
		// The first packet tells whether the source accepts the position.
		r.chunk, err = r.feed.first(ctx)
	}
	return err
}

// prepare finds out where to begin and what the tables look like there.
func (r *Reader) prepare(ctx context.Context) (*position, error) {
	c, err := Dial(ctx, r.o.Source)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	if r.status, err = c.facts(ctx); err != nil {
		return nil, err
	}
	if f := r.status.BinlogFormat; f != "ROW" && (f != "" || r.status.Version < 90000) {
		return nil, fmt.Errorf("%w: binlog_format is %s; SET GLOBAL binlog_format=ROW, put it into the source's configuration, and restart the applications' connections", ErrNotRow, f)
	}
	if r.filter, err = newFilter(r.o.Include, r.o.Exclude, r.status.LowerCaseTableNames != 0); err != nil {
		return nil, err
	}
	if r.o.Resume != nil {
		return r.resume()
	}
	return r.firstStart(ctx, c)
}

func (r *Reader) schemaServer() schema.Server {
	return schema.Server{
		Flavor: string(r.status.Flavor), Version: r.status.Version, LowerCaseTableNames: r.status.LowerCaseTableNames,
		DefaultCharset:               r.status.Charset,
		ExplicitDefaultsForTimestamp: r.status.Variables["explicit_defaults_for_timestamp"] == "ON",
	}
}

func (r *Reader) decoderOptions() rowevent.DecoderOptions {
	return rowevent.DecoderOptions{Flavor: string(r.status.Flavor), Version: r.status.Version, TableIDSize: r.format.tableIDSize}
}
