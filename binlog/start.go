package binlog

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"daybook/binlog/dump"
	"daybook/binlog/schema"
)

// The definitions are read again because a DDL ran meanwhile, with growing pauses: snapshotAttempts times,
// and of selected tables for commitPatience.
const (
	snapshotAttempts = 5
	snapshotPause    = 20 * time.Millisecond // the first
)

// firstStart finds the position of Options.Start and what the tables look like
// there.
func (r *Reader) firstStart(ctx context.Context, c *Conn) (*dump.Position, error) {
	told, logged, err := c.Told(ctx, r.server.Load())
	if err != nil {
		return nil, err
	}
	had, err := c.Had(ctx, r.server.Load())
	if err != nil {
		return nil, err
	}
	p, err := r.startWithDefinitions(ctx, c)
	if err == nil {
		p.Had = had
		p.BeginBehind(told, logged, r.o.Start.Mode != StartGTID)
	}
	return p, err
}

// startWithDefinitions finds the position, and fills the catalog.
//
// The definitions can only be read as they are now. So they are read between
// two positions of the binlog without a DDL between them; and if the start is
// in the past, the DDL from there on is looked through, and the definitions of
// the tables it touches are held back.
func (r *Reader) startWithDefinitions(ctx context.Context, c *Conn) (*dump.Position, error) {
	p, err := r.startPosition(ctx, c)
	if err != nil {
		return nil, err
	}
	before, err := r.snapshot(ctx, c)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return r.at(before)
	}
	if p.GTIDs != nil && p.File == "" {
		if executed, err := dump.ParseGTIDSet(before.Flavor, before.GTIDSet); err == nil && p.GTIDs.ContainsSet(executed) {
			return p, nil // nothing to look through
		}
	}
	return p, r.scanHistory(ctx, p, before)
}

// snapshot fills the catalog and returns the end of the binlog from which on
// it is right. Where DDL never pauses, the tables that it touched meanwhile
// are left unknown until a statement of the stream defines them, but no
// selected one.
func (r *Reader) snapshot(ctx context.Context, c *Conn) (*Status, error) {
	began, pause := time.Now(), snapshotPause
	for attempt := 1; ; attempt, pause = attempt+1, pause*2 {
		after := *r.server.Load()
		before, err := r.committed(ctx, c)
		if err != nil {
			return nil, err
		}
		if r.catalog, err = schema.Snapshot(ctx, c.LongQuery, r.schemaServer()); err != nil {
			return nil, fmt.Errorf("read the tables' definitions: %w", err)
		}
		if err := c.ReadEnd(ctx, &after); err != nil {
			return nil, err
		}
		touched, err := r.ddlBetween(ctx, before, &after)
		if err != nil {
			return nil, err
		}
		selected := slices.ContainsFunc(touched, func(n schema.TableName) bool { return r.filter.Table(n.Database, n.Name) })
		switch {
		case len(touched) > 0 && attempt < snapshotAttempts || selected && time.Since(began) < commitPatience:
			select {
			case <-time.After(pause):
				continue
			case <-ctx.Done():
				return nil, fmt.Errorf("read the tables' definitions: %w", ctx.Err())
			}
		case selected:
			return nil, fmt.Errorf("read the tables' definitions: %w: DDL on selected tables ran at the source during each of %d attempts; try again when it has ended", ErrSchema, attempt)
		}
		for _, n := range touched {
			r.catalog.Unknown(n.Database, n.Name)
		}
		return before, nil
	}
}

// ddlBetween returns the tables that DDL touched between two ends of the
// binlog.
func (r *Reader) ddlBetween(ctx context.Context, before, after *Status) ([]schema.TableName, error) {
	if before.File == after.File && before.Pos == after.Pos {
		return nil, nil
	}
	var touched []schema.TableName
	_, err := r.runScan(ctx, r.placeAt(before.File, before.Pos), &scan{
		until: reachedEnd(after.File, after.Pos),
		onDDL: func(_ *scanner, result *schema.Result) {
			touched = append(touched, r.touched(result)...)
			r.catalog.Forget(result)
		},
	})
	return touched, err
}

// at makes a position of the end of the binlog.
func (r *Reader) at(s *Status) (*dump.Position, error) {
	p := r.placeAt(s.File, s.Pos)
	if s.UsesGTID() {
		set, err := dump.ParseGTIDSet(s.Flavor, s.GTIDSet)
		if err != nil {
			return nil, err
		}
		p.GTIDs = set
	}
	return p, nil
}

