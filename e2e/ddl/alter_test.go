//go:build servers

package ddl

import (
	"fmt"
	"slices"
	"strings"
)

// names are a table's columns.
func (d *definition) names() []string {
	var list []string
	for _, c := range d.Table.Columns {
		list = append(list, c.Name)
	}
	return list
}

// alter returns an ALTER TABLE with one or several clauses.
func (s *session) alter(t *definition) string {
	r := s.rng
	ignore := r.maybe(5, "IGNORE ")
	if s.maria {
		ignore = r.maybe(5, "ONLINE ") + ignore
	}
	head := "ALTER " + ignore + "TABLE " + s.ifExists(4) + s.named(t) + " "
	if s.maria {
		head += r.maybe(4, r.pick("WAIT 2 ", "NOWAIT "))
	}
	var actions []string
	for range 1 + r.IntN(4)*r.IntN(2) {
		actions = append(actions, s.versioned(s.action(t)))
	}
	for i := 1; i < len(actions); i++ {
		if strings.HasPrefix(actions[i], "/*") { // whose comma belongs into it
			actions[i] = strings.Replace(actions[i], " ", " , ", 1)
		} else {
			actions[i] = r.pick(", ", ",") + actions[i]
		}
	}
	sql := head + strings.Join(actions, "")
	if r.chance(6) {
		sql += s.also()
	}
	if r.chance(4) {
		sql += " " + s.partitionBy(r.pick(t.names()...))
	}
	return sql
}

// also is how an ALTER is to be done.
func (s *session) also() string {
	list := []string{", ORDER BY " + s.columnName(), ", FORCE"}
	if s.mysqlFrom(50600) || s.maria {
		list = append(list, ", ALGORITHM=COPY", ", ALGORITHM INPLACE, LOCK=NONE", ", LOCK = SHARED", ", ALGORITHM=DEFAULT")
	}
	if s.mysqlFrom(80012) || s.maria {
		list = append(list, ", ALGORITHM=INSTANT")
	}
	if s.mysqlFrom(50700) {
		list = append(list, ", WITHOUT VALIDATION", ", WITH VALIDATION")
	}
	return s.rng.pick(list...)
}

func (s *session) ifExists(percent int) string {
	if s.maria {
		return s.rng.maybe(percent, "IF EXISTS ")
	}
	return ""
}

func (s *session) ifNotExists(percent int) string {
	if s.maria {
		return s.rng.maybe(percent, "IF NOT EXISTS ")
	}
	return ""
}

// columnOf names a table's column, now and then with the table.
func (s *session) columnOf(t *definition, name string) string {
	switch s.rng.IntN(25) {
	case 0:
		return s.quoteName(t.Table.Database) + "." + s.quoteName(t.Table.Name) + "." + s.quoteName(name)
	case 1:
		return s.quoteName(t.Table.Name) + "." + s.quoteName(name)
	}
	return s.quoteName(name)
}

// action returns one clause of an ALTER TABLE.
func (s *session) action(t *definition) string {
	r := s.rng
	names := t.names()
	n := s.columnOf(t, r.pick(names...))
	word := r.maybe(50, "COLUMN ")
	place := r.maybe(20, " FIRST")
	if place == "" {
		place = r.maybe(25, " AFTER "+s.quoteName(r.pick(names...)))
	}
	switch r.IntN(28) {
	case 0, 1, 2, 3, 4:
		return "ADD " + word + s.ifNotExists(8) + s.columnName() + " " + s.column() + place
	case 5:
		return "ADD COLUMN (" + s.elements(3) + ")"
	case 6, 7:
		return "DROP " + word + s.ifExists(8) + s.quoteName(r.pick(names...)) + r.maybe(3, " RESTRICT")
	case 8, 9, 10, 11:
		return "MODIFY " + word + s.ifExists(8) + n + " " + s.changed() + place
	case 12, 13, 14:
		return "CHANGE " + word + s.ifExists(8) + n + " " + s.columnName() + " " + s.changed() + place
	case 15:
		return s.defaultOf("ALTER "+word+s.ifExists(5)+s.quoteName(r.pick(names...)), names)
	case 16:
		return r.pick("CONVERT TO "+s.convert(), "CONVERT TO "+s.convert(), "DEFAULT "+s.charsetClause(), s.charsetClause())
	case 17, 18:
		return "ADD " + s.key(names)
	case 19:
		return r.pick("DROP PRIMARY KEY", "DROP PRIMARY KEY, ADD PRIMARY KEY "+s.keyParts(names), "ADD PRIMARY KEY "+s.keyParts(names), "DROP CONSTRAINT "+s.keyName(), "DROP CHECK "+s.keyName(), "DROP FOREIGN KEY "+s.keyName())
	case 20:
		return s.keyAction(t)
	case 21:
		return s.renameColumns(names)
	case 22:
		if s.maria && !ascii(t.Table.Name) {
			return "FORCE" // it may stay under its old name as well
		}
		return "RENAME " + r.pick("", "TO ", "AS ", "= ") + s.newName()
	case 23:
		return r.pick("COMMENT "+s.literal(s.words(12)), "AUTO_INCREMENT=100", "ROW_FORMAT="+s.rowFormat(), s.odd(), "CHECKSUM=1", "KEY_BLOCK_SIZE=0")
	case 24:
		return r.pick("ENGINE="+s.engine(), "ENGINE "+s.engine(), "FORCE", "DISABLE KEYS", "ENABLE KEYS", "ORDER BY "+n)
	case 25, 26:
		if s.maria {
			return s.versioning()
		}
	}
	return s.generatedAction(n)
}

