package binlog

import (
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"daybook/binlog/dump"
	"daybook/binlog/rowevent"
	"daybook/binlog/schema"
	"daybook/change"
	"daybook/objects"
)

// Reader reads the changes of one source.
type Reader struct {
	o      Options
	log    *slog.Logger
	filter *objects.Selection
	chosen chosenObjects
	// selects: others are selected than were at the position that it resumed at.
	selects bool
	// resumedIn tells that a part of the event group at the resumed position was read.
	resumedIn bool
	feed      *dump.Feed
	stream    *stream
	server    atomic.Pointer[Status] // that is read from, see followServer
	wrote     int                    // version of the server that wrote the file; 0: not known
	fold      bool                   // names of databases and tables are not told apart by case: as at the start
	closed    atomic.Bool
	err       error // fatal; returned for ever

	catalog    *schema.Catalog
	generation int // grows with each DDL
	held       heldDefinitions
	entries    entries
	sessions   *sessions
	doubted    map[schema.TableName]bool // by folded name; see doubt
	xa         xaTransactions

	scratch  rowevent.Scratch // of the tables' decoders
	progress progress         // in the current group
	tables   tableStates
	rows     rowsCursor
	lookup   *lookup // of a definition that rows wait for
	lenient  bool    // the group to be passed over has not been: what cannot be read may be in it
	passed   bool    // it was: from here on all is to be read
	skipping bool    // the current group is passed over
	change   change.Change
	ddl      change.SchemaChange
	adopted  []change.Change // schema changes without a statement, to be handed out first
	gap      change.GapInfo
	checks   chan *definitionCheck // that are asked for, of capacity 1
	check    *definitionCheck      // under way
	checked  *Check                // comes with the next checkpoint

	saved       *position // last checkpoint taken
	badChecksum int
}

// progress is what of the current group was taken, and how much of it was
// taken before a reconnect and comes again.
type progress struct {
	taken  uint64    // see position
	group  dump.GTID // see position
	skip   uint64    // of taken: not stepped over yet
	gone   bool      // rows of it were handed out
	spool  spool
	respun int // of the spooled events: come again
}

// New returns a Reader that is not open.
func New(o Options) *Reader {
	o = o.withDefaults()
	r := &Reader{o: o, log: o.Logger, lenient: o.Skip != nil, held: newHeldDefinitions(), entries: newEntries(), checks: make(chan *definitionCheck, 1)}
	r.xa = newXATransactions()
	r.sessions, r.doubted = newSessions(&r.entries), map[schema.TableName]bool{}
	r.feed = dump.NewFeed(dump.FeedOptions{Source: o.Source, ServerID: o.ServerID, BufferBytes: o.BufferBytes, Unverified: r.lenient, Collations: true, Logger: o.Logger}, nil)
	return r
}

// Ready receives when Poll may have something again. It is of no use before
// Open.
func (r *Reader) Ready() <-chan struct{} { return r.feed.Ready() }

// pollItems bounds what one Poll looks at, so that a stream without selected
// rows lets the caller save its position too.
const pollItems = 4096

// maxPending is when Poll returns so that the caller can take a checkpoint and
// with it what waits to be saved.
const maxPending = 1 << 20

// Poll returns the next change, or nil when nothing is buffered or much was
// stepped over: wait for Ready then. It does not wait for the source. The
// change is the caller's until the next call. An error is fatal and returned
// for ever; errors.As a [GroupError] if the event group at the resume point
// cannot be read.
func (r *Reader) Poll() (*change.Change, error) {
	for range pollItems {
		if r.err != nil {
			return nil, r.err
		}
		if r.closed.Load() {
			return nil, ErrClosed
		}
		c, wait, err := r.step()
		switch {
		case err != nil && dump.IsTransient(err):
			r.reconnect(err)
			return nil, nil
		case err != nil:
			return nil, r.fail(err)
		case c != nil || wait:
			return c, nil
		case r.entries.size > maxPending:
			r.feed.Wake()
			return nil, nil
		}
	}
	r.feed.Wake()
	return nil, nil
}

// Release tells that the change that Poll returned last is not needed any more,
// so that the memory of a large one is free before the next Poll.
func (r *Reader) Release() {
	if r.rows.active && r.rows.state.decoder.Release() && r.xa.commit == nil {
		r.stream.release()
	}
}

// step takes the next row of what is being handed out, or the next item of the
// stream. wait: there is nothing yet.
func (r *Reader) step() (c *change.Change, wait bool, err error) {
	switch {
	case r.passed:
		return nil, false, r.readAll()
	case len(r.adopted) > 0:
		return r.nextAdopted(), false, nil
	case r.rows.active:
		c, err = r.nextRow()
		return c, false, err
	case r.lookup != nil:
		wait, err = r.pollLookup()
		return nil, wait, err
	case r.rows.ends:
		r.rows.ends = false
		return nil, false, r.endGroup()
	case r.xa.commit != nil:
		wait, err = r.pollCommit()
		return nil, wait, err
	case r.progress.spool.rest != nil:
		r.spoolPiece()
		return nil, false, nil
	}
	if !r.lenient && !r.stream.group.open {
		if err := r.pollCheck(); err != nil {
			return nil, false, err
		}
		if len(r.adopted) > 0 {
			return r.nextAdopted(), false, nil
		}
	}
	it, err := r.stream.next()
	if err != nil && !(r.skipping && it.kind != itemNone && errors.Is(err, ErrEvent)) {
		return nil, false, r.retryChecksum(err)
	}
	if it.kind == itemNone {
		return nil, true, nil
	}
	r.followServer()
	if r.sessions.follow(r.stream) {
		r.catalog.EndSessions()
	}
	c, err = r.handle(&it)
	return c, false, err
}

