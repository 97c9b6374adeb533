package binlog

import (
	"fmt"

	"daybook/binlog/rowevent"
	"daybook/change"
)

// group is the event group that is being read: a transaction, or a statement
// that is one by itself.
type group struct {
	open     bool // its first event was read
	explicit bool // it ends with COMMIT or XID, not with its first statement
	gtid     gtid
	gtidText string // made when the first change needs it
	micros   int64  // commit time
	thread   uint64
	query    string // text of the statement whose rows follow
	skip     uint64 // rows and statements taken before the reconnect, not stepped over yet
	emitted  bool   // rows were handed out, or may have been before the reconnect
	xid      string // of an XA transaction, whose rows wait for its commit
}

// handle reads one event. It returns a change if the event is one; rows are
// returned by nextRow.
func (r *Reader) handle(e event) (*change.Change, error) {
	inPayload := r.payload != nil
	if !inPayload {
		if done, err := r.locate(e); done || err != nil {
			return nil, err
		}
	}
	before := r.pos
	c, err := r.dispatch(e)
	switch {
	case err != nil:
		r.pos = before // the event that cannot be read stays to be read
	case !r.group.open && r.settled && !inPayload:
		r.pos.file, r.pos.pos = r.file, r.offset
	}
	return c, err
}

// locate keeps the offset. done: the event is not part of a file's contents or
// before the place that is wanted.
//
// An event's own end is believed where it is told, since the server leaves out
// groups that a GTID set excludes. It has 32 bits only, and MariaDB 11.4
// leaves it zero in transactions.
func (r *Reader) locate(e event) (done bool, err error) {
	switch {
	case e.typ == evHeartbeat || e.typ == evHeartbeatV2:
		if r.scan != nil {
			r.scan.heartbeat(e)
		}
		return true, nil
	case e.typ == evRotate:
		return true, r.rotate(e)
	case e.typ == evFormatDescription && e.logPos == 0:
		_, err = r.dispatch(e)
		return true, err
	case e.flags&flagArtificial != 0:
		_, err = r.dispatch(e)
		return true, err
	}
	end := r.offset + uint64(e.size)
	if e.logPos != 0 && uint32(end) != e.logPos {
		end = end&^0xffffffff | uint64(e.logPos)
		if end < r.offset+uint64(e.size) {
			end += 1 << 32
		}
	}
	r.start, r.offset = end-uint64(e.size), end
	return r.start < r.skipTo && e.typ != evFormatDescription && e.typ != evPreviousGTIDs && e.typ != evMariaGTIDList, nil
}

func (r *Reader) rotate(e event) error {
	file, pos, err := parseRotate(e.body)
	if err != nil {
		return err
	}
	if r.group.open {
		// The source crashed while it wrote the transaction, and never
		// committed it.
		if r.group.emitted {
			return fmt.Errorf("%w: the file ends within a transaction, rows of which were already taken; compare the data and start the task anew", ErrEvent)
		}
		r.pos.taken, r.group = 0, group{}
	}
	if r.settled {
		r.skipTo = 0
		r.pos.file, r.pos.pos = file, pos
	} else if !r.byGTID {
		r.settle()
	}
	r.file, r.offset, r.start = file, pos, pos
	return nil
}

// settle makes the resume point follow the stream's file and offset. After a
// GTID set they mean nothing before the first group: the server goes back to
// the beginning of a file to find it.
func (r *Reader) settle() {
	r.settled = true
	r.pos.serverUUID, r.pos.serverID = r.status.ServerUUID, r.status.ServerID
}

// dispatch acts on one event by its type. The types that mean nothing here are
// listed: one that is not is an error, unless its writer says otherwise.
func (r *Reader) dispatch(e event) (*change.Change, error) {
	if rowevent.EventKind(e.typ).IsRows() {
		return nil, r.startRows(e)
	}
	switch e.typ {
	case evTableMap:
		r.openGroup(e)
		return nil, r.tableMap(e)
	case evQuery, evQueryCompressed:
		return r.query(e)
	case evXID:
		r.endGroup()
	case evGTID, evAnonymousGTID, evGTIDTagged, evMariaGTID:
		return nil, r.startGroup(e)
	case evRowsQuery:
		if len(e.body) > 0 && r.o.IncludeQuery {
			r.group.query = string(e.body[1:]) // after a length of one byte, which may be too small
		}
	case evAnnotateRows:
		if r.o.IncludeQuery {
			r.group.query = string(e.body)
		}
	case evTransactionPayload:
		return nil, r.openPayload(e)
	case evXAPrepare:
		return nil, r.xaPrepare(e)
	case evFormatDescription:
		f, err := parseFormat(e.body)
		f.timestamp = e.timestamp
		r.format = f
		return nil, err
	case evPreviousGTIDs, evMariaGTIDList:
		return nil, r.previousGTIDs(e)
	case evExecuteLoadQuery:
		return r.query(e)
	case evIntvar, evRand, evUserVar, evBeginLoadQuery, evAppendBlock, evDeleteFile:
		r.openGroup(e) // belongs to the statement that follows
	case evStop, evIgnorable, evTransactionContext, evViewChange, evBinlogCheckpoint, evStartEncryption:
	case evIncident:
		return nil, fmt.Errorf("%w: the source reports an incident: it may have lost changes; compare the data and start the task anew", ErrEvent)
	case evStartV3, evLoad, evNewLoad, evCreateFile, evExecLoad, evSlave:
		return nil, fmt.Errorf("%w: type %d is of servers before MySQL 5.0; upgrade the source", ErrEvent, e.typ)
	default:
		if e.flags&flagIgnorable == 0 {
			return nil, fmt.Errorf("%w: type %d is not known and not ignorable; it comes from a newer server: use a newer Daybook", ErrEvent, e.typ)
		}
	}
	return nil, nil
}

