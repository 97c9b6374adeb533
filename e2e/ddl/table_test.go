//go:build servers

package ddl

import (
	"fmt"
	"slices"
	"strings"
)

// databases are those that tables are in.
var databases = []string{"ddl", "Ddl Zwei", "дб"}

// tableNames are those that tables get; a session whose character set lacks a
// letter of one cannot speak of it.
var tableNames = []string{"t1", "t2", "t3", "t4", "Mixed_Case", "we`ird", `qu"ote`, "with space", "a.b", "1num", "$d", "Ünï", "表", "ソ能", "ЖЩ", "αΒ", "it's", "-- x", "#h", "x;y", "ÉÀ", "select"}

// most is how many tables there may be.
const most = 12

// qualified returns a table's name, with its database unless that is the default one.
func (s *session) qualified(db, name string) string {
	if db == s.db && s.rng.chance(70) {
		return s.quoteName(name)
	}
	return s.quoteName(db) + s.rng.pick(".", ".", ".", " . ") + s.quoteName(name)
}

// newName names a table that there may be or not.
func (s *session) newName() string {
	db := s.db
	if db == "" || s.rng.chance(30) {
		db = s.rng.pick(databases...)
	}
	return s.qualified(db, s.rng.pick(tableNames...))
}

// any returns a table, nil if there is none.
func (s *session) any() *definition {
	if len(s.tables) == 0 {
		return nil
	}
	return s.tables[s.rng.IntN(len(s.tables))]
}

func (s *session) named(d *definition) string { return s.qualified(d.Table.Database, d.Table.Name) }

// create returns a CREATE TABLE of any form.
func (s *session) create() string {
	r := s.rng
	head := "CREATE TABLE " + r.maybe(20, "IF NOT EXISTS ")
	if s.maria && r.chance(10) {
		head = "CREATE OR REPLACE TABLE "
	}
	if r.chance(5) {
		head = "CREATE TEMPORARY TABLE " + r.maybe(30, "IF NOT EXISTS ")
	}
	head += s.newName()
	t := s.any()
	if t != nil {
		switch {
		case r.chance(10):
			like := " LIKE " + s.named(t)
			if r.chance(30) {
				like = " (" + like[1:] + ")"
			}
			return head + like
		case r.chance(18):
			engine := ""
			if s.mysqlFrom(80021) && !strings.HasPrefix(s.charset.Name, "utf8") { // see the package's documentation
				engine = " ENGINE=InnoDB"
			}
			// MariaDB puts the implicit columns of system versioning between the others then.
			return head + r.maybe(40, " ("+s.elements(2)+")") + strings.ReplaceAll(s.options(), "WITH SYSTEM VERSIONING", "CHECKSUM=1") + engine + r.maybe(20, r.pick(" IGNORE", " REPLACE")) + r.maybe(60, " AS") + " " + s.selection(t)
		}
	}
	return head + " (" + r.maybe(20, "\n  ") + s.elements(6) + ")" + s.options() + s.partitioning()
}

// selection is a query that a table may be made of.
func (s *session) selection(t *definition) string {
	r := s.rng
	c := s.quoteName(t.Table.Columns[r.IntN(len(t.Table.Columns))].Name)
	return r.pick("SELECT * FROM "+s.named(t), "SELECT * FROM "+s.named(t)+" LIMIT 1", "SELECT "+c+", "+c+" AS "+s.columnName()+" FROM "+s.named(t)+" LIMIT 2", "SELECT 1 AS "+s.columnName()+", 'x' AS "+s.columnName()+", NOW() AS n",
		"SELECT CONCAT("+c+") AS "+s.columnName()+", "+c+" FROM "+s.named(t), "SELECT NULL AS "+s.columnName()+", 1.5 AS "+s.columnName()+", 0x41 AS h, _latin1'x' AS l UNION SELECT 1, 2, 3, 4", "SELECT COUNT(*) AS "+s.columnName()+" FROM "+s.named(t),
		"(SELECT "+c+" FROM "+s.named(t)+")", "SELECT "+c+" FROM "+s.named(t)+" AS x GROUP BY "+c)
}

