package tail

import (
	"context"
	"errors"
	"fmt"
	"time"

	"daybook/recordbatch"
	"daybook/store"
)

// ErrBeyond is returned of an offset that the log does not have yet.
var ErrBeyond = errors.New("the log does not reach there yet")

// Turn is what bounds how many batches are in memory: a place in it is taken for the
// time in which one is read and taken apart.
type Turn chan struct{}

const (
	// What ends a page, even if less was found than there may be on it.
	pageScan  = 32 << 20 // bytes that were looked at
	pageBytes = 1 << 20  // of values
	pageTime  = 3 * time.Second

	// maxKept is the size of a buffer that is used again.
	maxKept = 1 << 20
)

// Query says which changes a page has.
type Query struct {
	Filter *Filter
	Limit  int
	// MaxValue bounds the bytes of one value.
	MaxValue int
}

// Page is a part of what a log has.
type Page struct {
	Changes []Change
	Next    int64 // where the next page begins
}

// Log is a task's log.
type Log struct {
	Partition *store.Partition
	TableAt   Definition
	Turn      Turn
}

// Read returns changes from an offset on: none at the log's end, or if none of the many
// records looked at is wanted. An offset below the log start is told as lost. A topic
// that was deleted is store.ErrDeleted.
func (l *Log) Read(ctx context.Context, from int64, q Query) (*Page, error) {
	p := &reading{Log: l, q: q, page: Page{Next: from}, ends: time.Now().Add(pageTime)}
	for !p.full() {
		more, err := p.batch(ctx)
		if err != nil && (len(p.page.Changes) == 0 || ctx.Err() != nil) {
			return nil, err
		}
		if err != nil || !more {
			break
		}
	}
	return &p.page, nil
}

// reading is a page that is made.
type reading struct {
	*Log
	q              Query
	page           Page
	buf            []byte
	scanned, shown int
	ends           time.Time
}

// full tells whether no further batch is to be read.
func (p *reading) full() bool {
	return p.enough() || p.scanned >= pageScan || time.Now().After(p.ends)
}

// enough tells whether nothing more is to be added. What a page has looked at does not count, nor how long it
// took: a batch may be larger than that, or take longer, and the page would never get on.
func (p *reading) enough() bool { return len(p.page.Changes) >= p.q.Limit || p.shown >= pageBytes }

// batch adds what the next batch has; more tells that there was one.
func (p *reading) batch(ctx context.Context) (more bool, err error) {
	select {
	case p.Turn <- struct{}{}:
		defer func() { <-p.Turn }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	b, err := p.Partition.Read(p.buf[:0], p.page.Next, 0)
	if errors.Is(err, store.ErrOffsetOutOfRange) {
		start, end := p.Partition.LogStartOffset(), p.Partition.HighWatermark()
		if p.page.Next > end {
			return false, fmt.Errorf("%w: offset %d, the log ends before %d", ErrBeyond, p.page.Next, end)
		}
		p.lost(start, "retention has removed them before they were read")
		return true, nil
	}
	if err != nil || len(b) == 0 {
		return false, err
	}
	if p.buf = b; cap(b) > maxKept {
		p.buf = nil
	}
	p.scanned += len(b)
	return true, p.take(b)
}

// lost tells that there are no records up to an offset.
func (p *reading) lost(to int64, reason string) {
	if to <= p.page.Next {
		return
	}
	p.page.Changes = append(p.page.Changes, Change{Offset: p.page.Next, Next: to, Op: Lost, Reason: reason})
	p.page.Next = to
}

const repaired = "they were damaged on disk, and a repair of the data directory has passed over them"

// take adds what a batch has.
func (p *reading) take(b []byte) error {
	h, err := recordbatch.ParseHeader(b)
	if err != nil {
		return err
	}
	if h.Count == 0 {
		p.lost(h.NextOffset(), repaired)
		return nil
	}
	p.lost(h.BaseOffset, repaired)
	d := &definitions{at: p.TableAt, tables: map[string]*definition{}}
	var held *record // a deletion, which may be the first part of an update that changes the key
	release := func(moved *record) error {
		rec := held
		if held = nil; rec == nil {
			return nil
		}
		return p.row(rec, moved, d)
	}
	for r, err := range recordbatch.Records(b) {
		if err != nil {
			return err
		}
		if r.Value == nil { // a tombstone, which tells nothing more
			if held == nil && r.Offset >= p.page.Next {
				p.page.Next = r.Offset + 1
			}
			continue
		}
		rec, err := parse(&r)
		if err != nil {
			return err
		}
		if held != nil && held.sameRow(rec) {
			if err := release(rec); err != nil {
				return err
			}
		} else {
			if err := release(nil); err != nil {
				return err
			}
			switch {
			case p.enough():
			case rec.isSchemaChange:
				p.ddl(rec, d)
			case r.Offset < p.page.Next: // of the batch's part that was read before
			case rec.op == "d":
				held = rec
			default:
				err = p.row(rec, nil, d)
			}
			if err != nil {
				return err
			}
		}
		if p.enough() {
			return nil
		}
	}
	if err := release(nil); err != nil {
		return err
	}
	if !p.enough() {
		p.page.Next = max(p.page.Next, h.NextOffset())
	}
	return nil
}

// ddl takes over what a schema change tells, and adds it unless it was read before.
func (p *reading) ddl(rec *record, d *definitions) {
	tables := d.apply(rec.tableChanges)
	if len(tables) == 0 && rec.source.Table != "" { // as TRUNCATE, which changes no definition
		tables = [][2]string{{rec.source.Database, rec.source.Table}}
	}
	if rec.offset < p.page.Next {
		return
	}
	p.page.Next = rec.offset + 1
	if c := rec.ddlOf(); c.Op == Gap || p.q.Filter.ddl(c.Database, tables) {
		p.add(c)
	}
}

func (p *reading) row(rec, moved *record, d *definitions) error {
	last, op := rec, rec.operation()
	if moved != nil {
		last, op = moved, Update
	}
	if !p.q.Filter.row(op, rec.source.Database, rec.source.Table) {
		p.page.Next = last.offset + 1
		return nil
	}
	c, err := rec.rowOf(moved, d, p.q.MaxValue)
	if err != nil {
		return err
	}
	p.page.Next = last.offset + 1
	if p.q.Filter.keys(c) {
		p.add(c)
	}
	return nil
}

func (p *reading) add(c *Change) {
	p.page.Changes = append(p.page.Changes, *c)
	p.shown += c.size()
}

// size is about how much memory a change takes.
func (c *Change) size() int {
	n := 500 + len(c.SQL) + len(c.Query)
	for i := range c.Columns {
		n += 100
		for _, v := range []*Value{c.Columns[i].Before, c.Columns[i].After} {
			if v != nil {
				n += 50 + len(v.Text)
			}
		}
	}
	return n
}
