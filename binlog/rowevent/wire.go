package rowevent

import "fmt"

// WireType is a column's type as a table map names it (MySQL's
// enum_field_types).
type WireType uint8

// The wire types. ENUM and SET travel as typeString and are told apart by
// their metadata; ParseTableMap resolves them.
const (
	typeTiny              WireType = 1
	typeShort             WireType = 2
	typeLong              WireType = 3
	typeFloat             WireType = 4
	typeDouble            WireType = 5
	typeTimestamp         WireType = 7
	typeLongLong          WireType = 8
	typeInt24             WireType = 9
	typeDate              WireType = 10
	typeTime              WireType = 11
	typeDateTime          WireType = 12
	typeYear              WireType = 13
	typeNewDate           WireType = 14
	typeVarChar           WireType = 15
	typeBit               WireType = 16
	typeTimestamp2        WireType = 17
	typeDateTime2         WireType = 18
	typeTime2             WireType = 19
	typeBlobCompressed    WireType = 140 // MariaDB
	typeVarCharCompressed WireType = 141 // MariaDB
	typeVector            WireType = 242
	typeJSON              WireType = 245
	typeNewDecimal        WireType = 246
	typeEnum              WireType = 247
	typeSet               WireType = 248
	typeTinyBlob          WireType = 249
	typeMediumBlob        WireType = 250
	typeLongBlob          WireType = 251
	typeBlob              WireType = 252
	typeVarString         WireType = 253
	typeString            WireType = 254
	typeGeometry          WireType = 255
)

var wireNames = map[WireType]string{
	typeTiny: "TINY", typeShort: "SHORT", typeLong: "LONG", typeFloat: "FLOAT", typeDouble: "DOUBLE",
	typeTimestamp: "TIMESTAMP", typeLongLong: "LONGLONG", typeInt24: "INT24", typeDate: "DATE", typeTime: "TIME",
	typeDateTime: "DATETIME", typeYear: "YEAR", typeNewDate: "NEWDATE", typeVarChar: "VARCHAR", typeBit: "BIT",
	typeTimestamp2: "TIMESTAMP2", typeDateTime2: "DATETIME2", typeTime2: "TIME2",
	typeBlobCompressed: "BLOB_COMPRESSED", typeVarCharCompressed: "VARCHAR_COMPRESSED",
	typeVector: "VECTOR", typeJSON: "JSON", typeNewDecimal: "NEWDECIMAL", typeEnum: "ENUM", typeSet: "SET",
	typeTinyBlob: "TINY_BLOB", typeMediumBlob: "MEDIUM_BLOB", typeLongBlob: "LONG_BLOB", typeBlob: "BLOB",
	typeVarString: "VAR_STRING", typeString: "STRING", typeGeometry: "GEOMETRY",
}

// String returns the server's name of the type without the MYSQL_TYPE_ prefix.
func (t WireType) String() string {
	if n, ok := wireNames[t]; ok {
		return n
	}
	return fmt.Sprintf("type %d", uint8(t))
}

// isNumeric tells the types that always have a bit in the signedness metadata.
func (t WireType) isNumeric() bool {
	switch t {
	case typeTiny, typeShort, typeInt24, typeLong, typeLongLong, typeNewDecimal, typeFloat, typeDouble:
		return true
	}
	return false
}

// isCharacter tells the types that have a charset in the metadata.
func (t WireType) isCharacter() bool {
	switch t {
	case typeString, typeVarString, typeVarChar, typeBlob, typeTinyBlob, typeMediumBlob, typeLongBlob,
		typeBlobCompressed, typeVarCharCompressed:
		return true
	}
	return false
}

// EventKind is a rows event's type, as its header has it.
type EventKind uint8

// The rows events. The v0 forms are those of MySQL 5.1 before its general
// availability, v1 of MySQL up to 5.5 and of MariaDB, v2 of MySQL 5.6 and
// later; the compressed ones are MariaDB's log_bin_compress.
const (
	WriteRowsV0            EventKind = 20
	UpdateRowsV0           EventKind = 21
	DeleteRowsV0           EventKind = 22
	WriteRowsV1            EventKind = 23
	UpdateRowsV1           EventKind = 24
	DeleteRowsV1           EventKind = 25
	WriteRowsV2            EventKind = 30
	UpdateRowsV2           EventKind = 31
	DeleteRowsV2           EventKind = 32
	PartialUpdateRows      EventKind = 39
	WriteRowsCompressedV1  EventKind = 166
	UpdateRowsCompressedV1 EventKind = 167
	DeleteRowsCompressedV1 EventKind = 168
)

// IsRows tells whether k is one of the rows events above.
func (k EventKind) IsRows() bool { return k.form() != 0 }

// form is what a rows event holds per row.
type form uint8

const (
	formInsert form = iota + 1
	formUpdate
	formDelete
)

func (k EventKind) form() form {
	switch k {
	case WriteRowsV0, WriteRowsV1, WriteRowsV2, WriteRowsCompressedV1:
		return formInsert
	case UpdateRowsV0, UpdateRowsV1, UpdateRowsV2, UpdateRowsCompressedV1, PartialUpdateRows:
		return formUpdate
	case DeleteRowsV0, DeleteRowsV1, DeleteRowsV2, DeleteRowsCompressedV1:
		return formDelete
	}
	return 0
}

func (k EventKind) isV2() bool {
	return k == WriteRowsV2 || k == UpdateRowsV2 || k == DeleteRowsV2 || k == PartialUpdateRows
}

func (k EventKind) isCompressed() bool {
	return k == WriteRowsCompressedV1 || k == UpdateRowsCompressedV1 || k == DeleteRowsCompressedV1
}
