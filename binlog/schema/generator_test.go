//go:build servers

package schema

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// generator makes random DDL for one database: mostly right, sometimes not.
type generator struct {
	*rand.Rand
	server Server
	mode   uint64
	tables []*table
}

func (g *generator) pick(list ...string) string { return list[g.IntN(len(list))] }

func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

// maybe returns s with that chance, else "".
func (g *generator) maybe(percent int, s string) string {
	if g.chance(percent) {
		return s
	}
	return ""
}

func (g *generator) statement() string {
	if len(g.tables) < 3 {
		return g.create()
	}
	switch g.IntN(20) {
	case 0, 1, 2:
		return g.create()
	case 3:
		return "DROP TABLE " + g.maybe(30, "IF EXISTS ") + g.table()
	case 4:
		return "RENAME TABLE " + g.table() + " TO " + g.newTable()
	case 5:
		a, b, c := g.table(), g.table(), g.newTable()
		return fmt.Sprintf("RENAME TABLE %s TO %s, %s TO %s, %s TO %s", a, c, b, a, c, b)
	case 6:
		return "CREATE TABLE " + g.maybe(30, "IF NOT EXISTS ") + g.newTable() + " LIKE " + g.table()
	case 7:
		t := g.tables[g.IntN(len(g.tables))]
		return fmt.Sprintf("CREATE %sINDEX %s ON %s %s", g.maybe(70, "UNIQUE "), g.name("k"), quoteName(t.Def.Name), g.keyColumns(names(t)))
	case 8:
		return "ALTER DATABASE CHARACTER SET " + g.charset()
	case 9:
		return "TRUNCATE " + g.maybe(50, "TABLE ") + g.table()
	case 10:
		if g.mode&modeNoBackslashEscapes != 0 {
			return g.alter() // the server logs a comment with escapes that it would not read so
		}
		return "CREATE TABLE " + g.newTable() + " AS SELECT * FROM " + g.table()
	}
	return g.alter()
}

func names(t *table) []string {
	var list []string
	for _, c := range t.Def.Columns {
		list = append(list, c.Name)
	}
	return list
}

func (g *generator) table() string {
	return g.maybe(10, "/* a comment */ ") + quoteName(g.tables[g.IntN(len(g.tables))].Def.Name)
}

func (g *generator) newTable() string { return g.name("t") }

func (g *generator) name(prefix string) string { return fmt.Sprintf("%s%d", prefix, g.IntN(12)) }

func (g *generator) charset() string {
	return g.pick("latin1", "utf8", "utf8mb4", "gbk", "ascii", "binary", "cp1251", "sjis")
}

// charsetClause says a charset or a collation.
func (g *generator) charsetClause() string {
	return g.pick("CHARACTER SET "+g.charset(), "CHARSET "+g.charset(), "COLLATE "+g.pick("utf8_bin", "latin1_bin", "utf8mb4_unicode_ci", "gbk_bin", "binary"))
}

func (g *generator) create() string {
	var list, columns []string
	for i := range 1 + g.IntN(6) {
		name := fmt.Sprintf("c%d", i)
		columns = append(columns, name)
		list = append(list, g.pick(name, quoteName(name))+" "+g.column())
	}
	for range g.IntN(3) {
		list = append(list, g.key(columns))
	}
	sql := "CREATE TABLE " + g.maybe(20, "IF NOT EXISTS ") + g.newTable() + " (\n  " + strings.Join(list, ",\n  ") + "\n)"
	return sql + g.options()
}

func (g *generator) options() string {
	return g.maybe(60, " ENGINE"+g.pick("=", " ", " = ")+g.engine()) + g.maybe(30, " DEFAULT "+g.charsetClause()) +
		g.maybe(20, " COMMENT="+g.text()) + g.maybe(10, " /*!50100 ROW_FORMAT = DYNAMIC */")
}

// engine returns an engine, in one of the forms in which it may be written.
func (g *generator) engine() string {
	return g.pick("InnoDB", "InnoDB", "INNODB", "`InnoDB`", "'innodb'", "MyISAM", "myisam", "MEMORY", "heap", "Nonsense")
}

