package binlog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"daybook/change"
)

// An XA transaction is in the binlog twice: its rows when it is prepared, and
// later, after other transactions, only its XID when it is committed or rolled
// back. Its rows are changes only then. They may be many, so they are not kept:
// the place of the prepared group is, and on commit a second connection reads
// it once more. The changes have the place, time and GTID of the commit.

// prepared is where the rows of an XA transaction stand.
type prepared struct {
	File       string `json:"file"`
	Pos        uint64 `json:"pos"`
	ServerUUID string `json:"server_uuid,omitempty"`
	ServerID   uint32 `json:"server_id"`
}

// preparedPrefix begins the keys of prepared transactions among the schema
// entries.
var preparedPrefix = []byte("x\x00")

// xa acts on the statements of XA transactions.
func (r *Reader) xa(q *query) error {
	is := statementOf(q.sql)
	xid := xidOf(q.sql)
	switch is {
	case stXAStart:
		r.group.explicit, r.group.xid = true, xid
		return nil
	case stXAEnd: // MariaDB tells only here which one it is
		r.group.xid = xid
		return nil
	}
	if r.scan != nil {
		r.endGroup()
		return nil
	}
	p, known := r.prepared[xid]
	if !known && r.pos.taken > 0 { // MySQL 5.6: the rows are in this group
		r.endGroup()
		return nil
	}
	if is == stXARollback {
		r.forget(xid)
		r.endGroup()
		return nil
	}
	if !known {
		return fmt.Errorf("%w: XA transaction %s is committed, and its rows stand before the start of this task; start the task anew", ErrEvent, xid)
	}
	return r.startReplay(xid, p)
}

// xidOf returns the XID as the statement writes it.
func xidOf(sql []byte) string {
	_, rest, _ := bytes.Cut(sql[3:], []byte(" "))
	return strings.TrimSuffix(string(bytes.TrimSpace(rest)), " ONE PHASE")
}

// xaPrepare acts on XA_PREPARE_LOG_EVENT, which ends the group of the rows. Its
// first byte tells XA COMMIT … ONE PHASE, which needs no second group.
func (r *Reader) xaPrepare(e event) error {
	if len(e.body) == 0 || r.group.xid == "" {
		return fmt.Errorf("%w: XA PREPARE without XA START", ErrEvent)
	}
	p := prepared{File: r.pos.file, Pos: r.pos.pos, ServerUUID: r.status.ServerUUID, ServerID: r.status.ServerID}
	switch {
	case r.scan != nil:
		r.endGroup()
		return nil
	case r.replaying:
		r.endGroup()
		r.replayed = true
		return nil
	case e.body[0] != 0:
		return r.startReplay(r.group.xid, p)
	}
	value, err := json.Marshal(p)
	if err != nil {
		panic(err) // plain structs of strings and numbers: cannot fail
	}
	r.prepared[r.group.xid] = p
	r.entries = append(r.entries, SchemaEntry{Key: append(bytes.Clone(preparedPrefix), r.group.xid...), Value: value})
	r.endGroup()
	return nil
}

func (r *Reader) forget(xid string) {
	if _, known := r.prepared[xid]; known {
		delete(r.prepared, xid)
		r.entries = append(r.entries, SchemaEntry{Key: append(bytes.Clone(preparedPrefix), xid...)})
	}
}

func (r *Reader) loadPrepared(key, value []byte) error {
	var p prepared
	if err := json.Unmarshal(value, &p); err != nil {
		return fmt.Errorf("prepared transaction %q: %w", key, err)
	}
	r.prepared[string(key[len(preparedPrefix):])] = p
	return nil
}

// replay is the rows of an XA transaction, read once more.
type replay struct {
	*Reader
	xid  string
	rows int // handed out and stepped over
}

// startReplay begins to read the rows of the transaction that is committed by
// the current event.
func (r *Reader) startReplay(xid string, p prepared) error {
	o := r.o
	o.ServerID = randomServerID()
	n := New(o)
	n.replaying, n.status, n.filter, n.catalog = true, r.status, r.filter, r.catalog
	n.feed = newFeed(o)
	n.feed.ready = r.feed.ready
	at := position{flavor: r.pos.flavor, serverUUID: p.ServerUUID, serverID: p.ServerID, file: p.File, pos: p.Pos, taken: r.group.skip}
	n.beginAt(at)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed.Load() {
		return ErrClosed
	}
	n.feed.start(&at)
	r.replay = &replay{Reader: n, xid: xid}
	return nil
}

// pollReplay returns the next row of the transaction. After the last one the
// group of the commit ends.
func (r *Reader) pollReplay() (c *change.Change, wait bool, err error) {
	n := r.replay
	c, err = n.Poll()
	if err != nil {
		return nil, false, err
	}
	if n.pos.taken > r.pos.taken {
		r.pos.taken, r.pos.group = n.pos.taken, r.group.gtid
	}
	if c != nil {
		c.File, c.Pos, c.Row = r.file, r.start, n.rows
		c.Thread, c.GTID, c.CommitMicros = r.group.thread, r.gtidText(), r.group.micros
		n.rows++
		return c, false, nil
	}
	if !n.replayed {
		return nil, true, nil
	}
	r.mu.Lock()
	r.replay = nil
	r.mu.Unlock()
	_ = n.Close()
	r.forget(n.xid)
	r.group.skip = 0
	r.endGroup()
	return nil, false, nil
}
