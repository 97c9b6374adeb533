//go:build servers

package ddl

import (
	"fmt"
	"strings"
)

// columnNames are those that columns get.
var columnNames = []string{"a", "b", "c", "d", "e", "f", "G", "Id", "key", "order", "we`ird", `qu"ote`, "with space", "Ü", "表", "Ж", "αβ", "it's", "x.y", "$1", "1a", "check", "period", "System", "é", "ソ能", "NULL", "#c", "-- c", `back\slash`}

func (s *session) columnName() string { return s.quoteName(s.rng.pick(columnNames...)) }

// column returns a type and attributes.
func (s *session) column() string {
	r := s.rng
	typ, value := s.dataType()
	if r.chance(8) && (s.mysqlFrom(50700) || s.maria) {
		return s.generated(typ)
	}
	fallback := ""
	switch {
	case value != "" && r.chance(35):
		fallback = "DEFAULT " + value
	case r.chance(6):
		fallback = "DEFAULT NULL"
	case r.chance(4) && (s.mysqlFrom(80013) || s.maria):
		fallback = "DEFAULT " + s.expression()
	}
	if typ == "SERIAL" { // of one that is nullable the server logs nothing that another would read so
		return typ
	}
	return typ + " " + r.shuffled(fallback, r.maybe(40, r.pick("NULL", "NOT NULL")), r.maybe(1, "AUTO_INCREMENT"), r.maybe(3, s.onUpdate(typ)),
		r.maybe(6, r.pick("UNIQUE", "PRIMARY KEY", "UNIQUE KEY", "KEY")), r.maybe(12, "COMMENT "+s.literal(s.words(12))), r.maybe(8, s.attribute()))
}

func (s *session) onUpdate(typ string) string {
	if !strings.HasPrefix(typ, "TIMESTAMP") && !strings.HasPrefix(typ, "DATETIME") {
		return ""
	}
	_, fraction, _ := strings.Cut(typ, "(")
	return "ON UPDATE CURRENT_TIMESTAMP" + strings.TrimRight("("+fraction, "(")
}

// generated returns a generated column of a type.
func (s *session) generated(typ string) string {
	r := s.rng
	if typ == "SERIAL" { // of which 5.7 does not show that it is AUTO_INCREMENT
		typ = "BIGINT"
	}
	stored := r.pick("VIRTUAL", "", "STORED")
	if s.maria {
		stored = r.pick(stored, "PERSISTENT")
	}
	out := typ + r.maybe(50, " GENERATED ALWAYS") + " AS (" + r.pick("NULL", "1 + 1", "CONCAT('a,', ')')", "(7)", "'x'") + ") " + stored
	if s.maria {
		return out + " " + r.shuffled(r.maybe(10, "UNIQUE"), r.maybe(15, "COMMENT "+s.literal(s.words(9))), r.maybe(8, "INVISIBLE"))
	}
	return out + " " + r.shuffled(r.maybe(20, r.pick("NULL", "NOT NULL")), r.maybe(10, "UNIQUE"), r.maybe(15, "COMMENT "+s.literal(s.words(9))))
}

// expression is one that may be a default.
func (s *session) expression() string {
	return s.rng.pick("(1 + 2)", "(CONCAT('a', ',)'))", "(NULL)", "(-(3))", "('x')", "(UPPER('y'))", "(LENGTH('abc') * 2)", "(CURRENT_TIMESTAMP)", "(0x41)", "(1)", "('it''s')")
}

