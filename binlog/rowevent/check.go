package rowevent

import (
	"fmt"
	"slices"
	"strings"

	"daybook/binlog/charset"
	"daybook/change"
)

// checkTable compares what a table map tells of the table as a whole.
func checkTable(m *TableMap, t *change.Table, o DecoderOptions) error {
	mismatch := func(format string, args ...any) error {
		return fmt.Errorf("table %s.%s: %w: %s", t.Database, t.Name, ErrMismatch, fmt.Sprintf(format, args...))
	}
	if !strings.EqualFold(m.Database, t.Database) || !strings.EqualFold(m.Table, t.Name) {
		return mismatch("the table map is that of %s.%s", m.Database, m.Table)
	}
	if len(m.Columns) > len(t.Columns) && o.logsExpressions() && !beginsWith(m, t) {
		return mismatch("the table map has %d columns, the definition %d; MySQL 8.0.13 to 8.0.17 also log the hidden columns of keys over expressions, and where they stand only binlog_row_metadata=FULL tells: drop such keys, set that, or upgrade the source", len(m.Columns), len(t.Columns))
	}
	if len(m.Columns) != len(t.Columns) && !hasHashes(m, t, o) && !hasExpressions(m, t, o) {
		return mismatch("the table map has %d columns, the definition %d", len(m.Columns), len(t.Columns))
	}
	if m.Told.PrimaryKey && !primaryKey(t, m.PrimaryKey) {
		return mismatch("the table map has primary key %v, the definition %v (columns from 0)", m.PrimaryKey, t.PrimaryKey)
	}
	return checkSigns(m, t)
}

// hashColumn is what MariaDB calls the hidden columns of unique keys that it
// keeps as a hash, with a number behind.
const hashColumn = "DB_ROW_HASH_"

// logsExpressions tells the versions of MySQL that log the hidden columns of keys over expressions, in table maps and
// rows. They stand behind the table's columns, but for those that were added later.
func (o *DecoderOptions) logsExpressions() bool {
	return o.Flavor == "mysql" && o.Version >= 80013 && o.Version < 80018
}

// mapsExpressions tells those that have them in table maps alone, PolarDB's among them (go-mysql#882).
func (o *DecoderOptions) mapsExpressions() bool {
	return o.Flavor == "mysql" && o.Version >= 80018 && o.Version < 80020
}

// hasExpressions tells whether a table map has hidden columns of keys over expressions behind the table's. Where the rows
// lack them it does not matter where they stand, as long as the types in front are the table's.
func hasExpressions(m *TableMap, t *change.Table, o DecoderOptions) bool {
	extra := len(m.Columns) - len(t.Columns)
	return extra > 0 && extra == o.HiddenMost && (o.logsExpressions() || o.mapsExpressions())
}

// beginsWith tells whether the first columns are the table's by their names.
func beginsWith(m *TableMap, t *change.Table) bool {
	for i := range t.Columns {
		if !strings.EqualFold(m.Columns[i].Name, t.Columns[i].Name) {
			return false
		}
	}
	return true
}

// hasHashes tells whether a table map has such columns behind the table's, as
// many as the table may have.
func hasHashes(m *TableMap, t *change.Table, o DecoderOptions) bool {
	extra := len(m.Columns) - len(t.Columns)
	if o.Flavor != "mariadb" || extra < max(1, o.HiddenLeast) || extra > o.HiddenMost {
		return false
	}
	for i := len(t.Columns); i < len(m.Columns); i++ {
		if c := &m.Columns[i]; c.Type != typeLongLong || m.Told.Names && !strings.HasPrefix(c.Name, hashColumn) {
			return false
		}
	}
	return true
}

// primaryKey tells whether a server may call these columns the table's primary
// key: without one it takes a unique key of NOT NULL columns for it.
func primaryKey(t *change.Table, told []int) bool {
	if n := len(t.Columns); n > 0 && t.Columns[n-1].Hidden && len(told) == 0 {
		return true
	}
	if len(t.PrimaryKey) > 0 {
		return slices.Equal(told, t.PrimaryKey)
	}
	return len(told) == 0 || slices.ContainsFunc(t.UniqueKeys, func(k change.UniqueKey) bool { return slices.Equal(told, k.Columns) })
}

