//go:build servers

package corpus

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"daybook/binlog/charset"
	"daybook/change"
	"daybook/e2e/rowtext"
)

// replica is what the changes alone tell: each table's definition and its rows,
// strictly. A row that is updated or deleted must be there, as the change says.
type replica struct {
	maria  bool
	tables map[name]*table
	sets   charsets
}

type name struct{ database, table string }

func (n name) String() string { return n.database + "." + n.table }

// table is a table's rows as text, and how often each is there.
type table struct {
	def     *change.Table
	rows    map[string]int
	loose   bool // what rows are there is not known, as a DDL may have moved some
	defined bool // the definition is new
	touched bool // rows have changed
	untold  bool // no change told that it is there
	// blank are generated columns of which the changes do not tell the value, by
	// index.
	blank map[int]bool
}

const separator = "\x01"

func newReplica(maria bool) *replica { return &replica{maria, map[name]*table{}, charsets{}} }

// newTable returns a table of which it is not known what rows it has.
func (m *replica) newTable(def *change.Table) *table {
	return &table{def: def, rows: map[string]int{}, loose: true, defined: true, touched: true, blank: m.unsure(def)}
}

// unsure returns the virtual columns that servers do not write rightly: MariaDB has
// them in an insert as they were before the AUTO_INCREMENT number was given, MySQL may
// have a BLOB as it was in an earlier row.
func (m *replica) unsure(def *change.Table) map[int]bool {
	if def == nil {
		return nil
	}
	numbered := slices.ContainsFunc(def.Columns, func(c change.Column) bool { return c.AutoIncrement })
	blank := map[int]bool{}
	for i, c := range def.Columns {
		large := c.Type >= change.TinyText && c.Type <= change.LongText || c.Type >= change.TinyBlob && c.Type <= change.LongBlob
		if c.Generated && (m.maria && numbered || !m.maria && large) {
			blank[i] = true
		}
	}
	return blank
}

// schema follows a DDL: of the tables that it names it is not known what rows
// they have.
func (m *replica) schema(ddl *change.SchemaChange) {
	for _, c := range ddl.Tables {
		n := name{c.Database, c.Name}
		if c.PreviousName != "" {
			delete(m.tables, name{c.PreviousDatabase, c.PreviousName})
		}
		if c.Type == change.Dropped {
			delete(m.tables, n)
		}
	}
	for _, c := range ddl.Tables {
		if c.Type != change.Dropped && c.Table != nil {
			t := m.newTable(c.Table)
			t.loose = c.Type != change.Created
			if old := m.tables[name{c.Database, c.Name}]; old != nil && c.Type == change.Truncated {
				t.defined = old.defined
			}
			m.tables[name{c.Database, c.Name}] = t
		}
	}
	if exchanged(ddl.SQL) {
		for _, t := range m.tables {
			t.loose = true
		}
	}
}

func exchanged(sql string) bool {
	sql = strings.ToUpper(sql)
	return strings.Contains(sql, "EXCHANGE") || strings.Contains(sql, "CONVERT")
}

// row follows a row change.
func (m *replica) row(c *change.Change) error {
	n := name{c.Table.Database, c.Table.Name}
	t := m.tables[n]
	if t == nil {
		t = m.newTable(c.Table)
		m.tables[n] = t
	}
	t.touched = true
	if t.def != c.Table { // told by no DDL: a definition that rows came with
		t.def, t.loose, t.untold, t.blank = c.Table, true, false, m.unsure(c.Table)
	}
	var before, after []string
	if c.Op != change.Insert {
		before = t.images(m.sets, c.Before)
	}
	if c.Op != change.Delete {
		after = t.images(m.sets, c.After)
	}
	var old string
	if before != nil {
		found, ok := t.find(before)
		if !ok && !t.loose {
			t.loose = true
			return fmt.Errorf("%v of %s: the row is not there: of the nearest one %s; it is %.300q", c.Op, n, t.nearest(before), before)
		}
		if old = found; ok {
			if t.rows[old]--; t.rows[old] == 0 {
				delete(t.rows, old)
			}
		}
	}
	if after == nil {
		return nil
	}
	was := strings.Split(old, separator)
	for i := range after {
		switch {
		case after[i] != rowtext.Absent:
		case t.def.Columns[i].Generated || old == "" || i >= len(was):
			t.leave(i)
		default:
			after[i] = was[i]
		}
	}
	t.rows[t.joined(after)]++
	return nil
}

