package binlog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"daybook/binlog/dump"
	"daybook/binlog/schema"
	"daybook/change"
	"daybook/objects"
)

// ErrChecking is returned if a check of the definitions waits already.
var ErrChecking = errors.New("a check of the tables' definitions waits already")

// CheckOptions say what of the tables' definitions is compared with the source's.
type CheckOptions struct {
	// Tables are the tables that are looked at, as database.table, names with dots in
	// backquotes; none: all that are selected.
	Tables []string
	// Adopt takes the source's definition of each table that differs, from where
	// the Reader is then. A schema change without a statement tells of it.
	Adopt bool
}

// Check is what a check of the definitions found.
type Check struct {
	CheckOptions
	Asked time.Time // when it was asked for: no other check has the same
	From  Place     // where the Reader was when it began
	To    Place     // where it was when it ended
	// Same counts the tables that are as at the source, Undecided those that
	// were changed by DDL whenever they were looked at, that cannot be read, or
	// that nobody knows.
	Same, Undecided int
	Differ          []TableDifference // not more than maxDiffer
	More            int               // that differ, beyond these
	Err             error             // why it ended early
}

// TableDifference is a table that is not at the source as its statements in
// the binlog left it.
type TableDifference struct {
	Table string   // database.table
	What  []string // that differs
}

// maxDiffer bounds the tables that a check tells of by name.
const maxDiffer = 100

// Tables are looked at some at a time, with a pause before each, so that neither
// the source nor the memory notices much. What differs is looked at once more
// after a longer one: a DDL shows in the definitions a moment before or after it
// does in the binlog.
const (
	lookTables  = 250
	lookPause   = 250 * time.Millisecond
	secondPause = 3 * time.Second
)

// definitionCheck is a check under way.
type definitionCheck struct {
	Check
	names  []schema.TableName // to be looked at, in order
	again  []schema.TableName // to be looked at once more
	second bool               // that is done
	look   *look
}

// look asks for definitions, and sees what the stream tells of their tables
// meanwhile. They are those of a place in the binlog that is known when they are
// read: its end then. Where no DDL on a table comes until the stream has passed
// it, the catalog and the source must have the same.
type look struct {
	names   []schema.TableName // none: the names are asked for
	touched map[schema.TableName]bool
	source  int // stream.source
	answer  chan looked
	seen    *looked
}

type looked struct {
	names []schema.TableName
	now   *schema.Catalog
	end   place
	err   error
}

// Check asks for a comparison of the selected tables' definitions with the
// source's, which goes on beside Poll. What it found comes with a checkpoint,
// unless the Reader ends before. It may be called from any goroutine.
func (r *Reader) Check(o CheckOptions) (asked time.Time, err error) {
	c := &definitionCheck{Check: Check{CheckOptions: o, Asked: time.Now().UTC().Round(0)}}
	select {
	case r.checks <- c:
		r.feed.Wake()
		return c.Asked, nil
	default:
		return time.Time{}, ErrChecking
	}
}

// pollCheck goes on with the check, between event groups.
func (r *Reader) pollCheck() error {
	c := r.check
	if c == nil && r.checked == nil { // else the one before waits to be taken
		select {
		case r.check = <-r.checks:
			r.check.From = r.place()
			r.beginCheck(r.check)
		default:
		}
	}
	if c == nil {
		return nil
	}
	if c.look.seen == nil {
		select {
		case seen := <-c.look.answer:
			c.look.seen = &seen
		default:
			return nil
		}
	}
	l := c.look
	switch {
	case l.seen.err != nil:
		c.Err = l.seen.err
		r.endCheck(c)
	case l.names == nil:
		c.names = r.checkedNames(l.seen.names)
		r.nextLook(c)
	case l.source != r.stream.source: // the places are another server's
		r.startLook(c, l.names, lookPause)
	case r.hasPassed(l.seen.end):
		if err := r.compareLook(c, l); err != nil {
			return err
		}
		r.nextLook(c)
	}
	return nil
}

func (r *Reader) beginCheck(c *definitionCheck) {
	for _, t := range c.Tables {
		database, name := objects.Name(t)
		c.names = append(c.names, schema.TableName{Database: database, Name: name})
	}
	if len(c.names) == 0 {
		r.startLook(c, nil, 0)
		return
	}
	slices.SortFunc(c.names, compareNames)
	r.nextLook(c)
}

// checkedNames returns the selected tables that the source or the catalog has.
func (r *Reader) checkedNames(there []schema.TableName) []schema.TableName {
	for _, d := range r.catalog.Databases() {
		there = append(there, r.catalog.Names(d)...)
	}
	there = slices.DeleteFunc(there, func(n schema.TableName) bool { return !r.filter.Table(n.Database, n.Name) })
	slices.SortStableFunc(there, func(a, b schema.TableName) int { return compareNames(r.foldName(a), r.foldName(b)) })
	return slices.CompactFunc(there, func(a, b schema.TableName) bool { return r.foldName(a) == r.foldName(b) })
}

func compareNames(a, b schema.TableName) int {
	if c := strings.Compare(a.Database, b.Database); c != 0 {
		return c
	}
	return strings.Compare(a.Name, b.Name)
}