// changed returns what a column is made that is there already. Old servers make a geometry of
// any value, which is none.
func (s *session) changed() string {
	for {
		c := s.column()
		if word, _, _ := strings.Cut(c, " "); !strings.Contains("GEOMETRY POINT LINESTRING POLYGON MULTIPOINT MULTILINESTRING MULTIPOLYGON GEOMETRYCOLLECTION GEOMCOLLECTION", word) {
			return c
		}
	}
}

func (s *session) convert() string {
	set := s.charsetOfTable()
	return s.rng.pick("CHARACTER SET "+set, "CHARACTER SET "+set, "CHARSET "+set+" COLLATE "+s.collationOf(set), "CHARACTER SET DEFAULT", "CHARACTER SET '"+set+"'")
}

// defaultOf gives a column another default, or hides it.
func (s *session) defaultOf(head string, names []string) string {
	list := []string{" SET DEFAULT '1'", " SET DEFAULT 7", " SET DEFAULT 'a'", " SET DEFAULT NULL", " SET DEFAULT " + s.text(), " SET DEFAULT -1", " DROP DEFAULT"}
	if s.mysqlFrom(80013) || s.maria {
		list = append(list, " SET DEFAULT (1 + 2)", " SET DEFAULT ('x')")
	}
	if s.mysqlFrom(80023) {
		list = append(list, " SET INVISIBLE", " SET VISIBLE", " SET INVISIBLE")
	}
	return head + s.rng.pick(list...)
}

func (s *session) keyAction(t *definition) string {
	r := s.rng
	if len(t.Keys) == 0 {
		return "DROP KEY " + s.keyName()
	}
	k := s.quoteName(t.Keys[r.IntN(len(t.Keys))].Name)
	list := []string{"DROP KEY " + s.ifExists(8) + k, "DROP INDEX " + k, "DROP KEY " + k + ", ADD UNIQUE " + k + " " + s.keyParts(t.names())}
	if s.mysqlFrom(50700) || s.mariadbFrom(100502) {
		list = append(list, "RENAME "+r.pick("KEY ", "INDEX ")+k+" TO "+s.keyName())
	}
	if s.mysqlFrom(80000) {
		list = append(list, "ALTER INDEX "+k+" INVISIBLE", "ALTER INDEX "+k+" VISIBLE")
	}
	if s.mariadbFrom(100600) {
		list = append(list, "ALTER INDEX "+k+" IGNORED", "ALTER KEY "+s.ifExists(20)+k+" NOT IGNORED")
	}
	return r.pick(list...)
}

func (s *session) renameColumns(names []string) string {
	r := s.rng
	a, b := s.quoteName(r.pick(names...)), s.quoteName(r.pick(names...))
	if !s.mysqlFrom(80000) && !s.mariadbFrom(100502) {
		return "CHANGE " + a + " " + s.columnName() + " " + s.changed()
	}
	return r.pick("RENAME COLUMN "+s.ifExists(8)+a+" TO "+s.columnName(), "RENAME COLUMN "+a+" TO "+b+", RENAME COLUMN "+b+" TO "+a)
}

// versioning adds or drops what is MariaDB's own.
func (s *session) versioning() string {
	return s.rng.pick("ADD SYSTEM VERSIONING", "DROP SYSTEM VERSIONING", "ADD SYSTEM VERSIONING", "ADD PERIOD FOR p (`from`, `to`)", "DROP PERIOD FOR p", "DROP PERIOD FOR app", "DROP PERIOD IF EXISTS FOR p", "ADD PERIOD IF NOT EXISTS FOR p (`from`, `to`)", "CHANGE `from` `start` DATE NULL", "DROP PERIOD FOR SYSTEM_TIME",
		"ADD `from` DATE, ADD `to` DATE, ADD PERIOD FOR app (`from`, `to`)", "ADD s TIMESTAMP(6) AS ROW START INVISIBLE, ADD e2 TIMESTAMP(6) AS ROW END INVISIBLE, ADD PERIOD FOR SYSTEM_TIME (s, e2), ADD SYSTEM VERSIONING",
		"MODIFY `from` DATE NULL", "MODIFY `to` DATETIME", "DROP PERIOD FOR SYSTEM_TIME, DROP rs, DROP re, DROP SYSTEM VERSIONING")
}

