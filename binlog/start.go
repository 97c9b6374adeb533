package binlog

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"daybook/binlog/schema"
)

// snapshotAttempts is how often the definitions are read again because a DDL
// ran meanwhile.
const snapshotAttempts = 5

// firstStart finds the position of Options.Start and what the tables look like
// there.
//
// The definitions can only be read as they are now. So they are read between
// two positions of the binlog without a DDL between them; and if the start is
// in the past, the DDL from there on is looked through, and the definitions of
// the tables it touches are held back.
func (r *Reader) firstStart(ctx context.Context, c *Conn) (*position, error) {
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
	if p.gtids != nil && p.file == "" {
		if executed, err := parseGTIDSet(before.Flavor, before.GTIDSet); err == nil && p.gtids.containsSet(executed) {
			return p, nil // nothing to look through
		}
	}
	return p, r.scanHistory(ctx, *p, before)
}

// snapshot fills the catalog and returns the end of the binlog from which on
// it is right. Where DDL never pauses, the tables that it touched meanwhile
// are left unknown until a statement of the stream defines them, but no
// selected one.
func (r *Reader) snapshot(ctx context.Context, c *Conn) (*Status, error) {
	for attempt := 1; ; attempt++ {
		before, after := *r.status, *r.status
		if err := c.readEnd(ctx, &before); err != nil {
			return nil, err
		}
		var err error
		if r.catalog, err = schema.Snapshot(ctx, c.Query, r.schemaServer()); err != nil {
			return nil, fmt.Errorf("read the tables' definitions: %w", err)
		}
		if err := c.readEnd(ctx, &after); err != nil {
			return nil, err
		}
		touched, err := r.ddlBetween(ctx, &before, &after)
		if err != nil {
			return nil, err
		}
		selected := slices.ContainsFunc(touched, func(n schema.TableName) bool { return r.filter.table(n.Database, n.Name) })
		switch {
		case len(touched) > 0 && attempt < snapshotAttempts:
			continue
		case selected:
			return nil, fmt.Errorf("read the tables' definitions: %w: DDL on selected tables ran at the source during each of %d attempts; try again when it has ended", ErrSchema, attempt)
		}
		for _, n := range touched {
			r.catalog.Unknown(n.Database, n.Name)
		}
		return &before, nil
	}
}

// ddlBetween returns the tables that DDL touched between two ends of the
// binlog.
func (r *Reader) ddlBetween(ctx context.Context, before, after *Status) ([]schema.TableName, error) {
	if before.File == after.File && before.Pos == after.Pos {
		return nil, nil
	}
	var touched []schema.TableName
	p := r.place(before.File, before.Pos)
	_, err := r.runScan(ctx, *p, &scan{
		until:       reached(after.File, after.Pos),
		onStatement: func(_ *Reader, result *schema.Result) { touched = append(touched, r.touched(result)...) },
	})
	return touched, err
}

// at makes a position of the end of the binlog.
func (r *Reader) at(s *Status) (*position, error) {
	p := r.place(s.File, s.Pos)
	if s.usesGTID() {
		set, err := parseGTIDSet(s.Flavor, s.GTIDSet)
		if err != nil {
			return nil, err
		}
		p.gtids = set
	}
	return p, nil
}

func (r *Reader) place(file string, pos uint64) *position {
	return &position{flavor: r.status.Flavor, serverUUID: r.status.ServerUUID, serverID: r.status.ServerID, file: file, pos: pos}
}

// startPosition finds the place of Options.Start; nil is the binlog's end.
func (r *Reader) startPosition(ctx context.Context, c *Conn) (*position, error) {
	switch s := r.o.Start; s.Mode {
	case StartEarliest:
		logs, err := c.binaryLogs(ctx)
		if err != nil {
			return nil, err
		}
		return r.place(logs[0], 4), nil
	case StartFile:
		return r.filePosition(ctx, c, s.File, s.Pos)
	case StartGTID:
		return r.gtidPosition(s.GTID)
	case StartTime:
		return r.timePosition(ctx, c, s.Time)
	}
	return nil, nil
}

// filePosition checks the file, and finds the GTID set executed before the
// offset by running through the file up to there.
func (r *Reader) filePosition(ctx context.Context, c *Conn, file string, pos uint64) (*position, error) {
	logs, err := c.binaryLogs(ctx)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(logs, file) {
		return nil, fmt.Errorf("%w: file %s; the source has %s to %s: start at one of them, earliest or now", ErrPurged, file, logs[0], logs[len(logs)-1])
	}
	if pos == 4 || !r.status.usesGTID() {
		return r.place(file, pos), nil
	}
	end := *r.status
	if err := c.readEnd(ctx, &end); err != nil {
		return nil, err
	}
	if file == end.File && pos > end.Pos {
		return nil, fmt.Errorf("%w: offset %d of %s, which ends at %d", ErrPosition, pos, file, end.Pos)
	}
	p, err := r.runScan(ctx, *r.place(file, 4), &scan{until: func(n *Reader) bool {
		return n.file != file || n.offset >= pos && !n.group.open
	}})
	if err != nil {
		return nil, err
	}
	if p.file != file || p.pos != pos {
		return nil, fmt.Errorf("%w: offset %d of %s is not where a transaction begins; one begins at %s", ErrPosition, pos, file, p)
	}
	return p, nil
}

