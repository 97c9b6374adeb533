package binlog

import (
	"fmt"

	"daybook/binlog/cursor"
	"daybook/binlog/dump"
)

// item is what a consumer gets of the stream.
type item struct {
	kind   itemKind
	event  dump.Event
	query  query     // of a statement, and of the statements that end a group
	st     statement // what it is
	begins bool      // the event is its group's first
	ends   bool      // and its last: call endGroup when it is dealt with
	undone bool      // what it changed was rolled back, where the engine can
}

type itemKind uint8

const (
	itemNone      itemKind = iota // nothing is buffered
	itemPassed                    // dealt with
	itemTableMap                  //
	itemRows                      //
	itemStatement                 // DDL, a change of rows in statement format, and what means nothing here
	itemXA                        // XA PREPARE (as an event), XA COMMIT, XA ROLLBACK
	itemEnd                       // COMMIT or ROLLBACK
	itemAbandoned                 // the group ended with the file, as the source crashed
)

// inside acts on an event of a compressed transaction.
func (s *stream) inside(e dump.Event) (item, error) {
	if !e.InGroup() {
		return item{kind: itemPassed}, nil
	}
	return s.content(e)
}

// content makes an item of a group's event.
func (s *stream) content(e dump.Event) (item, error) {
	it := item{kind: itemPassed, event: e, begins: !s.group.open}
	var err error
	if it.begins {
		err = s.openGroup(&e)
	} else if s.group.began == 0 {
		s.group.began = e.Timestamp
	}
	switch e.Type {
	case dump.EvQuery, dump.EvQueryCompressed, dump.EvExecuteLoadQuery:
		if err == nil {
			it.query, err = readQuery(e, s.status.Flavor == dump.MariaDB)
		}
		if it.st = it.query.st; it.st == stOther {
			it.query.sessionOf(s.status)
		}
	}
	if err != nil {
		return it, err
	}
	it.ends = s.group.add(&e, &it.query, it.st)
	return s.classify(it)
}

// classify says what an item is, and opens what it holds.
func (s *stream) classify(it item) (item, error) {
	e := &it.event
	switch {
	case e.Type.IsRows():
		it.kind, s.group.rows = itemRows, true
	case e.Type == dump.EvTableMap:
		it.kind = itemTableMap
	case e.Type == dump.EvXID:
		it.kind, it.st = itemEnd, stCommit
	case e.Type == dump.EvXAPrepare:
		it.kind, it.st = itemXA, stXAPrepare
	case e.Type == dump.EvTransactionPayload && s.opaque:
	case e.Type == dump.EvTransactionPayload:
		it.ends = false // the group goes on inside
		return it, s.payload.start(it.event)
	case e.Type == dump.EvRowsQuery && len(e.Body) > 0:
		s.group.query = string(e.Body[1:]) // after a length of one byte, which may be too small
	case e.Type == dump.EvAnnotateRows:
		s.group.query = string(e.Body)
	case e.Type == dump.EvQuery || e.Type == dump.EvQueryCompressed || e.Type == dump.EvExecuteLoadQuery:
		s.group.thread = uint64(it.query.thread)
		s.classifyStatement(&it)
	case e.Type.IsGTID() && !it.begins:
		return it, fmt.Errorf("%w: a GTID within a transaction", ErrEvent)
	default:
		return it, s.meaningless(e)
	}
	return it, nil
}

// meaningless lists the types that mean nothing here. One that is not known is
// an error.
func (s *stream) meaningless(e *dump.Event) error {
	switch e.Type {
	case dump.EvGTID, dump.EvAnonymousGTID, dump.EvGTIDTagged, dump.EvMariaGTID,
		dump.EvIntvar, dump.EvRand, dump.EvUserVar, dump.EvBeginLoadQuery, dump.EvAppendBlock, dump.EvDeleteFile, dump.EvRowsQuery:
		return nil
	case dump.EvIncident:
		r := cursor.Cursor{B: e.Body}
		r.U16() // its number: there is one
		return fmt.Errorf("%w: the source reports an incident (%q): it may have lost changes; compare the data", ErrEvent, r.Bytes(int(r.U8())))
	case dump.EvStartV3, dump.EvLoad, dump.EvNewLoad, dump.EvCreateFile, dump.EvExecLoad, dump.EvSlave:
		return fmt.Errorf("%w: type %d is of servers before MySQL 5.0; upgrade the source", ErrEvent, e.Type)
	}
	if what := vendorEvents[e.Type]; what != "" {
		return fmt.Errorf("%w: type %d is %s, which may change rows and cannot be read", ErrEvent, e.Type, what)
	}
	return fmt.Errorf("%w: type %d is not known and not ignorable; it comes from a newer server: use a newer Daybook", ErrEvent, e.Type)
}

// vendorEvents are what some servers have that stands in no documentation of MySQL or MariaDB.
var vendorEvents = map[dump.EventType]string{
	80:  "PolarDB-X's SEQUENCE",
	99:  "PolarDB-X's PREVIOUS_PREPARED_XIDS",
	100: "GROUP_UPDATE_ROWS, by which AliSQL and PolarDB-X write rows",
	172: "MariaDB 12.3's PARTIAL_ROW_DATA, a row in pieces (binlog_row_event_fragment_threshold)",
}

func (s *stream) classifyStatement(it *item) {
	switch it.st {
	case stOther:
		it.kind = itemStatement
	case stXAStart, stXAEnd: // MariaDB before 10.5 tells only at the end which one it is
		if s.group.xid == "" {
			s.group.xid = xidOf(it.query.sql)
		}
	case stXACommit, stXARollback:
		it.kind, s.group.xid = itemXA, xidOf(it.query.sql)
	case stCommit, stRollback:
		it.kind = itemEnd
	}
}