// checkSigns accepts either of the two forms of the signedness metadata.
func checkSigns(m *TableMap, t *change.Table) error {
	if m.signs == nil {
		return nil
	}
	wrong, n := -1, len(t.Columns)
	for _, year := range []bool{false, true} {
		unsigned, ok := m.unsigned(year)
		i := 0
		for ok && i < n && (!m.Columns[i].Type.isNumeric() || unsigned[i] == t.Columns[i].Unsigned) {
			i++
		}
		if i == n {
			return nil
		}
		if ok {
			wrong = i
		}
	}
	if wrong < 0 {
		return fmt.Errorf("table map of %s.%s: %w: the signedness metadata does not fit the columns", m.Database, m.Table, ErrCorrupt)
	}
	c := &t.Columns[wrong]
	return fmt.Errorf("column %s of %s.%s: %w: the table map has unsigned %t, the definition %t", c.Name, t.Database, t.Name, ErrMismatch, !c.Unsigned, c.Unsigned)
}

// checkTold compares the optional metadata that m has of a column, whose
// collation ID is told apart; "": it fits.
func checkTold(m *TableMap, c *MapColumn, collation int, t *change.Column) string {
	if m.Told.Names && !strings.EqualFold(c.Name, t.Name) {
		return fmt.Sprintf("the table map has the name %q, the definition %q", c.Name, t.Name)
	}
	// MySQL before 8.0 and MariaDB call every column of a table nullable that a
	// statement changes through an outer join.
	if !c.Nullable && t.Nullable {
		return fmt.Sprintf("the table map has nullable %t, the definition %t", c.Nullable, t.Nullable)
	}
	if c.Dimensions > 0 && t.Length >= 0 && c.Dimensions != t.Length {
		return lengthMismatch("dimensions", c.Dimensions, t.Length)
	}
	if c.Geometry >= 0 {
		if want, ok := geometryTypes[t.Type]; ok && want != c.Geometry {
			return fmt.Sprintf("the table map has geometry type %d, the definition %s", c.Geometry, t.Type)
		}
	}
	if why := checkCharset(c, collation, t); why != "" {
		return why
	}
	if m.Told.Members && c.Type.isEnumOrSet() {
		return checkMembers(c, collation, t)
	}
	return ""
}

// checkCharset compares charsets. A collation that this version does not know
// is no contradiction.
func checkCharset(c *MapColumn, collation int, t *change.Column) string {
	told := charset.OfID(collation)
	if told == "" || !t.Type.IsText() && !t.Type.IsBinary() && !c.Type.isEnumOrSet() {
		return ""
	}
	declared := t.Charset
	switch {
	case t.Type.IsBinary():
		declared = "binary"
	case declared == "utf8":
		declared = "utf8mb3"
	}
	if told != declared {
		return fmt.Sprintf("the table map has charset %s, the definition %s", told, declared)
	}
	return ""
}

// checkMembers compares the labels of ENUM and SET.
func checkMembers(c *MapColumn, collation int, t *change.Column) string {
	if len(c.Members) != len(t.Members) {
		return lengthMismatch("number of labels", len(c.Members), len(t.Members))
	}
	cs, ok := charset.ByName(charset.OfID(collation))
	if !ok {
		return ""
	}
	for i, raw := range c.Members {
		if told := string(cs.AppendUTF8(nil, raw)); told != t.Members[i] {
			return fmt.Sprintf("the table map has label %q, the definition %q", told, t.Members[i])
		}
	}
	return ""
}

// geometryTypes are the numbers of the geometry type metadata.
var geometryTypes = map[change.Type]int{
	change.Geometry: 0, change.Point: 1, change.LineString: 2, change.Polygon: 3, change.MultiPoint: 4,
	change.MultiLineString: 5, change.MultiPolygon: 6, change.GeometryCollection: 7,
}