// attribute is one that not every server has.
func (s *session) attribute() string {
	r := s.rng
	check := "CHECK (" + r.pick("1 > 0", "(1) IN (1, 2)", "'a,b' <> ')'", "LENGTH('x') > 0") + ")"
	list := []string{"COLUMN_FORMAT DYNAMIC", "STORAGE DEFAULT", s.versioned("NOT NULL"), s.versioned("NULL")}
	if s.mysqlFrom(80016) {
		list = append(list, r.maybe(40, "CONSTRAINT "+s.columnName()+" ")+check+r.maybe(30, r.pick(" NOT ENFORCED", " ENFORCED")))
	}
	if s.mysqlFrom(80021) {
		list = append(list, "ENGINE_ATTRIBUTE '{}'", "SECONDARY_ENGINE_ATTRIBUTE = '{\"a\": 1}'")
	}
	if s.mysqlFrom(80023) {
		list = append(list, "INVISIBLE", "VISIBLE", "/*!80023 INVISIBLE */")
	}
	if s.maria {
		list = append(list, check, "INVISIBLE", "INVISIBLE DEFAULT 1", "WITHOUT SYSTEM VERSIONING", "WITH SYSTEM VERSIONING", "/*M! INVISIBLE */", "REF_SYSTEM_ID=4326")
	}
	return r.pick(list...)
}

func (s *session) collationOf(set string) string {
	if set == "binary" {
		return set
	}
	return set + "_bin"
}

var sets = []string{"latin1", "utf8", "utf8mb3", "utf8mb4", "gbk", "ascii", "binary", "cp1251", "sjis", "ucs2", "utf16", "utf32", "big5", "ujis", "latin2", "koi8r", "cp932", "euckr", "latin7", "cp850", "gb2312",
	"eucjpms", "tis620", "greek", "hebrew", "armscii8", "geostd8", "keybcs2", "dec8", "hp8", "swe7", "macce", "macroman", "utf16le", "gb18030", "filename"}

func (s *session) charsetOf() string {
	if s.rng.chance(70) {
		return sets[s.rng.IntN(9)]
	}
	return s.rng.pick(sets...)
}

// charsetOfTable is one that labels can have: in binary they are bytes as the client wrote them.
func (s *session) charsetOfTable() string {
	for {
		if set := s.charsetOf(); set != "binary" {
			return set
		}
	}
}

// charsetClause says a charset or a collation, of a table or database.
func (s *session) charsetClause() string {
	set := s.charsetOfTable()
	return s.rng.pick("CHARACTER SET "+set, "CHARSET "+set, "CHARACTER SET = '"+set+"'", "COLLATE "+s.collationOf(set), "CHARACTER SET "+set+" COLLATE "+s.collationOf(set), "CHARSET="+set+" COLLATE="+s.collationOf(set))
}

// ofType is a type's character set.
func (s *session) ofType() string {
	set := s.charsetOf()
	list := []string{"CHARACTER SET " + set, "CHARSET " + set, "COLLATE " + s.collationOf(set), "CHARACTER SET " + set + " COLLATE " + s.collationOf(set), "CHARSET '" + set + "'"}
	if s.rng.chance(25) {
		list = []string{"BINARY", "ASCII", "UNICODE", "BYTE", "BINARY ASCII", "ASCII BINARY", "CHARACTER SET " + set + " BINARY", "BINARY CHARSET " + set, "CHAR SET " + set}
	}
	return s.rng.pick(list...)
}

func (s *session) labels() string {
	r := s.rng
	list := []string{"'a'", "'B'", "'it''s'", "'x y'", "'t  '", "'1'", "''", "0x51", "X'4242'", "b'1000011'", s.literal(strings.ReplaceAll(s.words(6), ",", "")), s.literal("z" + strings.ReplaceAll(s.words(4), ",", "")), s.literal(string([]rune(s.charset.Letters)[0]))}
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return "(" + strings.Join(list[:1+r.IntN(6)], r.pick(",", ", ", " , ")) + ")"
}

