package binlog

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"daybook/binlog/rowevent"
	"daybook/change"
)

// tableState is what is known about one table ID of the stream.
type tableState struct {
	raw             []byte // the table map event's body
	database, table string
	selected        bool
	m               *rowevent.TableMap
	err             error // why rows cannot be decoded
	unknown, asked  bool  // the history does not know the table; the source was asked

	generation int // of the catalog that decoder was made with; -1: none made
	definition *change.Table
	decoder    *rowevent.Decoder
}

// rowsCursor is the rows event that is being handed out.
type rowsCursor struct {
	active  bool
	state   *tableState
	op      change.Op
	index   int
	stmtEnd bool
}

// tableMap reads a TABLE_MAP event. Servers repeat it for each statement, so
// the same bytes as before cost nothing.
func (r *Reader) tableMap(e event) error {
	if r.scan != nil {
		return nil
	}
	id, ok := tableID(e.body, r.format.tableIDSize)
	if !ok {
		return fmt.Errorf("%w: table map of %d bytes", ErrEvent, len(e.body))
	}
	if known := r.tables[id]; known != nil && bytes.Equal(known.raw, e.body) {
		return nil
	}
	s := &tableState{raw: bytes.Clone(e.body), generation: -1}
	s.m, s.err = rowevent.ParseTableMap(s.raw, r.format.tableIDSize)
	if s.err == nil {
		s.database, s.table = s.m.Database, s.m.Table
	} else if s.database, s.table, ok = tableNames(s.raw[r.format.tableIDSize:]); !ok {
		return fmt.Errorf("%w: %w", ErrEvent, s.err)
	}
	s.selected = r.filter.table(s.database, s.table)
	r.tables[id] = s
	return nil
}

func tableID(b []byte, size int) (uint64, bool) {
	if len(b) < size || size == 0 {
		return 0, false
	}
	var w [8]byte
	copy(w[:], b[:size])
	return binary.LittleEndian.Uint64(w[:]), true
}

// tableNames reads the names of a table map whose columns cannot be read.
func tableNames(b []byte) (database, table string, ok bool) {
	c := reader{b: b}
	c.u16() // flags
	database = string(c.bytes(int(c.u8())))
	c.u8()
	table = string(c.bytes(int(c.u8())))
	return database, table, c.err == nil
}

// dummyTable is the table ID of an event that holds no rows but ends a
// statement.
const dummyTable = 0xffffff

// startRows begins a rows event. Rows that are not wanted are stepped over
// here, the others are handed out by nextRow.
func (r *Reader) startRows(e event) error {
	r.openGroup(e)
	if r.scan != nil || r.group.xid != "" && !r.replaying {
		return nil
	}
	id, ok := tableID(e.body, r.format.tableIDSize)
	if !ok || len(e.body) < r.format.tableIDSize+2 {
		return fmt.Errorf("%w: rows event of %d bytes", ErrEvent, len(e.body))
	}
	stmtEnd := e.body[r.format.tableIDSize]&1 != 0
	s := r.tables[id]
	if s == nil {
		if id == dummyTable {
			return nil
		}
		return fmt.Errorf("%w: rows of table ID %d, which no table map tells", ErrEvent, id)
	}
	kind := rowevent.EventKind(e.typ)
	r.resolve(s)
	err := s.err
	if s.selected && s.unknown && !s.asked {
		s.asked = true
		return r.startLookup(e, s)
	}
	if err == nil {
		err = s.decoder.Start(kind, e.body)
	}
	if err != nil {
		return r.undecodable(s, err)
	}
	if !s.selected {
		return r.stepOver(s, ^uint64(0))
	}
	r.rows = rowsCursor{active: true, state: s, op: opOf(kind), stmtEnd: stmtEnd}
	if skip := r.group.skip; skip > 0 {
		if err := r.stepOver(s, skip); err != nil {
			return err
		}
		r.rows.index = int(skip - r.group.skip)
	}
	r.change = change.Change{Source: r.source(e), Op: r.rows.op, Table: s.definition}
	return nil
}

// undecodable decides about an event whose rows cannot be read. Those of a
// table that is not selected count as one.
func (r *Reader) undecodable(s *tableState, err error) error {
	if s.selected {
		return err
	}
	r.take()
	return nil
}

// stepOver passes up to n rows.
func (r *Reader) stepOver(s *tableState, n uint64) error {
	for ; n > 0; n-- {
		ok, err := s.decoder.Skip()
		if err != nil {
			return r.undecodable(s, fmt.Errorf("%w: %w", ErrEvent, err))
		}
		if !ok {
			return nil
		}
		r.take()
	}
	return nil
}

// nextRow returns the next row of the event, nil after its last.
func (r *Reader) nextRow() (*change.Change, error) {
	c := &r.change
	ok, err := r.rows.state.decoder.Next(&c.Before, &c.After)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEvent, err)
	}
	if !ok {
		r.rows.active = false
		if r.rows.stmtEnd {
			r.group.query = ""
		}
		return nil, nil
	}
	r.take()
	r.group.emitted = true
	c.Row = r.rows.index
	r.rows.index++
	return c, nil
}

func opOf(k rowevent.EventKind) change.Op {
	switch k {
	case rowevent.WriteRowsV0, rowevent.WriteRowsV1, rowevent.WriteRowsV2, rowevent.WriteRowsCompressedV1:
		return change.Insert
	case rowevent.DeleteRowsV0, rowevent.DeleteRowsV1, rowevent.DeleteRowsV2, rowevent.DeleteRowsCompressedV1:
		return change.Delete
	}
	return change.Update
}

// resolve makes the decoder that fits the table's definition here, unless it
// is there. The catalog's generation tells that no DDL came since.
func (r *Reader) resolve(s *tableState) {
	if s.generation == r.generation || s.m == nil {
		return
	}
	s.generation = r.generation
	t, known := r.catalog.Table(s.database, s.table)
	if known && t == s.definition {
		return
	}
	if !known {
		t, known = s.m.Definition(r.decoderOptions())
	}
	s.definition, s.decoder, s.err, s.unknown = t, nil, nil, !known
	if !known {
		s.err = fmt.Errorf("%w: %s.%s; it was changed by a DDL between here and now, or by one that cannot be read; start the task behind the DDL, or leave the table out until then (binlog_row_metadata=FULL on the source prevents it)",
			ErrSchema, s.database, s.table)
		return
	}
	var err error
	if s.decoder, err = rowevent.NewDecoder(s.m, t, r.decoderOptions()); err != nil {
		s.err = fmt.Errorf("%w: %w", ErrSchema, err)
	}
}
