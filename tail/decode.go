package tail

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"daybook/change"
	"daybook/recordbatch"
)

const (
	maxQuery = 4 << 10 // bytes of a statement that changed a row
	maxSQL   = 64 << 10
	// maxChange bounds the values of one change.
	maxChange = 4 << 20
)

// record is a record's parts, which alias the batch.
type record struct {
	offset         int64
	key            []byte
	op             string // Debezium's; empty: a schema change or a gap
	before, after  []byte
	source         source
	ddl, gap       []byte
	tableChanges   []byte
	database       string
	isSchemaChange bool
}

type source struct {
	Micros   int64   `json:"ts_us"`
	Database string  `json:"db"`
	Table    string  `json:"table"`
	GTID     string  `json:"gtid"`
	File     string  `json:"file"`
	Pos      uint64  `json:"pos"`
	Row      int     `json:"row"`
	Query    *string `json:"-"`
}

func parse(r *recordbatch.Record) (*record, error) {
	rec := &record{offset: r.Offset, key: r.Key}
	err := fields(r.Value, func(name string, value []byte) (err error) {
		switch name {
		case "before":
			rec.before = value
		case "after":
			rec.after = value
		case "op":
			rec.op = strings.Trim(string(value), `"`)
		case "source":
			err = rec.source.parse(value)
		case "ddl":
			rec.ddl, rec.isSchemaChange = value, true
		case "gap":
			rec.gap = value
		case "tableChanges":
			rec.tableChanges = value
		case "databaseName":
			rec.database, _ = text(value, 256)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the record at offset %d: %w", r.Offset, err)
	}
	return rec, nil
}

// parse leaves a long statement out before it is decoded.
func (s *source) parse(raw []byte) error {
	var query []byte
	err := fields(raw, func(name string, value []byte) error {
		if name == "query" {
			query = value
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(query) > 0 && query[0] == '"' {
		q, _ := text(query, maxQuery)
		s.Query = &q
		raw = slices.Concat(bytes.TrimSuffix(raw[:len(raw)-1], query), []byte("null}"))
	}
	if json.Unmarshal(raw, s) != nil {
		return errRecord
	}
	return nil
}

// operation returns that of a row; "": it is none.
func (rec *record) operation() string {
	switch rec.op {
	case "c":
		return Insert
	case "u":
		return Update
	case "d":
		return Delete
	}
	return ""
}

// change returns what a record tells, without its columns.
func (rec *record) change() *Change {
	s := &rec.source
	c := &Change{Offset: rec.offset, Next: rec.offset + 1, Database: s.Database, Table: s.Table, GTID: s.GTID, File: s.File, Pos: s.Pos, Row: s.Row}
	if s.Micros > 0 {
		c.Time = time.UnixMicro(s.Micros).UTC().Format("2006-01-02T15:04:05.999999Z")
	}
	if s.Query != nil {
		c.Query = *s.Query
	}
	return c
}

// ddlOf returns a schema change or a gap.
func (rec *record) ddlOf() *Change {
	c := rec.change()
	c.Op, c.Database = DDL, rec.database
	c.SQL, c.SQLCut = text(rec.ddl, maxSQL)
	if len(rec.gap) > 0 {
		var gap struct{ From, To, Reason string }
		_ = json.Unmarshal(rec.gap, &gap) // a text that is missing is empty
		c.Op, c.Database, c.From, c.To, c.Reason = Gap, "", gap.From, gap.To, gap.Reason
	}
	return c
}

// sameRow tells whether two records are of one update that changed the key.
func (rec *record) sameRow(o *record) bool {
	a, b := &rec.source, &o.source
	return rec.op == "d" && o.op == "c" && a.File == b.File && a.Pos == b.Pos && a.Row == b.Row && a.Database == b.Database && a.Table == b.Table
}

// rowOf returns the change of a row; moved is the second record of an update that
// changed the key, else nil.
func (rec *record) rowOf(moved *record, d *definitions, most int) (*Change, error) {
	c := rec.change()
	if c.Op = rec.operation(); c.Op == "" {
		return nil, fmt.Errorf("read the record at offset %d: %w: operation %q", rec.offset, errRecord, cutName(rec.op))
	}
	before, after := rec.before, rec.after
	of, err := d.of(c.Database, c.Table, rec.offset)
	if err != nil {
		return nil, err
	}
	r := &room{value: most, all: maxChange}
	if c.Key, err = keyOf(rec.key, of, r); err != nil {
		return nil, err
	}
	if moved != nil {
		c.Op, c.Next, after = Update, moved.offset+1, moved.after
		if c.NewKey, err = keyOf(moved.key, of, r); err != nil {
			return nil, err
		}
	}
	return c, c.fill(before, after, of, r)
}

func cutName(s string) string { return s[:min(len(s), 30)] }

func keyOf(raw []byte, of *definition, r *room) (key []Field, err error) {
	if raw == nil {
		return nil, nil
	}
	err = fields(raw, func(name string, value []byte) error {
		v, _ := valueOf(value, of.column(name), r)
		key = append(key, Field{name, v})
		return nil
	})
	return key, err
}

func (d *definition) column(name string) *change.Column { return d.columns[name] }

// image is a row image: its columns in order, and their values as they stand.
type image struct {
	names  []string
	values map[string][]byte
}

func imageOf(raw []byte) (image, error) {
	i := image{values: map[string][]byte{}}
	if raw == nil || raw[0] == 'n' {
		return i, nil
	}
	err := fields(raw, func(name string, value []byte) error {
		i.names, i.values[name] = append(i.names, name), value
		return nil
	})
	return i, err
}

// fill sets the columns from the images.
func (c *Change) fill(before, after []byte, of *definition, r *room) error {
	b, err := imageOf(before)
	if err != nil {
		return err
	}
	a, err := imageOf(after)
	if err != nil {
		return err
	}
	names := a.names
	if len(b.names) > len(names) {
		names = b.names
	}
	c.Untyped = !of.fits(a.names) || !of.fits(b.names)
	if c.Untyped {
		of = &definition{}
	} else {
		names = of.order // those that are in no image too
	}
	names = slices.Clone(names)
	for _, more := range [][]string{a.names, b.names} { // an image may lack what the other has
		for _, n := range more {
			if c.Untyped && !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
	}
	c.Columns = make([]Column, len(names))
	for i, name := range names {
		c.Columns[i] = columnOf(name, b.values[name], a.values[name], of.column(name), r)
		c.Columns[i].Changed = c.Op == Update && a.values[name] != nil && !bytes.Equal(a.values[name], b.values[name])
	}
	return nil
}

// fits tells whether all of these columns are the definition's.
func (d *definition) fits(names []string) bool {
	return d.columns != nil && !slices.ContainsFunc(names, func(n string) bool { return d.columns[n] == nil })
}

func columnOf(name string, before, after []byte, of *change.Column, r *room) Column {
	c := Column{Name: name}
	known := of != nil
	for _, side := range []struct {
		raw []byte
		to  **Value
	}{{before, &c.Before}, {after, &c.After}} {
		if side.raw == nil {
			continue
		}
		v, ok := valueOf(side.raw, of, r)
		*side.to, known = &v, known && ok
	}
	if known {
		c.Type = of.Type.String()
	}
	return c
}
