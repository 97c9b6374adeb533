package binlog

import (
	"context"
	"fmt"
	"strings"

	"daybook/binlog/schema"
	"daybook/change"
)

// scan is the other use of a Reader: it runs from one place of the binlog to
// another, looks at statements and steps over rows without reading them.
type scan struct {
	until       func(r *Reader) bool                   // asked before each event
	onStatement func(r *Reader, result *schema.Result) // nil: not wanted
	scratch     *schema.Catalog                        // reads statements; what is in it is of no use

	// the source's own position, from a heartbeat
	heartbeatFile string
	heartbeatPos  uint64
}

func (s *scan) heartbeat(e event) {
	s.heartbeatFile, s.heartbeatPos = string(e.body), uint64(e.logPos)
}

func (s *scan) statement(r *Reader, q *query) error {
	if s.onStatement == nil {
		return nil
	}
	result, err := s.scratch.Apply(string(q.sql), q.context)
	if err == nil && !result.IsDDL() {
		return nil
	}
	s.onStatement(r, result)
	return nil
}

// runScan runs s from p on and returns the place where it stopped.
func (r *Reader) runScan(ctx context.Context, p position, s *scan) (*position, error) {
	o := r.o
	o.ServerID = randomServerID()
	n := New(o)
	n.scan, n.status, n.feed = s, r.status, newFeed(o)
	n.filter = &filter{}
	s.scratch = schema.NewCatalog(r.schemaServer())
	n.catalog = s.scratch
	defer func() { _ = n.Close() }()
	first := p
	if p.gtids != nil {
		first.gtids, p.gtids = p.gtids.clone(), p.gtids.clone()
	}
	n.beginAt(p)
	n.feed.start(&first)
	for !s.until(n) {
		e, ok, err := n.nextEvent()
		if err == nil && !ok {
			select {
			case <-n.Ready():
				continue
			case <-ctx.Done():
				return nil, fmt.Errorf("scan the binlog: %w", ctx.Err())
			}
		}
		if err == nil {
			_, err = n.handle(e)
		}
		if err == nil {
			err = n.err
		}
		if err != nil && isTransient(err) {
			n.reconnect()
		} else if err != nil {
			return nil, fmt.Errorf("scan the binlog at %s:%d: %w", n.file, n.start, err)
		}
	}
	return &n.pos, nil
}

// reached returns a condition of a scan: that everything before a place has
// been read.
func reached(file string, pos uint64) func(*Reader) bool {
	return func(r *Reader) bool {
		if r.file == file && r.offset >= pos && !r.group.open {
			return true
		}
		return r.scan.heartbeatFile == file && r.scan.heartbeatPos >= pos
	}
}

// held is the definition that a table has after its last DDL before the
// snapshot. Until the stream has passed that DDL, what the table looks like
// is known only if a statement on the way says all of it.
type held struct {
	File  string        `json:"file"`
	Pos   uint64        `json:"pos"`
	GTID  string        `json:"gtid,omitempty"`
	Table *change.Table `json:"table,omitempty"` // nil: dropped
	name  schema.TableName
}

// scanHistory finds the tables that DDL touched between p and the snapshot
// in the catalog, and holds their definitions back.
func (r *Reader) scanHistory(ctx context.Context, p position, end *Status) error {
	s := &scan{until: reached(end.File, end.Pos), onStatement: func(n *Reader, result *schema.Result) {
		for _, name := range r.touched(result) {
			r.held[r.foldName(name)] = held{File: n.file, Pos: n.start, GTID: n.gtidText(), name: name}
		}
	}}
	if _, err := r.runScan(ctx, p, s); err != nil {
		return err
	}
	for key, h := range r.held {
		if r.catalog.IsUnknown(h.name.Database, h.name.Name) {
			delete(r.held, key) // touched during the snapshot too
			continue
		}
		if t, ok := r.catalog.Table(h.name.Database, h.name.Name); ok {
			h.Table = t
		}
		r.hold(key, h)
		r.catalog.Unknown(h.name.Database, h.name.Name)
	}
	return nil
}

func (r *Reader) foldName(n schema.TableName) schema.TableName {
	if r.status.LowerCaseTableNames == 0 {
		return n
	}
	return schema.TableName{Database: strings.ToLower(n.Database), Name: strings.ToLower(n.Name)}
}

// touched returns the tables that a DDL of a scan may have changed: those it
// names, and those that its databases have in the snapshot.
func (r *Reader) touched(result *schema.Result) []schema.TableName {
	var names []schema.TableName
	for _, n := range result.Named {
		if n.Database != "" && n.Name != "" {
			names = append(names, n)
		}
	}
	for _, t := range result.Tables {
		names = append(names, schema.TableName{Database: t.Database, Name: t.Name})
	}
	for _, d := range result.Databases {
		for _, t := range r.catalog.Tables() {
			if r.foldName(schema.TableName{Database: t.Database}) == r.foldName(schema.TableName{Database: d}) {
				names = append(names, schema.TableName{Database: t.Database, Name: t.Name})
			}
		}
	}
	return names
}
