//go:build servers

package replay

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"daybook/change"
	"daybook/e2e/rowtext"
)

// model holds what the tables of one database must contain, by nothing but the
// changes. It is strict: a row that is inserted must be new, one that is
// updated or deleted must be there, and look as the change says it did.
type model struct {
	database string
	fold     bool // names in lower case, as the server keeps them
	tables   map[string]*table
}

func (m *model) key(name string) string {
	if m.fold {
		return strings.ToLower(name)
	}
	return name
}

// table is one table's rows by key.
type table struct {
	rows map[string][]row // several only where there is no key
	// loose: the rows were moved by a DDL, which the log tells without them, so
	// the next changes may be about rows that are not known.
	loose bool
}

// row is the last image of a row, under the definition that it had then.
type row struct {
	def    *change.Table
	values []string
}

func newModel(database string, fold bool) *model {
	return &model{database: database, fold: fold, tables: map[string]*table{}}
}

func (m *model) table(name string) *table {
	name = m.key(name)
	if m.tables[name] == nil {
		m.tables[name] = &table{rows: map[string][]row{}}
	}
	return m.tables[name]
}

// apply follows one change.
func (m *model) apply(c *change.Change) error {
	if c.Op == change.Schema {
		m.schema(c.DDL)
		return nil
	}
	t := m.table(c.Table.Name)
	if c.Op != change.Insert {
		image := images(c.Table, c.Before)
		before, err := t.remove(c.Table, image)
		if err != nil {
			return fmt.Errorf("%v of %s: %w", c.Op, c.Table.Name, err)
		}
		if c.Op == change.Delete {
			return nil
		}
		after := images(c.Table, c.After)
		for i := range after.values {
			if after.values[i] == rowtext.Absent {
				after.values[i] = image.values[i] // of the key, if not all columns are logged
			}
			if after.values[i] == rowtext.Absent {
				after.values[i] = before.valueOf(c.Table.Columns[i].Name)
			}
		}
		return t.add(c.Table, after)
	}
	return t.add(c.Table, images(c.Table, c.After))
}

func images(def *change.Table, image []change.Value) row {
	return row{def: def, values: rowtext.Told(def, image)}
}

// valueOf returns the value of a column by name, absent if it is not known.
func (r row) valueOf(name string) string {
	if r.def == nil {
		return rowtext.Absent
	}
	for i := range r.def.Columns {
		if strings.EqualFold(r.def.Columns[i].Name, name) {
			return r.values[i]
		}
	}
	return rowtext.Absent
}

// key returns the row's key, the whole row where the table has none.
func (r row) key(def *change.Table) string {
	if len(def.Key()) == 0 {
		return strings.Join(r.values, "\x01")
	}
	var parts []string
	for _, i := range def.Key() {
		parts = append(parts, r.values[i])
	}
	return strings.Join(parts, "\x01")
}

func (t *table) add(def *change.Table, r row) error {
	key := r.key(def)
	if len(def.Key()) > 0 && len(t.rows[key]) > 0 {
		if !t.loose {
			return fmt.Errorf("row %q is there already", key)
		}
		delete(t.rows, key)
	}
	t.rows[key] = append(t.rows[key], r)
	return nil
}

// remove takes the row out and compares what of it is in both images.
func (t *table) remove(def *change.Table, r row) (row, error) {
	key := r.key(def)
	if len(def.Key()) == 0 {
		key = t.keyless(r)
	}
	found := t.rows[key]
	if len(found) == 0 {
		if t.loose {
			return row{}, nil
		}
		return row{}, fmt.Errorf("row %q is not there, but %q", key, slices.Sorted(maps.Keys(t.rows)))
	}
	old := found[len(found)-1]
	if found = found[:len(found)-1]; len(found) == 0 {
		delete(t.rows, key)
	} else {
		t.rows[key] = found
	}
	for i, v := range r.values {
		if was, ok := old.comparable(&def.Columns[i]); ok && v != rowtext.Absent && was != v {
			return row{}, fmt.Errorf("row %q has %s = %q, the change says it had %q", key, def.Columns[i].Name, was, v)
		}
	}
	return old, nil
}

// keyless finds a row of a table without a key, whose image may be older than
// the table's newest columns. "": there is none.
func (t *table) keyless(r row) string {
next:
	for key, rows := range t.rows {
		for i := range r.def.Columns {
			if v, ok := rows[0].comparable(&r.def.Columns[i]); ok && r.values[i] != rowtext.Absent && v != r.values[i] {
				continue next
			}
		}
		return key
	}
	return ""
}

// comparable returns the value of a column that has been the same since the
// row's image was taken.
func (r row) comparable(c *change.Column) (string, bool) {
	for i := range r.def.Columns {
		was := &r.def.Columns[i]
		if strings.EqualFold(was.Name, c.Name) && was.Type == c.Type && was.Length == c.Length && was.Scale == c.Scale &&
			was.Charset == c.Charset && was.Unsigned == c.Unsigned && slices.Equal(was.Members, c.Members) {
			return r.values[i], r.values[i] != rowtext.Absent
		}
	}
	return "", false
}

// movesRows are the DDL statements that move or drop rows which the log does
// not list; the group is the other table that they name.
var movesRows = regexp.MustCompile(`(?i)\bDROP SYSTEM VERSIONING\b|\b(?:EXCHANGE|DROP|TRUNCATE)\s+PARTITION\b(?:.* WITH TABLE (\w+))?`)

// schema follows a DDL. Renames of one statement are simultaneous.
func (m *model) schema(ddl *change.SchemaChange) {
	moved := map[string]*table{}
	for _, c := range ddl.Tables {
		if c.PreviousName != "" && c.PreviousDatabase == m.database {
			moved[c.Name] = m.table(c.PreviousName)
			delete(m.tables, m.key(c.PreviousName))
		}
	}
	for _, c := range ddl.Tables {
		switch {
		case c.Database != m.database:
			continue
		case c.PreviousName != "" && c.PreviousDatabase == m.database:
			m.tables[m.key(c.Name)] = moved[c.Name]
		case c.Type != change.Altered:
			delete(m.tables, m.key(c.Name))
		}
		if names := movesRows.FindStringSubmatch(ddl.SQL); names != nil {
			names[0] = c.Name
			for _, name := range names {
				*m.table(name) = table{rows: map[string][]row{}, loose: true}
			}
		}
		if c.Table != nil {
			m.table(c.Name).rekey(c.Table)
		}
	}
}

// rekey files the rows under the key of a new definition. Those whose new key
// no image tells are given up until they change again.
func (t *table) rekey(def *change.Table) {
	if len(def.Key()) == 0 {
		return
	}
	rows := map[string][]row{}
	for _, all := range t.rows {
		for _, r := range all {
			var parts []string
			for _, i := range def.Key() {
				parts = append(parts, r.valueOf(def.Columns[i].Name))
			}
			if slices.Contains(parts, rowtext.Absent) {
				t.loose = true
				continue
			}
			key := strings.Join(parts, "\x01")
			rows[key] = append(rows[key], r)
		}
	}
	t.rows = rows
}
