package rowevent

import (
	"encoding/binary"
	"fmt"

	"daybook/binlog/cursor"
)

// TableMap is a table map event: what rows events with the same table ID look
// like on the wire.
type TableMap struct {
	ID              uint64
	Flags           uint16
	Database, Table string
	Columns         []MapColumn
	// PrimaryKey is the indexes into Columns of the primary key in key order,
	// PrimaryKeyPrefixes the characters of each that the key covers (0: all).
	// Both only if Told.PrimaryKey.
	PrimaryKey, PrimaryKeyPrefixes []int
	Told                           Told

	signs                       []byte
	textCharsets, labelCharsets charsetField
}

// Told says which optional metadata the event carries. MySQL 8.0.1 and later
// always tell signs and charsets, and the rest with binlog_row_metadata=FULL;
// MariaDB 10.5 and later with MINIMAL and FULL; older servers nothing. A kind
// is also told when the table has no column that it could be about.
type Told struct {
	Signs, Charsets, Names, Members, PrimaryKey, Visibility bool
}

// MapColumn is a column of a TableMap.
type MapColumn struct {
	Type WireType // ENUM and SET resolved from STRING
	// Length is, by type: the most bytes of STRING, VARCHAR and VAR_STRING; the
	// bytes of the length prefix of the BLOBs, JSON, GEOMETRY and VECTOR; the
	// bytes of ENUM and SET; the bits of BIT; the precision of NEWDECIMAL; the
	// fractional digits of TIME2, DATETIME2 and TIMESTAMP2; the bytes of FLOAT
	// and DOUBLE.
	Length     int
	Scale      int // of NEWDECIMAL
	Nullable   bool
	Name       string   // if Told.Names
	Members    [][]byte // labels of ENUM and SET in the column's charset, if Told.Members
	Geometry   int      // 0 any geometry, 1 point, … 7 collection; -1: not told
	Invisible  bool     // if Told.Visibility
	Dimensions int      // of VECTOR; 0: not told
}

// ParseTableMap reads the body of a table map event. tableIDSize is 6, or 4
// where the format description event gives this event a post-header of 6 bytes
// (MySQL 5.1 before general availability). The result does not alias body. The
// error is ErrCorrupt.
func ParseTableMap(body []byte, tableIDSize int) (*TableMap, error) {
	c := cursor.Cursor{B: body}
	m := &TableMap{ID: c.Uint(tableIDSize), Flags: uint16(c.Uint(2))}
	m.Database = string(c.Bytes(int(c.U8())))
	c.Bytes(1) // the name's terminating zero
	m.Table = string(c.Bytes(int(c.U8())))
	c.Bytes(1)
	types := c.LenencBytes()
	metas := cursor.Cursor{B: c.LenencBytes()}
	nulls := bitmap(c.Bytes(bitmapSize(len(types))))
	if c.Err != nil {
		return nil, fmt.Errorf("parse table map: %w: %d bytes are too few", ErrCorrupt, len(body))
	}
	m.Columns = make([]MapColumn, len(types))
	for i := range m.Columns {
		col := &m.Columns[i]
		col.Type, col.Nullable, col.Geometry = WireType(types[i]), nulls.has(i), -1
		if !col.readMeta(&metas) {
			return nil, fmt.Errorf("parse table map of %s.%s: %w: column %d has unknown %s", m.Database, m.Table, ErrCorrupt, i+1, col.Type)
		}
	}
	if metas.Err != nil || len(metas.B) > 0 {
		return nil, fmt.Errorf("parse table map of %s.%s: %w: column metadata does not fit the column types", m.Database, m.Table, ErrCorrupt)
	}
	if err := m.readOptional(c.B); err != nil {
		return nil, fmt.Errorf("parse table map of %s.%s: %w", m.Database, m.Table, err)
	}
	return m, nil
}

// readMeta reads the column's part of the metadata block, whose size depends
// on the type. False: the type is not known.
func (c *MapColumn) readMeta(r *cursor.Cursor) bool {
	switch c.Type {
	case typeTiny, typeShort, typeInt24, typeLong, typeLongLong, typeYear,
		typeDate, typeNewDate, typeTime, typeDateTime, typeTimestamp:
	case typeFloat, typeDouble, typeBlob, typeTinyBlob, typeMediumBlob, typeLongBlob, typeBlobCompressed,
		typeJSON, typeGeometry, typeVector, typeTime2, typeDateTime2, typeTimestamp2:
		c.Length = int(r.U8())
	case typeVarChar, typeVarString, typeVarCharCompressed:
		c.Length = int(r.Uint(2))
	case typeNewDecimal:
		c.Length, c.Scale = int(r.U8()), int(r.U8())
	case typeBit:
		bits := int(r.U8())
		c.Length = int(r.U8())*8 + bits
	case typeString, typeEnum, typeSet:
		return c.readStringMeta(r)
	default:
		return false
	}
	return true
}

// readStringMeta reads the two bytes of CHAR, BINARY, ENUM and SET. The first
// is the real type, into whose bits 4 and 5, which are set in all of these
// types, the bits 8 and 9 of a length above 255 are folded by exclusive or.
func (c *MapColumn) readStringMeta(r *cursor.Cursor) bool {
	b := r.Bytes(2)
	if b == nil {
		return true // told by r.Err
	}
	meta := binary.BigEndian.Uint16(b)
	c.Length = int(meta&0xff) | int(meta>>4&0x300^0x300)
	switch real := WireType(meta>>8) | 0x30; real {
	case typeEnum, typeSet:
		c.Type, c.Length = real, int(meta&0xff)
	case typeString:
	default:
		return false
	}
	return true
}
