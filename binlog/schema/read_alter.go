package schema

import "daybook/binlog/charset"

// alterTable reads what follows ALTER [IGNORE] TABLE.
func (r *reader) alterTable() *alterTable {
	s := &alterTable{ifExists: r.ifExists()}
	s.name = r.tableName()
	if r.isWord(0, "WAIT") || r.isWord(0, "NOWAIT") {
		if r.take(); r.peek(0).kind == tokNumber {
			r.take()
		}
	}
	for r.failed == nil && r.peek(0).kind != tokEnd {
		mayBeIdle, n := r.mayBeIdle(), len(s.actions)
		r.alterAction(s)
		s.rewrites = s.rewrites || !mayBeIdle && len(s.actions) == n
		if len(s.actions) > maxElements {
			r.fail("too many actions")
		}
		if !r.acceptOp(",") && r.peek(0).kind != tokEnd {
			r.skipAction()
			r.acceptOp(",")
		}
	}
	return s
}

// mayBeIdle tells whether the action that comes next is one for which MariaDB may leave
// the table's definition as it is: it says how to go about the others, is about the
// whole table's name, its keys' use or single partitions, or may be void.
func (r *reader) mayBeIdle() bool {
	return r.isWord(0, "LOCK", "ALGORITHM", "ENABLE", "DISABLE", "RENAME", "ANALYZE", "CHECK", "COALESCE", "REBUILD", "TRUNCATE") ||
		r.isWord(0, "ADD", "DROP") && r.isWord(1, "PARTITION") || r.isWord(2, "IF") || r.isWord(3, "IF")
}

// skipAction steps over the rest of an action that has no effect here.
func (r *reader) skipAction() {
	for r.peek(0).kind != tokEnd && !r.isOp(0, ",") {
		if !r.skipParens() {
			r.take()
		}
	}
}

func (r *reader) alterAction(s *alterTable) {
	switch {
	case r.isWord(0, "ANALYZE", "CHECK", "OPTIMIZE", "REBUILD", "REPAIR") && r.isWord(1, "PARTITION"):
		s.maintenance = true
		r.skipRest()
	case r.accept("ADD", "PARTITION"), r.isWord(0, "PARTITION", "REORGANIZE", "COALESCE", "REMOVE"):
		r.skipRest()
	case r.accept("DROP", "PARTITION"), r.isWord(0, "TRUNCATE", "EXCHANGE", "DISCARD", "IMPORT"):
		s.partitionsLost = true
		for r.peek(0).kind != tokEnd {
			if r.accept("WITH", "TABLE") {
				n := r.relationName()
				s.partitionWith = &n
			} else {
				r.take()
			}
		}
	case r.accept("ADD", "SYSTEM", "VERSIONING"):
		s.options.versioning = versioningAdded
	case r.accept("DROP", "SYSTEM", "VERSIONING"):
		s.options.versioning = versioningDropped
	case r.acceptAny("ADD"):
		s.actions = r.addAction(s.actions)
	case r.acceptAny("DROP"):
		r.dropAction(s)
	case r.acceptAny("MODIFY"):
		r.acceptAny("COLUMN")
		a := alteration{kind: changeColumn, ifExists: r.ifExists()}
		s.actions = r.columnElement(s.actions, a)
	case r.acceptAny("CHANGE"):
		r.acceptAny("COLUMN")
		a := alteration{kind: changeColumn, ifExists: r.ifExists()}
		a.name = r.columnName()
		s.actions = r.columnElement(s.actions, a)
	case r.acceptAny("ALTER"):
		r.alterColumn(s)
	case r.acceptAny("RENAME"):
		r.renameAction(s)
	case r.accept("CONVERT", "TO"):
		r.convert(s)
	case r.accept("CONVERT", "TABLE"):
		n := r.tableName()
		s.partitionOf = &n
		r.skipRest()
	case r.accept("CONVERT", "PARTITION"):
		s.partitionsLost = true
		r.name()
		if r.accept("TO", "TABLE") {
			n := r.tableName()
			s.partitionTo = &n
		}
		r.skipRest()
	case r.accept("ORDER", "BY"):
		r.skipRest()
	default:
		s.others = true
		r.tableOptions(&s.options, true)
	}
}

