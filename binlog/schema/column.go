package schema

import (
	"slices"
	"strings"

	"daybook/binlog/charset"
	"daybook/change"
)

// types gives the column type of a data type's word.
var types = map[string]change.Type{
	"TINYINT": change.TinyInt, "SMALLINT": change.SmallInt, "MEDIUMINT": change.MediumInt, "INT": change.Int, "BIGINT": change.BigInt,
	"FLOAT": change.Float, "DOUBLE": change.Double, "REAL": change.Double, "DECIMAL": change.Decimal, "BIT": change.Bit, "YEAR": change.Year,
	"DATE": change.Date, "TIME": change.Time, "DATETIME": change.DateTime, "TIMESTAMP": change.Timestamp,
	"CHAR": change.Char, "VARCHAR": change.VarChar, "TINYTEXT": change.TinyText, "TEXT": change.Text,
	"MEDIUMTEXT": change.MediumText, "LONGTEXT": change.LongText, "BINARY": change.Binary, "VARBINARY": change.VarBinary,
	"TINYBLOB": change.TinyBlob, "BLOB": change.Blob, "MEDIUMBLOB": change.MediumBlob, "LONGBLOB": change.LongBlob,
	"ENUM": change.Enum, "SET": change.Set, "JSON": change.JSON,
	"GEOMETRY": change.Geometry, "POINT": change.Point, "LINESTRING": change.LineString, "POLYGON": change.Polygon,
	"MULTIPOINT": change.MultiPoint, "MULTILINESTRING": change.MultiLineString, "MULTIPOLYGON": change.MultiPolygon,
	"GEOMETRYCOLLECTION": change.GeometryCollection, "VECTOR": change.Vector,
	"UUID": change.UUID, "INET4": change.Inet4, "INET6": change.Inet6,
	"BOOLEAN": change.TinyInt, "NUMBER": change.Decimal, "NCHAR": change.Char, "NVARCHAR": change.VarChar,
}

// column makes of a written column what the server makes of it.
func (b *builder) column(d columnDef) column {
	if b.convert != "" && d.charset != "binary" {
		d.charset = b.convert
	}
	c, ok := b.run.resolveType(d, b.charset)
	if !ok {
		b.fail("unknown data type " + d.typ.word)
		return column{}
	}
	c.Name, c.Comment, c.AutoIncrement, c.Generated = d.name, fitComment(d.comment, columnComment), d.autoInc, d.generated
	c.Nullable = d.nullable == nil || *d.nullable
	if d.rowTime != 0 {
		c.Nullable = false
	}
	if c.Type == change.Timestamp && !b.run.explicit && !(d.generated && b.run.server.mariaDB()) && (d.nullable == nil || d.generated && !b.run.server.mysqlFrom(80000)) {
		c.Nullable = false // a NULL that stands behind AS (…) does not count in MySQL 5.7
	}
	c.Default = b.run.defaultText(&c, d.fallback)
	bare := false
	if c.Type == change.Timestamp && !c.Nullable && !b.run.explicit && !d.generated && d.fallback == nil && !d.onUpdate {
		c.Default = zeroTimestamp(c.Length)
		bare = true
	}
	if d.compressed && !c.Nullable && d.fallback == nil {
		c.Default = new(string) // what MariaDB gives it
	}
	return column{Column: c, bare: bare, computed: d.fallback != nil && d.fallback.kind == tokOp, virtual: d.generated && !d.stored && d.rowTime == 0, invisible: d.invisible, rowTime: d.rowTime}
}

// zeroTimestamp is the default that a TIMESTAMP gets when it has none and
// explicit_defaults_for_timestamp is off.
func zeroTimestamp(fraction int) *string {
	s := "0000-00-00 00:00:00"
	if fraction > 0 {
		s += ".000000"[:1+fraction]
	}
	return &s
}

