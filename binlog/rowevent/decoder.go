package rowevent

import (
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"daybook/binlog/cursor"
	"daybook/change"
)

// ErrMismatch says that a table map contradicts the table's definition, so
// that its rows cannot be decoded with that definition. The message names the
// table, the column and both sides.
var ErrMismatch = errors.New("table map does not match the table definition")

// DecoderOptions says what sort of server wrote the events.
type DecoderOptions struct {
	Flavor  string // "mysql" or "mariadb"
	Version int    // such as 80031, 101106; 0: the newest
	// TableIDSize is the bytes of the table ID in the events, 4 or 6; 0: 6.
	TableIDSize int
	// HiddenLeast and HiddenMost are how many hidden columns of keys the table may
	// have beside none; see the catalog's HiddenColumns.
	HiddenLeast, HiddenMost int
	// Scratch is shared with the other decoders of the stream; nil: one of its own.
	Scratch *Scratch
}

// Decoder turns rows events of one table map into values.
type Decoder struct {
	table   *change.Table
	mapID   uint64
	idSize  int
	columns []column // the table's, and the hidden ones behind
	jsons   int      // number of JSON columns
	mariadb bool
	// shortDoubles: the server renders a whole double in JSON as 1, not 1.0.
	shortDoubles bool

	// of the event
	kind          EventKind
	form          form
	rest          []byte // rows not yet read
	row           int    // rows read so far
	large         bool   // the event, packed or not
	allFirst      bool   // the first image has every column
	allSecond     bool
	first, second bitmap // columns present in the first and, for updates, second image

	partial bitmap // of a partial update: the JSON columns that hold changes

	*Scratch
}

// NewDecoder compiles a decoder for rows events of m, which must belong to t;
// it checks that they agree as far as m tells. The error is ErrMismatch.
func NewDecoder(m *TableMap, t *change.Table, o DecoderOptions) (*Decoder, error) {
	d := &Decoder{
		table: t, mapID: m.ID, idSize: o.TableIDSize, mariadb: o.Flavor == "mariadb",
		columns: make([]column, len(m.Columns)), Scratch: o.Scratch,
	}
	if d.Scratch == nil {
		d.Scratch = new(Scratch)
	}
	d.shortDoubles = !d.mariadb && o.Version > 0 && o.Version < 80000
	if d.idSize == 0 {
		d.idSize = 6
	}
	if err := checkTable(m, t, o); err != nil {
		return nil, err
	}
	collations, ok := m.collations(d.mariadb)
	if !ok {
		return nil, fmt.Errorf("table map of %s.%s: %w: the charset metadata does not fit the columns", m.Database, m.Table, ErrCorrupt)
	}
	for i := range m.Columns {
		if i >= len(t.Columns) {
			if d.columns[i], ok = hiddenColumn(&m.Columns[i], d); !ok {
				return nil, fmt.Errorf("%s of %s.%s: %w: a hidden column of %s cannot be read", d.columnName(i), t.Database, t.Name, ErrMismatch, m.Columns[i].Type)
			}
			continue
		}
		c, why := compile(&m.Columns[i], &t.Columns[i], d)
		if why == "" {
			why = checkTold(m, &m.Columns[i], collations[i], &t.Columns[i])
		}
		if why != "" {
			return nil, fmt.Errorf("column %s of %s.%s: %w: %s", t.Columns[i].Name, t.Database, t.Name, ErrMismatch, why)
		}
		if c.op == opJSON {
			c.json = d.jsons
			d.jsons++
		}
		d.columns[i] = c
	}
	if o.mapsExpressions() {
		d.columns = d.columns[:len(t.Columns)]
	}
	d.fit(len(d.columns), d.jsons)
	return d, nil
}

// hiddenColumn is one whose values are stepped over: the hash of a MariaDB key, or an expression of a MySQL key.
func hiddenColumn(m *MapColumn, d *Decoder) (column, bool) {
	if d.mariadb {
		return column{op: opInt, size: 8}, true
	}
	t, ok := m.definition("binary", false)
	if !ok || t.Type == change.JSON {
		return column{}, false
	}
	c, why := compile(m, &t, d)
	return c, why == ""
}

// Size returns about how many bytes the decoder keeps, without its table and its
// Scratch.
func (d *Decoder) Size() int {
	n := int(unsafe.Sizeof(*d)) + cap(d.columns)*int(unsafe.Sizeof(column{}))
	for i := range d.columns {
		for _, l := range d.columns[i].labels {
			n += int(unsafe.Sizeof(l)) + len(l)
		}
	}
	return n
}

// TableID returns the table ID of a rows event, and whether the event is the
// last one of its statement, after which the server's table maps are void.
// tableIDSize is 4 or 6.
func TableID(body []byte, tableIDSize int) (id uint64, statementEnd bool, err error) {
	c := cursor.Cursor{B: body}
	id, flags := c.Uint(tableIDSize), c.Uint(2)
	if c.Err != nil {
		return 0, false, fmt.Errorf("read rows event: %w: %d bytes are too few", ErrCorrupt, len(body))
	}
	return id, flags&1 != 0, nil
}

// Start begins a rows event, whose body must not change until its last row has
// been read. The error is ErrCorrupt.
func (d *Decoder) Start(kind EventKind, body []byte) error {
	if d.start(kind, body) {
		if d.first.count(len(d.columns)) == 0 {
			d.end()
			return fmt.Errorf("read rows event of %s.%s: %w: its rows have no columns, so that they cannot even be counted; %s",
				d.table.Database, d.table.Name, ErrCorrupt, d.whyEmpty())
		}
		return nil
	}
	d.end()
	return fmt.Errorf("read rows event of %s.%s: %w: its header does not fit", d.table.Database, d.table.Name, ErrCorrupt)
}

