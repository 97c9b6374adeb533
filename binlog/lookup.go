package binlog

import (
	"context"
	"fmt"
	"slices"

	"daybook/binlog/schema"
	"daybook/change"
)

// lookup finds out what a table looks like whose definition the history does
// not know. The rows that need it wait.
type lookup struct {
	rows  event // the rows event
	state *tableState
	done  chan lookupResult // of capacity 1
}

type lookupResult struct {
	table *change.Table
	err   error
}

// startLookup asks the source for a table's definition.
func (r *Reader) startLookup(e event, s *tableState) error {
	from := r.pos
	if from.gtids != nil {
		from.gtids = from.gtids.clone()
	}
	l := &lookup{rows: e, state: s, done: make(chan lookupResult, 1)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed.Load() {
		return ErrClosed
	}
	r.feed.done.Go(func() {
		t, err := r.lookUp(r.feed.ctx, schema.TableName{Database: s.database, Name: s.table}, from)
		l.done <- lookupResult{t, err}
		r.feed.wake()
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
		if result.err != nil {
			return false, fmt.Errorf("%w; and it cannot be taken from the source: %w", l.state.err, result.err)
		}
		r.log.Info("took a table's definition from the source", "table", l.state.database+"."+l.state.table, "file", r.file, "pos", r.start)
		r.catalog.Put(result.table)
		r.generation++
		return false, r.startRows(l.rows)
	default:
		return true, nil
	}
}

// lookUp reads a table's definition as it is now, and then sees that no DDL on
// it stands in the binlog between a position and now: so it was the same
// there. It runs beside Poll, which leaves what it reads alone meanwhile.
func (r *Reader) lookUp(ctx context.Context, name schema.TableName, from position) (*change.Table, error) {
	c, err := Dial(ctx, r.o.Source)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	now, err := schema.Snapshot(ctx, c.Query, r.schemaServer())
	if err != nil {
		return nil, err
	}
	end, err := c.Status(ctx)
	if err != nil {
		return nil, err
	}
	t, ok := now.Table(name.Database, name.Name)
	if !ok {
		return nil, fmt.Errorf("it is not there any more")
	}
	want := r.foldName(name)
	later := false
	reachedEnd := reached(end.File, end.Pos)
	_, err = r.runScan(ctx, from, &scan{
		until: func(n *Reader) bool { return later || reachedEnd(n) },
		onStatement: func(_ *Reader, result *schema.Result) {
			later = later || slices.ContainsFunc(r.touched(result), func(n schema.TableName) bool { return r.foldName(n) == want })
		},
	})
	if err != nil {
		return nil, err
	}
	if later {
		return nil, fmt.Errorf("a later DDL has changed it")
	}
	return t, nil
}