// skipRest steps to the end of the statement.
func (r *reader) skipRest() {
	for r.peek(0).kind != tokEnd {
		r.take()
	}
}

// addAction reads what follows ADD: a column, (columns), a key, or what has no
// effect here.
func (r *reader) addAction(dst []alteration) []alteration {
	if r.skipConstraint() {
		return dst
	}
	if r.isPeriod() {
		return append(dst, r.period())
	}
	if a, ok := r.keyElement(); ok {
		return append(dst, a)
	}
	r.acceptAny("COLUMN")
	ifExists := r.ifExists()
	if r.acceptOp("(") {
		dst = r.tableElements(dst, ifExists)
		r.expectOp(")")
		return dst
	}
	return r.columnElement(dst, alteration{kind: addColumn, ifExists: ifExists})
}

// dropAction reads what follows DROP.
func (r *reader) dropAction(s *alterTable) {
	switch {
	case r.accept("PRIMARY", "KEY"):
		s.actions = append(s.actions, alteration{kind: dropKey, name: primaryName})
	case r.acceptAny("INDEX", "KEY"):
		r.ifExists()
		s.actions = append(s.actions, alteration{kind: dropKey, name: r.name(), ifExists: true})
	case r.accept("FOREIGN", "KEY"), r.isWord(0, "CHECK") && r.isName(1):
		r.skipAction()
	case r.isPeriod():
		r.take()
		r.ifExists()
		r.accept("FOR")
		s.actions = append(s.actions, alteration{kind: dropPeriod, period: period{Name: r.name()}})
	case r.acceptAny("CONSTRAINT"):
		r.ifExists()
		s.actions = append(s.actions, alteration{kind: dropKey, name: r.name(), ifExists: true})
	default:
		r.acceptAny("COLUMN")
		a := alteration{kind: dropColumn, ifExists: r.ifExists()}
		a.name = r.columnName()
		s.actions = append(s.actions, a)
		r.acceptAny("RESTRICT", "CASCADE")
	}
}

// alterColumn reads ALTER [COLUMN] name SET DEFAULT … or DROP DEFAULT.
func (r *reader) alterColumn(s *alterTable) {
	if r.isWord(0, "INDEX", "KEY", "CHECK", "CONSTRAINT") {
		r.skipAction()
		return
	}
	r.acceptAny("COLUMN")
	a := alteration{kind: setDefault, ifExists: r.ifExists()}
	a.name = r.columnName()
	switch {
	case r.accept("SET", "DEFAULT"):
		a.literal = r.defaultValue(true)
	case r.accept("DROP", "DEFAULT"):
	case r.accept("SET", "VISIBLE"):
		a.kind = setVisible
	case r.accept("SET", "INVISIBLE"):
		a.kind, a.hide = setVisible, true
	case r.accept("SET", "MASKING", "POLICY"), r.accept("DROP", "MASKING", "POLICY"): // MySQL 9.7
		r.skipAction()
		return
	default:
		r.fail("expected SET or DROP DEFAULT")
	}
	s.actions = append(s.actions, a)
}

// renameAction reads what follows RENAME: a column, a key or the table.
func (r *reader) renameAction(s *alterTable) {
	switch {
	case r.isWord(0, "COLUMN", "INDEX", "KEY"):
		a := alteration{kind: renameKey}
		if r.isWord(0, "COLUMN") {
			a.kind = renameColumn
		}
		r.take()
		a.ifExists = r.ifExists()
		a.name = r.name()
		if !r.accept("TO") {
			r.fail("expected TO")
		}
		a.newName = r.name()
		s.actions = append(s.actions, a)
	default:
		_ = r.acceptAny("TO", "AS") || r.acceptOp("=")
		n := r.tableName()
		s.renameTo = &n
	}
}

// convert reads what follows CONVERT TO.
func (r *reader) convert(s *alterTable) {
	if !r.accept("CHARACTER", "SET") && !r.acceptAny("CHARSET") && !r.accept("CHAR", "SET") {
		r.fail("expected CHARACTER SET")
		return
	}
	s.options.converted = s.options.charset
	s.options.convert = charset.Canonical(r.charset())
	if r.acceptAny("COLLATE") {
		if cs := charset.OfCollation(r.charset()); cs != "" && cs != defaultCharset {
			s.options.convert = cs
		}
	}
}