// promoteTimestamp gives the first TIMESTAMP column of the table, if the statement
// that makes it says nothing else, the current time as its default, as the server does
// when explicit_defaults_for_timestamp is off.
func (b *builder) promoteTimestamp() {
	i := slices.IndexFunc(b.columns, func(c column) bool { return c.Type == change.Timestamp })
	if i >= 0 && b.columns[i].bare {
		b.columns[i].Default = nil
	}
}

// resolveType gives a column its type, length, sign, charset and members.
func (u *run) resolveType(d columnDef, tableCharset string) (change.Column, bool) {
	s := d.typ
	t, ok := types[s.word]
	if !ok {
		return change.Column{}, false
	}
	c := change.Column{Type: t, Length: s.length, Scale: s.scale, Unsigned: s.unsigned, Zerofill: s.zero}
	switch s.word {
	case "BOOLEAN":
		c.Length = 1
	case "NCHAR", "NVARCHAR":
		c.Charset = "utf8mb3"
	case "REAL":
		if u.ctx.SQLMode&modeRealAsFloat != 0 {
			c.Type = change.Float
		}
	case "TIMESTAMP":
		if !u.timestamp(s) {
			c.Type = change.DateTime
		}
	case "DATE":
		if s.schema == "ORACLE_SCHEMA" || s.schema == "" && u.oracle() {
			c.Type = change.DateTime
		}
	case "NUMBER":
		if s.length < 0 {
			c.Type = change.Double
		}
	case "BLOB":
		if u.oracle() && s.length < 0 {
			c.Type = change.LongBlob
		}
	case "JSON":
		if u.server.mariaDB() {
			c.Type, c.Charset = change.LongText, "utf8mb4"
		}
	}
	u.resolveCharsetOf(&c, d, tableCharset)
	u.resolveLength(&c)
	for _, l := range s.members {
		if l = u.literal(l); c.Charset == "binary" {
			l = u.bytesOf(l)
		}
		c.Members = append(c.Members, l.in(c.Charset))
		if !l.bytes {
			fit(u.literals, c.Members[len(c.Members)-1:]...)
		}
	}
	fit(c.Charset, c.Members...)
	for i, m := range c.Members {
		if c.Charset != "binary" { // in which a blank is a byte like others
			m = strings.TrimRight(m, " ")
		}
		c.Members[i] = u.server.keptLabel(m, c.Charset)
	}
	return c, true
}

// timestamp tells a TIMESTAMP that is one, and no DATETIME as sql_mode MAXDB
// makes it.
func (u *run) timestamp(s typeSpec) bool {
	maxDB := s.schema == "MAXDB_SCHEMA" || s.schema == "" && u.ctx.SQLMode&modeMaxDB != 0 && !u.server.mysqlFrom(80000)
	return s.word == "TIMESTAMP" && !maxDB
}

// oracle tells MariaDB's sql_mode ORACLE, in which some types are others.
func (u *run) oracle() bool { return u.server.mariaDB() && u.ctx.SQLMode&modeOracle != 0 }

// resolveCharsetOf sets the charset of text, ENUM and SET columns.
func (u *run) resolveCharsetOf(c *change.Column, d columnDef, tableCharset string) {
	if !c.Type.IsText() && c.Type != change.Enum && c.Type != change.Set {
		return
	}
	switch {
	case d.charset != "" && d.charset != defaultCharset:
		c.Charset = d.charset
	case c.Charset == "":
		c.Charset = tableCharset
	}
	binaryText(c)
}

// binaryText turns a text type in the charset binary into the binary type that
// the server makes of it.
func binaryText(c *change.Column) {
	if c.Charset != "binary" || !c.Type.IsText() {
		return
	}
	c.Charset = ""
	switch c.Type {
	case change.Char:
		c.Type = change.Binary
	case change.VarChar:
		c.Type = change.VarBinary
	case change.TinyText:
		c.Type = change.TinyBlob
	case change.Text:
		c.Type = change.Blob
	case change.MediumText:
		c.Type = change.MediumBlob
	case change.LongText:
		c.Type = change.LongBlob
	}
}