// elements returns columns, keys and more, between commas.
func (s *session) elements(n int) string {
	r := s.rng
	var list, names []string
	for range 1 + r.IntN(n) {
		name := r.pick(columnNames...)
		if slices.Contains(names, name) && r.chance(95) {
			continue
		}
		names = append(names, name)
		list = append(list, s.quoteName(name)+" "+s.column())
	}
	if s.maria && r.chance(12) && !strings.Contains(strings.Join(list, ""), "WITHOUT SYSTEM") { // 10.5 then forgets what the columns are
		list = append(list, s.periods(names)...)
	}
	for range r.IntN(3) {
		list = append(list, s.key(names))
	}
	if r.chance(4) {
		list = append(list, s.versioned(s.key(names)))
		if !strings.Contains(list[len(list)-1], "/*") {
			list = list[:len(list)-1]
		} else { // the comma belongs into the comment
			list[len(list)-2] += " " + strings.Replace(list[len(list)-1], " ", " , ", 1)
			list = list[:len(list)-1]
		}
	}
	return strings.Join(list, r.pick(", ", ",", ",\n  "))
}

// periods returns columns and a period of MariaDB.
func (s *session) periods(names []string) []string {
	r := s.rng
	if r.chance(50) {
		null := r.maybe(30, " NULL")
		return []string{"`from` DATE" + null, "`to` DATE" + null, "PERIOD FOR " + r.pick("p", "`pé`", "app") + " (`from`, `to`)"}
	}
	hidden := r.maybe(50, " INVISIBLE")
	return []string{"rs TIMESTAMP(6) GENERATED ALWAYS AS ROW START" + hidden, "re TIMESTAMP(6) GENERATED ALWAYS AS ROW END" + hidden, "PERIOD FOR SYSTEM_TIME (rs, re)"}
}

func (s *session) options() string {
	r := s.rng
	var list []string
	for range r.IntN(4) {
		comment := "COMMENT=" + s.literal(s.words(12))
		o := r.pick("ENGINE"+r.pick("=", " ", " = ")+s.engine(), "ENGINE = "+s.engine(), "DEFAULT "+s.charsetClause(), s.charsetClause(), comment, "ROW_FORMAT = "+s.rowFormat(), "AUTO_INCREMENT 50",
			"CHECKSUM=1", "PACK_KEYS=1", "MAX_ROWS 100", "STATS_PERSISTENT=0", "KEY_BLOCK_SIZE=8", "DELAY_KEY_WRITE=1", "AVG_ROW_LENGTH=100", "CONNECTION='x y'", "INSERT_METHOD=LAST", s.odd())
		list = append(list, s.versioned(o))
	}
	if s.maria && r.chance(10) {
		list = append(list, "WITH SYSTEM VERSIONING")
	}
	if len(list) == 0 {
		return ""
	}
	return " " + strings.Join(list, r.pick(" ", ", ", " "))
}

// foreign tells whether the server leaves something of a table out of the statements that it
// writes itself.
func (s *session) foreign() bool {
	for _, mode := range []string{"ANSI", "POSTGRESQL", "ORACLE", "MSSQL", "DB2", "MAXDB", "NO_TABLE_OPTIONS", "NO_FIELD_OPTIONS", "NO_KEY_OPTIONS", "MYSQL323", "MYSQL40"} {
		if s.mode(mode) {
			return true
		}
	}
	return false
}

func (s *session) rowFormat() string {
	return s.rng.pick("COMPACT", "DYNAMIC", "REDUNDANT", "DEFAULT", "FIXED", "COMPRESSED")
}

// odd is an option that not every server has.
func (s *session) odd() string {
	list := []string{"CHECKSUM=1"}
	if s.maria {
		list = append(list, "PAGE_CHECKSUM=1", "TRANSACTIONAL=0", "ENCRYPTED=NO", "ITEF_QUOTES=YES", "`PAGE_COMPRESSED`=0")
	}
	if s.mysqlFrom(80021) {
		list = append(list, "ENGINE_ATTRIBUTE='{\"a\": 1}'", "SECONDARY_ENGINE_ATTRIBUTE '{}'", "AUTOEXTEND_SIZE=4M", "TABLESPACE innodb_system", "ENCRYPTION='N'", "COMPRESSION='NONE'")
	}
	return s.rng.pick(list...)
}

// engine returns an engine, in one of the forms in which it may be written.
func (s *session) engine() string {
	list := []string{"InnoDB", "InnoDB", "INNODB", "`InnoDB`", "'innodb'", "MyISAM", "myisam", "MEMORY", "heap", "Nonsense", "CSV", "ARCHIVE"}
	if s.maria {
		list = append(list, "Aria")
	}
	return s.rng.pick(list...)
}

