package rowevent

import (
	"slices"
	"strings"

	"daybook/binlog/charset"
	"daybook/change"
)

// Definition returns the table's definition from the table map alone. It is
// there only with binlog_row_metadata=FULL and where the metadata leaves
// nothing open that decoding needs: not for MariaDB's UUID, INET4, INET6 and
// VECTOR, which look like BINARY and VARBINARY, nor for a charset that this
// version does not know. It lacks what no table map tells: defaults, comments,
// unique keys, AUTO_INCREMENT, display widths, which columns are generated.
func (m *TableMap) Definition(o DecoderOptions) (*change.Table, bool) {
	mariadb := o.Flavor == "mariadb"
	collations, ok := m.collations(mariadb)
	unsigned, signed := m.definiteSigns(o)
	if !m.Told.Names || !ok || !signed {
		return nil, false
	}
	t := &change.Table{Database: m.Database, Name: m.Table, Columns: make([]change.Column, len(m.Columns))}
	for i := range m.Columns {
		c, ok := m.Columns[i].definition(charset.OfID(collations[i]), mariadb)
		if !ok {
			return nil, false
		}
		c.Unsigned = unsigned[i]
		t.Columns[i] = c
	}
	for n := len(t.Columns); mariadb && n > 1 && t.Columns[n-1].Type == change.BigInt && strings.HasPrefix(t.Columns[n-1].Name, hashColumn); n-- {
		t.Columns = t.Columns[:n-1]
	}
	if n := len(t.Columns); !mariadb && n > 1 && change.IsImplicitKey(t.Columns[n-1].Name) {
		t.Columns = t.Columns[:n-1]
	}
	if n := len(t.Columns); len(m.PrimaryKey) > 0 && !slices.ContainsFunc(m.PrimaryKey, func(i int) bool { return i >= n }) {
		t.PrimaryKey = append([]int{}, m.PrimaryKey...)
	}
	return t, true
}

// definiteSigns returns which columns are unsigned, false where it is open
// because the server may or may not count YEAR.
func (m *TableMap) definiteSigns(o DecoderOptions) ([]bool, bool) {
	with, okWith := m.unsigned(true)
	for i := range m.Columns {
		if m.Columns[i].Type == typeYear {
			with[i] = false // YEAR is never declared unsigned
		}
	}
	if o.Flavor == "mariadb" || o.Version == 0 || o.Version >= 80031 {
		return with, okWith
	}
	without, okWithout := m.unsigned(false)
	if okWith && okWithout {
		return with, slices.Equal(with, without)
	}
	if okWith {
		return with, true
	}
	return without, okWithout
}

// fixedTypes are the types that the wire type tells by itself.
var fixedTypes = map[WireType]change.Type{
	typeTiny: change.TinyInt, typeShort: change.SmallInt, typeInt24: change.MediumInt, typeLong: change.Int,
	typeLongLong: change.BigInt, typeFloat: change.Float, typeDouble: change.Double, typeYear: change.Year,
	typeDate: change.Date, typeNewDate: change.Date, typeJSON: change.JSON, typeVector: change.Vector,
	typeTime2: change.Time, typeDateTime2: change.DateTime, typeTimestamp2: change.Timestamp,
	typeNewDecimal: change.Decimal, typeBit: change.Bit, typeEnum: change.Enum, typeSet: change.Set,
}

var geometryByNumber = [...]change.Type{
	change.Geometry, change.Point, change.LineString, change.Polygon,
	change.MultiPoint, change.MultiLineString, change.MultiPolygon, change.GeometryCollection,
}

// definition returns the column's definition without its sign.
func (c *MapColumn) definition(name string, mariadb bool) (change.Column, bool) {
	d := change.Column{Name: c.Name, Type: fixedTypes[c.Type], Length: -1, Scale: -1, Nullable: c.Nullable}
	switch c.Type {
	case typeNewDecimal:
		d.Length, d.Scale = c.Length, c.Scale
	case typeBit:
		d.Length = c.Length
	case typeTime2, typeDateTime2, typeTimestamp2:
		if c.Length > 0 {
			d.Length = c.Length
		}
	case typeVector:
		if d.Length = c.Dimensions; d.Length == 0 {
			d.Length = -1
		}
	case typeEnum, typeSet:
		cs, ok := charset.ByName(name)
		if !ok {
			return d, false
		}
		d.Charset = name
		for _, raw := range c.Members {
			d.Members = append(d.Members, string(cs.AppendUTF8(nil, raw)))
		}
	case typeGeometry:
		if c.Geometry < 0 || c.Geometry >= len(geometryByNumber) {
			return d, false
		}
		d.Type = geometryByNumber[c.Geometry]
	}
	if d.Type != 0 {
		return d, true
	}
	return c.stringDefinition(d, name, mariadb)
}

// stringDefinition completes the definition of a character or binary column.
func (c *MapColumn) stringDefinition(d change.Column, name string, mariadb bool) (change.Column, bool) {
	blobs := [...]change.Type{change.TinyText, change.Text, change.MediumText, change.LongText}
	switch c.Type {
	case typeString:
		d.Type, d.Length = change.Char, c.Length
	case typeVarChar:
		d.Type, d.Length = change.VarChar, c.Length
	case typeVarCharCompressed:
		d.Type, d.Length = change.VarChar, c.Length-1
	case typeBlob, typeBlobCompressed:
		if c.Length < 1 || c.Length > 4 {
			return d, false
		}
		d.Type = blobs[c.Length-1]
	default:
		return d, false // the older temporal types, whose fraction is not told
	}
	if name == "binary" {
		open := mariadb && (c.Type == typeString && (c.Length == 4 || c.Length == 16) || c.Type == typeVarChar && c.Length%4 == 0)
		d.Type += change.Binary - change.Char
		return d, !open
	}
	cs, ok := charset.ByName(name)
	if !ok {
		return d, false
	}
	d.Charset = name
	if d.Length > 0 {
		d.Length /= cs.MaxLen
	}
	return d, true
}
