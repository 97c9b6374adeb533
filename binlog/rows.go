package binlog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"daybook/binlog/cursor"
	"daybook/binlog/dump"
	"daybook/binlog/rowevent"
	"daybook/binlog/schema"
	"daybook/change"
)

// tableStates is what is known about the table IDs of the stream.
type tableStates struct {
	byID    map[uint64]*tableState
	columns int // of all of them
}

// maxColumns bounds the columns of the table maps that are remembered between
// groups: each costs about 200 bytes, with its decoder.
const maxColumns = 100_000

func (t *tableStates) put(id uint64, s *tableState) {
	if t.byID == nil {
		t.byID = map[uint64]*tableState{}
	}
	if old := t.byID[id]; old != nil {
		t.columns -= old.size()
	}
	t.byID[id] = s
	t.columns += s.size()
}

func (t *tableStates) clear() { *t = tableStates{} }

func (t *tableStates) endGroup() {
	if t.columns > maxColumns {
		t.clear()
	}
}

// tableState is what is known about one table ID.
type tableState struct {
	raw             []byte // the table map event's body
	database, table string
	name            string // "database NUL table"
	selected        bool
	m               *rowevent.TableMap
	err             error // why rows cannot be decoded
	unknown, misfit bool  // the history does not know the table; the rows do not fit what it knows
	unsure          bool  // its columns may be in another charset than the history knows
	untold          bool  // the history does not know the table, and no DDL ahead is why: see Reader.untold
	asked           bool  // the source was

	generation int           // of the catalog that decoder was made with; -1: none made
	known      *change.Table // the catalog's
	definition *change.Table // the same, or with what the server hides of it
	decoder    *rowevent.Decoder
}

// size is the columns, and a few more for what each table costs.
func (s *tableState) size() int {
	if s.m == nil {
		return 10
	}
	return 10 + len(s.m.Columns)
}

// rowsCursor is the rows event that is being handed out.
type rowsCursor struct {
	active  bool
	ends    bool // the group ends with the event
	state   *tableState
	op      change.Op
	stmtEnd bool
	partial bool  // columns are left out of its images
	place   place // of the event that holds it in the binlog: events that a compressed or an XA transaction holds have one in common
	next    int   // index of the next row at that place
}

// at begins to count rows at a place, unless they are counted there already.
func (c *rowsCursor) at(p place) {
	if c.place != p {
		c.place, c.next = p, 0
	}
}

// tableMap reads a TABLE_MAP event.
func (r *Reader) tableMap(it *item) error {
	if r.inXA() {
		return r.spoolEvent(it)
	}
	return r.readTableMap(it.event.Body)
}

// readTableMap reads a table map, of the stream or of an XA transaction that is
// being committed. Servers repeat it for each statement, so the same bytes as
// before cost nothing.
func (r *Reader) readTableMap(body []byte) error {
	id, ok := tableID(body, r.stream.format.TableIDSize)
	if !ok {
		return fmt.Errorf("%w: table map of %d bytes", ErrEvent, len(body))
	}
	if known := r.tables.byID[id]; known != nil && bytes.Equal(known.raw, body) {
		return r.inOrder(known)
	}
	s := &tableState{raw: bytes.Clone(body), generation: -1}
	s.m, s.err = rowevent.ParseTableMap(s.raw, r.stream.format.TableIDSize)
	if s.err == nil {
		s.database, s.table = s.m.Database, s.m.Table
	} else if s.database, s.table, ok = tableNames(s.raw[r.stream.format.TableIDSize:]); !ok {
		return fmt.Errorf("%w: %w", ErrEvent, s.err)
	}
	s.name = s.database + "\x00" + s.table
	s.selected = r.filter.Table(s.database, s.table)
	r.tables.put(id, s)
	return r.inOrder(s)
}

// inOrder sees that the current group may change a table: see group.disorder.
func (r *Reader) inOrder(s *tableState) error {
	if d := r.stream.group.disorder; d != nil && s.selected {
		return d
	}
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
	c := cursor.Cursor{B: b}
	c.U16() // flags
	database = string(c.Bytes(int(c.U8())))
	c.U8()
	table = string(c.Bytes(int(c.U8())))
	return database, table, c.Err == nil
}

// dummyTable is the table ID of an event that holds no rows but ends a
// statement.
const dummyTable = 0xffffff

// rowsEvent acts on an event of rows in the stream.
func (r *Reader) rowsEvent(it *item) error {
	if r.inXA() {
		return r.spoolEvent(it)
	}
	r.rows.ends = it.ends
	return r.startRows(it.event, it.undone)
}

// tableOf returns the table of a rows event, nil if it has none.
func (r *Reader) tableOf(rows []byte) (*tableState, error) {
	size := r.stream.format.TableIDSize
	id, ok := tableID(rows, size)
	if !ok || len(rows) < size+2 {
		return nil, fmt.Errorf("%w: rows event of %d bytes", ErrEvent, len(rows))
	}
	s := r.tables.byID[id]
	if s == nil && id != dummyTable {
		return nil, fmt.Errorf("%w: rows of table ID %d, which no table map tells", ErrEvent, id)
	}
	return s, nil
}