func (t *table) images(sets charsets, image []change.Value) []string {
	list := rowtext.Told(t.def, image)
	sets.keep(t.def, list)
	return list
}

func (t *table) joined(values []string) string {
	for i := range t.blank {
		values[i] = ""
	}
	return strings.Join(values, separator)
}

// leave has a column be compared no more, as its value is not known.
func (t *table) leave(i int) {
	if t.blank == nil {
		t.blank = map[int]bool{}
	}
	t.blank[i] = true
	rows := map[string]int{}
	for r, n := range t.rows {
		rows[t.joined(strings.Split(r, separator))] += n
	}
	t.rows = rows
}

// find finds the row of an image that may lack columns.
func (t *table) find(values []string) (string, bool) {
	if !slices.Contains(values, rowtext.Absent) {
		r := t.joined(values)
		return r, t.rows[r] > 0
	}
next:
	for r := range t.rows {
		for i, v := range strings.Split(r, separator) {
			if values[i] != rowtext.Absent && values[i] != v && !t.blank[i] {
				continue next
			}
		}
		return r, true
	}
	return "", false
}

// nearest says in what the row differs that differs least.
func (t *table) nearest(values []string) string {
	least, said := len(values)+1, "there is none"
	for r := range t.rows {
		var differs []string
		for i, v := range strings.Split(r, separator) {
			if v != values[i] {
				differs = append(differs, fmt.Sprintf("%s is %.200q (%d bytes), not %.200q (%d bytes)", t.def.Columns[i].Name, v, len(v), values[i], len(values[i])))
			}
		}
		if len(differs) < least {
			least, said = len(differs), strings.Join(differs, ", ")
		}
	}
	return said
}

var questionMarks = regexp.MustCompile(`\?+`)

// charsets keeps those that were made, as that takes time.
type charsets map[string]*charset.Charset

// keep has text as kept returns it.
func (sets charsets) keep(def *change.Table, row []string) {
	for i := range row {
		if c := &def.Columns[i]; rowtext.IsText(c) {
			row[i] = sets.kept(c, row[i])
		}
	}
}

// kept is text with a question mark for each character that is none, and for those
// that the server's own table of the charset lacks: of some of these a record has the
// character.
func (sets charsets) kept(c *change.Column, s string) string {
	s = valid(s)
	switch c.Charset {
	case "ucs2": // MySQL leaves half a pair out when it converts
		return strings.ReplaceAll(s, "?", "")
	case "big5", "sjis", "cp932", "ujis", "eucjpms", "gbk", "gb2312", "euckr":
		if sets[c.Charset] == nil {
			sets[c.Charset], _ = charset.ByName(c.Charset)
		}
		s = sets[c.Charset].Fit(s)
	}
	if c.Charset == "ujis" || c.Charset == "eucjpms" { // MySQL has a mark for each byte
		return questionMarks.ReplaceAllString(s, "?")
	}
	return s
}

// valid puts a question mark in the place of each character that is none: of
// these a record has U+FFFD. ucs2 lets half a pair of surrogates stand alone.
func valid(s string) string {
	b := []byte(s)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == 0xED && b[i+1] >= 0xA0 && b[i+2] >= 0x80 {
			b = append(append(b[:i:i], '?'), b[i+3:]...)
		}
	}
	return strings.ReplaceAll(strings.ToValidUTF8(string(b), "?"), "\uFFFD", "?")
}
