package change

import "fmt"

// Type is a column's SQL type, without length, sign and charset.
type Type uint8

// The column types. BOOL is TinyInt, SERIAL BigInt, NUMERIC Decimal; the
// national and LONG forms are what the server makes of them.
const (
	TinyInt Type = iota + 1
	SmallInt
	MediumInt
	Int
	BigInt
	Float
	Double
	Decimal
	Bit
	Year
	Date
	Time
	DateTime
	Timestamp
	Char
	VarChar
	TinyText
	Text
	MediumText
	LongText
	Binary
	VarBinary
	TinyBlob
	Blob
	MediumBlob
	LongBlob
	Enum
	Set
	JSON
	Geometry
	Point
	LineString
	Polygon
	MultiPoint
	MultiLineString
	MultiPolygon
	GeometryCollection
	Vector // MySQL 9, MariaDB 11.7: 32-bit floats, little-endian
	UUID   // MariaDB 10.7
	Inet4  // MariaDB 10.10
	Inet6  // MariaDB 10.5
	lastType
)

var typeNames = [lastType]string{
	TinyInt: "TINYINT", SmallInt: "SMALLINT", MediumInt: "MEDIUMINT", Int: "INT", BigInt: "BIGINT",
	Float: "FLOAT", Double: "DOUBLE", Decimal: "DECIMAL", Bit: "BIT", Year: "YEAR",
	Date: "DATE", Time: "TIME", DateTime: "DATETIME", Timestamp: "TIMESTAMP",
	Char: "CHAR", VarChar: "VARCHAR", TinyText: "TINYTEXT", Text: "TEXT", MediumText: "MEDIUMTEXT", LongText: "LONGTEXT",
	Binary: "BINARY", VarBinary: "VARBINARY", TinyBlob: "TINYBLOB", Blob: "BLOB", MediumBlob: "MEDIUMBLOB", LongBlob: "LONGBLOB",
	Enum: "ENUM", Set: "SET", JSON: "JSON",
	Geometry: "GEOMETRY", Point: "POINT", LineString: "LINESTRING", Polygon: "POLYGON", MultiPoint: "MULTIPOINT",
	MultiLineString: "MULTILINESTRING", MultiPolygon: "MULTIPOLYGON", GeometryCollection: "GEOMETRYCOLLECTION",
	Vector: "VECTOR", UUID: "UUID", Inet4: "INET4", Inet6: "INET6",
}

// String returns the type's SQL name in upper case.
func (t Type) String() string {
	if t < lastType && typeNames[t] != "" {
		return typeNames[t]
	}
	return "UNKNOWN"
}

// MarshalText gives the SQL name: what is kept on disk must not depend on the
// order of the constants.
func (t Type) MarshalText() ([]byte, error) {
	if t < lastType && typeNames[t] != "" {
		return []byte(typeNames[t]), nil
	}
	return nil, fmt.Errorf("encode column type %d: not a known one", uint8(t))
}

// UnmarshalText reads what MarshalText wrote.
func (t *Type) UnmarshalText(text []byte) error {
	for i, name := range typeNames {
		if name != "" && name == string(text) {
			*t = Type(i)
			return nil
		}
	}
	return fmt.Errorf("decode column type %q: not a known one", text)
}

// IsInteger tells the five integer types.
func (t Type) IsInteger() bool { return t >= TinyInt && t <= BigInt }

// IsText tells the types whose bytes are characters in the column's charset.
func (t Type) IsText() bool { return t >= Char && t <= LongText }

// IsBinary tells the types whose bytes are just bytes.
func (t Type) IsBinary() bool { return t >= Binary && t <= LongBlob }

// IsGeometry tells the spatial types.
func (t Type) IsGeometry() bool { return t >= Geometry && t <= GeometryCollection }

// Table is a table's definition at one place in the binlog.
type Table struct {
	Database string   `json:"database"`
	Name     string   `json:"name"`
	Charset  string   `json:"charset,omitempty"` // default of the table, MySQL's name for it
	Comment  string   `json:"comment,omitempty"`
	Columns  []Column `json:"columns"`
	// PrimaryKey is the indexes into Columns of the primary key's columns in
	// key order; nil if there is none.
	PrimaryKey []int `json:"primary_key,omitempty"`
	// UniqueKeys are the other unique keys in the server's order.
	UniqueKeys []UniqueKey `json:"unique_keys,omitempty"`
}

// UniqueKey is a unique key that is not the primary one. A key over an
// expression or over column prefixes is not listed.
type UniqueKey struct {
	Name    string `json:"name"`
	Columns []int  `json:"columns"` // indexes into Table.Columns
}

// Key returns the indexes of the columns that identify a row: the primary key,
// else the first unique key whose columns are all NOT NULL, else nil.
func (t *Table) Key() []int {
	if len(t.PrimaryKey) > 0 {
		return t.PrimaryKey
	}
next:
	for _, k := range t.UniqueKeys {
		for _, c := range k.Columns {
			if t.Columns[c].Nullable {
				continue next
			}
		}
		return k.Columns
	}
	return nil
}

// Column is one column of a Table.
type Column struct {
	Name string `json:"name"`
	Type Type   `json:"type"`
	// Length is the declared length: characters of CHAR and VARCHAR, bytes of
	// BINARY, VARBINARY and the BLOBs, bits of BIT, precision of DECIMAL,
	// FLOAT and DOUBLE, display width of integers and YEAR, fractional digits
	// of TIME, DATETIME and TIMESTAMP, dimensions of VECTOR; -1: none declared.
	Length int `json:"length"`
	// Scale is the digits after the point of DECIMAL, FLOAT and DOUBLE; -1: none declared.
	Scale         int      `json:"scale"`
	Unsigned      bool     `json:"unsigned,omitempty"`
	Zerofill      bool     `json:"zerofill,omitempty"`
	Nullable      bool     `json:"nullable,omitempty"`
	AutoIncrement bool     `json:"auto_increment,omitempty"`
	Generated     bool     `json:"generated,omitempty"` // GENERATED ALWAYS AS, stored or virtual
	Hidden        bool     `json:"hidden,omitempty"`    // no column of the user's: a key that the server made and does not show
	Charset       string   `json:"charset,omitempty"`   // of text, ENUM and SET; MySQL's name (utf8mb4, latin1, gbk, …); "binary" for none
	Members       []string `json:"members,omitempty"`   // labels of ENUM and SET as UTF-8, in order
	Comment       string   `json:"comment,omitempty"`
	// Default is the DEFAULT literal as UTF-8 text without quotes; nil: none
	// declared, NULL, or an expression.
	Default *string `json:"default,omitempty"`
}

// IsImplicitKey tells the name of a column that ApsaraDB RDS or PolarDB-X makes the key of a table without one, and shows
// nowhere but in rows.
func IsImplicitKey(name string) bool {
	return name == "__#alibaba_rds_row_id#__" || name == "_drds_implicit_id_"
}
