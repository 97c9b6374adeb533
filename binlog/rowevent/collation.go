package rowevent

import (
	"strings"

	"daybook/binlog/cursor"
)

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

// lowCollations are the charsets of the collation IDs from 1.
var lowCollations = strings.Fields("" +
	"big5 latin2 dec8 cp850 latin1 hp8 koi8r latin1 latin2 swe7 " +
	"ascii ujis sjis cp1251 latin1 hebrew - tis620 euckr latin7 " +
	"latin2 koi8u cp1251 gb2312 greek cp1250 latin2 gbk cp1257 latin5 " +
	"latin1 armscii8 utf8mb3 cp1250 ucs2 cp866 keybcs2 macce macroman cp852 " +
	"latin7 latin7 macce cp1250 utf8mb4 utf8mb4 latin1 latin1 latin1 cp1251 " +
	"cp1251 cp1251 macroman utf16 utf16 utf16le cp1256 cp1257 cp1257 utf32 " +
	"utf32 utf16le binary armscii8 ascii cp1250 cp1256 cp866 dec8 greek " +
	"hebrew hp8 keybcs2 koi8r koi8u utf8mb3 latin2 latin5 latin7 cp850 " +
	"cp852 swe7 utf8mb3 big5 euckr gb2312 gbk sjis tis620 ucs2 " +
	"ujis geostd8 geostd8 latin1 cp932 cp932 eucjpms eucjpms cp1250")

// collationRanges are the charsets of the IDs above.
var collationRanges = []struct {
	first, last int
	charset     string
}{
	{101, 127, "utf16"}, {128, 159, "ucs2"}, {160, 191, "utf32"}, {192, 223, "utf8mb3"}, {224, 247, "utf8mb4"},
	{248, 250, "gb18030"}, {255, 323, "utf8mb4"},
	// MariaDB's own.
	{576, 607, "utf8mb3"}, {608, 639, "utf8mb4"}, {640, 671, "ucs2"}, {672, 703, "utf16"}, {736, 767, "utf32"},
	{2048, 2303, "utf8mb3"}, {2304, 2559, "utf8mb4"}, {2560, 2815, "ucs2"}, {2816, 3071, "utf16"}, {3072, 3327, "utf32"},
}

// collationCharset returns the charset of a collation ID, "" if it is not
// known. MariaDB's NOPAD variants have the ID of the other plus 1024.
func collationCharset(id int) string {
	if id > 1024 && id < 2048 {
		id -= 1024
	}
	if id > 0 && id <= len(lowCollations) {
		return strings.TrimLeft(lowCollations[id-1], "-")
	}
	for _, r := range collationRanges {
		if id >= r.first && id <= r.last {
			return r.charset
		}
	}
	return ""
}
