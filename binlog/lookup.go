package binlog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"daybook/binlog/dump"
	"daybook/binlog/schema"
	"daybook/change"
)

// lookup finds out what a table looks like whose definition the history does
// not know, or that its rows do not fit. The rows that need it wait.
type lookup struct {
	rows   dump.Event // the rows event
	undone bool
	state  *tableState
	done   chan lookupResult // of capacity 1
}

func (l *lookup) name() schema.TableName {
	return schema.TableName{Database: l.state.database, Name: l.state.table}
}

type lookupResult struct {
	now *schema.Catalog // of the one table
	err error
}

// startLookup asks the source for a table's definition.
func (r *Reader) startLookup(rows dump.Event, s *tableState, undone bool) error {
	l := &lookup{rows: rows, undone: undone, state: s, done: make(chan lookupResult, 1)}
	from, sessions := r.stream.pos.Clone(), r.sessions.clone()
	at := place{r.stream.file, r.stream.start}
	r.feed.Go(func(ctx context.Context) {
		t, err := r.lookUp(ctx, l.name(), from, at, sessions)
		l.done <- lookupResult{t, err}
		r.feed.Wake()
	})
	r.lookup = l
	return nil
}

// pollLookup goes on with the rows when the definition is there.
func (r *Reader) pollLookup() (wait bool, err error) {
	l := r.lookup
	select {
	case result := <-l.done:
		r.lookup = nil
		switch {
		case result.err == nil:
		case l.state.unknown || l.state.misfit || l.state.unsure:
			return false, fmt.Errorf("%w; and it cannot be taken from the source: %w", l.state.err, result.err)
		case l.state.untold && (errors.Is(result.err, errGone) || errors.Is(result.err, errChanged)):
			return false, r.adoptUntold(l)
		default:
			return false, r.leaveDoubt(l, result.err)
		}
		return false, r.endLookup(l, result.now)
	default:
		return true, nil
	}
}

// endLookup takes the definition that the source has.
func (r *Reader) endLookup(l *lookup, now *schema.Catalog) error {
	s := l.state
	if !s.unknown && s.known != nil {
		now.KeepLabels(s.known)
	}
	t, _ := now.Table(s.database, s.table)
	as, untold := r.untold(s.database, s.table)
	if s.misfit || !s.unknown && !untold && !reflect.DeepEqual(t, s.known) {
		if err := r.adoptSources(s, now, cmp.Or(s.err, errDoubted)); err != nil {
			return err
		}
	} else {
		r.log.Info("took a table's definition from the source", "table", l.name().String(), "file", r.stream.file, "pos", r.stream.start)
		if err := r.catalog.PutPacked(now.Packed(s.database, s.table)); err != nil {
			return err
		}
		switch {
		case s.unknown && r.inDoubt(s):
			r.tellAdopted(change.Created, t, "the definition that the source has now", "a DROP TABLE that failed did not drop it")
		case untold:
			r.tellAdopted(as, t, "the definition that the source has now", errUntold)
		}
	}
	r.certain(l.name())
	r.generation++
	return r.startRows(l.rows, l.undone)
}

var (
	errGone    = errors.New("it is not there any more")
	errChanged = errors.New("a later DDL has changed it")
	errUntold  = errors.New("no statement in the binlog tells its definition, as of a table that was created with sql_log_bin=0")
	errDoubted = errors.New("a statement did not tell all of it, or may have been about a temporary table of its name")
)

// lookUp reads a table's definition as it is now, and then sees that no DDL on
// it stands in the binlog between a place and now: so it was the same
// there. from is where the group begins that the place is in, which may hold the CREATE of
// a CREATE … SELECT before its rows. It runs beside Poll, which leaves what it reads alone meanwhile.
func (r *Reader) lookUp(ctx context.Context, name schema.TableName, from *dump.Position, at place, sessions *sessions) (now *schema.Catalog, err error) {
	c, err := dump.DialServer(ctx, r.o.Source, r.server.Load())
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	now, err = schema.SnapshotTables(ctx, c.LongQuery, r.schemaServer(), name)
	if err != nil {
		return nil, err
	}
	end, err := c.Status(ctx)
	if err != nil {
		return nil, err
	}
	if _, ok := now.Table(name.Database, name.Name); !ok {
		return nil, errGone
	}
	want := r.foldName(name)
	later := false
	all := reachedEnd(end.File, end.Pos)
	_, err = r.runScan(ctx, from, &scan{
		sessions: sessions,
		until:    func(n *scanner) bool { return later || all(n) },
		onDDL: func(n *scanner, result *schema.Result) {
			before := n.file == at.file && n.start < at.pos
			later = later || !before && r.names(result, want)
		},
	})
	if err != nil {
		return nil, err
	}
	if later {
		return nil, errChanged
	}
	return now, nil
}

// names tells whether a DDL may have changed a table.
func (r *Reader) names(result *schema.Result, want schema.TableName) bool {
	return slices.ContainsFunc(result.Named, func(n schema.TableName) bool { return r.foldName(n) == want }) ||
		slices.ContainsFunc(result.Tables, func(t change.TableChange) bool {
			return r.foldName(schema.TableName{Database: t.Database, Name: t.Name}) == want
		}) ||
		slices.ContainsFunc(result.Databases, func(d string) bool { return r.foldName(schema.TableName{Database: d}).Database == want.Database })
}