// openGroup notes the place of a group's first event.
func (r *Reader) openGroup(e event) {
	if r.group.open {
		return
	}
	skip := r.group.skip
	r.group = group{open: true, skip: skip, emitted: skip > 0, micros: int64(e.timestamp) * 1e6}
	r.pos.file, r.pos.pos = r.file, r.start
	r.settle()
}

// startGroup reads a GTID event.
func (r *Reader) startGroup(e event) error {
	if r.group.open {
		return fmt.Errorf("%w: a GTID within a transaction", ErrEvent)
	}
	var t transactionStart
	var err error
	switch e.typ {
	case evGTIDTagged:
		t, err = parseTaggedGTID(e.body)
	case evMariaGTID:
		t, err = parseMariaGTID(e.body, e.serverID)
	default:
		t, err = parseGTID(e.body)
	}
	if err != nil {
		return err
	}
	r.openGroup(e)
	if e.typ != evAnonymousGTID {
		r.group.gtid = t.gtid
	}
	if t.micros > 0 {
		r.group.micros = t.micros
	}
	r.group.explicit = e.typ == evMariaGTID && t.maria&mariaStandalone == 0
	if e.typ == evMariaGTID && t.maria&mariaPreparedXA != 0 {
		r.group.explicit, r.group.xid = true, "unknown"
	}
	if r.group.skip > 0 && !r.pos.group.isZero() && r.pos.group != r.group.gtid {
		return fmt.Errorf("%w: transaction %s, of which %d rows were already taken, is not the next one there, but %s; start the task anew",
			ErrOtherServer, &r.pos.group, r.pos.taken, &r.group.gtid)
	}
	return nil
}

// endGroup moves the resume point behind the group.
func (r *Reader) endGroup() {
	if r.group.skip > 0 && r.err == nil {
		r.err = fmt.Errorf("read binlog of %s at %s:%d: %w: the transaction has %d rows less than were already taken of it; start the task anew",
			r.o.Source.Address, r.file, r.start, ErrOtherServer, r.group.skip)
		return
	}
	if r.pos.gtids != nil && !r.group.gtid.isZero() {
		r.pos.gtids.add(r.group.gtid)
	}
	r.pos.file, r.pos.pos, r.pos.taken, r.pos.group = r.file, r.offset, 0, gtid{}
	r.group = group{}
	r.badChecksum = 0
	if len(r.tables) > maxTableStates {
		clear(r.tables)
	}
}

// maxTableStates bounds the table maps that are remembered between groups.
const maxTableStates = 4096

// take counts a row or statement of the group. seen: it was taken before the
// reconnect.
func (r *Reader) take() (seen bool) {
	if r.group.skip > 0 {
		r.group.skip--
		return true
	}
	r.pos.taken++
	r.pos.group = r.group.gtid
	return false
}

func (r *Reader) gtidText() string {
	if r.group.gtidText == "" && !r.group.gtid.isZero() {
		r.group.gtidText = r.group.gtid.String()
	}
	return r.group.gtidText
}

// previousGTIDs takes the set at a file's beginning if none is known yet.
func (r *Reader) previousGTIDs(e event) error {
	if r.pos.gtids != nil || r.skipTo > 0 {
		return nil
	}
	var err error
	if e.typ == evMariaGTIDList {
		r.pos.gtids, err = parseGTIDList(e.body)
	} else {
		r.pos.gtids, err = decodeGTIDSet(e.body)
		if err != nil {
			err = fmt.Errorf("%w: %w", ErrEvent, err)
		}
	}
	return err
}

// source fills in the place of the change that begins at the current event.
func (r *Reader) source(e event) change.Source {
	return change.Source{
		File: r.file, Pos: r.start, ServerID: e.serverID, Thread: r.group.thread,
		GTID: r.gtidText(), Query: r.group.query, CommitMicros: r.group.micros,
	}
}
