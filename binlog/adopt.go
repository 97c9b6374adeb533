package binlog

import (
	"errors"
	"slices"
	"strings"

	"daybook/binlog/rowevent"
	"daybook/change"
)

// adopt takes the definition that a table map tells by itself
// (binlog_row_metadata=FULL) in place of the one that is known and does not fit:
// what changed the table is not in the binlog (sql_log_bin=0), or a server
// garbled a label. Consumers get a schema change without a statement. why is the
// misfit.
func (r *Reader) adopt(s *tableState, known *change.Table, o rowevent.DecoderOptions, why error) bool {
	told, ok := s.m.Definition(o)
	if !ok || !errors.Is(why, rowevent.ErrMismatch) {
		return false
	}
	t := completed(told, known)
	decoder, err := rowevent.NewDecoder(s.m, t, o)
	if err != nil {
		return false
	}
	s.definition, s.decoder = t, decoder
	r.catalog.Put(t)
	r.log.Warn("a table is not as its statements in the binlog left it: going on with the definition that its rows come with", "source", r.o.Source.Address,
		"table", t.Database+"."+t.Name, "file", r.stream.file, "pos", r.stream.start, "because", why)
	if r.o.SchemaChanges != SchemaChangesNone {
		r.adopted = &change.SchemaChange{Database: t.Database, Tables: []change.TableChange{{Type: change.Altered, Database: t.Database, Name: t.Name, Table: t}}}
	}
	return true
}

// completed adds to what a table map tells of a table what it does not: of
// columns that were there before under the name, and keys over such.
func completed(told, known *change.Table) *change.Table {
	t := *told
	t.Charset, t.Comment = known.Charset, known.Comment
	index := func(name string) int {
		return slices.IndexFunc(t.Columns, func(c change.Column) bool { return strings.EqualFold(c.Name, name) })
	}
	for i := range known.Columns {
		was := &known.Columns[i]
		at := index(was.Name)
		if at < 0 {
			continue
		}
		c := &t.Columns[at]
		c.Comment, c.AutoIncrement, c.Generated = was.Comment, was.AutoIncrement, was.Generated
		if c.Type != was.Type {
			continue
		}
		c.Default, c.Zerofill = was.Default, was.Zerofill
		if c.Length < 0 {
			c.Length, c.Scale = was.Length, was.Scale
		}
	}
	t.UniqueKeys = nil
	for _, k := range known.UniqueKeys {
		columns := make([]int, 0, len(k.Columns))
		for _, c := range k.Columns {
			if at := index(known.Columns[c].Name); at >= 0 {
				columns = append(columns, at)
			}
		}
		if len(columns) == len(k.Columns) {
			t.UniqueKeys = append(t.UniqueKeys, change.UniqueKey{Name: k.Name, Columns: columns})
		}
	}
	if len(known.PrimaryKey) == 0 && slices.ContainsFunc(t.UniqueKeys, func(k change.UniqueKey) bool { return slices.Equal(k.Columns, t.PrimaryKey) }) {
		t.PrimaryKey = nil // a server without a primary key calls a unique one so
	}
	return &t
}

// schemaAdopted hands out the change that a table's own definition is.
func (r *Reader) schemaAdopted() *change.Change {
	c := &change.Change{Source: r.change.Source, Op: change.Schema, DDL: r.adopted}
	c.Pos, c.Row, c.Query = r.stream.pos.Pos, 0, "" // where no row stands: the beginning of the group
	r.adopted = nil
	return c
}
