package binlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"daybook/binlog/dump"
	"daybook/binlog/schema"
)

// xaSearch looks for the rows of an XA transaction that is committed and not
// among the prepared: it was prepared before the start of the Reader, or rolled
// back since. A server that is killed between its binlog and its engine logs XA
// ROLLBACK and has the transaction still prepared when it is up again, so that it
// may be committed yet. The search goes backwards through the source's binlog
// files, and then through the group that was found, whose rows become chunks as
// if they were prepared now.
type xaSearch struct {
	xid    string
	chunks chan foundChunk
	n      int
	cancel context.CancelFunc
	// sessions have the temporary tables that its statements may be about, which
	// are not those of now.
	sessions *sessions
}

type foundChunk struct {
	value     []byte
	statement *item // logged in place of rows, or about temporary tables
	err       error // with neither: the end
}

// errNotPrepared says that the source's binlogs do not hold the transaction.
var errNotPrepared = errors.New("its XA PREPARE is not in the source's binlogs: they were purged or reset since, or it was not logged (sql_log_bin)")

// errCommitted says that no XA PREPARE stands after the last XA COMMIT. The
// server was killed between its binlog and its engine, and what it logged is
// committed again; or that XA PREPARE was not logged (sql_log_bin).
var errCommitted = errors.New("it was committed before")

// startSearch begins to look for the rows of the transaction that the current
// group commits.
func (r *Reader) startSearch(xid string) error {
	r.forget(xid, 0) // what is there lacks tables that are selected now
	s := &xaSearch{xid: xid, chunks: make(chan foundChunk, 4), sessions: r.sessions.clone()}
	r.xa.commit, r.xa.search = &xaCommit{xid: xid}, s
	before := r.stream.pos.Clone()
	before.GTIDs = nil
	r.log.Info("looking for the rows of an XA transaction that is committed and not among the prepared", "source", r.o.Source.Address, "xid", xid)
	var searching context.Context
	searching, s.cancel = context.WithCancel(context.Background())
	r.feed.Go(func(ctx context.Context) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(searching, cancel)()
		err := r.findPrepared(ctx, xid, before, s.chunks)
		select {
		case s.chunks <- foundChunk{err: err}:
		case <-ctx.Done():
		}
		r.feed.Wake()
	})
	return nil
}

// pollSearch takes the chunks that were found. At their end the commit goes on.
func (r *Reader) pollSearch() (wait bool, err error) {
	s := r.xa.search
	select {
	case c := <-s.chunks:
		switch {
		case c.statement != nil:
			result, err := s.sessions.apply(r.catalog, c.statement)
			if err == nil {
				err = r.mayWrite(&c.statement.query, result, c.statement.undone)
			}
			return false, err
		case c.value != nil:
			r.entries.put(chunkKey(s.xid, s.n), c.value) // maybe saved by a search that was not ended
			s.n++
			return false, nil
		case errors.Is(c.err, errCommitted):
			r.log.Warn("an XA transaction is committed that was committed before, and not prepared again; it has no rows of its own",
				"source", r.o.Source.Address, "xid", s.xid)
			c.err = nil
		case errors.Is(c.err, errNotPrepared), c.err == nil:
		default:
			return false, fmt.Errorf("look for the rows of XA transaction %s: %w", s.xid, c.err)
		}
		r.endSearch()
		if c.err != nil {
			return false, fmt.Errorf("%w: XA transaction %s is committed, and its rows are not known: %w", ErrEvent, s.xid, c.err)
		}
		p := prepared{Chunks: s.n}
		r.remember(s.xid, p, nil)
		return false, r.startCommit(s.xid, p)
	default:
		return true, nil
	}
}

func (r *Reader) endSearch() {
	if r.xa.search != nil {
		r.xa.search.cancel()
		r.xa.search = nil
	}
}