// dataType returns a data type and a default for it, "" for none.
func (s *session) dataType() (typ, value string) {
	r := s.rng
	switch r.IntN(15) {
	case 0, 1, 2:
		return s.integer()
	case 3:
		return s.versionedType(r.pick("DECIMAL", "NUMERIC", "DEC", "FIXED") + r.pick("", "(8)", "(10,3)", "(5,0)", "(65,30)", "(38,38)", "( 9 , 2 )", "(0)") + r.maybe(20, " UNSIGNED") + r.maybe(8, " ZEROFILL") + r.maybe(4, " SIGNED")),
			r.pick("0", "1.5", "'2.25'", "-1", "1e2", "+1", "0x1")
	case 4:
		return r.pick("FLOAT", "DOUBLE", "REAL", "FLOAT4", "FLOAT8", "DOUBLE PRECISION", "FLOAT(10)", "FLOAT(30)", "FLOAT(7,3)", "DOUBLE(9,2)", "REAL(8,3)", "FLOAT(0)") + r.maybe(20, " UNSIGNED") + r.maybe(5, " ZEROFILL"),
			r.pick("0", "1.5", "'2.25'", "1e3", "3.14159265", "-1E-2")
	case 5, 6, 7:
		return s.character(), s.text()
	case 8:
		return r.pick("TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT", "TEXT(10)", "TEXT(100)", "TEXT(20000)", "TEXT(70000)", "LONG", "LONG VARCHAR", "LONG CHAR VARYING", "LONG CHARACTER VARYING", "TEXT(0)") + r.maybe(35, " "+s.ofType()), s.large()
	case 9:
		return r.pick("BINARY(4)", "BINARY", "VARBINARY(20)", "VARBINARY(255)", "BINARY(0)", "VARBINARY(300)", "VARBINARY(70000)", "CHAR(4) BYTE"), r.pick("'a'", "''", "0x41", "x'4142'")
	case 10:
		return r.pick("TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB", "BLOB(100)", "BLOB(70000)", "LONG VARBINARY", "BLOB(0)"), s.large()
	case 11:
		if r.chance(10) {
			return r.pick("ENUM", "SET") + "(0x9353, X'82A0', 'b') CHARACTER SET " + r.pick("sjis", "cp932"), "'b'"
		}
		of := s.ofType()
		if strings.Contains(of, "binary") || of == "BYTE" {
			of = ""
		}
		return r.pick("ENUM", "SET", "ENUM ") + s.labels() + r.maybe(35, " "+of), r.pick("'a'", "'b'", "'B'", s.literal(string([]rune(s.charset.Letters)[0])))
	case 12:
		return s.temporal()
	case 13:
		return r.pick("BIT", "BIT(5)", "BIT(64)", "YEAR", "YEAR(4)", "YEAR(2)"), r.pick("1", "b'1'", "'1'", "0", "B'101'", "1999")
	}
	return s.special()
}

// versionedType now and then adds attributes in a comment.
func (s *session) versionedType(typ string) string {
	return typ + s.rng.maybe(6, " "+s.versioned("UNSIGNED"))
}

func (s *session) integer() (typ, value string) {
	r := s.rng
	word := r.pick("TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT", "INTEGER", "INT1", "INT2", "INT3", "INT4", "INT8", "MIDDLEINT", "BOOL", "BOOLEAN", "SERIAL")
	switch word {
	case "BOOL", "BOOLEAN":
		return word, r.pick("TRUE", "FALSE", "1")
	case "SERIAL":
		return word, ""
	}
	return s.versionedType(word + r.maybe(30, fmt.Sprintf("(%d)", r.IntN(13))) + r.maybe(30, " UNSIGNED") + r.maybe(8, " ZEROFILL") + r.maybe(5, " SIGNED")),
		r.pick("0", "7", "'12'", "-3", "1.5", "TRUE", "0x21", "b'11'", "+4", "'-1'")
}

// text is a default of a character type.
func (s *session) text() string {
	list := []string{"''", "'abc'", "'x'", "12", "1.50", "0x4142", "x'41'", "b'1000001'", "TRUE", "-1", s.literal(s.words(4)), s.literal(s.words(4)), "'a' 'b'"}
	if s.rng.chance(20) {
		list = []string{"N'x'", "n'y'", "_latin1'z'", "_utf8'u'", "_binary'b'", "_latin1 X'E9'", "_utf8mb4 0xC3A9"}
	}
	return s.rng.pick(list...)
}

// large is a default of a TEXT or BLOB, "" where these cannot have one.
func (s *session) large() string {
	switch {
	case s.maria:
		return s.rng.pick("'x,y'", "''", s.literal(s.words(4)), "('z')")
	case s.mysqlFrom(80013):
		return s.rng.pick("('x')", "(CONCAT('a', 'b'))")
	}
	return ""
}

