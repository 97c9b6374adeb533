package binlog

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"daybook/binlog/rowevent"
	"daybook/binlog/schema"
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
	definition := s.m.WithImplicitKey(t, false)
	decoder, err := rowevent.NewDecoder(s.m, definition, o)
	if err != nil {
		return false
	}
	s.known, s.definition, s.decoder = t, definition, decoder
	r.catalog.Put(t)
	r.tellAdopted(change.Altered, t, "the definition that its rows come with", why)
	return true
}

// adoptSources takes the definition that the source has now in place of the one
// that is not right, if rows fit that one. No later DDL on the table is ahead. why is what is
// not right.
func (r *Reader) adoptSources(s *tableState, now *schema.Catalog, why error) error {
	t, _ := now.Table(s.database, s.table)
	o := r.decoderOptions()
	o.HiddenLeast, o.HiddenMost = now.HiddenColumns(s.database, s.table)
	if _, err := rowevent.NewDecoder(s.m, s.m.WithImplicitKey(t, r.server.Load().ImplicitKeys), o); err != nil {
		return fmt.Errorf("%w; nor do the rows fit the definition that the source has now: %w", why, err)
	}
	if err := r.catalog.PutPacked(now.Packed(s.database, s.table)); err != nil {
		return err
	}
	r.tellAdopted(change.Altered, t, "the definition that the source has now", why)
	return nil
}

// untold tells whether a table that the history does not know is one that consumers are to be told
// of, and as what: one that no statement created or that one changed that could not be read. Else it is as it was before the
// reading began, and a DDL ahead is why its definition is not known.
func (r *Reader) untold(database, table string) (as change.TableChangeType, untold bool) {
	if _, known := r.catalog.Table(database, table); known {
		return as, false
	}
	if _, held := r.held.byName[r.foldName(schema.TableName{Database: database, Name: table})]; held {
		return as, false
	}
	if r.catalog.IsUnknown(database, table) {
		return change.Altered, true
	}
	return change.Created, true
}

// adoptUntold takes the definition that a table map tells of a table that the source cannot tell any more.
func (r *Reader) adoptUntold(l *lookup) error {
	s := l.state
	as, _ := r.untold(s.database, s.table)
	r.catalog.Put(s.known)
	r.tellAdopted(as, s.known, "the definition that its rows come with", errUntold)
	r.generation++
	return r.startRows(l.rows, l.undone)
}

// tellAdopted tells of a definition that no statement in the binlog made.
func (r *Reader) tellAdopted(as change.TableChangeType, t *change.Table, which string, why any) {
	r.tell(DefinitionAdopted, t.Database+"."+t.Name, "a table is not as its statements in the binlog left it: going on with "+which, "because", why)
	if r.o.SchemaChanges == SchemaChangesNone {
		return
	}
	c := change.Change{Source: r.source(r.stream.group.serverID), Op: change.Schema}
	c.Pos, c.Row, c.Query = r.stream.pos.Pos, 0, "" // where no row stands: the beginning of the group
	if !r.stream.group.open {
		c.ServerID, c.CommitMicros = r.server.Load().ServerID, time.Now().UnixMicro()
	}
	told := change.TableChange{Type: as, Database: t.Database, Name: t.Name}
	if as != change.Dropped {
		told.Table = t
	}
	c.DDL = &change.SchemaChange{Database: t.Database, Tables: []change.TableChange{told}}
	r.adopted = append(r.adopted, c)
}

// nextAdopted hands out the change that a definition without a statement is.
func (r *Reader) nextAdopted() *change.Change {
	c := &r.adopted[0]
	r.adopted = r.adopted[1:]
	return c
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
		c.Default, c.Zerofill = defaultAmong(c.Members, was), was.Zerofill
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

// defaultAmong returns the default that a column was known to have, with a label in place of one that is not
// among labels: the one in its place. Servers show a question mark for some characters of a label.
func defaultAmong(labels []string, was *change.Column) *string {
	if was.Default == nil || len(labels) == 0 {
		return was.Default
	}
	parts := []string{*was.Default}
	if was.Type == change.Set {
		parts = strings.Split(*was.Default, ",")
	}
	for i, part := range parts {
		at := slices.Index(was.Members, part)
		if at >= 0 && at < len(labels) && !slices.Contains(labels, part) {
			parts[i] = labels[at]
		}
	}
	text := strings.Join(parts, ",")
	return &text
}
