//go:build servers

package converge

import (
	"fmt"
	"slices"
	"strings"

	"daybook/e2e/servers"
)

// databases are those that tables are in, both tracked.
var databases = []string{"cv", "cv Two"}

// tableNames are those that tables get; a session whose character set lacks a letter
// of one cannot speak of it.
var tableNames = []string{"t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8", "select", "Mixed_Case", "we`ird", `qu"ote`, "with space", "a.b", "1num", "$d", "Ünï", "表", "ソ能", "Жщ", "αβ", "한글", "it's", "-- x", "#h", "x;y", "é"}

var columnNames = []string{"a", "b", "c", "d", "e", "f", "g", "h", "Id", "key", "order", "we`ird", `qu"ote`, "with space", "Ü", "表", "Ж", "α", "NULL", "it's", "x.y"}

// table returns a table of the source as it is now, nil if there is none.
func (s *session) table() *named {
	list := s.listed()
	if len(list) == 0 {
		return nil
	}
	t := list[s.rng.IntN(len(list))]
	columns, err := columnsOf(s.look, t.db, t.name)
	if err != nil || len(columns) == 0 {
		return nil
	}
	t.columns = columns
	return &t
}

func (s *session) listed() []named {
	r, err := s.look.Execute("SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA IN ('cv', 'cv Two') AND TABLE_TYPE = 'BASE TABLE' ORDER BY 1, 2")
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Close()
	var list []named
	for _, v := range r.Values {
		list = append(list, named{db: string(v[0].AsString()), name: string(v[1].AsString())})
	}
	return list
}

// newName returns a name for a table, with or without its database.
func (s *session) newName() string {
	name := servers.QuoteName(s.rng.Pick(tableNames...))
	if s.rng.chance(60) {
		return name
	}
	return servers.QuoteName(s.rng.Pick(databases...)) + "." + name
}

func (s *session) columnName() string { return servers.QuoteName(s.rng.Pick(columnNames...)) }

// define runs a DDL.
func (s *session) define() {
	r := s.rng
	t := s.table()
	n := len(s.listed())
	if t == nil || n < 6 {
		_ = s.exec(s.create())
		return
	}
	switch r.IntN(26) {
	case 0, 1, 2:
		if n < 30 {
			_ = s.exec(s.create())
		}
	case 3:
		_ = s.exec("DROP TABLE " + r.maybe(30, "IF EXISTS ") + t.String() + r.maybe(10, ", "+s.newName()))
	case 4:
		_ = s.exec("RENAME TABLE " + r.maybe(15, "nosuch TO "+s.newName()+", ") + t.String() + " TO " + s.newName())
	case 5:
		if u := s.table(); u != nil {
			_ = s.exec(fmt.Sprintf("RENAME TABLE %s TO %s.tmp, %s TO %s, %s.tmp TO %s", t, servers.QuoteName(t.db), u, t, servers.QuoteName(t.db), u))
		}
	case 6:
		_ = s.exec("CREATE TABLE " + r.maybe(30, "IF NOT EXISTS ") + s.newName() + " LIKE " + t.String())
	case 7:
		if !s.copies(t) {
			return
		}
		_ = s.exec("CREATE TABLE " + s.newName() + r.maybe(30, " ("+s.columnName()+" "+s.columnType()+")") + r.maybe(s.options(30), " "+s.option()) + " " + r.maybe(20, "IGNORE ") + r.maybe(50, "AS ") + "SELECT * FROM " + t.String() + " LIMIT 5")
	case 8:
		_ = s.exec("TRUNCATE " + r.maybe(50, "TABLE ") + t.String())
	case 9:
		if s.maria {
			return // others that have it selected would go on with the old one
		}
		_ = s.exec("ALTER DATABASE " + r.maybe(60, servers.QuoteName(r.Pick(databases...))) + " " + s.charsetClause())
	case 10:
		_ = s.exec("USE " + servers.QuoteName(r.Pick(databases...)))
	case 11:
		c := t.columns[r.IntN(len(t.columns))]
		_ = s.exec(fmt.Sprintf("CREATE %sINDEX %s ON %s (%s)", r.maybe(40, "UNIQUE "), s.columnName(), t, s.keyPart(&c)))
	case 12:
		_ = s.exec("DROP TEMPORARY TABLE IF EXISTS x")
		_ = s.exec("CREATE TEMPORARY TABLE x AS SELECT * FROM " + t.String() + " LIMIT 2")
	case 13:
		_ = s.exec("ALTER TABLE " + t.String() + " " + s.partitions(t))
	default:
		var actions []string
		for range 1 + r.IntN(3)*r.IntN(2) {
			actions = append(actions, s.action(t))
		}
		ignore := r.maybe(5, "IGNORE ")
		if all := strings.Join(actions, ", "); strings.Contains(all, "UNIQUE") || strings.Contains(all, "PRIMARY") {
			ignore = "" // which row stays is the one that was inserted first, in whatever order they committed
		}
		_ = s.exec("ALTER " + ignore + r.maybe(3, "ONLINE ") + "TABLE " + t.String() + " " + strings.Join(actions, ", "))
	}
}