// resolveLength turns the length as written into the one that the server
// shows; where it shows none, that is -1.
func (u *run) resolveLength(c *change.Column) {
	switch t := c.Type; {
	case t.IsInteger():
		c.Scale = -1
		u.resolveWidth(c)
	case t == change.Float && c.Scale < 0:
		if c.Length > 24 {
			c.Type = change.Double
		}
		c.Length = -1
	case t == change.Double && c.Scale < 0:
		c.Length = -1
	case t == change.Decimal:
		if c.Length <= 0 {
			c.Length = 10
		}
		c.Scale = max(c.Scale, 0)
	case t == change.Bit, t == change.Char, t == change.Binary:
		if c.Length < 0 || t == change.Bit && c.Length == 0 {
			c.Length = 1
		}
		u.longText(c)
	case t == change.Year: // of which each may be written UNSIGNED ZEROFILL
		c.Length = u.yearWidth(c.Length)
		c.Unsigned, c.Zerofill = false, false
	case t == change.Time, t == change.DateTime, t == change.Timestamp:
		if c.Length == 0 {
			c.Length = -1
		}
	case t == change.VarChar, t == change.VarBinary:
		u.longText(c)
	case t == change.Text, t == change.Blob:
		if c.Length == 0 && u.server.mysqlFrom(80000) { // the others take it for no length
			c.Length = 1
		}
		c.Type = sizedBlob(t, c.Length, charset.MaxLen(c.Charset))
		c.Length = -1
	case t == change.Vector:
		if c.Length < 0 {
			c.Length = 2048
		}
	case t == change.Float || t == change.Double:
	default:
		c.Length, c.Scale = -1, -1
	}
}

// widths are the display widths of the signed integers from TinyInt on.
var widths = [...]int{change.TinyInt: 4, change.SmallInt: 6, change.MediumInt: 9, change.Int: 11, change.BigInt: 20}

// resolveWidth sets an integer's display width, which MySQL 8.0.19 and later
// keeps only for TINYINT(1) and ZEROFILL.
func (u *run) resolveWidth(c *change.Column) {
	if c.Length < 0 || c.Length == 0 {
		c.Length = widths[c.Type]
		if c.Unsigned && c.Type != change.BigInt {
			c.Length--
		}
	}
	if u.server.mysqlFrom(80019) && !c.Zerofill && !(c.Type == change.TinyInt && c.Length == 1 && !c.Unsigned) {
		c.Length = -1
	}
}

func (u *run) yearWidth(length int) int {
	switch {
	case u.server.mysqlFrom(80019):
		return -1
	case length == 2 && (u.server.mariaDB() || u.server.Version < 50600):
		return 2
	}
	return 4
}

// sizedBlob returns the TEXT or BLOB type that holds length characters.
func sizedBlob(t change.Type, length, maxBytes int) change.Type {
	if length <= 0 {
		return t
	}
	n := length * maxBytes
	step := change.Type(0)
	switch {
	case n < 1<<8:
		step = 0
	case n < 1<<16:
		step = 1
	case n < 1<<24:
		step = 2
	default:
		step = 3
	}
	if t.IsText() {
		return change.TinyText + step
	}
	return change.TinyBlob + step
}

// longText turns a CHAR that is too long for one into VARCHAR, and a VARCHAR that is
// into TEXT, as the server does when sql_mode is not strict.
func (u *run) longText(c *change.Column) {
	if c.Type == change.Char && c.Length*charset.MaxLen(c.Charset) > 255*4 && u.server.mariaDB() {
		c.Type = change.VarChar
	}
	if c.Type != change.VarChar && c.Type != change.VarBinary {
		return
	}
	longest := 65535
	if u.server.mariaDB() {
		longest = 65532
	}
	n := c.Length * charset.MaxLen(c.Charset)
	if n <= longest || u.ctx.SQLMode&(modeStrictTransTables|modeStrictAllTables) != 0 {
		return
	}
	t := change.Text
	if c.Type == change.VarBinary {
		t = change.Blob
	}
	c.Type = sizedBlob(t, c.Length, charset.MaxLen(c.Charset))
	c.Length = -1
}
