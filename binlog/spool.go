package binlog

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"daybook/binlog/dump"
)

// spool is the rows of the current group, an XA transaction that is being
// prepared, on their way into entries: table maps and rows events as they
// came, each behind its type (1 byte) and length (4 bytes, little-endian). The
// length's highest bit tells that the source has undone the event.
//
// An event that is larger than a chunk goes into several, one for each step of
// the Reader: so that it is saved, and out of memory, piece by piece. It counts
// when its last piece is made.
type spool struct {
	events  int // table maps and rows events of the group that are dealt with
	chunks  int // made of them so far
	buf     []byte
	rest    []byte   // of a large event, to go into pieces
	pieces  int      // chunks made of it so far
	tables  []string // with rows in it, "database NUL table"
	leftOut []string
	// statement is what the group may have changed a selected table by, in place of
	// rows; see prepared.
	statement string
}

const (
	// chunkSize is where a chunk is full; it may be larger by one event.
	chunkSize = 64 << 10
	// pieceSize is what of a large event a chunk holds.
	pieceSize = 512 << 10
	undoneBit = 1 << 31
	// manyTables stands for more tables than are listed.
	manyTables = "*"
	maxLeftOut = 100
)

// spoolEvent keeps a table map or rows event for the transaction's commit,
// unless that was done before a reconnect.
func (r *Reader) spoolEvent(it *item) error {
	s, e := &r.progress.spool, &it.event
	t, err := r.spooledTable(e)
	if err != nil {
		return err
	}
	selected := t != nil && t.selected
	if t != nil && e.Type != dump.EvTableMap {
		s.note(t)
	}
	if r.progress.respun > 0 {
		r.progress.respun--
		return nil
	}
	if !selected {
		r.spooled()
		return nil
	}
	large := len(e.Body) > pieceSize
	if large {
		r.flushSpool()
	}
	if s.buf == nil {
		s.buf, r.xa.spare = r.xa.spare, nil
	}
	s.buf = append(s.buf, byte(e.Type))
	length := uint32(len(e.Body)) // less than undoneBit, see maxEvent
	if it.undone {
		length |= undoneBit
	}
	s.buf = binary.LittleEndian.AppendUint32(s.buf, length)
	if large {
		s.rest = e.Body
		return nil
	}
	s.buf = append(s.buf, e.Body...)
	r.spooled()
	if len(s.buf) >= chunkSize {
		r.flushSpool()
	}
	return nil
}

// spooled counts an event that is dealt with.
func (r *Reader) spooled() {
	r.progress.spool.events++
	r.progress.group = r.stream.group.GTID
}

// spoolPiece makes a chunk of the next piece of a large event.
func (r *Reader) spoolPiece() {
	s := &r.progress.spool
	n := min(pieceSize, len(s.rest))
	// Not create: it may have been saved by a Reader that was killed before the last piece.
	r.entries.put(chunkKey(r.stream.group.xid, s.chunks+s.pieces), slices.Concat(s.buf, s.rest[:n]))
	s.buf, s.rest = nil, s.rest[n:]
	s.pieces++
	if len(s.rest) == 0 {
		r.spooled()
		s.chunks, s.pieces, s.rest = s.chunks+s.pieces, 0, nil
		r.stream.release()
	}
}

// spooledTable returns the table of a table map or rows event, nil if it has
// none.
func (r *Reader) spooledTable(e *dump.Event) (*tableState, error) {
	if e.Type != dump.EvTableMap {
		return r.tableOf(e.Body)
	}
	if err := r.readTableMap(e.Body); err != nil {
		return nil, err
	}
	id, _ := tableID(e.Body, r.stream.format.TableIDSize)
	return r.tables.byID[id], nil
}

// note notes a table with rows, whether they are kept or not.
func (s *spool) note(t *tableState) {
	if !t.selected {
		s.leaveOut(t.name)
	} else if !slices.Contains(s.tables, t.name) {
		s.tables = append(s.tables, t.name)
	}
}

// leaveOut notes a table whose rows are not kept.
func (s *spool) leaveOut(name string) {
	if len(s.leftOut) > maxLeftOut || slices.Contains(s.leftOut, name) {
		return
	}
	if len(s.leftOut) == maxLeftOut {
		name = manyTables
	}
	s.leftOut = append(s.leftOut, name)
}

func cutTable(name string) (database, table string, ok bool) { return strings.Cut(name, "\x00") }

// flushSpool makes a chunk of what was kept since the last one, but not of a
// large event.
func (r *Reader) flushSpool() {
	s := &r.progress.spool
	if len(s.buf) == 0 || s.rest != nil {
		return
	}
	r.entries.create(chunkKey(r.stream.group.xid, s.chunks), s.buf)
	s.chunks++
	s.buf = nil
}

// dropSpool gives up what was kept of the current group.
func (r *Reader) dropSpool() {
	s := &r.progress.spool
	r.dropChunks(r.stream.group.xid, 0, s.chunks)
	*s = spool{}
	r.progress.respun = 0
}

// spoolHead is the length of what stands before each event.
const spoolHead = 1 + 4

// spooledSize returns the length of the next event in a chunk, with its head;
// it may go on in the next chunks.
func spooledSize(b []byte) (int, error) {
	if len(b) < spoolHead {
		return 0, fmt.Errorf("%w: a chunk of rows is cut off", ErrSaved)
	}
	return spoolHead + int(binary.LittleEndian.Uint32(b[1:])&^undoneBit), nil
}

// spooledEvent returns the event in b, which is that and nothing else.
func spooledEvent(b []byte) (e dump.Event, undone bool) {
	return dump.Event{Type: dump.EventType(b[0]), Body: b[spoolHead:]}, binary.LittleEndian.Uint32(b[1:])&undoneBit != 0
}
