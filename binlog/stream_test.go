package binlog

import (
	"encoding/binary"
	"errors"
	"testing"

	"daybook/binlog/dump"
)

// streamAt returns a stream in the middle of a file.
func streamAt(pos uint64) *stream {
	s := newStream(dump.NewFeed(dump.FeedOptions{}, nil), &Status{Flavor: MySQL})
	s.beginAt(&dump.Position{Flavor: MySQL, File: "binlog.000001", FileMade: 7, Pos: pos})
	s.format = dump.Format{Made: 7, TableIDSize: 6}
	s.settle()
	return s
}

// TestOffsets follows offsets beyond 32 bits, gaps, and ends that are not told.
func TestOffsets(t *testing.T) {
	s := streamAt(1<<32 - 100)
	for i, c := range []struct {
		size, logPos uint32
		start, end   uint64
	}{
		{60, 1<<32 - 40, 1<<32 - 100, 1<<32 - 40},
		{60, 20, 1<<32 - 40, 1<<32 + 20},
		{80, 0, 1<<32 + 20, 1<<32 + 100}, // MariaDB 11.4
		{50, 500, 1<<32 + 450, 1<<32 + 500},
		{50, 400, 2<<32 + 350, 2<<32 + 400}, // skipped by the source
	} {
		if done, err := s.locate(&dump.Event{Type: dump.EvQuery, Size: c.size, LogPos: c.logPos}); done || err != nil || s.start != c.start || s.offset != c.end {
			t.Errorf("event %d: %d to %d, want %d to %d (%v, %v)", i, s.start, s.offset, c.start, c.end, done, err)
		}
	}
	for _, e := range []dump.Event{{Type: dump.EvHeartbeat, Size: 40, LogPos: 7}, {Type: dump.EvMariaGTIDList, Body: []byte{0, 0, 0, 0}, Size: 40, LogPos: 7, Flags: dump.FlagArtificial}} {
		if done, err := s.locate(&e); !done || err != nil || s.offset != 2<<32+400 {
			t.Errorf("event of type %d moved to %d: %v, %v", e.Type, s.offset, done, err)
		}
	}
}

// TestEventTypes wants an error for what may carry changes and is not known,
// and the position before it.
func TestEventTypes(t *testing.T) {
	for _, c := range []struct {
		e    dump.Event
		fail bool
	}{
		{dump.Event{Type: 77}, true},
		{dump.Event{Type: 77, Flags: dump.FlagIgnorable}, false},
		{dump.Event{Type: 200}, true},
		{dump.Event{Type: 0}, true},
		{dump.Event{Type: 80}, true},
		{dump.Event{Type: 99}, true},
		{dump.Event{Type: 100}, true},                             // rows, of AliSQL
		{dump.Event{Type: 100, Flags: dump.FlagIgnorable}, false}, // padding, of Aurora
		{dump.Event{Type: 101}, false},
		{dump.Event{Type: 105}, false},
		{dump.Event{Type: 106}, true},
		{dump.Event{Type: 172}, true},
		{dump.Event{Type: dump.EvIncident, Body: []byte{1, 0, 0}}, true},
		{dump.Event{Type: dump.EvLoad}, true},
		{dump.Event{Type: dump.EvStop}, false},
		{dump.Event{Type: dump.EvViewChange}, false},
		{dump.Event{Type: dump.EvTransactionContext}, false},
		{dump.Event{Type: dump.EvBinlogCheckpoint}, false},
		{dump.Event{Type: dump.EvIgnorable}, false},
	} {
		s := streamAt(1000)
		c.e.Size, c.e.LogPos = 100, 1100
		_, err := s.act(c.e, false)
		if (err != nil) != c.fail || err != nil && !errors.Is(err, ErrEvent) {
			t.Errorf("type %d: error %v", c.e.Type, err)
		}
		if c.fail && s.pos.Pos != 1000 || !c.fail && s.pos.Pos != 1100 {
			t.Errorf("type %d: position %d", c.e.Type, s.pos.Pos)
		}
	}
}

// queryEvent makes a query event of a statement.
func queryEvent(sql string) dump.Event {
	b := make([]byte, 4+4+1+2+2)
	b = append(append(b, 0), sql...)
	return dump.Event{Type: dump.EvQuery, Body: b}
}