// whyEmpty says why row images may have no columns.
func (d *Decoder) whyEmpty() string {
	if d.mariadb && d.form != formInsert && !slices.ContainsFunc(d.table.Columns, func(c change.Column) bool { return !c.Generated }) {
		return "this MariaDB leaves generated columns out of updates and deletes, and the table has no others: give it one, or leave it out of the task"
	}
	return "a session runs with binlog_row_image=MINIMAL: find and change it"
}

func (d *Decoder) start(kind EventKind, body []byte) bool {
	d.kind, d.form, d.row, d.rest, d.large = kind, kind.form(), 0, nil, len(body) > maxKept
	c := cursor.Cursor{B: body}
	id := c.Uint(d.idSize)
	c.Bytes(2) // flags
	if kind.isV2() {
		// The length counts itself. What it covers (the partition, NDB's own
		// data) is not about the rows' form.
		n := int(c.Uint(2))
		if n < 2 {
			return false
		}
		c.Bytes(n - 2)
	}
	columns := c.Lenenc()
	if c.Err != nil || id != d.mapID || d.form == 0 || columns != uint64(len(d.columns)) {
		return false
	}
	size := bitmapSize(len(d.columns))
	d.first = bitmap(c.Bytes(size))
	d.second = d.first
	if d.form == formUpdate {
		d.second = bitmap(c.Bytes(size))
	}
	if c.Err != nil {
		return false
	}
	d.allFirst = d.first.count(len(d.columns)) == len(d.columns)
	d.allSecond = d.second.count(len(d.columns)) == len(d.columns)
	d.rest = c.B
	if kind.isCompressed() {
		return d.decompressRows()
	}
	return true
}

// Next decodes the next row. before is that of updates and deletes, after that
// of inserts and updates, each with a value per column of the table; else nil.
// They and their bytes are valid until the next call of Next, Skip, Start or
// Release, of any decoder with the same Scratch. ok is false after the last row. The error is ErrCorrupt, or names what
// the decoder cannot do; it is returned for this row only and the event cannot
// be read further.
func (d *Decoder) Next(before, after *[]change.Value) (ok bool, err error) {
	*before, *after = nil, nil
	if len(d.rest) == 0 {
		d.end()
		return false, nil
	}
	d.arena = reuse(d.arena)[:0]
	clear(d.jsonRaw)
	rest, n := d.rest, len(d.table.Columns)
	d.rest = nil
	if d.form != formInsert {
		if rest, err = d.image(rest, d.first, d.allFirst, d.before); err != nil {
			return false, d.rowError(err)
		}
		*before = d.before[:n]
	}
	switch {
	case d.kind == PartialUpdateRows:
		rest, err = d.partialImage(rest)
	case d.form == formUpdate:
		rest, err = d.image(rest, d.second, d.allSecond, d.after)
	case d.form == formInsert:
		rest, err = d.image(rest, d.first, d.allFirst, d.after)
	}
	if err != nil {
		*before = nil
		return false, d.rowError(err)
	}
	if d.form == formUpdate && !d.allSecond {
		d.complete()
	}
	if d.form != formDelete {
		*after = d.after[:n]
	}
	d.rest = rest
	d.row++
	return true, nil
}

// complete gives an after image the values that it leaves out because they did not
// change, as far as the before image has them.
func (d *Decoder) complete() {
	for i := range d.columns {
		if !d.second.has(i) {
			d.after[i] = d.before[i]
		}
	}
}

// LeftOut returns the indexes of the columns of which the event, which Start
// began, does not tell all values; nil if it tells all.
func (d *Decoder) LeftOut() []int {
	if d.allFirst {
		return nil // what the after image of an update leaves out did not change
	}
	var left []int
	for i := range d.table.Columns {
		if !d.first.has(i) {
			left = append(left, i)
		}
	}
	return left
}

// Release tells that the row that Next returned is not needed any more, and
// reports whether the event was its last: then nothing refers to the event's body
// either.
func (d *Decoder) Release() bool {
	if len(d.rest) > 0 {
		return false
	}
	d.end()
	return true
}

// end lets go of the event.
func (d *Decoder) end() {
	d.rest, d.first, d.second = nil, nil, nil
	if d.large {
		d.forget()
		d.large = false
	}
}

func (d *Decoder) rowError(err error) error {
	d.end()
	return fmt.Errorf("decode row %d of rows event of %s.%s: %w", d.row, d.table.Database, d.table.Name, err)
}

func (d *Decoder) columnName(i int) string {
	if i < len(d.table.Columns) {
		return d.table.Columns[i].Name
	}
	return fmt.Sprintf("hidden column %d", 1+i-len(d.table.Columns))
}

// image decodes one row image from the front of b into values and returns what
// follows it: a null bit for each present column, then the values that are not
// null.
func (d *Decoder) image(b []byte, present bitmap, all bool, values []change.Value) ([]byte, error) {
	columns := d.columns
	values = values[:len(columns)]
	n := len(columns)
	if !all {
		n = present.count(n)
	}
	size := bitmapSize(n)
	if size > len(b) || n == 0 {
		return nil, fmt.Errorf("%w: row image is cut off", ErrCorrupt)
	}
	nulls := bitmap(b[:size])
	b = b[size:]
	bit := 0
	for i := range columns {
		if !all && !present.has(i) {
			values[i] = change.Value{}
			continue
		}
		if nulls.has(bit) {
			values[i] = change.Value{Kind: change.Null}
			bit++
			continue
		}
		bit++
		used, err := d.decode(&columns[i], b, &values[i])
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", d.columnName(i), err)
		}
		b = b[used:]
	}
	return b, nil
}
