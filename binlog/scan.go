package binlog

import (
	"context"
	"fmt"

	"daybook/binlog/dump"
	"daybook/binlog/schema"
)

// scan runs from one place of the binlog to another and looks at what it is
// told to, over a connection of its own. It reads no rows.
type scan struct {
	// until ends it, asked between the items and with each item that begins a group.
	until func(n *scanner) bool
	// onDDL is given each statement about tables, triggers, routines and views;
	// nil: not wanted.
	onDDL func(n *scanner, result *schema.Result)
	// sessions are those at the place where it begins; nil: none is known.
	sessions *sessions
	// onXA is given XA PREPARE, XA COMMIT and XA ROLLBACK; nil: not wanted.
	onXA func(n *scanner, it *item)
}

// scanner is a scan under way: where its stream stands.
type scanner struct {
	*stream
	scan    *scan
	scratch *schema.Catalog // reads statements; what is in it is of no use
}

// runScan runs s from p on and returns the place where it stopped.
func (r *Reader) runScan(ctx context.Context, p *dump.Position, s *scan) (*dump.Position, error) {
	feed := dump.NewFeed(r.o.sideFeed(), nil)
	defer feed.Close()
	n := &scanner{stream: newStream(feed, r.server.Load()), scan: s, scratch: schema.NewCatalog(r.schemaServer())}
	if s.sessions == nil {
		s.sessions = newSessions(nil)
	}
	n.opaque = s.onXA == nil // no DDL is in a compressed transaction, but XA PREPARE is
	n.begin(p)
	held := &heldBack{log: r.log, source: r.o.Source.Address, patience: r.holdPatience()}
	for !s.until(n) {
		it, err := n.next()
		if err == nil && it.kind == itemNone {
			if err := held.look(n.stream); err != nil {
				return nil, fmt.Errorf("scan the binlog: %w", err)
			}
			select {
			case <-feed.Ready():
				continue
			case <-ctx.Done():
				return nil, fmt.Errorf("scan the binlog: %w", ctx.Err())
			}
		}
		switch {
		case err != nil && dump.IsTransient(err):
			at := n.pos
			n.resume(&at, err)
		case err != nil:
			return nil, fmt.Errorf("scan the binlog at %s:%d: %w", n.file, n.start, err)
		case it.begins && s.until(n):
			return &n.pos, nil
		default:
			n.handle(&it)
		}
	}
	return &n.pos, nil
}

func (n *scanner) handle(it *item) {
	n.scan.sessions.follow(n.stream)
	m := &n.group.MariaDB
	switch {
	case it.kind == itemStatement && n.scan.onDDL != nil && !m.StartAlter && !m.RollbackAlter:
		result, err := n.scan.sessions.apply(n.scratch, it)
		if err != nil || result.IsDDL() || result.ChangesPrograms() {
			n.scan.onDDL(n, result)
		}
	case it.kind == itemXA && n.scan.onXA != nil:
		n.scan.onXA(n, it)
	}
	if it.ends {
		n.endGroup()
	}
}

// reached tells that everything before a place has been read.
func (n *scanner) reached(p place) bool {
	return n.file == p.file && n.offset >= p.pos && !n.group.open || n.heartbeat.passed(p)
}

// reachedEnd returns the condition of a scan that everything before a place
// has been read.
func reachedEnd(file string, pos uint64) func(*scanner) bool {
	return func(n *scanner) bool { return n.reached(place{file, pos}) }
}

// seekFate finds out how the group that begins at a place ends.
func (r *Reader) seekFate(ctx context.Context, begin dump.Position) (*fate, error) {
	feed := dump.NewFeed(r.o.sideFeed(), nil)
	defer feed.Close()
	s := newStream(feed, r.server.Load())
	s.opaque = true
	s.begin(&begin)
	f := &fate{}
	for !f.known {
		it, err := s.next()
		switch {
		case err != nil:
			return nil, fmt.Errorf("look for the end of the transaction at %s: %w", &begin, err)
		case it.kind == itemAbandoned:
			f.undo(0)
			f.known = true
		case it.kind == itemNone:
			select {
			case <-feed.Ready():
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		case it.event.Type != 0:
			if _, err := f.add(&it.event); err != nil {
				return nil, err
			}
		}
	}
	return f, nil
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
		names = append(names, r.catalog.Names(d)...)
	}
	return names
}