func (s *session) create() string {
	r := s.rng
	var list []string
	var columns []string
	for range 1 + r.IntN(9) {
		name := s.columnName()
		if slices.Contains(columns, name) {
			continue
		}
		columns = append(columns, name)
		list = append(list, name+" "+s.column())
	}
	if r.chance(60) {
		list = append([]string{"`id` " + r.Pick("INT", "BIGINT UNSIGNED", "SMALLINT", "VARCHAR(20)", "INT AUTO_INCREMENT", "BIGINT AUTO_INCREMENT", "CHAR(10)", "DECIMAL(12,2)") + " PRIMARY KEY"}, list...)
	} else if r.chance(60) {
		list = append(list, r.Pick("PRIMARY KEY", "UNIQUE", "UNIQUE KEY `u`", "KEY")+" ("+r.Pick(columns...)+r.maybe(20, "(3)")+r.maybe(40, ", "+r.Pick(columns...))+")")
	}
	if r.chance(25) {
		list = append(list, s.period(r.Pick(columns...))...)
	}
	sql := "CREATE TABLE " + r.maybe(20, "IF NOT EXISTS ") + s.newName() + " (" + strings.Join(list, ", ") + ")"
	for range r.IntN(3) {
		if !s.keyed || s.options(100) > 0 {
			sql += " " + s.option()
		}
	}
	if r.chance(6) {
		sql += " PARTITION BY KEY () PARTITIONS 3"
	}
	return sql
}

// period returns the elements of MariaDB's period of application time, and a key without
// overlaps over a column, maybe.
func (s *session) period(column string) []string {
	if !s.maria || s.number5 < 100503 {
		return nil
	}
	list := []string{"`vf` DATE NOT NULL DEFAULT '2001-02-03'", "`vt` DATE NOT NULL DEFAULT '2011-02-03'", "PERIOD FOR p (`vf`, `vt`)"}
	if s.rng.chance(60) {
		list = append(list, "UNIQUE ("+column+", p WITHOUT OVERLAPS)")
	}
	return list
}

// hasPeriod tells a table that was created with a period, and may have it still.
func (n *named) hasPeriod() bool {
	return slices.ContainsFunc(n.columns, func(c column) bool { return c.name == "vf" }) && slices.ContainsFunc(n.columns, func(c column) bool { return c.name == "vt" })
}

func ofPeriod(c *column) bool { return c.name == "vf" || c.name == "vt" }

func (s *session) option() string {
	return s.rng.Pick(s.charsetClause(), s.charsetClause(), "ENGINE = "+s.engine(), "COMMENT "+s.literal(s.words(20)), "ROW_FORMAT = "+s.rng.Pick("COMPACT", "DYNAMIC", "REDUNDANT"), "AUTO_INCREMENT = 50", "CHECKSUM = 1")
}

// options is how often, of a hundred, a CREATE TABLE that the server writes has an option: never in
// the sql_modes in which servers leave options out of it.
func (s *session) options(percent int) int {
	for _, mode := range []string{"'ANSI'", "'ORACLE'", "'MAXDB'", "'MSSQL'", "'DB2'", "'POSTGRESQL'"} {
		if s.modes == mode {
			return 0
		}
	}
	return percent
}

// copies tells whether the server tells all of a CREATE … SELECT from a table: comments and ON UPDATE it leaves
// out in NO_FIELD_OPTIONS, which modes but ANSI have in them, and in a label it has a question mark for each character outside the BMP, which
// rows put right with full row metadata alone.
func (s *session) copies(t *named) bool {
	return s.modes != "'NO_FIELD_OPTIONS'" && (s.modes == "'ANSI'" || s.options(1) > 0) && (s.told || !slices.ContainsFunc(t.columns, func(c column) bool {
		return (c.kind == "enum" || c.kind == "set") && strings.Contains(c.text, "?")
	}))
}

func (s *session) engine() string { return s.rng.Pick("InnoDB", "InnoDB", "MyISAM", "MEMORY", "CSV") }

