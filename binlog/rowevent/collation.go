package rowevent

import "daybook/binlog/cursor"

// charsetField is one of the two metadata fields about charsets, either the
// collation of most columns and then pairs of a column's ordinal and its own
// collation, or one collation for each column. It is kept as it came, since
// which columns count depends on the server's flavor.
type charsetField struct {
	pairs bool
	value []byte
}

// collations returns the collation ID of each column, 0 where the table map
// does not tell it; false: a field does not fit the columns.
func (m *TableMap) collations(mariadb bool) ([]int, bool) {
	ids := make([]int, len(m.Columns))
	text := m.textCharsets.read(m, ids, func(t WireType) bool {
		return t.isCharacter() || mariadb && t == typeGeometry || !mariadb && t == typeVector
	})
	labels := m.labelCharsets.read(m, ids, WireType.isEnumOrSet)
	return ids, text && labels
}

func (f *charsetField) read(m *TableMap, ids []int, is func(WireType) bool) bool {
	if f.value == nil {
		return true
	}
	v := cursor.Cursor{B: f.value}
	common := 0
	if f.pairs {
		common = int(v.Lenenc())
	}
	var columns []int
	for i := range m.Columns {
		if !is(m.Columns[i].Type) {
			continue
		}
		columns = append(columns, i)
		if ids[i] = common; !f.pairs {
			ids[i] = int(v.Lenenc())
		}
	}
	for f.pairs && len(v.B) > 0 {
		ordinal, id := v.Lenenc(), v.Lenenc()
		if ordinal >= uint64(len(columns)) {
			return false
		}
		ids[columns[ordinal]] = int(id)
	}
	return v.Err == nil && len(v.B) == 0
}