// findPrepared looks for the newest group before a position that prepares xid,
// and sends its rows in chunks.
func (r *Reader) findPrepared(ctx context.Context, xid string, before *dump.Position, chunks chan<- foundChunk) error {
	c, err := dump.DialServer(ctx, r.o.Source, r.server.Load())
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	logs, err := c.BinaryLogs(ctx)
	if err != nil {
		return err
	}
	last := slices.Index(logs, before.File)
	var later []schema.Move
	for i := last; i >= 0; i-- {
		until := place{before.File, before.Pos}
		if i < last {
			until = place{logs[i+1], 4}
		}
		at, moves, err := r.preparedIn(ctx, xid, logs[i], until)
		later = append(moves, later...)
		switch {
		case err != nil:
			return err
		case at != nil:
			return r.collectPrepared(ctx, at, later, chunks)
		}
	}
	return errNotPrepared // not even one without rows is committed in the binlog but not prepared there
}

// preparedIn returns the place of the last group in a file, up to a place, that
// prepares xid, or errCommitted if it is committed behind that; and what was moved
// behind it, or in the file. A rollback may not have been carried out.
func (r *Reader) preparedIn(ctx context.Context, xid, file string, until place) (found *dump.Position, moves []schema.Move, err error) {
	committed := false
	_, err = r.runScan(ctx, r.placeAt(file, 4), &scan{
		until: func(n *scanner) bool { return n.reached(until) || n.file != file && n.file != until.file },
		onXA: func(n *scanner, it *item) {
			switch {
			case n.group.xid != xid || it.st == stXARollback:
			case it.st == stXAPrepare && !inOnePhase(&it.event):
				found, committed, moves = n.pos.Clone(), false, nil
			default: // an earlier transaction of that XID
				found, committed = nil, true
			}
		},
		onDDL: func(_ *scanner, result *schema.Result) { moves = append(moves, result.Moves...) },
	})
	if err == nil && committed {
		err = errCommitted
	}
	return found, moves, err
}

// collectPrepared sends the rows of the group at a place, behind which tables were
// moved.
func (r *Reader) collectPrepared(ctx context.Context, at *dump.Position, moves []schema.Move, chunks chan<- foundChunk) error {
	at.GTIDs = nil
	o := r.o
	o.Load, o.Skip, o.Told = nil, nil, nil
	side := o.sideFeed()
	side.HeadersOnly = false
	n := New(o)
	n.feed = dump.NewFeed(side, nil)
	defer func() { _ = n.Close() }()
	n.filter, n.fold = r.filter, r.fold
	n.server.Store(r.server.Load())
	n.stream = newStream(n.feed, r.server.Load())
	n.stream.foresee(r.seekFate)
	n.stream.begin(at)
	c := &collector{Reader: n, ctx: ctx, chunks: chunks, wake: r.feed.Wake}
	c.moving = moving{where: func(table string) string { return r.follow(table, moves) }, selected: r.filter.Table}
	for {
		it, err := n.stream.next()
		if err != nil {
			return err
		}
		if it.kind == itemNone {
			select {
			case <-n.Ready():
			case <-ctx.Done():
				return ctx.Err()
			}
			continue
		}
		if err := c.item(&it); err != nil || it.ends {
			return err
		}
	}
}

// collector sends the rows of a group as chunks. Its Reader only spools them.
type collector struct {
	*Reader
	ctx    context.Context
	chunks chan<- foundChunk
	wake   func()
	moving moving
}

func (c *collector) item(it *item) error {
	switch {
	case it.kind == itemTableMap || it.kind == itemRows:
		if left, err := c.moving.event(&it.event, c.stream.format.TableIDSize); left || err != nil {
			return err
		}
		if err := c.spoolEvent(it); err != nil {
			return err
		}
		for c.progress.spool.rest != nil {
			c.spoolPiece()
			if err := c.sendChunks(); err != nil {
				return err
			}
		}
	case it.kind == itemStatement:
		kept := *it
		kept.event.Body, kept.query.variables, kept.query.database = nil, nil, nil
		kept.query.sql = bytes.Clone(it.query.sql)
		if err := c.send(foundChunk{statement: &kept}); err != nil {
			return err
		}
	case it.ends:
		c.flushSpool()
	}
	return c.sendChunks()
}

// sendChunks sends those that were made.
func (c *collector) sendChunks() error {
	for _, e := range c.entries.take() {
		if err := c.send(foundChunk{value: e.Value}); err != nil {
			return err
		}
	}
	return nil
}

func (c *collector) send(found foundChunk) error {
	select {
	case c.chunks <- found:
		c.wake()
		return nil
	case <-c.ctx.Done():
		return c.ctx.Err()
	}
}
