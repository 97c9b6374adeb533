package format_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"daybook/change"
)

// typeCase is one column definition, with values as SQL literals beside what
// the binlog package hands over for them. testdata/debezium/types.sql is made
// from the cases, and testdata/debezium/records.jsonl is what Debezium made of
// that file.
type typeCase struct {
	sql    string        // the column's definition
	column change.Column // the same
	rows   []typeRow
	// schema is our JSON of those fields of the column in the schema change
	// that are meant to differ from Debezium's.
	schema map[string]string
}

type typeRow struct {
	literal string
	value   change.Value
	// differs is our JSON where it is meant to differ from Debezium's; the
	// reasons are in docs/record-formats.md. "": the same.
	differs string
}

// tableName returns the name of the i-th case's table.
func tableName(i int) string { return fmt.Sprintf("t%03d", i+1) }

func (c *typeCase) table(i int) *change.Table {
	return &change.Table{
		Database: "format_dbz", Name: tableName(i), Charset: "utf8mb4", PrimaryKey: []int{0},
		Columns: []change.Column{{Name: "id", Type: change.Int, Length: -1, Scale: -1}, c.column},
	}
}

// typesSQL returns the statements that make the cases' tables and rows.
func typesSQL() string {
	var b strings.Builder
	b.WriteString("SET SESSION sql_mode='ALLOW_INVALID_DATES', time_zone='+00:00', binlog_rows_query_log_events=1;\n")
	b.WriteString("CREATE DATABASE format_dbz CHARACTER SET utf8mb4;\nUSE format_dbz;\n")
	for i, c := range typeCases {
		fmt.Fprintf(&b, "CREATE TABLE %s (id INT PRIMARY KEY, v %s);\n", tableName(i), c.sql)
		for j, r := range c.rows {
			fmt.Fprintf(&b, "INSERT INTO %s VALUES (%d, %s);\n", tableName(i), j+1, r.literal)
		}
	}
	return b.String()
}

// col returns a nullable column v; length and scale may be left out.
func col(t change.Type, lengthAndScale ...int) change.Column {
	c := change.Column{Name: "v", Type: t, Length: -1, Scale: -1, Nullable: true}
	if len(lengthAndScale) > 0 {
		c.Length = lengthAndScale[0]
	}
	if len(lengthAndScale) > 1 {
		c.Scale = lengthAndScale[1]
	}
	return c
}

func with(c change.Column, set func(*change.Column)) change.Column {
	set(&c)
	return c
}

func unsigned(c change.Column) change.Column { c.Unsigned = true; return c }
func zerofill(c change.Column) change.Column { c.Unsigned, c.Zerofill = true, true; return c }
func notNull(c change.Column) change.Column  { c.Nullable = false; return c }
func charset(c change.Column, name string) change.Column {
	c.Charset = name
	return c
}
func members(c change.Column, m ...string) change.Column {
	c.Members, c.Charset = m, "utf8mb4"
	return c
}
func withDefault(c change.Column, d string) change.Column { c.Default = &d; return c }

type fields = map[string]string

var null = change.Value{Kind: change.Null}

func i64(n int64) change.Value  { return change.Value{Kind: change.Int64, Num: uint64(n)} }
func u64(n uint64) change.Value { return change.Value{Kind: change.Uint64, Num: n} }
func f32(f float32) change.Value {
	return change.Value{Kind: change.Float32, Num: uint64(math.Float32bits(f))}
}
func f64(f float64) change.Value { return change.Value{Kind: change.Float64, Num: math.Float64bits(f)} }
func bits(n uint64) change.Value { return change.Value{Kind: change.Bits, Num: n} }
func year(n uint64) change.Value { return change.Value{Kind: change.YearNum, Num: n} }
func dec(s string) change.Value  { return change.Value{Kind: change.DecimalText, Bytes: []byte(s)} }
func str(s string) change.Value  { return change.Value{Kind: change.String, Bytes: []byte(s)} }
func blob(s string) change.Value { return change.Value{Kind: change.Blobs, Bytes: []byte(s)} }

func date(y, m, d int) change.Value {
	return change.Value{Kind: change.CivilDate, Num: change.Civil{Year: y, Month: m, Day: d}.Pack()}
}

