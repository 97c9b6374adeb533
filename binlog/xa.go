package binlog

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"daybook/binlog/dump"
)

// An XA transaction is in the binlog twice: its rows when it is prepared, and
// later, after other transactions, only its XID when it is committed or rolled
// back. Its rows are changes only then, with the place, time and GTID of the
// commit. Until then they are kept as they came, in the entries that are saved
// with the position: so they are bounded in memory, survive the source's
// purging of its binlogs, and are there once after a crash. The few rows of a
// small one are in the entry of the transaction itself, those of a larger one in
// chunks beside it. Those prepared last are kept in memory too, so that the usual
// commit, right after, reads nothing.

// xaTransactions are the prepared ones, and the one that is being committed.
type xaTransactions struct {
	prepared map[string]prepared // by XID
	cache    rowsCache
	moved    map[string]relocation // by XID, of those whose tables were moved since
	last     prepared              // what was encoded last
	line     []byte                // that it is saved as
	spare    []byte                // memory for the rows of the next
	commit   *xaCommit
	search   *xaSearch // for the rows of one that is not among the prepared
}

func newXATransactions() xaTransactions {
	return xaTransactions{prepared: map[string]prepared{}, moved: map[string]relocation{}, cache: newRowsCache()}
}

// prepared is what is saved of a prepared transaction beside its rows.
type prepared struct {
	Chunks int `json:"chunks,omitempty"`
	// Tables are those with rows in it that are kept, "database NUL table".
	Tables []string `json:"tables,omitempty"`
	// LeftOut are tables with rows in it that were not selected, of which no
	// rows are kept.
	LeftOut []string `json:"left_out,omitempty"`
	// Statement is what it has in place of rows, and may have changed a selected
	// table by, if it is committed: an error then.
	Statement string `json:"statement,omitempty"`
	// within tells that the entry ends with rows.
	within bool
}

// smallRows is the most that the entry of a transaction holds of its rows.
const smallRows = 2 << 10

// encode gives the saved form: a line of JSON, and the rows behind it. Most
// transactions are like the one before, as they are of one application: these have
// their lists from it, which many that are prepared share, and its line.
func (x *xaTransactions) encode(p *prepared, rows []byte) []byte {
	if x.line == nil || !p.like(&x.last) {
		line, err := json.Marshal(p)
		if err != nil {
			panic(err) // plain structs of strings and numbers: cannot fail
		}
		x.last, x.line = *p, line
	}
	p.Tables, p.LeftOut = x.last.Tables, x.last.LeftOut
	if len(rows) == 0 {
		return bytes.Clone(x.line)
	}
	return slices.Concat(x.line, []byte{'\n'}, rows)
}

// like tells that the saved form is the same, apart from rows.
func (p *prepared) like(q *prepared) bool {
	return p.Chunks == q.Chunks && p.Statement == q.Statement && slices.Equal(p.Tables, q.Tables) && slices.Equal(p.LeftOut, q.LeftOut)
}

// rowsWithin returns the rows in a saved form.
func rowsWithin(value []byte) []byte {
	_, rows, _ := bytes.Cut(value, []byte{'\n'})
	return rows
}

// The prefixes of the entries of prepared transactions: what is prepared, by
// XID, and the chunks of rows, by XID and number.
var (
	preparedPrefix = []byte("x\x00")
	chunkPrefix    = []byte("y\x00")
)

func preparedKey(xid string) []byte {
	return append(append(make([]byte, 0, len(preparedPrefix)+len(xid)), preparedPrefix...), xid...)
}

func chunkKey(xid string, n int) []byte {
	key := make([]byte, 0, len(chunkPrefix)+len(xid)+9)
	key = append(append(key, chunkPrefix...), xid...)
	return hex.AppendEncode(append(key, 0), binary.BigEndian.AppendUint32(nil, uint32(n)))
}

// dropOrphans drops the chunks that stand behind those that are known, of what a
// Reader that was killed was about to keep.
func (r *Reader) dropOrphans(chunks [][]byte) {
	const number = 1 + 8 // NUL, and hexadecimal digits
	for _, key := range chunks {
		xid := key[len(chunkPrefix):max(len(chunkPrefix), len(key)-number)]
		if known := r.xa.prepared[string(xid)].Chunks; known == 0 || bytes.Compare(key, chunkKey(string(xid), known)) >= 0 {
			r.entries.drop(key)
		}
	}
}

// inXA tells whether the current group's rows wait for a commit.
func (r *Reader) inXA() bool {
	g := &r.stream.group
	return g.xid != "" && r.xa.commit == nil
}