// startRows begins a rows event. Rows that are not wanted are stepped over
// here, the others are handed out by nextRow. undone: the source has rolled
// them back.
func (r *Reader) startRows(e dump.Event, undone bool) error {
	s, err := r.tableOf(e.Body)
	if err != nil || s == nil || !s.selected {
		return err
	}
	stmtEnd := e.Body[r.stream.format.TableIDSize]&1 != 0
	r.rows.at(place{r.stream.file, r.stream.start})
	kind := rowevent.EventKind(e.Type)
	r.resolve(s)
	if ask := s.unknown || s.misfit || s.unsure || s.untold; r.inDoubt(s) || ask && !s.asked {
		s.asked = ask
		return r.startLookup(e, s, undone)
	}
	if s.err != nil {
		return s.err
	}
	if undone {
		return r.undoneRows(s)
	}
	if err := s.decoder.Start(kind, e.Body); err != nil {
		return err
	}
	left := s.decoder.LeftOut()
	if len(left) > 0 {
		if err := r.leftOut(s, left); err != nil {
			return err
		}
	}
	if err := r.stepOver(s); err != nil {
		return err
	}
	r.rows.partial = len(left) > 0
	r.rows.active, r.rows.state, r.rows.op, r.rows.stmtEnd = true, s, opOf(kind), stmtEnd
	r.change = change.Change{Source: r.source(e.ServerID), Op: r.rows.op, Table: s.definition}
	return nil
}

// undoneRows leaves out rows that were rolled back. Servers write the rows of
// engines that keep them into event groups of their own, right away, whatever the
// transaction becomes: so the engine that the catalog has, which may be assumed,
// decides nothing; only of an engine that is not known at all it is not certain
// that it does what it says of itself.
func (r *Reader) undoneRows(s *tableState) error {
	engine := r.catalog.Engine(s.database, s.table)
	if _, known := schema.Transactional(engine); known {
		return nil
	}
	return fmt.Errorf("%w: rows of %s.%s were rolled back, and whether its engine %q undoes them is not known; compare the data", ErrSchema, s.database, s.table, engine)
}

// stepOver passes the rows that were handed out before a reconnect.
func (r *Reader) stepOver(s *tableState) error {
	for r.progress.skip > 0 {
		ok, err := s.decoder.Skip()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrEvent, err)
		}
		if !ok {
			return nil
		}
		r.progress.skip--
		r.rows.next++
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
			r.stream.group.query = ""
		}
		return nil, nil
	}
	if r.rows.partial && c.Op == change.Update {
		if err := r.underNewKey(r.rows.state, c); err != nil {
			return nil, err
		}
	}
	c.Row = r.rows.next
	r.rows.next++
	r.take()
	r.progress.gone = true
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
	if known && t == s.known {
		return
	}
	o := r.decoderOptions()
	o.HiddenLeast, o.HiddenMost = r.catalog.HiddenColumns(s.database, s.table)
	s.untold = false
	if !known {
		t, known = s.m.Definition(o)
		_, s.untold = r.untold(s.database, s.table)
	}
	s.known, s.definition, s.decoder, s.err, s.unknown, s.misfit, s.unsure = t, t, nil, nil, !known, false, false
	if !known {
		s.err = fmt.Errorf("%w: that of %s.%s is not known here: it was changed by a DDL between here and now, or by one that cannot be read (binlog_row_metadata=FULL on the source prevents it)",
			ErrSchema, s.database, s.table)
		return
	}
	s.definition = s.m.WithImplicitKey(t, r.server.Load().ImplicitKeys)
	var err error
	if s.decoder, err = rowevent.NewDecoder(s.m, s.definition, o); err != nil && !r.adopt(s, t, o, err) {
		s.err, s.misfit = fmt.Errorf("%w: %w", ErrSchema, err), errors.Is(err, rowevent.ErrMismatch)
	}
	if s.err == nil && !tellsCharsets(s.m, t) && r.catalog.Unsure(s.database, s.table) {
		s.unsure = true
		s.err = fmt.Errorf("%w: columns of %s.%s may be in another character set than the binlog tells: a session that was in a database when another changed the default of that goes on with the old one, and CREATE … SELECT, in some sql_modes, and CREATE TABLE … LIKE a temporary table are logged without the table's character set, and MySQL 5.6 forgets that of some CONVERT TO (binlog_row_metadata=FULL on the source prevents it)",
			ErrSchema, s.database, s.table)
	}
}

// tellsCharsets tells whether a table map has the charsets of all columns.
func tellsCharsets(m *rowevent.TableMap, t *change.Table) bool {
	if !slices.ContainsFunc(t.Columns, func(c change.Column) bool { return c.Charset != "" }) {
		return true // there is nothing to tell
	}
	return m.Told.Members || m.Told.Charsets && !slices.ContainsFunc(t.Columns, func(c change.Column) bool { return len(c.Members) > 0 })
}

// source fills in the place of the change that begins at the current event.
func (r *Reader) source(serverID uint32) change.Source {
	s := r.stream
	c := change.Source{
		File: s.file, Pos: s.start, ServerID: serverID, Thread: s.group.thread,
		GTID: s.gtidText(), CommitMicros: s.group.micros,
	}
	if r.o.IncludeQuery {
		c.Query = s.group.query
	}
	return c
}
