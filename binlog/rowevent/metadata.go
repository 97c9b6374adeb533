package rowevent

import (
	"bytes"
	"fmt"

	"daybook/binlog/cursor"
)

// The fields of the optional metadata (Table_map_event::Optional_metadata_field_type).
const (
	metaSignedness            = 1
	metaDefaultCharset        = 2
	metaColumnCharset         = 3
	metaColumnName            = 4
	metaSetMembers            = 5
	metaEnumMembers           = 6
	metaGeometryType          = 7
	metaSimplePrimaryKey      = 8
	metaPrimaryKeyPrefix      = 9
	metaEnumSetDefaultCharset = 10
	metaEnumSetColumnCharset  = 11
	metaVisibility            = 12
	metaVectorDimensions      = 13
)

// readOptional reads the metadata fields that follow the nullability bits: each
// a type byte, a length-encoded length and a value. Fields of a type that a
// later server may add are stepped over; nothing here depends on them.
func (m *TableMap) readOptional(b []byte) error {
	c := cursor.Cursor{B: b}
	for len(c.B) > 0 {
		field := c.U8()
		v := cursor.Cursor{B: c.LenencBytes()}
		if c.Err != nil {
			return fmt.Errorf("%w: optional metadata field %d is cut off", ErrCorrupt, field)
		}
		ok := m.readField(field, &v)
		if !ok || v.Err != nil {
			return fmt.Errorf("%w: optional metadata field %d does not fit the columns", ErrCorrupt, field)
		}
	}
	m.tellEmpty()
	return nil
}

func (m *TableMap) readField(field byte, v *cursor.Cursor) bool {
	switch field {
	case metaSignedness:
		m.Told.Signs = true
		m.signs = bytes.Clone(v.B)
	case metaDefaultCharset, metaColumnCharset:
		m.Told.Charsets = true
		m.textCharsets = charsetField{pairs: field == metaDefaultCharset, value: bytes.Clone(v.B)}
	case metaEnumSetDefaultCharset, metaEnumSetColumnCharset:
		m.labelCharsets = charsetField{pairs: field == metaEnumSetDefaultCharset, value: bytes.Clone(v.B)}
	case metaColumnName:
		m.Told.Names = true
		return m.each(v, anyType, func(c *MapColumn) { c.Name = string(v.LenencBytes()) })
	case metaSetMembers:
		m.Told.Members = true
		return m.each(v, func(t WireType) bool { return t == typeSet }, func(c *MapColumn) { c.readMembers(v) })
	case metaEnumMembers:
		m.Told.Members = true
		return m.each(v, func(t WireType) bool { return t == typeEnum }, func(c *MapColumn) { c.readMembers(v) })
	case metaGeometryType:
		return m.each(v, func(t WireType) bool { return t == typeGeometry }, func(c *MapColumn) { c.Geometry = int(v.Lenenc()) })
	case metaSimplePrimaryKey, metaPrimaryKeyPrefix:
		return m.readPrimaryKey(v, field == metaPrimaryKeyPrefix)
	case metaVisibility:
		m.Told.Visibility = true
		bits := msbBits{b: v.B}
		for i := range m.Columns {
			m.Columns[i].Invisible = !bits.next()
		}
		return !bits.short
	case metaVectorDimensions:
		return m.each(v, func(t WireType) bool { return t == typeVector }, func(c *MapColumn) { c.Dimensions = int(v.Lenenc()) })
	}
	return true
}

func anyType(WireType) bool { return true }

func (t WireType) isEnumOrSet() bool { return t == typeEnum || t == typeSet }

// each calls f for each column of a type that is asked for; false: v is too
// short or too long for them.
func (m *TableMap) each(v *cursor.Cursor, is func(WireType) bool, f func(*MapColumn)) bool {
	for i := range m.Columns {
		if is(m.Columns[i].Type) {
			f(&m.Columns[i])
		}
	}
	return len(v.B) == 0
}

// msbBits reads bits from the highest of the first byte on.
type msbBits struct {
	b     []byte
	n     int
	short bool
}

func (r *msbBits) next() bool {
	i := r.n / 8
	if i >= len(r.b) {
		r.short = true
		return false
	}
	r.n++
	return r.b[i]&(0x80>>((r.n-1)%8)) != 0
}

// unsigned returns which columns the signedness metadata calls unsigned; false:
// it does not fit. Whether YEAR has a bit in it depends on the server: not in
// MySQL 8.0.12, but in MySQL 8.0.31 and in MariaDB.
func (m *TableMap) unsigned(year bool) ([]bool, bool) {
	flags := make([]bool, len(m.Columns))
	bits := msbBits{b: m.signs}
	for i := range m.Columns {
		if t := m.Columns[i].Type; t.isNumeric() || year && t == typeYear {
			flags[i] = bits.next()
		}
	}
	return flags, !bits.short && len(m.signs) == bitmapSize(bits.n)
}

func (c *MapColumn) readMembers(v *cursor.Cursor) {
	n := v.LenencInt()
	if n > len(v.B) {
		v.Fail()
		return
	}
	c.Members = make([][]byte, 0, n)
	for range n {
		c.Members = append(c.Members, append([]byte{}, v.LenencBytes()...))
	}
}

func (m *TableMap) readPrimaryKey(v *cursor.Cursor, prefixes bool) bool {
	m.Told.PrimaryKey = true
	for len(v.B) > 0 {
		i, prefix := v.Lenenc(), uint64(0)
		if prefixes {
			prefix = v.Lenenc()
		}
		if i >= uint64(len(m.Columns)) || prefix > 1<<16 {
			return false
		}
		m.PrimaryKey = append(m.PrimaryKey, int(i))
		m.PrimaryKeyPrefixes = append(m.PrimaryKeyPrefixes, int(prefix))
	}
	return true
}

// tellEmpty completes Told: the server leaves out a field that no column is
// about, and leaves out the primary key of a table that has none. Only names
// prove FULL metadata, since every table has columns.
func (m *TableMap) tellEmpty() {
	if m.Told.Names {
		m.Told.Signs, m.Told.Charsets, m.Told.Members, m.Told.PrimaryKey = true, true, true, true
	}
}