// xaItem acts on XA PREPARE, XA COMMIT and XA ROLLBACK.
func (r *Reader) xaItem(it *item) error {
	g := &r.stream.group
	switch {
	case it.st == stXAPrepare:
		return r.xaPrepare(it)
	case g.rows, r.progress.spool.statement != "": // before MySQL 5.7 and MariaDB 10.5 they are in the group of the commit
		return r.endUnprepared(it)
	case it.st == stXARollback:
		r.forget(g.xid, 0)
		return r.endGroup()
	}
	p, known := r.xa.prepared[g.xid]
	if known && !r.anyTableSelected(r.xa.moved[g.xid].all(p.LeftOut)) {
		return r.startCommit(g.xid, p)
	}
	return r.startSearch(g.xid)
}

// endUnprepared ends a group that holds an XA transaction's rows and its end,
// without an XA PREPARE. MySQL 5.7 writes such a group that ends like a plain
// transaction: what follows a deadlock within XA, and is committed.
func (r *Reader) endUnprepared(it *item) error {
	g := &r.stream.group
	undone := it.st == stRollback || it.st == stXARollback
	s := &r.progress.spool
	if s.events == 0 && s.statement == "" || undone && !g.foreseen {
		r.dropSpool()
		return r.endGroup()
	}
	r.flushSpool() // of what is undone, some may be of engines that are not known
	r.forget(g.xid, s.chunks)
	return r.startCommit(g.xid, prepared{Chunks: s.chunks, Statement: s.statement})
}

// xaPrepare acts on XA_PREPARE_LOG_EVENT, which ends the group of the rows. XA
// COMMIT … ONE PHASE needs no second one.
func (r *Reader) xaPrepare(it *item) error {
	xid := r.stream.group.xid
	if len(it.event.Body) == 0 || xid == "" {
		return fmt.Errorf("%w: XA PREPARE without XA START", ErrEvent)
	}
	s := &r.progress.spool
	onePhase := inOnePhase(&it.event)
	if onePhase || s.chunks > 0 || len(s.buf) > smallRows {
		r.flushSpool()
	}
	p := prepared{Chunks: s.chunks, Tables: s.tables, LeftOut: s.leftOut, Statement: s.statement}
	r.forget(xid, s.chunks)
	if onePhase {
		return r.startCommit(xid, p)
	}
	r.remember(xid, p, s.buf)
	return r.endGroup()
}

// inOnePhase tells an XA_PREPARE_LOG_EVENT that stands for XA COMMIT … ONE PHASE.
func inOnePhase(e *dump.Event) bool { return len(e.Body) > 0 && e.Body[0] != 0 }

// remember saves a transaction, with rows that are in no chunk, which it copies.
func (r *Reader) remember(xid string, p prepared, rows []byte) {
	p.within = len(rows) > 0
	value := r.xa.encode(&p, rows)
	r.xa.prepared[xid] = p
	r.entries.create(preparedKey(xid), value)
	r.xa.spare = rows[:0]
}

// forget drops what is kept of a transaction, if anything is. The first chunks may
// be those of another one that has its XID by now, as the end of it was not logged
// (sql_log_bin) or passed over.
func (r *Reader) forget(xid string, others int) {
	p, known := r.xa.prepared[xid]
	if !known {
		return
	}
	delete(r.xa.prepared, xid)
	key := preparedKey(xid)
	r.entries.drop(key)
	r.xa.cache.drop(key)
	r.dropChunks(xid, others, p.Chunks)
	if r.xa.moved[xid] != nil {
		delete(r.xa.moved, xid)
		r.entries.drop(movedKey(xid))
	}
}

// dropChunks drops those from one number up to, not including, another.
func (r *Reader) dropChunks(xid string, from, to int) {
	for i := from; i < to; i++ {
		key := chunkKey(xid, i)
		r.entries.drop(key)
		r.xa.cache.drop(key)
	}
}

// loadPrepared takes over a saved transaction. Its rows stay where they are.
func (r *Reader) loadPrepared(key, value []byte) error {
	var p prepared
	line, _, within := bytes.Cut(value, []byte{'\n'})
	if err := json.Unmarshal(line, &p); err != nil {
		return fmt.Errorf("prepared transaction %q: %w", key, err)
	}
	p.within = within
	r.xa.prepared[string(key[len(preparedPrefix):])] = p
	return nil
}

func (r *Reader) anyTableSelected(names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool {
		database, table, _ := cutTable(n)
		return n == manyTables || r.filter.Table(database, table)
	})
}