// nextLook goes on with the next tables, or ends the check.
func (r *Reader) nextLook(c *definitionCheck) {
	pause := lookPause
	if len(c.names) == 0 && len(c.again) > 0 && !c.second {
		c.names, c.again, c.second = c.again, nil, true
		pause = secondPause
	}
	if len(c.names) == 0 {
		r.endCheck(c)
		return
	}
	n := min(len(c.names), lookTables)
	names := c.names[:n]
	c.names = c.names[n:]
	r.startLook(c, names, pause)
}

func (r *Reader) startLook(c *definitionCheck, names []schema.TableName, pause time.Duration) {
	l := &look{names: names, touched: map[schema.TableName]bool{}, source: r.stream.source, answer: make(chan looked, 1)}
	c.look = l
	read := r.stream.pos.Clone()
	r.feed.Go(func(ctx context.Context) {
		select {
		case <-time.After(pause):
			seen := r.lookAt(ctx, names, read)
			l.answer <- seen
			r.feed.Wake()
		case <-ctx.Done():
		}
	})
}

// lookAt reads the definitions of the tables named, or the names of all, and
// then the end of the binlog. What was read by then they have: a DDL may be in the binlog and wait for its
// commit. It runs beside Poll.
func (r *Reader) lookAt(ctx context.Context, names []schema.TableName, read *dump.Position) (l looked) {
	defer func() {
		if l.err != nil {
			l.err = fmt.Errorf("compare the tables' definitions with those of %s: %w", r.o.Source.Address, l.err)
		}
	}()
	c, err := dump.DialServer(ctx, r.o.Source, r.server.Load())
	if err != nil {
		return looked{err: err}
	}
	defer func() { _ = c.Close() }()
	if names == nil {
		l.names, l.err = schema.SnapshotNames(ctx, c.LongQuery)
		return l
	}
	if _, l.err = r.awaitCommitted(ctx, c, read); l.err != nil {
		return l
	}
	if l.now, l.err = schema.SnapshotTables(ctx, c.LongQuery, r.schemaServer(), names...); l.err != nil {
		return l
	}
	end := *r.server.Load()
	l.err = c.ReadEnd(ctx, &end)
	l.end = place{end.File, end.Pos}
	return l
}

// hasPassed tells that everything before a place was read. It is asked between
// event groups.
func (r *Reader) hasPassed(p place) bool {
	s := r.stream
	return s.settled && place{s.file, s.offset}.passed(p) || s.heartbeat.passed(p)
}

// touch notes the tables of the look that a DDL may have changed.
func (r *Reader) touch(result *schema.Result) {
	if r.check == nil || r.check.look == nil || len(result.Named)+len(result.Tables)+len(result.Databases) == 0 {
		return
	}
	l := r.check.look
	for _, n := range l.names {
		if n = r.foldName(n); r.names(result, n) {
			l.touched[n] = true
		}
	}
}

// compareLook compares what was looked at with the catalog.
func (r *Reader) compareLook(c *definitionCheck, l *look) error {
	for _, n := range l.names {
		key := r.foldName(n)
		known, there := r.catalog.Table(n.Database, n.Name)
		if there {
			l.seen.now.KeepLabels(known)
		}
		now, atSource := l.seen.now.Table(n.Database, n.Name)
		open := l.touched[key] || r.doubted[key] || r.catalog.IsUnknown(n.Database, n.Name) || l.seen.now.IsUnknown(n.Database, n.Name)
		var what []string
		if !open && (there || atSource) {
			what = differences(known, now)
		}
		switch {
		case (open || len(what) > 0) && !c.second:
			c.again = append(c.again, n)
		case open:
			c.Undecided++
		case len(what) > 0:
			if err := r.differs(c, n, what, l.seen.now); err != nil {
				return err
			}
		case there:
			c.Same++
		case !atSource && len(c.Tables) > 0: // a name that nobody knows
			c.Undecided++
		}
	}
	return nil
}

// differs notes a table that differs, and adopts its definition if that is
// wanted.
func (r *Reader) differs(c *definitionCheck, n schema.TableName, what []string, now *schema.Catalog) error {
	if len(c.Differ) < maxDiffer {
		c.Differ = append(c.Differ, TableDifference{Table: n.String(), What: what})
	} else {
		c.More++
	}
	if !c.Adopt {
		return nil
	}
	as := change.Altered
	known, there := r.catalog.Table(n.Database, n.Name)
	t, atSource := now.Table(n.Database, n.Name)
	switch {
	case !atSource:
		as, t = change.Dropped, known
		r.catalog.Drop(n.Database, n.Name)
	case !there:
		as = change.Created
		fallthrough
	default:
		if err := r.catalog.PutPacked(now.Packed(n.Database, n.Name)); err != nil {
			return err
		}
	}
	r.generation++
	r.tellAdopted(as, t, "the definition that the source has now, by command", strings.Join(what, "; "))
	return nil
}

func (r *Reader) endCheck(c *definitionCheck) {
	c.To = r.place()
	r.check, r.checked = nil, &c.Check
}

// place is where the Reader goes on, for people.
func (r *Reader) place() Place {
	p := &r.stream.pos
	return Place{File: p.File, Pos: p.Pos}
}