// key returns a key or another constraint.
func (s *session) key(names []string) string {
	r := s.rng
	constraint := r.maybe(30, "CONSTRAINT "+r.maybe(70, s.keyName()+" "))
	using := r.maybe(15, " USING "+r.pick("BTREE", "HASH", "BTREE"))
	switch r.IntN(12) {
	case 0, 1, 2:
		return constraint + "PRIMARY KEY" + r.maybe(8, " "+s.keyName()) + using + " " + s.keyParts(names)
	case 3, 4, 5:
		return constraint + "UNIQUE " + r.pick("", "KEY ", "INDEX ") + r.maybe(50, s.keyName()) + using + " " + s.keyParts(names) + s.keyOptions()
	case 6:
		if r.chance(70) {
			break // most columns cannot have one
		}
		return r.pick("FULLTEXT ", "SPATIAL ") + r.pick("", "KEY ", "INDEX ") + r.maybe(50, s.keyName()+" ") + "(" + s.quoteName(r.pick(names...)) + ")"
	case 7:
		return constraint + "CHECK (" + s.quoteName(r.pick(names...)) + " IS NULL OR 1 OR 'x,)' = '')"
	case 8:
		if t := s.any(); t != nil && r.chance(30) {
			return constraint + "FOREIGN KEY " + r.maybe(30, s.keyName()+" ") + "(" + s.quoteName(r.pick(names...)) + ") REFERENCES " + s.named(t) + " (" + s.quoteName(t.Table.Columns[0].Name) + ")" + r.maybe(30, " ON DELETE RESTRICT ON UPDATE NO ACTION")
		}
		return constraint + "UNIQUE " + s.keyParts(names)
	case 9:
		if s.mariadbFrom(100503) && r.chance(50) {
			return "UNIQUE (" + s.quoteName(r.pick(names...)) + ", " + r.pick("p", "app", "`pé`") + " WITHOUT OVERLAPS)"
		}
	}
	return r.pick("KEY ", "INDEX ") + r.maybe(50, s.keyName()) + using + " " + s.keyParts(names) + s.keyOptions()
}

func (s *session) keyName() string {
	return s.quoteName(s.rng.pick("k1", "k2", "K3", "ké", "a", "b", "表"))
}

func (s *session) keyOptions() string {
	list := []string{"", "", "", " COMMENT 'x'", " KEY_BLOCK_SIZE=4", " USING HASH", " USING BTREE"}
	if s.mysqlFrom(80000) {
		list = append(list, " INVISIBLE", " VISIBLE")
	}
	if s.mariadbFrom(100600) {
		list = append(list, " IGNORED", " NOT IGNORED")
	}
	return s.rng.pick(list...)
}

func (s *session) keyParts(names []string) string {
	r := s.rng
	var parts []string
	for _, i := range r.Perm(len(names))[:1+r.IntN(min(3, len(names)))] {
		part := s.quoteName(names[i]) + r.maybe(8, fmt.Sprintf("(%d)", 1+r.IntN(12))) + r.maybe(15, r.pick(" DESC", " ASC"))
		if s.mysqlFrom(80013) && r.chance(6) {
			part = "((" + s.quoteName(names[i]) + " IS NULL))"
		}
		parts = append(parts, part)
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// partitioning is a clause of CREATE TABLE that partitions it, now and then.
func (s *session) partitioning() string {
	if !s.rng.chance(7) {
		return ""
	}
	return " " + s.versioned(s.partitionBy(s.rng.pick(columnNames...)))
}

func (s *session) partitionBy(column string) string {
	r := s.rng
	n := s.quoteName(column)
	list := []string{"PARTITION BY KEY () PARTITIONS 3", "PARTITION BY HASH (" + n + ") PARTITIONS 2", "PARTITION BY LINEAR KEY (" + n + ")",
		"PARTITION BY RANGE (" + n + ") (PARTITION p0 VALUES LESS THAN (10) COMMENT 'x)', PARTITION p1 VALUES LESS THAN MAXVALUE)",
		"PARTITION BY LIST (" + n + ") (PARTITION p0 VALUES IN (1, 2), PARTITION `pé` VALUES IN (NULL, 3))",
		"PARTITION BY RANGE COLUMNS (" + n + ") SUBPARTITION BY KEY () SUBPARTITIONS 2 (PARTITION p0 VALUES LESS THAN (MAXVALUE))"}
	if s.maria {
		list = append(list, "PARTITION BY SYSTEM_TIME (PARTITION p0 HISTORY, PARTITION p1 CURRENT)")
	}
	return r.pick(list...)
}