func (r *Reader) gtidPosition(text string) (*position, error) {
	if !r.status.usesGTID() {
		return nil, fmt.Errorf("%w: gtid_mode is %q; set it to ON, or start at a file and offset", ErrPosition, r.status.GTIDMode)
	}
	set, err := parseGTIDSet(r.status.Flavor, text)
	if err != nil {
		return nil, err
	}
	p := r.place("", 4)
	p.gtids = set
	if r.status.Flavor == MariaDB && set.isEmpty() {
		return nil, fmt.Errorf("%w: an empty GTID position; start at earliest", ErrPosition)
	}
	return p, nil
}

// timePosition finds the first transaction committed at t or later: the last
// file made before t, by a search among the files' first events, and then the
// place in it.
func (r *Reader) timePosition(ctx context.Context, c *Conn, t time.Time) (*position, error) {
	logs, err := c.binaryLogs(ctx)
	if err != nil {
		return nil, err
	}
	var failed error
	n, _ := slices.BinarySearchFunc(logs, t, func(file string, t time.Time) int {
		made, err := r.fileTime(ctx, file)
		if err != nil {
			failed = err
		}
		return made.Compare(t)
	})
	if failed != nil {
		return nil, failed
	}
	if n == 0 {
		first, err := r.fileTime(ctx, logs[0])
		if err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%w: %s; the oldest binlog, %s, begins at %s: start there, at earliest or now",
			ErrPurged, t.Format(time.RFC3339), logs[0], first.UTC().Format(time.RFC3339))
	}
	end := *r.status
	if err := c.readEnd(ctx, &end); err != nil {
		return nil, err
	}
	all := reached(end.File, end.Pos)
	return r.runScan(ctx, *r.place(logs[n-1], 4), &scan{until: func(s *Reader) bool {
		return s.group.open && s.group.micros >= t.UnixMicro() || all(s)
	}})
}

// fileTime returns when a binlog file was made: the time of its first event.
func (r *Reader) fileTime(ctx context.Context, file string) (time.Time, error) {
	var made time.Time
	_, err := r.runScan(ctx, *r.place(file, 4), &scan{until: func(n *Reader) bool {
		made = time.Unix(int64(n.format.timestamp), 0)
		return n.format.timestamp != 0
	}})
	return made, err
}

// resume goes on at a saved position with the saved definitions.
func (r *Reader) resume() (*position, error) {
	p, err := decodePosition(r.o.Resume)
	if err != nil {
		return nil, err
	}
	r.catalog, err = schema.Load(r.schemaServer(), func(yield func(schema.Entry, error) bool) {
		if r.o.Schema == nil {
			return
		}
		for k, v := range r.o.Schema {
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
	return p, nil
}

// loadOwn reads an entry that is the Reader's own and not the catalog's.
func (r *Reader) loadOwn(key, value []byte) (own bool, err error) {
	switch {
	case bytes.HasPrefix(key, heldPrefix):
		return true, r.loadHeld(key, value)
	case bytes.HasPrefix(key, preparedPrefix):
		return true, r.loadPrepared(key, value)
	}
	return false, nil
}

// heldPrefix begins the keys of held definitions among the schema entries.
var heldPrefix = []byte("h\x00")

func heldKey(n schema.TableName) []byte { return []byte("h\x00" + n.Database + "\x00" + n.Name) }

// hold saves that a definition is held back; one that is not any more is nil.
func (r *Reader) hold(n schema.TableName, h held) {
	value, err := json.Marshal(h)
	if err != nil {
		panic(err) // plain structs of strings and numbers: cannot fail
	}
	r.held[n] = h
	r.entries = append(r.entries, SchemaEntry{Key: heldKey(n), Value: value})
}

func (r *Reader) loadHeld(key, value []byte) error {
	parts := bytes.Split(key, []byte{0})
	var h held
	if err := json.Unmarshal(value, &h); err != nil || len(parts) != 3 {
		return fmt.Errorf("held definition %q: %w", key, err)
	}
	h.name = schema.TableName{Database: string(parts[1]), Name: string(parts[2])}
	r.held[h.name] = h
	return nil
}

// releaseHeld gives the catalog the definitions that are right behind the
// statement just applied.
func (r *Reader) releaseHeld() {
	for n, h := range r.held {
		if h.GTID != "" && h.GTID != r.gtidText() || h.GTID == "" && (h.File != r.file || h.Pos != r.start) {
			continue
		}
		if h.Table != nil {
			r.catalog.Put(h.Table)
		} else {
			r.catalog.Drop(n.Database, n.Name)
		}
		delete(r.held, n)
		r.entries = append(r.entries, SchemaEntry{Key: heldKey(n)})
	}
}