func (s *session) character() string {
	r := s.rng
	typ := r.pick("CHAR", "CHAR(5)", "VARCHAR(10)", "VARCHAR(255)", "CHARACTER VARYING(20)", "NCHAR(5)", "NATIONAL VARCHAR(10)", "NVARCHAR(10)", "NATIONAL CHAR(3)", "NCHAR VARYING(4)", "NATIONAL CHARACTER VARYING(4)",
		"NATIONAL CHAR VARYING(3)", "NCHAR VARCHAR(3)", "CHARACTER(4)", "CHAR VARYING(7)", "VARCHARACTER(6)", "VARCHAR(20000)", "VARCHAR(70000)", "CHAR(0)", "VARCHAR(0)", "CHAR(255)", "VARCHAR ( 9 )", "VARCHAR(1500)")
	if strings.HasPrefix(typ, "N") {
		return typ + r.maybe(10, " BINARY")
	}
	return typ + r.maybe(40, " "+s.ofType())
}

func (s *session) temporal() (typ, value string) {
	r := s.rng
	fraction := ""
	if s.mysqlFrom(50604) || s.maria {
		fraction = r.pick("", "", "(0)", "(1)", "(3)", "(6)")
	}
	now := "CURRENT_TIMESTAMP" + fraction
	switch r.IntN(4) {
	case 0:
		return "DATE", r.pick("'2020-01-31'", "'20200131'", "'1999-12-31'", "20200131", "DATE '2001-02-03'", "'2001/2/3'")
	case 1:
		return "TIME" + fraction, r.pick("'10:11:12'", "'10:11'", "'-01:02:03'", "101112", "'10:11:12.5'", "TIME '01:02:03'", "'2 3:4:5'")
	case 2:
		return "DATETIME" + fraction, r.pick("'2020-01-31 10:11:12'", "'2020-01-31'", "20200131101112", now, "NOW"+cmpParens(fraction), "LOCALTIME"+fraction, "TIMESTAMP '2001-02-03 04:05:06'", now+" ON UPDATE "+now, "'2020-01-31T10:11:12.25'")
	}
	return "TIMESTAMP" + fraction, r.pick("'2020-01-31 10:11:12'", now, "LOCALTIMESTAMP"+fraction, now+" ON UPDATE "+now, "'2020-01-31 10:11:12.5'")
}

func cmpParens(s string) string {
	if s == "" {
		return "()"
	}
	return s
}

// special returns types that not every server or mode has.
func (s *session) special() (typ, value string) {
	list := []string{"GEOMETRY", "POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION"}
	if s.mysqlFrom(50708) || s.maria {
		list = append(list, "JSON", "JSON", "JSON")
	}
	if s.mysqlFrom(80000) {
		list = append(list, "GEOMCOLLECTION", "POINT SRID 4326", "GEOMETRY NOT NULL SRID 0", "JSON DEFAULT (JSON_ARRAY())")
	}
	if s.mysqlFrom(90000) {
		list = append(list, "VECTOR", "VECTOR(3)")
	}
	if s.maria {
		list = append(list, "VARCHAR(100) COMPRESSED", "TEXT COMPRESSED", "BLOB COMPRESSED=zlib", "VARBINARY(50) COMPRESSED", "mariadb_schema.DATE", "mariadb_schema.INT(3)", "oracle_schema.DATE", "maxdb_schema.TIMESTAMP",
			"VARCHAR2(10)", "NUMBER", "NUMBER(5)", "NUMBER(8,2)", "RAW(5)", "CLOB", "BLOB", "DATE", "INET6", "VARCHAR2(9 CHAR)", "VARCHAR2(9 BYTE)", "DECIMAL(40,38)")
	}
	if s.mariadbFrom(101000) {
		list = append(list, "INET4", "UUID", "INET4", "UUID")
	}
	if s.mariadbFrom(110700) {
		list = append(list, "VECTOR(3)", "VECTOR(3) NOT NULL")
	}
	return s.rng.pick(list...), ""
}
