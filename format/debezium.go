package format

import (
	"fmt"
	"strconv"
	"time"

	"daybook/change"
)

// DebeziumOptions are the settings of [NewDebezium].
type DebeziumOptions struct {
	Name       string           // source.name, Debezium's topic.prefix: the task
	Connector  string           // source.connector: mysql (default) or mariadb
	Version    string           // source.version: Daybook's own
	Tombstones bool             // a record with a null value after each delete
	Now        func() time.Time // time of processing; default time.Now
}

const (
	// maxColumns bounds the columns of all tables whose layout is kept: some 5 MB
	// with the definitions that they hold on to.
	maxColumns = 16 << 10
	// maxKept is the size in bytes from which a buffer is not used again, so
	// that one huge row does not cost its memory for ever.
	maxKept = 1 << 20
)

// debezium implements Encoder.
type debezium struct {
	options DebeziumOptions
	head    []byte // the source block up to its first ts_ms
	layouts map[*change.Table]*layout
	columns int     // in layouts
	current *layout // of the last row change
	source  sourceCache

	key, newKey []byte // reused from record to record
}

// NewDebezium returns an encoder of Debezium 3's change event envelope and
// schema change event as its JsonConverter writes them with
// schemas.enable=false, for connector settings decimal.handling.mode=string,
// time.precision.mode=adaptive_time_microseconds and
// binary.handling.mode=base64; BIGINT UNSIGNED is an exact JSON number.
//
// https://debezium.io/documentation/reference/3.6/connectors/mysql.html
func NewDebezium(o DebeziumOptions) Encoder {
	if o.Connector == "" {
		o.Connector = "mysql"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	d := &debezium{options: o, layouts: make(map[*change.Table]*layout)}
	d.head = appendString(append(d.head, `"source":{"version":`...), o.Version)
	d.head = appendString(append(d.head, `,"connector":`...), o.Connector)
	d.head = appendString(append(d.head, `,"name":`...), o.Name)
	d.head = append(d.head, `,"ts_ms":`...)
	return d
}

// Encode implements [Encoder].
func (d *debezium) Encode(c *change.Change, out Records) error {
	defer d.keep()
	switch {
	case c.Op == change.Schema && c.DDL == nil:
		return fmt.Errorf("encode change at %s:%d: schema change without a statement", c.File, c.Pos)
	case c.Op == change.Schema:
		d.encodeSchema(c, out)
		return nil
	case c.Op == change.Gap && c.Gap == nil:
		return fmt.Errorf("encode change at %s:%d: gap that does not say of what", c.File, c.Pos)
	case c.Op == change.Gap:
		d.encodeGap(c, out)
		return nil
	}
	if err := check(c); err != nil {
		return fmt.Errorf("encode change at %s:%d row %d: %w", c.File, c.Pos, c.Row, err)
	}
	if d.current == nil || d.current.table != c.Table {
		d.current = d.layout(c.Table)
	}
	d.encodeRow(c, d.current, out)
	return nil
}

func (d *debezium) encodeRow(c *change.Change, l *layout, out Records) {
	switch c.Op {
	case change.Insert:
		d.key = l.appendKey(d.key[:0], c.After, nil)
		d.emitRow(c, l, 'c', nil, c.After, d.key, 0, out)
	case change.Delete:
		d.key = l.appendKey(d.key[:0], c.Before, nil)
		d.emitDelete(c, l, 0, out)
	case change.Update:
		d.key = l.appendKey(d.key[:0], c.Before, c.After)
		if l.sameKey(c.Before, c.After) {
			d.emitRow(c, l, 'u', c.Before, c.After, d.key, 0, out)
			break
		}
		d.emitDelete(c, l, l.room(c, nil, c.After), out)
		d.newKey = l.appendKey(d.newKey[:0], c.After, c.Before)
		d.emitRow(c, l, 'c', nil, c.After, d.newKey, 0, out)
	}
}

// check refuses a change that no reader should make: encoding it would index
// out of range or write a record that means something else.
func check(c *change.Change) error {
	before, after := c.Op == change.Update || c.Op == change.Delete, c.Op == change.Insert || c.Op == change.Update
	switch {
	case !before && !after:
		return fmt.Errorf("operation %v is not known", c.Op)
	case c.Table == nil:
		return fmt.Errorf("%v without a table", c.Op)
	case before && len(c.Before) != len(c.Table.Columns), after && len(c.After) != len(c.Table.Columns):
		return fmt.Errorf("%v of %s.%s with %d values before and %d after, but the table has %d columns",
			c.Op, c.Table.Database, c.Table.Name, len(c.Before), len(c.After), len(c.Table.Columns))
	}
	return nil
}

func (d *debezium) emitDelete(c *change.Change, l *layout, room int, out Records) {
	d.emitRow(c, l, 'd', c.Before, nil, d.key, room, out)
	if d.options.Tombstones && l.hasKey() {
		out.Begin(d.key, room)
		out.End(nil)
	}
}

// emitRow emits the envelope of one row: before and after are nil where the
// operation has no such image, key is empty for a table without one. room is
// for what follows.
func (d *debezium) emitRow(c *change.Change, l *layout, op byte, before, after []change.Value, key []byte, room int, out Records) {
	if !l.hasKey() {
		key = nil
	}
	v := append(out.Begin(key, l.room(c, before, after)+room), `{"before":`...)
	v = l.appendImage(v, before)
	v = append(v, `,"after":`...)
	v = l.appendImage(v, after)
	v = append(v, ',')
	v = d.appendSource(v, c, l.table.Database, l.table.Name)
	v = append(v, `,"transaction":null,"op":"`...)
	v = append(v, op)
	v = append(v, `","ts_ms":`...)
	now := d.options.Now().UnixNano()
	v = strconv.AppendInt(v, now/1e6, 10)
	v = append(v, `,"ts_us":`...)
	v = strconv.AppendInt(v, now/1e3, 10)
	v = append(v, `,"ts_ns":`...)
	v = strconv.AppendInt(v, now, 10)
	out.End(append(v, '}'))
}

// keep leaves to the next change what is not too large to be held on to.
func (d *debezium) keep() {
	d.key, d.newKey = reuse(d.key), reuse(d.newKey)
	if s := &d.source; len(s.query) > maxKept {
		s.query, s.tail = "", nil
	}
}

// reuse returns b, or nil if it has grown too large to be held on to.
func reuse(b []byte) []byte {
	if cap(b) > maxKept {
		return nil
	}
	return b
}

// layout returns the table's layout from the cache or makes it.
func (d *debezium) layout(t *change.Table) *layout {
	l := d.layouts[t]
	if l == nil {
		if d.columns += len(t.Columns); d.columns > maxColumns {
			clear(d.layouts)
			d.columns = len(t.Columns)
		}
		l = newLayout(t)
		d.layouts[t] = l
	}
	return l
}

// sourceCache holds the parts of the source block that are the same for all
// rows that a statement changes in a table.
type sourceCache struct {
	head            []byte // from the opening brace up to and with "pos":
	database, table string
	commitMicros    int64
	serverID        uint32
	gtid, file      string

	tail   []byte // from ,"thread": up to and with the closing brace
	thread uint64
	query  string
}

// appendSource appends the source field; table is "" for none.
func (d *debezium) appendSource(dst []byte, c *change.Change, database, table string) []byte {
	s := &d.source
	if len(s.head) == 0 || s.commitMicros != c.CommitMicros || s.gtid != c.GTID || s.table != table || s.database != database ||
		s.file != c.File || s.serverID != c.ServerID {
		d.renderSourceHead(c, database, table)
	}
	if len(s.tail) == 0 || s.query != c.Query || s.thread != c.Thread {
		d.renderSourceTail(c)
	}
	dst = append(dst, s.head...)
	dst = strconv.AppendUint(dst, c.Pos, 10)
	dst = append(dst, `,"row":`...)
	dst = strconv.AppendInt(dst, int64(c.Row), 10)
	return append(dst, s.tail...)
}

func (d *debezium) renderSourceHead(c *change.Change, database, table string) {
	s := &d.source
	s.database, s.table, s.commitMicros = database, table, c.CommitMicros
	s.serverID, s.gtid, s.file = c.ServerID, c.GTID, c.File
	b := append(s.head[:0], d.head...)
	b = strconv.AppendInt(b, c.CommitMicros/1e3, 10)
	b = append(b, `,"snapshot":"false","db":`...)
	b = appendString(b, database)
	b = append(b, `,"sequence":null,"ts_us":`...)
	b = strconv.AppendInt(b, c.CommitMicros, 10)
	b = append(b, `,"ts_ns":`...)
	b = appendNanos(b, c.CommitMicros)
	b = append(b, `,"table":`...)
	b = appendStringOrNull(b, table)
	b = append(b, `,"server_id":`...)
	b = strconv.AppendUint(b, uint64(c.ServerID), 10)
	b = append(b, `,"gtid":`...)
	b = appendStringOrNull(b, c.GTID)
	b = append(b, `,"file":`...)
	b = appendString(b, c.File)
	s.head = append(b, `,"pos":`...)
}

func (d *debezium) renderSourceTail(c *change.Change) {
	s := &d.source
	s.thread, s.query = c.Thread, c.Query
	b := append(reuse(s.tail)[:0], `,"thread":`...)
	if c.Thread == 0 {
		b = append(b, `null`...)
	} else {
		b = strconv.AppendUint(b, c.Thread, 10)
	}
	b = append(b, `,"query":`...)
	b = appendStringOrNull(b, c.Query)
	s.tail = append(b, '}')
}

// appendNanos appends micros times a thousand, which may not fit an int64.
func appendNanos(dst []byte, micros int64) []byte {
	dst = strconv.AppendInt(dst, micros, 10)
	if micros == 0 {
		return dst
	}
	return append(dst, `000`...)
}

func appendStringOrNull(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, `null`...)
	}
	return appendString(dst, s)
}