func (r *Reader) placeAt(file string, pos uint64) *dump.Position {
	p := &dump.Position{File: file, Pos: pos}
	p.SetServer(r.server.Load())
	return p
}

// startPosition finds the place of Options.Start; nil is the binlog's end.
func (r *Reader) startPosition(ctx context.Context, c *Conn) (*dump.Position, error) {
	switch s := r.o.Start; s.Mode {
	case StartEarliest:
		logs, err := c.BinaryLogs(ctx)
		if err != nil {
			return nil, err
		}
		return r.placeAt(logs[0], 4), nil
	case StartFile:
		return r.filePosition(ctx, c, s.File, s.Pos)
	case StartGTID:
		return r.gtidPosition(ctx, c, s.GTID)
	case StartTime:
		return r.timePosition(ctx, c, s.Time)
	}
	return nil, nil
}

// filePosition checks the file, and that an event group begins at the offset, by
// running through the file up to there; which finds the GTID set executed before,
// too.
func (r *Reader) filePosition(ctx context.Context, c *Conn, file string, pos uint64) (*dump.Position, error) {
	logs, err := c.BinaryLogs(ctx)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(logs, file) {
		return nil, fmt.Errorf("%w: file %s; the source has %s to %s", ErrPurged, file, logs[0], logs[len(logs)-1])
	}
	if pos == 4 {
		return r.placeAt(file, pos), nil
	}
	end := *r.server.Load()
	if err := c.ReadEnd(ctx, &end); err != nil {
		return nil, err
	}
	if file == end.File && pos > end.Pos {
		return nil, fmt.Errorf("%w: offset %d of %s, which ends at %d", ErrPosition, pos, file, end.Pos)
	}
	var stopped place
	p, err := r.runScan(ctx, r.placeAt(file, 4), &scan{until: func(n *scanner) bool {
		stopped = place{n.file, n.offset}
		return n.file != file || n.offset >= pos && !n.group.open
	}})
	if err != nil {
		return nil, err
	}
	if stopped != (place{file, pos}) {
		return nil, fmt.Errorf("%w: offset %d of %s is not where a transaction begins; one begins at %s:%d", ErrPosition, pos, file, stopped.file, stopped.pos)
	}
	p.At(file, p.FileMade, pos)
	return p, nil
}

// gtidPosition checks that the source has executed the set. A MariaDB server serves, too, what it has replicated last, though
// that be in none of its binlogs.
func (r *Reader) gtidPosition(ctx context.Context, c *Conn, text string) (*dump.Position, error) {
	s := r.server.Load()
	if !s.UsesGTID() {
		return nil, fmt.Errorf("%w: gtid_mode is %q; set it to ON, or start at a file and offset", ErrPosition, s.GTIDMode)
	}
	set, err := dump.ParseGTIDSet(s.Flavor, text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPosition, err)
	}
	executed, err := c.Executed(ctx, s)
	if err != nil {
		return nil, err
	}
	replicated, err := c.Replicated(ctx, s)
	if err != nil {
		return nil, err
	}
	logged := set.WithoutThose(replicated)
	if !executed.ContainsSet(logged) {
		return nil, fmt.Errorf("%w: the source has executed %q, which does not have all of %q", ErrPosition, executed.Brief(), set.Brief())
	}
	if s.Flavor == MariaDB { // which compares sequence numbers only
		state, err := c.BinlogState(ctx)
		if err != nil {
			return nil, err
		}
		if !state.Has(logged) {
			return nil, fmt.Errorf("%w: the source's binlogs have had %q, and nothing of the server of each of %q with that number", ErrPosition, state, set.Brief())
		}
	}
	p := r.placeAt("", 4)
	p.GTIDs = set
	if s.Flavor == MariaDB && set.IsEmpty() {
		return nil, fmt.Errorf("%w: an empty GTID position; start at earliest", ErrPosition)
	}
	return p, nil
}

// clockSkew is how far the clocks of Daybook and the source may be apart.
const clockSkew = 5 * time.Minute