func (g *generator) key(columns []string) string {
	switch g.IntN(6) {
	case 0, 1:
		return "PRIMARY KEY " + g.keyColumns(columns)
	case 2, 3:
		return g.maybe(30, "CONSTRAINT "+g.name("u")+" ") + "UNIQUE " + g.pick("", "KEY ", "INDEX ") + g.maybe(50, g.name("k")+" ") + g.keyColumns(columns)
	}
	return g.pick("KEY ", "INDEX ") + g.maybe(50, g.name("k")+" ") + g.keyColumns(columns) + g.maybe(10, " COMMENT 'x'")
}

func (g *generator) keyColumns(columns []string) string {
	var parts []string
	for _, i := range g.Perm(len(columns))[:1+g.IntN(min(3, len(columns)))] {
		parts = append(parts, quoteName(columns[i])+g.maybe(25, fmt.Sprintf("(%d)", 1+g.IntN(12)))+g.maybe(10, " DESC"))
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

func (g *generator) alter() string {
	t := g.tables[g.IntN(len(g.tables))]
	var actions []string
	for range 1 + g.IntN(3)*g.IntN(2) {
		action := g.action(t)
		if strings.HasPrefix(action, "ALTER ") {
			return "ALTER TABLE " + quoteName(t.Def.Name) + " " + action // the order of two defaults of one column differs by server
		}
		actions = append(actions, action)
	}
	return "ALTER " + g.maybe(5, g.ignore()) + "TABLE " + quoteName(t.Def.Name) + " " + strings.Join(actions, ", ")
}

// ignore returns IGNORE where servers know it.
func (g *generator) ignore() string {
	if g.server.mysqlFrom(50700) {
		return ""
	}
	return "IGNORE "
}

func (g *generator) action(t *table) string {
	column := quoteName(t.Def.Columns[g.IntN(len(t.Def.Columns))].Name)
	place := g.maybe(20, " FIRST")
	if place == "" {
		place = g.maybe(25, " AFTER "+column)
	}
	changed := t.Def.Columns[g.IntN(len(t.Def.Columns))]
	if changed.Type.IsGeometry() && g.server.mariaDB() {
		return "FORCE" // the order of unique keys over what was a geometry is MariaDB's secret
	}
	other := quoteName(changed.Name)
	switch g.IntN(20) {
	case 0, 1, 2, 3:
		return "ADD " + g.maybe(50, "COLUMN ") + g.name("n") + " " + g.column() + place
	case 4:
		return "ADD COLUMN (" + g.name("n") + " " + g.column() + ", " + g.name("m") + " " + g.column() + ")"
	case 5, 6:
		return "DROP " + g.maybe(50, "COLUMN ") + column
	case 7, 8:
		return "MODIFY " + g.maybe(50, "COLUMN ") + other + " " + g.column() + place
	case 9, 10:
		return "CHANGE " + g.maybe(50, "COLUMN ") + other + " " + g.name("r") + " " + g.column() + place
	case 11:
		if g.chance(40) && (g.server.mariaDB() || g.server.mysqlFrom(50700)) { // see impliedDefault
			return "ALTER " + g.maybe(50, "COLUMN ") + column + " DROP DEFAULT"
		}
		return "ALTER " + g.maybe(50, "COLUMN ") + column + " SET DEFAULT " + g.pick("'1'", "7", "'a'", "NULL")
	case 12:
		return g.pick("CONVERT TO CHARACTER SET "+g.pick("latin1", "utf8", "utf8mb4", "gbk", "binary"), "DEFAULT "+g.charsetClause(), "COMMENT "+g.text())
	case 13, 14:
		return "ADD " + g.key(names(t))
	case 15:
		return "DROP PRIMARY KEY"
	case 16:
		if len(t.Keys) > 0 {
			k := quoteName(t.Keys[g.IntN(len(t.Keys))].Name)
			if (g.server.mysqlFrom(50700) || g.server.mariaFrom(100502)) && g.chance(50) {
				return "RENAME " + g.pick("KEY ", "INDEX ") + k + " TO " + g.name("k")
			}
			return "DROP " + g.pick("KEY ", "INDEX ") + k
		}
		return "ENGINE " + g.engine()
	case 17:
		if g.server.mysqlFrom(80000) || g.server.mariaFrom(100502) {
			return "RENAME COLUMN " + column + " TO " + g.name("r")
		}
		return "ORDER BY " + column
	case 18:
		return "RENAME " + g.pick("", "TO ", "AS ") + g.newTable()
	}
	return g.pick("ENGINE="+g.engine(), "ENGINE=InnoDB", "ROW_FORMAT=COMPACT", "AUTO_INCREMENT=100", "FORCE", "DISABLE KEYS")
}

// column returns a data type and attributes.
func (g *generator) column() string {
	typ, value := g.dataType()
	if g.chance(6) && (g.server.mysqlFrom(50700) || g.server.mariaFrom(100200)) {
		return typ + g.maybe(50, " GENERATED ALWAYS") + " AS (NULL) " + g.pick("VIRTUAL", "", "STORED")
	}
	var list []string
	if value != "" && g.chance(40) {
		list = append(list, "DEFAULT "+value)
	} else if g.chance(5) {
		list = append(list, "DEFAULT NULL")
	}
	list = append(list, g.maybe(40, g.pick("NULL", "NOT NULL")), g.maybe(4, "AUTO_INCREMENT"),
		g.maybe(5, g.pick("UNIQUE", "PRIMARY KEY", "UNIQUE KEY", "KEY")), g.maybe(15, "COMMENT "+g.text()))
	g.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return strings.Join(strings.Fields(typ+" "+strings.Join(list, " ")), " ")
}

// text returns a string literal.
func (g *generator) text() string {
	body := g.pick("", "plain", "it''s", "a\"b", "ünïcödé", "x,y)", "/* no */", "漢字")
	if g.mode&modeNoBackslashEscapes == 0 {
		body += g.pick("", `\'`, `\\`, `\n`, `\"`)
	} else {
		body += g.pick("", `\`)
	}
	if g.mode&modeANSIQuotes == 0 && !strings.ContainsAny(body, `"'`) && g.chance(20) {
		return `"` + body + `"`
	}
	return "'" + body + "'"
}

func (g *generator) labels() string {
	all := []string{"'a'", "'B'", "'it''s'", "'x y'", "'t  '", "'1'"}
	g.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return "(" + strings.Join(all[:1+g.IntN(5)], ",") + ")"
}

// dataType returns a data type and a literal default for it, "" for none.
func (g *generator) dataType() (typ, value string) {
	switch g.IntN(14) {
	case 0, 1, 2:
		word := g.pick("TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT", "INTEGER", "INT1", "INT2", "INT3", "INT4", "INT8", "MIDDLEINT", "BOOL", "BOOLEAN")
		if strings.HasPrefix(word, "BOOL") {
			return word, g.pick("TRUE", "FALSE", "1")
		}
		return word + g.maybe(30, fmt.Sprintf("(%d)", 1+g.IntN(12))) + g.maybe(30, " UNSIGNED") + g.maybe(8, " ZEROFILL"),
			g.pick("0", "7", "'12'", "-3", "1.5", "TRUE", "0x21", "b'11'")
	case 3:
		return g.pick("DECIMAL", "NUMERIC", "DEC", "FIXED") + g.pick("", "(8)", "(10,3)", "(5,0)") + g.maybe(20, " UNSIGNED") + g.maybe(8, " ZEROFILL"),
			g.pick("0", "1.5", "'2.25'", "-1", "1e2")
	case 4:
		return g.pick("FLOAT", "DOUBLE", "REAL", "FLOAT4", "FLOAT8", "DOUBLE PRECISION", "FLOAT(10)", "FLOAT(30)", "FLOAT(7,3)", "DOUBLE(9,2)") + g.maybe(20, " UNSIGNED"),
			g.pick("0", "1.5", "'2.25'", "1e3", "3.14159265")
	case 5, 6:
		return g.character(), g.pick("''", "'abc'", "'x'", "12", "1.50")
	case 7:
		return g.pick("TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT", "TEXT(10)", "TEXT(100)", "TEXT(20000)", "TEXT(70000)", "LONG", "LONG VARCHAR") + g.maybe(20, " "+g.charsetClause()), ""
	case 8:
		return g.pick("BINARY(4)", "BINARY", "VARBINARY(20)", "VARBINARY(255)"), g.pick("'a'", "''", "0x41")
	case 9:
		return g.pick("TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB", "BLOB(100)", "BLOB(70000)", "LONG VARBINARY"), ""
	case 10:
		word := g.pick("ENUM", "SET") + g.labels()
		return word + g.maybe(20, " "+g.charsetClause()), g.pick("'a'", "'b'", "'ü'")
	case 11:
		return g.temporal()
	case 12:
		return g.pick("BIT", "BIT(5)", "BIT(64)", "YEAR", "YEAR(4)"), g.pick("1", "b'1'", "'1'", "0")
	}
	return g.special()
}

func (g *generator) character() string {
	typ := g.pick("CHAR", "CHAR(5)", "VARCHAR(10)", "VARCHAR(255)", "CHARACTER VARYING(20)", "NCHAR(5)", "NATIONAL VARCHAR(10)", "NVARCHAR(10)",
		"VARCHAR(20000)", "VARCHAR(70000)", "CHAR(3) BYTE", "CHAR(3) ASCII", "VARCHAR(9) UNICODE", "CHAR(9) BINARY", "VARCHAR(8) BINARY "+g.charsetClause())
	if strings.HasPrefix(typ, "N") || strings.Contains(typ, " ") {
		return typ
	}
	return typ + g.maybe(30, " "+g.charsetClause())
}

func (g *generator) temporal() (typ, value string) {
	fraction := ""
	if g.server.mysqlFrom(50604) || g.server.mariaDB() {
		fraction = g.pick("", "", "(0)", "(3)", "(6)")
	}
	switch g.IntN(4) {
	case 0:
		return "DATE", g.pick("'2020-01-31'", "'20200131'", "'1999-12-31'")
	case 1:
		return "TIME" + fraction, g.pick("'10:11:12'", "'10:11'", "'-01:02:03'", "101112", "'10:11:12.5'")
	case 2:
		return "DATETIME" + fraction, g.pick("'2020-01-31 10:11:12'", "'2020-01-31'", "20200131101112", "CURRENT_TIMESTAMP"+fraction, "NOW"+parens(fraction)+" ON UPDATE CURRENT_TIMESTAMP"+fraction)
	}
	return "TIMESTAMP" + fraction, g.pick("'2020-01-31 10:11:12'", "CURRENT_TIMESTAMP"+fraction, "CURRENT_TIMESTAMP"+fraction+" ON UPDATE CURRENT_TIMESTAMP"+fraction)
}

func parens(s string) string {
	if s == "" {
		return "()"
	}
	return s
}

// special returns types that not every server has.
func (g *generator) special() (typ, value string) {
	list := []string{"GEOMETRY", "POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION", "SERIAL"}
	if g.server.mysqlFrom(50708) || g.server.mariaFrom(100207) {
		list = append(list, "JSON")
	}
	if g.server.mysqlFrom(80000) {
		list = append(list, "GEOMCOLLECTION", "POINT SRID 4326", "VARCHAR(5) INVISIBLE", "INT INVISIBLE")
	}
	if g.server.mysqlFrom(90000) {
		list = append(list, "VECTOR", "VECTOR(3)")
	}
	if g.server.mariaFrom(100303) {
		list = append(list, "VARCHAR(100) COMPRESSED NULL", "TEXT COMPRESSED", "INT INVISIBLE", "INT CHECK (1 > 0)", "TEXT DEFAULT 'x,y'",
			"BLOB DEFAULT 'z'", "INT DEFAULT (1 + 2)", "VARCHAR(36) DEFAULT uuid()", "DOUBLE DEFAULT rand() COMMENT 'r'")
	}
	if g.server.mariaFrom(100500) {
		list = append(list, "INET6", "INET6 DEFAULT '::1'")
	}
	if g.server.mariaFrom(101000) {
		list = append(list, "INET4", "UUID", "UUID DEFAULT uuid()")
	}
	if g.server.mysqlFrom(80013) {
		list = append(list, "INT DEFAULT (1 + 2)", "TEXT DEFAULT ('x')", "VARCHAR(36) DEFAULT (uuid()) COMMENT 'r'", "JSON DEFAULT (JSON_ARRAY())")
	}
	return g.pick(list...), ""
}