// xaCommit hands out the rows of a transaction that is being committed.
type xaCommit struct {
	xid    string
	within bool // the entry of the transaction has rows, still to be read
	chunks int
	next   int     // chunk to be read
	rest   []byte  // of what was read last
	moving *moving // nil: its tables are where they were
}

func (r *Reader) startCommit(xid string, p prepared) error {
	if p.Statement != "" {
		return statementError("in an XA transaction, which is committed here: ", p.Statement)
	}
	moved := r.xa.moved[xid]
	for _, t := range p.Tables {
		if err := moved.clear(t); err != nil {
			return err
		}
	}
	r.xa.commit = &xaCommit{xid: xid, within: p.within, chunks: p.Chunks}
	if len(moved) > 0 {
		r.xa.commit.moving = &moving{where: moved.where, selected: r.filter.Table}
	}
	return nil
}

// pollCommit goes on with the next event of the transaction's rows. After the
// last one the group of the commit ends.
func (r *Reader) pollCommit() (wait bool, err error) {
	if r.xa.search != nil {
		return r.pollSearch()
	}
	c := r.xa.commit
	b, err := r.nextSpooled(c)
	if err != nil {
		return false, err
	}
	if b == nil {
		return false, r.endCommit()
	}
	e, undone := spooledEvent(b)
	e.ServerID = r.stream.group.serverID
	if c.moving != nil {
		if left, err := c.moving.event(&e, r.stream.format.TableIDSize); left || err != nil {
			return false, err
		}
	}
	if e.Type == dump.EvTableMap {
		return false, r.readTableMap(e.Body)
	}
	return false, r.startRows(e, undone)
}

// nextSpooled takes the next event of the transaction's rows, nil after the
// last. A large one is put together from its chunks.
func (r *Reader) nextSpooled(c *xaCommit) ([]byte, error) {
	for len(c.rest) == 0 {
		if more, err := r.readPrepared(c); err != nil || !more {
			return nil, err
		}
	}
	n, err := spooledSize(c.rest)
	if err != nil {
		return nil, err
	}
	if n <= len(c.rest) {
		b := c.rest[:n:n]
		c.rest = c.rest[n:]
		return b, nil
	}
	b := append(make([]byte, 0, n), c.rest...)
	for len(b) < n {
		more, err := r.readPrepared(c)
		if err == nil && !more {
			err = fmt.Errorf("%w: a chunk of rows is missing", ErrSaved)
		}
		if err != nil {
			return nil, err
		}
		k := min(n-len(b), len(c.rest))
		b, c.rest = append(b, c.rest[:k]...), c.rest[k:]
	}
	return b, nil
}

// readPrepared reads the next part of the transaction's rows, if there is one.
func (r *Reader) readPrepared(c *xaCommit) (more bool, err error) {
	switch {
	case c.within:
		c.within = false
		value, err := r.savedRows(preparedKey(c.xid))
		c.rest = rowsWithin(value)
		return true, err
	case c.next < c.chunks:
		c.next++
		c.rest, err = r.savedRows(chunkKey(c.xid, c.next-1))
		return true, err
	}
	return false, nil
}

func (r *Reader) endCommit() error {
	c := r.xa.commit
	r.xa.commit = nil
	if _, known := r.xa.prepared[c.xid]; known {
		r.forget(c.xid, 0)
	} else { // in one phase
		r.dropChunks(c.xid, 0, c.chunks)
	}
	return r.endGroup()
}

// savedRows returns the entry of a key that holds rows: from memory, or as it
// was saved.
func (r *Reader) savedRows(key []byte) ([]byte, error) {
	if value, ok := r.entries.get(key); ok && value != nil {
		return value, nil
	}
	if value, ok := r.xa.cache.get(key); ok {
		return value, nil
	}
	if r.o.Load != nil {
		value, err := r.o.Load(key)
		if err != nil {
			return nil, fmt.Errorf("read the rows of a prepared XA transaction: %w", err)
		}
		if value != nil {
			return value, nil
		}
	}
	return nil, fmt.Errorf("%w: the rows of XA transaction %s are not there", ErrSaved, r.xa.commit.xid)
}

// holdsRows tells an entry with rows.
func holdsRows(e SchemaEntry) bool {
	return bytes.HasPrefix(e.Key, chunkPrefix) && e.Value != nil || bytes.HasPrefix(e.Key, preparedPrefix) && len(rowsWithin(e.Value)) > 0
}