var sets = []string{"latin1", "utf8", "utf8mb4", "sjis", "gbk", "cp1251", "ucs2", "binary", "utf16", "big5", "ujis", "latin2", "ascii", "koi8r", "utf32", "cp932", "euckr", "latin7", "cp850"}

func (s *session) charsetClause() string {
	r := s.rng
	set := r.Pick(sets...)
	return r.Pick("CHARACTER SET "+set, "CHARACTER SET = "+set, "DEFAULT CHARSET "+set, "DEFAULT CHARACTER SET "+set+" COLLATE "+collation(set), "COLLATE "+collation(set))
}

// ofType is the CHARACTER SET attribute of a type.
func (s *session) ofType() string {
	set := s.rng.Pick(sets...)
	return s.rng.Pick("CHARACTER SET "+set, "CHARSET "+set, "CHARACTER SET "+set+" COLLATE "+collation(set), "COLLATE "+collation(set))
}

func collation(set string) string {
	if set == "binary" {
		return set
	}
	return set + "_bin"
}

// column returns a type and attributes.
func (s *session) column() string {
	r := s.rng
	typ := s.columnType()
	if temporal(typ) { // see zero dates in the package's documentation
		fraction := ""
		if i := strings.Index(typ, "("); i >= 0 {
			fraction = typ[i:]
		}
		switch {
		case strings.HasPrefix(typ, "DATETIME") && s.number5 >= 50605, strings.HasPrefix(typ, "TIMESTAMP"):
			now := "CURRENT_TIMESTAMP" + fraction
			return typ + " " + r.Pick("NULL", "NULL DEFAULT "+now, "NOT NULL DEFAULT "+now+r.maybe(50, " ON UPDATE "+now), "NULL DEFAULT '2001-02-03 04:05:06'")
		}
		return typ + " " + r.Pick("NULL", "NOT NULL DEFAULT '2001-02-03'", "")
	}
	if spatial(typ) {
		return typ + r.maybe(30, " NULL") // NOT NULL makes empty ones, which nobody can insert
	}
	attributes := []string{r.maybe(40, r.Pick("NULL", "NOT NULL")), r.maybe(12, "COMMENT "+s.literal(s.words(20))), r.maybe(5, "UNIQUE")}
	if strings.Contains(typ, "INT") || strings.HasPrefix(typ, "DECIMAL") {
		attributes = append(attributes, r.maybe(30, "DEFAULT "+r.Pick("7", "'12'", "0")))
	}
	if strings.HasPrefix(typ, "VARCHAR") || strings.HasPrefix(typ, "CHAR") {
		attributes = append(attributes, r.maybe(30, "DEFAULT "+s.literal(s.words(3))))
	}
	if s.maria && s.number5 >= 100303 || !s.maria && s.number5 >= 80023 {
		attributes = append(attributes, r.maybe(4, "INVISIBLE DEFAULT NULL"))
	}
	r.Shuffle(len(attributes), func(i, j int) { attributes[i], attributes[j] = attributes[j], attributes[i] })
	if r.chance(5) && (s.maria || s.number5 >= 50700) {
		return typ + " GENERATED ALWAYS AS (" + r.Pick("NULL", "1 + 1", "CONCAT('a', 'b')") + ") " + r.Pick("VIRTUAL", "", r.Pick("STORED", "PERSISTENT"))
	}
	return strings.Join(strings.Fields(typ+" "+strings.Join(attributes, " ")), " ")
}

// spatial tells the definition of a column of geometries.
func spatial(def string) bool {
	return strings.Contains(def, "POINT") || strings.Contains(def, "GEOM") || strings.Contains(def, "LINE") || strings.Contains(def, "POLY")
}

func temporal(typ string) bool {
	return strings.HasPrefix(typ, "DATE") || strings.HasPrefix(typ, "TIME")
}