// datetime takes year, month, day, hour, minute, second and microseconds.
func datetime(p ...int) change.Value {
	p = append(p, make([]int, 7-len(p))...)
	return change.Value{Kind: change.CivilTime, Num: change.Civil{
		Year: p[0], Month: p[1], Day: p[2], Hour: p[3], Minute: p[4], Second: p[5], Micros: p[6]}.Pack()}
}

// instant takes a time of RFC 3339.
func instant(s string) change.Value {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return change.Value{Kind: change.Instant, Num: uint64(t.UnixMicro())}
}

func duration(micros int64) change.Value {
	return change.Value{Kind: change.Duration, Num: uint64(micros)}
}
func enum(n uint64, label string) change.Value {
	return change.Value{Kind: change.EnumLabel, Num: n, Bytes: []byte(label)}
}
func set(n uint64, labels string) change.Value {
	return change.Value{Kind: change.SetLabels, Num: n, Bytes: []byte(labels)}
}
func wkb(srid uint64, hexBytes string) change.Value {
	b, err := hex.DecodeString(hexBytes)
	if err != nil {
		panic(err)
	}
	return change.Value{Kind: change.WKB, Num: srid, Bytes: b}
}

// same makes a row whose JSON is Debezium's.
func same(literal string, v change.Value) typeRow { return typeRow{literal: literal, value: v} }

// differs makes a row whose JSON is meant not to be Debezium's.
func differs(literal string, v change.Value, ours string) typeRow {
	return typeRow{literal: literal, value: v, differs: ours}
}

