package binlog

import (
	"encoding/binary"
	"fmt"
	"strings"

	"daybook/binlog/dump"
)

// spool is the rows of the current group, an XA transaction that is being
// prepared, on their way into entries: table maps and rows events as they
// came, each behind its type (1 byte) and length (4 bytes, little-endian).
type spool struct {
	events  int // table maps and rows events of the group that are dealt with
	chunks  int // made of them so far
	buf     []byte
	leftOut []string
	tables  map[uint64]spooledTable
}

type spooledTable struct {
	name     string
	selected bool
}

const (
	// chunkSize is where a chunk is full; one event may be larger.
	chunkSize = 64 << 10
	// manyTables stands for more tables than are listed.
	manyTables = "*"
	maxLeftOut = 100
)

// spoolEvent keeps a table map or rows event for the transaction's commit,
// unless that was done before a reconnect.
func (r *Reader) spoolEvent(it *item) error {
	s, e := &r.progress.spool, &it.event
	size := r.stream.format.TableIDSize
	id, ok := tableID(e.Body, size)
	if !ok {
		return fmt.Errorf("%w: table map or rows event of %d bytes", ErrEvent, len(e.Body))
	}
	if e.Type == dump.EvTableMap {
		if err := r.spoolTable(id, e.Body[size:]); err != nil {
			return err
		}
	}
	t := s.tables[id]
	if e.Type != dump.EvTableMap && !t.selected {
		s.leaveOut(t.name)
	}
	if r.progress.respun > 0 {
		r.progress.respun--
		return nil
	}
	s.events++
	r.progress.group = r.stream.group.GTID
	if !t.selected {
		return nil
	}
	s.buf = append(s.buf, byte(e.Type))
	s.buf = binary.LittleEndian.AppendUint32(s.buf, uint32(len(e.Body)))
	s.buf = append(s.buf, e.Body...)
	if len(s.buf) >= chunkSize {
		r.flushSpool()
	}
	return nil
}

func (r *Reader) spoolTable(id uint64, b []byte) error {
	database, table, ok := tableNames(b)
	if !ok {
		return fmt.Errorf("%w: table map without names", ErrEvent)
	}
	s := &r.progress.spool
	if s.tables == nil {
		s.tables = map[uint64]spooledTable{}
	}
	s.tables[id] = spooledTable{database + "\x00" + table, r.filter.table(database, table)}
	return nil
}

// leaveOut notes a table whose rows are not kept.
func (s *spool) leaveOut(name string) {
	if name == "" || len(s.leftOut) > maxLeftOut {
		return
	}
	for _, n := range s.leftOut {
		if n == name {
			return
		}
	}
	if len(s.leftOut) == maxLeftOut {
		name = manyTables
	}
	s.leftOut = append(s.leftOut, name)
}

func cutTable(name string) (database, table string, ok bool) { return strings.Cut(name, "\x00") }

// flushSpool makes a chunk of what was kept since the last one.
func (r *Reader) flushSpool() {
	s := &r.progress.spool
	if len(s.buf) == 0 {
		return
	}
	r.keepChunk(chunkKey(r.stream.group.xid, s.chunks), s.buf)
	s.chunks++
	s.buf = nil
}

func (r *Reader) keepChunk(key, value []byte) {
	r.entries.create(key, value)
	r.xa.cache.put(key, value)
}

// dropSpool gives up what was kept of the current group.
func (r *Reader) dropSpool() {
	s := &r.progress.spool
	r.dropChunks(r.stream.group.xid, s.chunks)
	*s = spool{}
	r.progress.respun = 0
}

// nextSpooled takes the next event off a chunk.
func nextSpooled(b []byte) (e dump.Event, rest []byte, err error) {
	const head = 1 + 4
	if len(b) < head {
		return e, nil, fmt.Errorf("%w: a chunk of rows is cut off", ErrSaved)
	}
	n := int(binary.LittleEndian.Uint32(b[1:]))
	if n > len(b)-head {
		return e, nil, fmt.Errorf("%w: a chunk of rows is cut off", ErrSaved)
	}
	return dump.Event{Type: dump.EventType(b[0]), Body: b[head : head+n]}, b[head+n:], nil
}