// timePosition finds the first transaction committed at t or later: the last
// file made before t, by a search among the files' first events, and then the
// place in it.
func (r *Reader) timePosition(ctx context.Context, c *Conn, t time.Time) (*dump.Position, error) {
	if now := time.Now(); t.After(now.Add(clockSkew)) {
		return nil, fmt.Errorf("%w: %s is in the future: it is %s here; start at now", ErrPosition, t.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	logs, err := c.BinaryLogs(ctx)
	if err != nil {
		return nil, err
	}
	end := *r.server.Load()
	if err := c.ReadEnd(ctx, &end); err != nil {
		return nil, err
	}
	var failed error
	n, _ := slices.BinarySearchFunc(logs, t, func(file string, t time.Time) int {
		made, err := r.fileTime(ctx, file, &end)
		if err != nil {
			failed = err
		}
		return made.Compare(t)
	})
	if failed != nil {
		return nil, failed
	}
	if n == 0 {
		first, err := r.fileTime(ctx, logs[0], &end)
		if err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%w: %s; the oldest binlog, %s, begins at %s",
			ErrPurged, t.Format(time.RFC3339), logs[0], first.UTC().Format(time.RFC3339))
	}
	all := reachedEnd(end.File, end.Pos)
	return r.runScan(ctx, r.placeAt(logs[n-1], 4), &scan{until: func(s *scanner) bool {
		return s.group.open && s.group.micros >= t.UnixMicro() || all(s)
	}})
}

// fileTime returns when a binlog file was made: the time of its first event, or of the first one from there on that
// tells a time; end is the binlogs' end, which has that of now.
func (r *Reader) fileTime(ctx context.Context, file string, end *Status) (time.Time, error) {
	made := time.Now()
	all := reachedEnd(end.File, end.Pos)
	_, err := r.runScan(ctx, r.placeAt(file, 4), &scan{until: func(n *scanner) bool {
		switch {
		case n.format.Made > dump.NotMade:
			made = time.Unix(int64(n.format.Made), 0)
		case n.group.open:
			made = time.UnixMicro(n.group.micros)
		case n.format.Made == 0 || !all(n):
			return false
		}
		return true
	}})
	return made, err
}

// scanHistory finds the tables that DDL touched between p and the snapshot
// in the catalog, and holds their definitions back.
func (r *Reader) scanHistory(ctx context.Context, p *dump.Position, end *Status) error {
	last := map[schema.TableName]held{}
	_, err := r.runScan(ctx, p, &scan{until: reachedEnd(end.File, end.Pos), onDDL: func(n *scanner, result *schema.Result) {
		r.catalog.Forget(result)
		for _, name := range r.touched(result) {
			last[r.foldName(name)] = held{File: n.file, Pos: n.start, GTID: n.gtidText(), name: name}
		}
	}})
	if err != nil {
		return err
	}
	for key, h := range last {
		if r.catalog.IsUnknown(h.name.Database, h.name.Name) {
			continue // touched during the snapshot too
		}
		h.Packed = r.catalog.Packed(h.name.Database, h.name.Name)
		r.hold(key, h)
		r.catalog.Unknown(h.name.Database, h.name.Name)
	}
	return nil
}

// resume goes on at a saved position with the saved entries.
func (r *Reader) resume() (*position, error) {
	var base, selected []byte
	var chunks [][]byte
	var err error
	r.catalog, err = schema.Load(r.schemaServer(), func(yield func(schema.Entry, error) bool) {
		if r.o.Schema == nil {
			return
		}
		for k, v := range r.o.Schema {
			switch {
			case bytes.Equal(k, baseKey):
				base = bytes.Clone(v)
				continue
			case bytes.Equal(k, objectsKey):
				selected = bytes.Clone(v)
				continue
			case bytes.HasPrefix(k, chunkPrefix): // read when its transaction is committed
				chunks = append(chunks, bytes.Clone(k))
				continue
			}
			own, err := r.loadOwn(k, v)
			if err != nil {
				yield(schema.Entry{}, err)
				return
			}
			if !own && !yield(schema.Entry{Key: k, Value: v}, nil) {
				return
			}
		}
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSaved, err)
	}
	p, err := decodePosition(r.o.Resume, base)
	if err != nil {
		return nil, err
	}
	if !p.inGroup() { // else some may be of the group
		r.dropOrphans(chunks)
	}
	return p, r.selectObjects(selected, p)
}

// loadOwn reads an entry that is the Reader's own and not the catalog's.
func (r *Reader) loadOwn(key, value []byte) (own bool, err error) {
	switch {
	case bytes.HasPrefix(key, heldPrefix):
		return true, r.loadHeld(key, value)
	case bytes.HasPrefix(key, sessionPrefix):
		return true, r.sessions.load(key, value)
	case bytes.HasPrefix(key, doubtPrefix):
		return true, r.loadDoubt(key)
	case bytes.HasPrefix(key, preparedPrefix):
		return true, r.loadPrepared(key, value)
	case bytes.HasPrefix(key, movedPrefix):
		return true, r.loadMoved(key, value)
	}
	return false, nil
}