func (s *session) generatedAction(n string) string {
	if s.mysqlFrom(50700) || s.maria {
		return s.rng.pick("MODIFY "+n+" ", "ADD "+s.columnName()+" ") + s.generated(s.rng.pick("INT", "VARCHAR(20)", "BIGINT UNSIGNED", "TEXT"))
	}
	return "FORCE"
}

// partitions alters a table's partitions.
func (s *session) partitions(t *definition) string {
	r := s.rng
	head := "ALTER TABLE " + s.named(t) + " "
	actions := []string{s.partitionBy(r.pick(t.names()...)), "ADD PARTITION PARTITIONS 2", "COALESCE PARTITION 1", "REMOVE PARTITIONING", "TRUNCATE PARTITION p0", "DROP PARTITION p0", "REBUILD PARTITION ALL", "ADD PARTITION (PARTITION p9 VALUES IN (77))",
		"REORGANIZE PARTITION p0 INTO (PARTITION n0 VALUES LESS THAN (5), PARTITION p0 VALUES LESS THAN (10))", "ANALYZE PARTITION ALL", "TRUNCATE PARTITION ALL"}
	if u := s.any(); u != nil {
		actions = append(actions, "EXCHANGE PARTITION p0 WITH TABLE "+s.named(u)+r.maybe(30, " WITHOUT VALIDATION"))
		if s.mariadbFrom(100700) {
			actions = append(actions, "CONVERT PARTITION p0 TO TABLE "+s.newName(), "CONVERT TABLE "+s.named(u)+" TO PARTITION p9 VALUES LESS THAN (500)", "CONVERT PARTITION `pé` TO TABLE "+s.newName())
		}
	}
	return head + r.pick(actions...)
}

// index creates or drops an index by a statement of its own.
func (s *session) index(t *definition) string {
	r := s.rng
	if len(t.Keys) > 0 && r.chance(40) {
		k := t.Keys[r.IntN(len(t.Keys))].Name
		return "DROP INDEX " + s.ifExists(15) + s.quoteName(k) + " ON " + s.named(t) + s.how()
	}
	or := ""
	if s.maria {
		or = r.maybe(10, "OR REPLACE ")
	}
	kind := r.pick("UNIQUE ", "UNIQUE ", "", "", "FULLTEXT ", "SPATIAL ")
	exists := ""
	if or == "" {
		exists = s.ifNotExists(10)
	}
	return fmt.Sprintf("CREATE %s%sINDEX %s%s%s ON %s %s%s%s", or, kind, exists, s.keyName(), r.maybe(15, " USING "+r.pick("BTREE", "HASH")), s.named(t), s.keyParts(t.names()), s.keyOptions(), s.how())
}

// how is also, without its comma.
func (s *session) how() string {
	if !s.rng.chance(8) || !s.mysqlFrom(50600) && !s.maria {
		return ""
	}
	return s.rng.pick(" ALGORITHM=COPY", " ALGORITHM = INPLACE LOCK = NONE", " LOCK=DEFAULT")
}

// circle renames several tables.
func (s *session) circle(t, u *definition) string {
	r := s.rng
	a, b, c := s.named(t), s.named(u), s.newName()
	list := []string{fmt.Sprintf("%s TO %s, %s TO %s, %s TO %s", a, c, b, a, c, b), a + " TO " + c, a + " TO " + c + ", " + c + " TO " + s.newName(), a + " TO " + c + ", " + b + " TO " + s.newName()}
	return r.pick("RENAME TABLE ", "RENAME TABLE ", "RENAME TABLES ") + s.ifExists(6) + r.pick(list...)
}

// drop drops one or several tables.
func (s *session) drop(t, u *definition) string {
	r := s.rng
	list := []string{s.named(t)}
	if r.chance(25) {
		list = append(list, s.named(u))
	}
	if r.chance(25) {
		list = append(list, s.newName())
	}
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return "DROP " + r.maybe(4, "TEMPORARY ") + r.pick("TABLE ", "TABLE ", "TABLES ") + r.maybe(30, "IF EXISTS ") + strings.Join(slices.Compact(list), ", ") + r.maybe(8, r.pick(" RESTRICT", " CASCADE"))
}