// handle acts on one item. Rows are handed out by nextRow.
func (r *Reader) handle(it *item) (*change.Change, error) {
	if it.kind == itemAbandoned {
		if r.progress.gone {
			return nil, fmt.Errorf("%w: the file ends within a transaction, rows of which were already taken; compare the data", ErrEvent)
		}
		r.progress = progress{}
		r.changeObjects()
		return nil, nil
	}
	if it.begins {
		if err := r.beginGroup(); err != nil {
			return nil, err
		}
	}
	if it.kind == itemPassed && it.event.OfService() {
		r.tellService(&it.event)
		return nil, nil
	}
	if r.skipping {
		return r.passOver(it)
	}
	if r.undoesTaken(it) {
		return nil, fmt.Errorf("%w: %q undoes rows that were already taken; compare the data", ErrEvent, it.query.sql)
	}
	switch it.kind {
	case itemTableMap:
		return nil, r.tableMap(it)
	case itemRows:
		return nil, r.rowsEvent(it)
	case itemStatement:
		return r.statement(it)
	case itemXA:
		return nil, r.xaItem(it)
	}
	switch {
	case it.ends && r.inXA():
		return nil, r.endUnprepared(it)
	case it.ends:
		return nil, r.endGroup()
	}
	return nil, nil
}

// undoesTaken tells a statement that undoes what was handed out, or kept for an
// XA transaction's commit, of a group of which that was not foreseen.
func (r *Reader) undoesTaken(it *item) bool {
	switch {
	case r.stream.group.foreseen:
		return false
	case it.st == stRollbackTo:
		return r.progress.gone || r.progress.spool.events > 0
	}
	return it.st == stRollback && r.progress.gone
}

// beginGroup looks whether a group of which something was taken before is the
// one that comes, and whether it is the one to be passed over.
func (r *Reader) beginGroup() error {
	p, g := &r.progress, &r.stream.group
	again := p.skip > 0 || p.respun > 0
	if again && !p.group.IsZero() && p.group != g.GTID {
		return fmt.Errorf("%w: transaction %s, of which %d rows were already taken, is not the next one there, but %s",
			ErrOtherServer, &p.group, p.taken, &g.GTID)
	}
	p.gone = p.skip > 0
	if last, skips := r.stream.pos.Skips(g.GTID); skips {
		r.tellGap(last, g.GTID)
	}
	if !r.lenient {
		return nil
	}
	skip := r.o.Skip
	if r.skipping = r.isAt(skip); r.skipping {
		r.log.Warn("an event group is passed over", "source", r.o.Source.Address, "file", skip.File, "pos", skip.Pos, "gtid", r.stream.gtidText())
		return nil
	}
	return r.readAll()
}

// readAll ends the time in which what cannot be read is passed over. The group
// that comes next is asked for once more.
func (r *Reader) readAll() error {
	r.lenient, r.passed = false, false
	r.stream.foresee(r.seekFate)
	return r.feed.Verify()
}

// endGroup moves the resume point behind the group.
func (r *Reader) endGroup() error {
	if p := &r.progress; p.skip > 0 {
		return fmt.Errorf("%w: the transaction has %d rows less than were already taken of it", ErrOtherServer, p.skip)
	}
	r.stream.endGroup()
	r.progress = progress{}
	r.badChecksum = 0
	r.tables.endGroup()
	r.changeObjects()
	return nil
}

// seen tells whether the row or statement that comes was taken before a
// reconnect, and counts it.
func (r *Reader) seen() bool {
	if r.progress.skip > 0 {
		r.progress.skip--
		return true
	}
	return false
}

// take counts a row or statement of the group.
func (r *Reader) take() {
	r.progress.taken++
	r.progress.group = r.stream.group.GTID
}

// fail makes err the Reader's end.
func (r *Reader) fail(err error) error {
	s := r.stream
	if s.group.open && !errors.Is(err, ErrOtherServer) {
		err = &GroupError{File: s.pos.File, Pos: s.pos.Pos, GTID: s.gtidText(), Err: err}
	}
	r.err = fmt.Errorf("read binlog of %s at %s:%d: %w", r.o.Source.Address, s.file, s.start, err)
	r.rows = rowsCursor{}
	return r.err
}

// retryChecksum lets a wrong checksum be read again twice: it may have
// happened on the way.
func (r *Reader) retryChecksum(err error) error {
	if errors.Is(err, ErrChecksum) && r.badChecksum < 2 {
		r.badChecksum++
		r.log.Warn("an event's checksum is wrong, reading it again", "source", r.o.Source.Address, "error", err)
		return dump.Transient(err)
	}
	return err
}

// reconnect lets the feed go on from the resume point.
func (r *Reader) reconnect(why error) {
	r.flushSpool()
	at := r.stream.pos
	r.rewind()
	r.stream.resume(&at, why)
}

// rewind prepares for the current group to come again from its beginning.
func (r *Reader) rewind() {
	r.rows, r.lookup, r.skipping = rowsCursor{}, nil, false
	r.tables.clear()
	p := &r.progress
	p.skip, p.respun, p.gone = p.taken, p.spool.events, false
	p.spool.leftOut, p.spool.rest, p.spool.pieces = nil, nil, 0
	r.xa.commit = nil
	r.endSearch()
}

// Flavor returns the family of the source, once the Reader is open.
func (r *Reader) Flavor() Flavor { return r.server.Load().Flavor }

// Close ends the connections and waits for the Reader's goroutines, but not
// for the source. Poll returns ErrClosed from then on.
func (r *Reader) Close() error {
	if !r.closed.Swap(true) {
		r.feed.Close()
	}
	return nil
}