// mariaGTID makes the GTID event of a transaction.
func mariaGTID() dump.Event {
	b := binary.LittleEndian.AppendUint64(nil, 1)
	return dump.Event{Type: dump.EvMariaGTID, Body: append(b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)}
}

// TestFate gives groups as letters and wants the rows that were undone.
func TestFate(t *testing.T) {
	rows, end := dump.Event{Type: dump.EvWriteRowsV2}, dump.Event{Type: dump.EvXID}
	for _, c := range []struct {
		name   string
		events []any // rows as a letter, statements as text
		undone string
	}{
		{"committed", []any{'a', 'b', end}, ""},
		{"rolled back", []any{'a', "CREATE TEMPORARY TABLE x (a INT)", 'b', "ROLLBACK"}, "ab"},
		{"to a savepoint", []any{'a', "SAVEPOINT `s`", 'b', "ROLLBACK TO `s`", 'c', "COMMIT"}, "b"},
		{"twice to one", []any{"SAVEPOINT s", 'a', "ROLLBACK TO S", 'b', "ROLLBACK TO s", 'c', end}, "ab"},
		{"to the outer", []any{'a', "SAVEPOINT s", 'b', "SAVEPOINT t", 'c', "ROLLBACK TO t", 'd', "ROLLBACK TO s", 'e', end}, "bcd"},
		{"set anew", []any{"SAVEPOINT s", 'a', "SAVEPOINT s", 'b', "ROLLBACK TO s", 'c', end}, "b"},
		{"released", []any{"SAVEPOINT s", 'a', "SAVEPOINT t", 'b', "RELEASE SAVEPOINT t", "ROLLBACK TO s", 'c', end}, "ab"},
		{"a quote in the name", []any{"SAVEPOINT `a``b`", 'a', "ROLLBACK TO `a``b`", 'b', end}, "a"},
		{"one that was not logged", []any{'a', "ROLLBACK TO s", 'b', end}, "a"},
		{"to a savepoint and then wholly", []any{'a', "SAVEPOINT s", 'b', "ROLLBACK TO s", 'c', "ROLLBACK"}, "abc"},
		{"a crash of the source", []any{'a', 'b', dump.Event{Type: dump.EvFormatDescription}}, "ab"},
	} {
		f := &fate{}
		letters := map[int]string{}
		events := []dump.Event{mariaGTID()}
		for _, e := range c.events {
			switch e := e.(type) {
			case rune:
				letters[len(events)] = string(e)
				events = append(events, rows)
			case string:
				events = append(events, queryEvent(e))
			case dump.Event:
				events = append(events, e)
			}
		}
		for i := range events {
			if f.known {
				t.Errorf("%s: the group ends at event %d of %d", c.name, i, len(events))
			}
			if _, err := f.add(&events[i]); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
		}
		undone := ""
		for i := range events {
			if f.isUndone(i) {
				undone += letters[i]
			}
		}
		if !f.known || undone != c.undone {
			t.Errorf("%s: undone %q, want %q; end known: %v", c.name, undone, c.undone, f.known)
		}
	}
}

// FuzzContents reads bodies of events whose form is not checked before.
func FuzzContents(f *testing.F) {
	f.Add(byte(dump.EvQuery), make([]byte, 40))
	f.Add(byte(dump.EvTransactionPayload), []byte{2, 1, 255, 0})
	f.Fuzz(func(t *testing.T, typ byte, body []byte) {
		switch dump.EventType(typ) {
		case dump.EvQuery:
			if q, err := parseQuery(body, 0); err == nil && len(q.sql) > len(body) {
				t.Error("a statement longer than its event")
			}
		case dump.EvQueryCompressed:
			if b, err := inflate(body, 1<<20); err == nil && len(b) > 1<<20 {
				t.Errorf("inflated to %d", len(b))
			}
		case dump.EvTransactionPayload:
			var p payload
			if p.start(dump.Event{Body: body}) == nil {
				for {
					if _, ok, err := p.next(); !ok || err != nil {
						break
					}
				}
			}
		}
	})
}