// document makes a row of a JSON column. Our text is the server's, with blanks
// after commas and colons.
func document(literal string) typeRow {
	text := strings.ReplaceAll(literal, `\\`, `\`)
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return typeRow{"'" + literal + "'", change.Value{Kind: change.JSONText, Bytes: []byte(text)}, string(quoted)}
}

const (
	hour   = int64(3600 * 1e6)
	point  = "0101000000000000000000f03f00000000000000c0" // POINT(1 -2)
	line   = "010200000002000000000000000000000000000000000000000000000000000840000000000000f0bf"
	triple = "0103000000010000000400000000000000000000000000000000000000" +
		"000000000000f03f0000000000000000" + "000000000000f03f000000000000f03f" + "00000000000000000000000000000000"
)

var typeCases = []typeCase{
	{"TINYINT", col(change.TinyInt), []typeRow{same("-128", i64(-128)), same("127", i64(127)), same("0", i64(0)), same("NULL", null)}, nil},
	{"TINYINT UNSIGNED", unsigned(col(change.TinyInt)), []typeRow{same("0", u64(0)), same("255", u64(255))}, nil},
	{"TINYINT(1)", col(change.TinyInt, 1), []typeRow{same("1", i64(1)), same("-128", i64(-128))}, nil},
	{"BOOL", col(change.TinyInt, 1), []typeRow{differs("TRUE", i64(1), `1`), differs("FALSE", i64(0), `0`), same("NULL", null)}, fields{"jdbcType": "5", "typeName": `"TINYINT"`, "typeExpression": `"TINYINT"`, "length": "1"}},
	{"SMALLINT", col(change.SmallInt), []typeRow{same("-32768", i64(-32768)), same("32767", i64(32767))}, nil},
	{"SMALLINT UNSIGNED", unsigned(col(change.SmallInt)), []typeRow{same("65535", u64(65535))}, nil},
	{"MEDIUMINT", col(change.MediumInt), []typeRow{same("-8388608", i64(-8388608)), same("8388607", i64(8388607))}, nil},
	{"MEDIUMINT UNSIGNED", unsigned(col(change.MediumInt)), []typeRow{same("16777215", u64(16777215))}, nil},
	{"INT", col(change.Int), []typeRow{same("-2147483648", i64(math.MinInt32)), same("2147483647", i64(math.MaxInt32))}, nil},
	{"INT UNSIGNED", unsigned(col(change.Int)), []typeRow{same("4294967295", u64(math.MaxUint32))}, nil},
	{"INT(6) UNSIGNED ZEROFILL", zerofill(col(change.Int, 6)), []typeRow{same("42", u64(42))}, nil},
	{"BIGINT", col(change.BigInt), []typeRow{same("-9223372036854775808", i64(math.MinInt64)), same("9223372036854775807", i64(math.MaxInt64))}, nil},
	{"BIGINT UNSIGNED", unsigned(col(change.BigInt)), []typeRow{
		differs("0", u64(0), `0`), differs("1", u64(1), `1`), differs("9223372036854775808", u64(1<<63), `9223372036854775808`),
		differs("18446744073709551615", u64(math.MaxUint64), `18446744073709551615`), same("NULL", null)}, nil},
	{"INT DEFAULT 5", withDefault(col(change.Int), "5"), []typeRow{same("7", i64(7)), differs("NULL", null, `null`)}, nil},
	{"INT NOT NULL DEFAULT 5", withDefault(notNull(col(change.Int)), "5"), []typeRow{same("DEFAULT", i64(5))}, nil},

	{"FLOAT", col(change.Float), []typeRow{
		same("0", f32(0)), same("100", f32(100)), same("0.1", f32(0.1)), same("-3.4028234e38", f32(-math.MaxFloat32)), differs("1.17549435e-38", f32(1.17549435e-38), `1.1754944E-38`),
		same("16777216", f32(16777216)), same("0.001", f32(0.001)), same("0.0001", f32(0.0001)), same("1e10", f32(1e10)), same("NULL", null)}, nil},
	{"FLOAT UNSIGNED", unsigned(col(change.Float)), []typeRow{same("1.5", f32(1.5))}, nil},
	{"FLOAT(7,3)", col(change.Float, 7, 3), []typeRow{differs("1234.567", f32(1234.567), `1234.567`), differs("0.1", f32(0.1), `0.1`)}, nil},
	{"FLOAT(24)", col(change.Float), []typeRow{same("0.3", f32(0.3))}, fields{"length": "null"}},
	{"FLOAT(30)", col(change.Double), []typeRow{same("0.3", f64(0.3))}, fields{"jdbcType": "8", "typeName": `"DOUBLE"`, "typeExpression": `"DOUBLE"`, "length": "null"}},
	{"DOUBLE", col(change.Double), []typeRow{
		same("0", f64(0)), same("-100", f64(-100)), same("0.1", f64(0.1)), same("1.7976931348623157e308", f64(math.MaxFloat64)),
		same("2.2250738585072014e-308", f64(2.2250738585072014e-308)), same("1e21", f64(1e21)), same("1e7", f64(1e7)), same("123456789.125", f64(123456789.125)),
		same("0.001", f64(0.001)), same("1e-4", f64(1e-4)), same("NULL", null)}, nil},
	{"DOUBLE(10,2) UNSIGNED", unsigned(col(change.Double, 10, 2)), []typeRow{same("12345678.91", f64(12345678.91))}, nil},

	{"DECIMAL", col(change.Decimal, 10, 0), []typeRow{same("-9999999999", dec("-9999999999"))}, nil},
	{"DECIMAL(10,2)", col(change.Decimal, 10, 2), []typeRow{
		same("0", dec("0.00")), same("-0.01", dec("-0.01")), same("12345678.90", dec("12345678.90")), same("NULL", null)}, nil},
	{"NUMERIC(5)", col(change.Decimal, 5, 0), []typeRow{same("12345", dec("12345"))}, fields{"jdbcType": "3", "typeName": `"DECIMAL"`, "typeExpression": `"DECIMAL"`}},
	{"DECIMAL(65,30) UNSIGNED", unsigned(col(change.Decimal, 65, 30)), []typeRow{
		same("99999999999999999999999999999999999.999999999999999999999999999999", dec("99999999999999999999999999999999999.999999999999999999999999999999")),
		same("1e-30", dec("0.000000000000000000000000000001"))}, nil},
	{"DECIMAL(8,3) ZEROFILL", zerofill(col(change.Decimal, 8, 3)), []typeRow{same("1.5", dec("1.500"))}, nil},

	{"BIT", col(change.Bit, 1), []typeRow{same("0", bits(0)), same("1", bits(1)), same("NULL", null)}, nil},
	{"BIT(8)", col(change.Bit, 8), []typeRow{same("0", bits(0)), same("255", bits(255))}, nil},
	{"BIT(12)", col(change.Bit, 12), []typeRow{same("258", bits(258)), same("1", bits(1))}, nil},
	{"BIT(64)", col(change.Bit, 64), []typeRow{same("18446744073709551615", bits(math.MaxUint64)), same("72623859790382856", bits(0x0102030405060708))}, nil},

	{"YEAR", col(change.Year), []typeRow{same("1901", year(1901)), same("1970", year(1970)), same("2155", year(2155)), differs("0", year(0), `0`), same("NULL", null)}, nil},
	{"DATE", col(change.Date), []typeRow{
		same("'1970-01-01'", date(1970, 1, 1)), same("'1969-12-31'", date(1969, 12, 31)), same("'1000-01-01'", date(1000, 1, 1)), same("'9999-12-31'", date(9999, 12, 31)),
		same("'2024-02-29'", date(2024, 2, 29)), same("'0000-00-00'", date(0, 0, 0)), same("'2020-00-00'", date(2020, 0, 0)), same("'2020-05-00'", date(2020, 5, 0)),
		same("'0000-05-06'", date(0, 5, 6)), same("NULL", null)}, nil},
	{"DATE NOT NULL", notNull(col(change.Date)), []typeRow{same("'0000-00-00'", date(0, 0, 0)), same("'2020-05-00'", date(2020, 5, 0))}, nil},
	{"TIME", col(change.Time), []typeRow{
		same("'00:00:00'", duration(0)), same("'-838:59:59'", duration(-839*hour+1e6)), same("'838:59:59'", duration(839*hour-1e6)), same("'-00:00:01'", duration(-1e6)), same("NULL", null)}, nil},
	{"TIME(3)", col(change.Time, 3), []typeRow{same("'12:34:56.789'", duration(45296789000)), same("'-12:34:56.789'", duration(-45296789000))}, nil},
	{"TIME(6)", col(change.Time, 6), []typeRow{same("'-00:00:00.000001'", duration(-1)), same("'00:00:00.000001'", duration(1)), same("'-838:59:58.999999'", duration(-839*hour+1e6+1))}, nil},
	{"DATETIME", col(change.DateTime), []typeRow{
		same("'1970-01-01 00:00:00'", datetime(1970, 1, 1)), same("'1969-12-31 23:59:59'", datetime(1969, 12, 31, 23, 59, 59)), same("'1000-01-01 00:00:00'", datetime(1000, 1, 1)),
		same("'9999-12-31 23:59:59'", datetime(9999, 12, 31, 23, 59, 59)), same("'0000-00-00 00:00:00'", datetime(0, 0, 0)), same("'2020-01-00 10:00:00'", datetime(2020, 1, 0, 10)),
		same("NULL", null)}, nil},
	{"DATETIME NOT NULL", notNull(col(change.DateTime)), []typeRow{same("'0000-00-00 00:00:00'", datetime(0, 0, 0))}, nil},
	{"DATETIME(1)", col(change.DateTime, 1), []typeRow{same("'2024-01-02 03:04:05.6'", datetime(2024, 1, 2, 3, 4, 5, 600000))}, nil},
	{"DATETIME(3)", col(change.DateTime, 3), []typeRow{same("'2024-01-02 03:04:05.678'", datetime(2024, 1, 2, 3, 4, 5, 678000)), same("'1969-12-31 23:59:59.999'", datetime(1969, 12, 31, 23, 59, 59, 999000))}, nil},
	{"DATETIME(4)", col(change.DateTime, 4), []typeRow{same("'2024-01-02 03:04:05.6789'", datetime(2024, 1, 2, 3, 4, 5, 678900))}, nil},
	{"DATETIME(6)", col(change.DateTime, 6), []typeRow{
		same("'2024-01-02 03:04:05.678901'", datetime(2024, 1, 2, 3, 4, 5, 678901)), same("'1969-12-31 23:59:59.999999'", datetime(1969, 12, 31, 23, 59, 59, 999999)),
		same("'9999-12-31 23:59:59.999999'", datetime(9999, 12, 31, 23, 59, 59, 999999)), same("'0000-00-00 00:00:00'", datetime(0, 0, 0))}, nil},
	{"TIMESTAMP NULL", col(change.Timestamp), []typeRow{
		same("'1970-01-01 00:00:01'", instant("1970-01-01T00:00:01Z")), same("'2038-01-19 03:14:07'", instant("2038-01-19T03:14:07Z")), same("'2024-05-06 07:00:00'", instant("2024-05-06T07:00:00Z")),
		same("'0000-00-00 00:00:00'", change.Value{Kind: change.Instant}), same("NULL", null)}, nil},
	{"TIMESTAMP NOT NULL", notNull(col(change.Timestamp)), []typeRow{same("'0000-00-00 00:00:00'", change.Value{Kind: change.Instant})}, nil},
	{"TIMESTAMP(1) NULL", col(change.Timestamp, 1), []typeRow{same("'2024-05-06 07:08:09.5'", instant("2024-05-06T07:08:09.5Z"))}, nil},
	{"TIMESTAMP(3) NULL", col(change.Timestamp, 3), []typeRow{same("'2024-05-06 07:08:09.120'", instant("2024-05-06T07:08:09.12Z")), same("'2024-05-06 07:08:00'", instant("2024-05-06T07:08:00Z"))}, nil},
	{"TIMESTAMP(6) NULL", col(change.Timestamp, 6), []typeRow{
		same("'2024-05-06 07:08:09.123456'", instant("2024-05-06T07:08:09.123456Z")), same("'2024-05-06 07:08:09.000001'", instant("2024-05-06T07:08:09.000001Z")),
		same("'2024-05-06 07:08:09.100000'", instant("2024-05-06T07:08:09.1Z")), same("'2038-01-19 03:14:07.999999'", instant("2038-01-19T03:14:07.999999Z"))}, nil},

	{"CHAR(10)", charset(col(change.Char, 10), "utf8mb4"), []typeRow{same("''", str("")), same("'abc'", str("abc")), same("NULL", null)}, nil},
	{"CHAR(4) CHARACTER SET latin1", charset(col(change.Char, 4), "latin1"), []typeRow{same("'é€'", str("é€"))}, nil},
	{"CHAR(4) CHARACTER SET binary", col(change.Binary, 4), []typeRow{differs("x'00FF'", blob("\x00\xff"), `"AP8AAA=="`)}, fields{"jdbcType": "-2", "typeName": `"BINARY"`, "typeExpression": `"BINARY"`, "charsetName": "null"}},
	{"VARCHAR(100)", charset(col(change.VarChar, 100), "utf8mb4"), []typeRow{
		same("'日本語 😀 ñ'", str("日本語 😀 ñ")), same(`'"quoted" \\back\\slash / solidus'`, str(`"quoted" \back\slash / solidus`)),
		same(`CONCAT('tab\tnl\ncr\rbs\bz\Z', CHAR(0,1,12,31,127 USING utf8mb4))`, str("tab\tnl\ncr\rbs\bz\x1a\x00\x01\x0c\x1f\x7f")),
		same(`_utf8mb4 x'E280A8E280A9C285'`, str("\u2028\u2029\u0085")), same("'<&>'", str("<&>"))}, nil},
	{"VARCHAR(20) CHARACTER SET gbk", charset(col(change.VarChar, 20), "gbk"), []typeRow{same("'中文'", str("中文"))}, nil},
	{"VARCHAR(20) CHARACTER SET utf8mb3", charset(col(change.VarChar, 20), "utf8mb3"), []typeRow{same("'ünï'", str("ünï"))}, nil},
	{"VARCHAR(20) CHARACTER SET utf16", charset(col(change.VarChar, 20), "utf16"), []typeRow{same("'ünï😀'", str("ünï😀"))}, nil},
	{"TINYTEXT", charset(col(change.TinyText), "utf8mb4"), []typeRow{same("'tiny'", str("tiny"))}, nil},
	{"TEXT", charset(col(change.Text), "utf8mb4"), []typeRow{same("''", str("")), same("REPEAT('ab', 200)", str(strings.Repeat("ab", 200))), same("NULL", null)}, nil},
	{"MEDIUMTEXT", charset(col(change.MediumText), "utf8mb4"), []typeRow{same("'medium'", str("medium"))}, nil},
	{"LONGTEXT", charset(col(change.LongText), "utf8mb4"), []typeRow{same("'long'", str("long"))}, nil},
	{"BINARY(4)", col(change.Binary, 4), []typeRow{same("x'01'", blob("\x01")), same("x'00000000'", blob("")), same("x'DEADBEEF'", blob("\xde\xad\xbe\xef")), same("NULL", null)}, nil},
	{"VARBINARY(10)", col(change.VarBinary, 10), []typeRow{same("''", blob("")), same("x'00'", blob("\x00")), same("x'FFFEFD'", blob("\xff\xfe\xfd"))}, nil},
	{"TINYBLOB", col(change.TinyBlob), []typeRow{same("x'FF'", blob("\xff"))}, nil},
	{"BLOB", col(change.Blob), []typeRow{same("x'0102'", blob("\x01\x02")), same("NULL", null)}, nil},
	{"MEDIUMBLOB", col(change.MediumBlob), []typeRow{same("'m'", blob("m"))}, nil},
	{"LONGBLOB", col(change.LongBlob), []typeRow{same("'l'", blob("l"))}, nil},

	{"ENUM('a','b c','é')", members(col(change.Enum), "a", "b c", "é"), []typeRow{same("'a'", enum(1, "a")), same("'é'", enum(3, "é")), same("'nope'", enum(0, "")), same("NULL", null)}, nil},
	{"SET('x','y','z')", members(col(change.Set), "x", "y", "z"), []typeRow{same("''", set(0, "")), same("'x'", set(1, "x")), same("'z,x'", set(5, "x,z")), same("NULL", null)}, nil},
	{"JSON", col(change.JSON), []typeRow{
		document(`{"a": [1, 2.5, true, null, "x\\"y"]}`), document(`"s"`), document(`null`), document(`{}`),
		document(`{"b": 1, "aa": 18446744073709551615}`), same("NULL", null)}, nil},

	{"GEOMETRY", col(change.Geometry), []typeRow{same("ST_GeomFromText('POINT(1 -2)')", wkb(0, point)), same("ST_GeomFromText('LINESTRING(0 0,3 -1)')", wkb(0, line)), same("NULL", null)}, nil},
	{"POINT", col(change.Point), []typeRow{same("ST_GeomFromText('POINT(1 -2)')", wkb(0, point)), same("ST_GeomFromText('POINT(1 -2)', 3857)", wkb(3857, point)), same("NULL", null)}, nil},
	{"LINESTRING", col(change.LineString), []typeRow{same("ST_GeomFromText('LINESTRING(0 0,3 -1)')", wkb(0, line))}, nil},
	{"POLYGON", col(change.Polygon), []typeRow{same("ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))', 3857)", wkb(3857, triple))}, nil},
	{"MULTIPOINT", col(change.MultiPoint), []typeRow{same("ST_GeomFromText('MULTIPOINT(1 -2)')", wkb(0, "010400000001000000"+point))}, nil},
	{"MULTILINESTRING", col(change.MultiLineString), []typeRow{same("ST_GeomFromText('MULTILINESTRING((0 0,3 -1))')", wkb(0, "010500000001000000"+line))}, nil},
	{"MULTIPOLYGON", col(change.MultiPolygon), []typeRow{same("ST_GeomFromText('MULTIPOLYGON(((0 0,1 0,1 1,0 0)))')", wkb(0, "010600000001000000"+triple))}, nil},
	{"GEOMETRYCOLLECTION", col(change.GeometryCollection), []typeRow{
		same("ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 -2))')", wkb(0, "010700000001000000"+point)), same("ST_GeomFromText('GEOMETRYCOLLECTION EMPTY')", wkb(0, "010700000000000000"))}, nil},

	{"INT GENERATED ALWAYS AS (id*2) VIRTUAL", with(col(change.Int), func(c *change.Column) { c.Generated = true }), []typeRow{same("DEFAULT", i64(2))}, fields{"generated": "true"}},
	{"VARCHAR(5) NOT NULL DEFAULT 'it''s' COMMENT 'what \"it\" is'", with(charset(notNull(col(change.VarChar, 5)), "utf8mb4"), func(c *change.Column) {
		d := "it's"
		c.Default, c.Comment = &d, `what "it" is`
	}), []typeRow{same("DEFAULT", str("it's"))}, fields{"defaultValueExpression": `"it's"`}},
	{"TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)", notNull(col(change.Timestamp, 3)), []typeRow{same("'2024-05-06 07:08:09.120'", instant("2024-05-06T07:08:09.12Z"))}, fields{"defaultValueExpression": "null"}},
	{"DECIMAL(6,2) NOT NULL DEFAULT 1.5", withDefault(notNull(col(change.Decimal, 6, 2)), "1.50"), []typeRow{same("DEFAULT", dec("1.50"))}, fields{"defaultValueExpression": `"1.50"`}},
}