func (s *session) columnType() string {
	r := s.rng
	fraction := ""
	if s.maria || s.number5 >= 50604 {
		fraction = r.Pick("", "", "(0)", "(3)", "(6)", "(1)")
	}
	switch r.IntN(12) {
	case 0, 1, 2:
		return r.Pick("TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT", "INTEGER", "BOOL", "INT(3)") + r.maybe(30, " UNSIGNED") + r.maybe(4, " ZEROFILL")
	case 3:
		return r.Pick("DECIMAL", "DECIMAL(10,3)", "NUMERIC(5)", "DECIMAL(65,30)", "DECIMAL(18,9)", "DECIMAL(1,1)") + r.maybe(20, " UNSIGNED")
	case 4:
		return r.Pick("FLOAT", "DOUBLE", "REAL", "FLOAT(30)") + r.maybe(10, " UNSIGNED")
	case 5, 6:
		return r.Pick("CHAR(10)", "VARCHAR(40)", "VARCHAR(300)", "CHAR(1)", "CHAR(200)", "NCHAR(5)", "VARCHAR(9) BINARY", "VARCHAR(1000)") + r.maybe(40, " "+s.ofType())
	case 7:
		return r.Pick("TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT", "TEXT(100)", "LONG VARCHAR") + r.maybe(40, " "+s.ofType())
	case 8:
		return r.Pick("BINARY(4)", "VARBINARY(30)", "VARBINARY(300)", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB", "BINARY(255)")
	case 9:
		of := s.ofType()
		for strings.Contains(of, "binary") || strings.Contains(of, "ucs2") || strings.Contains(of, "utf16") || strings.Contains(of, "utf32") {
			of = s.ofType()
		}
		return r.Pick("ENUM", "SET") + s.labels() + " " + of
	case 10:
		return r.Pick("DATE", "TIME"+fraction, "DATETIME"+fraction, "TIMESTAMP"+fraction, "YEAR")
	}
	list := []string{"BIT", "BIT(5)", "BIT(64)", "POINT", "GEOMETRY", "LINESTRING", "POLYGON", "MULTIPOINT", "GEOMETRYCOLLECTION"}
	if s.maria || s.number5 >= 50708 {
		list = append(list, "JSON", "JSON", "JSON")
	}
	if s.maria && s.number5 >= 100303 {
		list = append(list, "VARCHAR(100) COMPRESSED", "TEXT COMPRESSED")
	}
	if s.maria && s.number5 >= 101000 {
		list = append(list, "INET4", "INET6", "UUID")
	}
	if !s.maria && s.number5 >= 90000 || s.maria && s.number5 >= 110700 {
		list = append(list, "VECTOR(3)")
	}
	return r.Pick(list...)
}

func (s *session) labels() string {
	var list []string
	for i := range 1 + s.rng.IntN(s.rng.IntN(9)+1) {
		list = append(list, s.literal(fmt.Sprintf("%d%s", i, strings.NewReplacer(",", "", " ", "", "\n", "", `\`, "").Replace(s.words(6)))))
	}
	return "(" + strings.Join(list, ", ") + ")"
}

func (s *session) keyPart(c *column) string {
	n := servers.QuoteName(c.name)
	if strings.Contains(c.kind, "text") || strings.Contains(c.kind, "blob") {
		return n + "(5)"
	}
	return n + s.rng.maybe(10, "(2)") + s.rng.maybe(15, " DESC")
}

func (s *session) action(t *named) string {
	r := s.rng
	c := t.columns[r.IntN(len(t.columns))]
	d := t.columns[r.IntN(len(t.columns))]
	n := servers.QuoteName(c.name)
	place := r.maybe(20, " FIRST")
	if place == "" {
		place = r.maybe(25, " AFTER "+servers.QuoteName(d.name))
	}
	if t.hasPeriod() && r.chance(15) {
		return r.Pick("DROP PERIOD FOR p", "ADD PERIOD FOR p (vf, vt)", "ADD PERIOD IF NOT EXISTS FOR p (vf, vt)", "ADD UNIQUE ("+n+", p WITHOUT OVERLAPS)", "MODIFY vf DATE NULL", "ADD PRIMARY KEY ("+n+", p WITHOUT OVERLAPS)")
	}
	switch r.IntN(22) {
	case 0, 1, 2, 3, 4:
		if len(t.columns) > 14 {
			return "DROP COLUMN " + n
		}
		return "ADD " + r.maybe(50, "COLUMN ") + r.maybe(10, "IF NOT EXISTS ") + s.columnName() + " " + s.column() + place
	case 5:
		return "ADD COLUMN (" + s.columnName() + " " + s.column() + ", " + s.columnName() + " " + s.column() + ")"
	case 6, 7:
		return "DROP " + r.maybe(50, "COLUMN ") + n
	case 8, 9, 10:
		return r.Pick("MODIFY ", "MODIFY COLUMN ") + n + " " + s.otherType(&c) + place
	case 11, 12:
		return "CHANGE " + r.maybe(50, "COLUMN ") + n + " " + s.columnName() + " " + s.otherType(&c) + place
	case 13:
		return "ALTER " + n + " " + r.Pick("DROP DEFAULT", "SET DEFAULT 3", "SET DEFAULT 'a'")
	case 14:
		return r.Pick(s.conversion(t), s.conversion(t), s.charsetClause())
	case 15:
		return "ADD " + r.maybe(40, "UNIQUE ") + "KEY (" + s.keyPart(&c) + ")"
	case 16:
		return r.Pick("DROP PRIMARY KEY", "ADD PRIMARY KEY ("+s.keyPart(&c)+")", "DROP KEY "+n)
	case 17:
		return "RENAME COLUMN " + n + " TO " + s.columnName()
	case 18:
		if t.hasPeriod() && (ofPeriod(&c) || ofPeriod(&d)) {
			return "FORCE" // MariaDB may go on to check the period by the old names
		}
		return "RENAME COLUMN " + n + " TO " + servers.QuoteName(d.name) + ", RENAME COLUMN " + servers.QuoteName(d.name) + " TO " + n
	case 19:
		if s.maria {
			return "FORCE"
		}
		return "RENAME " + r.Pick("", "TO ", "AS ") + s.newName()
	case 20:
		return r.Pick("ENGINE="+s.engine(), "FORCE", "ORDER BY "+n, "ROW_FORMAT=DYNAMIC", "COMMENT "+s.literal(s.words(10)))
	}
	return "ADD CONSTRAINT CHECK (" + n + r.Pick(" IS NULL OR 1)", " IS NOT NULL)")
}

// conversion returns CONVERT TO CHARACTER SET. It leaves all labels valid in their
// new character set.
func (s *session) conversion(t *named) string {
	to := s.rng.Pick(sets...)
	if s.maria && s.rng.chance(8) { // on MySQL, others may go on with a database's old default
		to = "DEFAULT"
	}
	kept := ""
	for _, c := range t.columns {
		labels := c.kind == "enum" || c.kind == "set"
		if labels && (strings.ContainsFunc(c.text, func(r rune) bool { return r > 0x7f }) || to == "DEFAULT" || wide(to)) {
			if kept != "" && kept != c.charset {
				return s.charsetClause() // none leaves the labels of both
			}
			to, kept = c.charset, c.charset
		}
	}
	return "CONVERT TO CHARACTER SET " + to
}

// wide tells whether a character set does not have ASCII's bytes.
func wide(set string) bool {
	return strings.HasPrefix(set, "ucs2") || strings.HasPrefix(set, "utf16") || strings.HasPrefix(set, "utf32") || set == "binary"
}

// otherType returns a definition for a column that there is already. None turns
// another value into a date, which may be zero, or any bytes into a character set of which servers take for text
// what is no character, as half a surrogate pair is in ucs2.
func (s *session) otherType(c *column) string {
	if temporal(strings.ToUpper(c.kind)) {
		def := s.column()
		for range 50 {
			if strings.HasPrefix(def, strings.ToUpper(c.kind)) && !strings.Contains(def, "GENERATED") {
				return def
			}
			def = s.column()
		}
		return "TEXT"
	}
	for {
		def := s.column()
		if spatial(def) && !c.isGeometry() && !s.maria && s.number5 < 50700 { // these make empty ones of anything
			continue
		}
		if !temporal(def) && !strings.HasPrefix(def, "YEAR") && !(c.bytes() && mayLack(def)) {
			return def
		}
	}
}

// bytes tells a column of any bytes.
func (c *column) bytes() bool {
	return strings.Contains(c.kind, "binary") || strings.Contains(c.kind, "blob") || c.charset == "" && !slices.Contains([]string{"tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "float", "double", "json"}, c.kind)
}

// mayLack tells the definition of a text whose character set may have no characters for what it takes for text.
func mayLack(def string) bool {
	text := strings.HasPrefix(def, "CHAR") || strings.HasPrefix(def, "VARCHAR") || strings.Contains(def, "TEXT") || strings.HasPrefix(def, "LONG VARCHAR")
	return text && !strings.Contains(def, "utf8") && !strings.Contains(def, "latin1") && !strings.Contains(def, " binary")
}

func (s *session) partitions(t *named) string {
	c := t.columns[s.rng.IntN(len(t.columns))]
	n := servers.QuoteName(c.name)
	if c.kind == "decimal" { // MariaDB takes it, and does not find 9.52 where values are less than 10
		n = "1"
	}
	return s.rng.Pick("PARTITION BY KEY () PARTITIONS 4", "PARTITION BY HASH ("+n+") PARTITIONS 2", "ADD PARTITION PARTITIONS 2", "COALESCE PARTITION 1", "REMOVE PARTITIONING",
		"PARTITION BY RANGE ("+n+") (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE)", "TRUNCATE PARTITION p0", "DROP PARTITION p0", "REBUILD PARTITION ALL")
}
