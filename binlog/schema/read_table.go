package schema

import (
	"strings"

	"daybook/binlog/charset"
)

// createTable reads what follows CREATE [OR REPLACE] [TEMPORARY] TABLE.
func (r *reader) createTable(orReplace, temporary bool) *createTable {
	s := &createTable{orReplace: orReplace, temporary: temporary}
	s.ifNotExist = r.ifExists()
	s.name = r.tableName()
	if temporary {
		r.temporaryTable(s)
		return s
	}
	switch {
	case r.accept("LIKE"):
		n := r.tableName()
		s.like = &n
		return s
	case r.isOp(0, "(") && r.isWord(1, "LIKE"):
		r.take()
		r.take()
		n := r.tableName()
		s.like = &n
		return s
	case r.isOp(0, "(") && !r.isWord(1, "SELECT", "WITH", "VALUES", "TABLE") && !r.isOp(1, "("):
		r.take()
		s.elements = r.tableElements(nil, false)
		r.expectOp(")")
	}
	if s.query = r.tableOptions(&s.options, false); s.query {
		r.collect() // the functions that the query calls
		r.skipRest()
	}
	return s
}

// temporaryTable reads the rest of CREATE TEMPORARY TABLE, in which only the
// engine matters, and the functions that a query calls.
func (r *reader) temporaryTable(s *createTable) {
	if r.isWord(0, "LIKE") || r.isOp(0, "(") && r.isWord(1, "LIKE") {
		r.acceptOp("(")
		r.take()
		n := r.relationName()
		s.like = &n
	}
	for r.peek(0).kind != tokEnd {
		switch {
		case r.startsQuery():
			r.collect()
			r.skipRest()
		case r.acceptAny("ENGINE"), r.server.Version < 50500 && r.acceptAny("TYPE"):
			s.options.engine = r.engine()
		case r.skipParens():
		default:
			r.take()
		}
	}
}

// tableElements reads columns, keys and constraints up to the closing
// parenthesis and adds them to dst. ifExists: columns that are there are left out.
func (r *reader) tableElements(dst []alteration, ifExists bool) []alteration {
	for {
		dst = r.tableElement(dst, ifExists)
		if len(dst) > maxElements {
			r.fail("too many columns and keys")
		}
		if !r.acceptOp(",") {
			return dst
		}
	}
}

// maxElements bounds the columns, keys and actions of a statement, and with
// them the time that it takes; servers allow 4096 columns and 64 keys.
const maxElements = 16384

func (r *reader) tableElement(dst []alteration, ifExists bool) []alteration {
	if r.skipConstraint() {
		return dst
	}
	if r.isPeriod() {
		return append(dst, r.period())
	}
	if a, ok := r.keyElement(); ok {
		return append(dst, a)
	}
	return r.columnElement(dst, alteration{kind: addColumn, ifExists: ifExists})
}

// skipConstraint steps over what says nothing about columns and keys: CHECK.
func (r *reader) skipConstraint() bool {
	switch {
	case r.isWord(0, "CHECK") && r.isOp(1, "("),
		r.isWord(0, "CONSTRAINT") && r.isWord(1, "IF") && r.isWord(2, "NOT"), // EXISTS: of CHECK only
		r.isWord(0, "CONSTRAINT") && r.isWord(1, "CHECK") && r.isOp(2, "("),
		r.isWord(0, "CONSTRAINT") && r.isName(1) && r.isWord(2, "CHECK") && r.isOp(3, "("):
		r.skipElement()
		return true
	}
	return false
}

func (r *reader) isPeriod() bool {
	return r.isWord(0, "PERIOD") && r.isWord(1, "FOR", "IF") && r.server.mariaDB()
}

// period reads MariaDB's PERIOD [IF NOT EXISTS] FOR name (from, to), whose columns
// become NOT NULL.
func (r *reader) period() alteration {
	r.take()
	a := alteration{kind: addPeriod, ifExists: r.ifExists()}
	if !r.accept("FOR") {
		r.fail("expected FOR")
	}
	a.period.Name = r.name()
	r.expectOp("(")
	a.period.Start = r.name()
	r.expectOp(",")
	a.period.End = r.name()
	r.expectOp(")")
	return a
}

// keyElement reads the definition of a key, if one comes next.
func (r *reader) keyElement() (alteration, bool) {
	a := alteration{kind: addKey}
	k := &a.key
	start, vendors := 0, false
	var constraint string
	if r.isWord(0, "CONSTRAINT") {
		start = 1
		if !r.isWord(1, "PRIMARY", "UNIQUE", "FOREIGN", "CHECK") {
			constraint = r.peek(1).text
			start = 2
		}
	}
	switch {
	case r.isWord(start, "PRIMARY") && r.isWord(start+1, "KEY"):
		k.Primary, k.Unique = true, true
	case r.isWord(start, "UNIQUE"):
		k.Unique = true
	case r.isWord(start, "FOREIGN") && r.isWord(start+1, "KEY"):
		k.Generated = true
	case start > 0:
		r.fail("expected a kind of constraint")
		return a, true
	case r.isWord(0, "KEY", "INDEX"):
	case r.isWord(0, "FULLTEXT", "SPATIAL"), r.isWord(0, "VECTOR") && r.isWord(1, "KEY", "INDEX"):
		k.FullText = true
	case r.isWord(0, "CLUSTERED") && r.isWord(1, "COLUMNAR"): // PolarDB's
		k.FullText, vendors = true, true
		r.take()
	case r.isVendorsKey():
		vendors = true
	default:
		return a, false
	}
	for range start + 1 {
		r.take()
	}
	if r.isVendorsKey() { // behind UNIQUE
		vendors = true
		r.take()
	}
	r.acceptAny("KEY", "INDEX")
	a.ifExists = r.ifExists()
	k.Name, k.Hash = r.keyName()
	if k.Name == "" || k.Generated && constraint != "" {
		k.Name = constraint
	}
	k.Parts = r.keyParts()
	if k.Primary {
		k.Name = primaryName
	}
	k.Hash = r.keyOptions() || k.Hash
	if vendors && r.accept("PARTITION", "BY") { // the key's own
		r.skipElement()
	}
	return a, true
}

// isVendorsKey tells whether a word comes next that says of a key how TokuDB or PolarDB-X keeps it.
func (r *reader) isVendorsKey() bool {
	return r.isWord(0, "CLUSTERING", "GLOBAL", "LOCAL", "CLUSTERED") && r.isWord(1, "KEY", "INDEX")
}

// primaryName is the one name of primary keys.
const primaryName = "PRIMARY"

// keyName takes an optional key name and USING clause.
func (r *reader) keyName() (name string, hash bool) {
	if r.isName(0) && !r.isWord(0, "USING") && !(r.isWord(0, "TYPE") && r.isWord(1, "BTREE", "HASH", "RTREE")) {
		name = r.name()
	}
	if r.acceptAny("USING", "TYPE") {
		hash = strings.EqualFold(r.name(), "HASH")
	}
	return name, hash
}

// keyOptions steps over what follows a key's columns, and tells USING HASH.
func (r *reader) keyOptions() (hash bool) {
	for !r.atElementEnd() {
		switch {
		case r.acceptAny("USING"):
			hash = strings.EqualFold(r.name(), "HASH")
		case r.acceptAny("REFERENCES"):
			r.references(false)
		case r.skipParens():
		default:
			r.take()
		}
	}
	return hash
}

// keyParts reads (column [(prefix)] [ASC|DESC], (expression), …).
func (r *reader) keyParts() []keyPart {
	var parts []keyPart
	r.expectOp("(")
	for r.failed == nil {
		switch {
		case r.isOp(0, "("):
			r.skipParens()
			parts = append(parts, keyPart{})
			r.skipElement()
		default:
			p := keyPart{Column: r.columnName()}
			if r.acceptOp("(") {
				p.Prefix = r.number()
				r.expectOp(")")
			}
			if r.accept("WITHOUT", "OVERLAPS") { // the name is a period's, not a column's
				p = keyPart{period: p.Column}
			}
			r.skipElement()
			parts = append(parts, p)
		}
		if r.acceptOp(",") {
			continue
		}
		r.expectOp(")")
		return parts
	}
	return parts
}

// tableOptions reads options up to the end of the statement, or, among the
// actions of ALTER TABLE, to the next comma. It tells whether a query follows
// that gives the table columns.
func (r *reader) tableOptions(o *tableOptions, alter bool) (query bool) {
	for r.peek(0).kind != tokEnd {
		switch {
		case alter && r.isOp(0, ","):
			return false
		case r.accept("CHARACTER", "SET"), r.acceptAny("CHARSET"):
			o.charset = charset.Canonical(r.charset())
		case r.isWord(0, "CHAR") && r.isWord(1, "SET"):
			r.take()
			r.take()
			o.charset = charset.Canonical(r.charset())
		case r.acceptAny("COLLATE"):
			switch cs := charset.OfCollation(r.charset()); {
			case cs == defaultCharset && r.server.mariaFrom(100900): // the character set's, whatever that is (MDEV-27896)
			case cs != "": // others take DEFAULT for that of CHARACTER SET, too
				o.charset = cs
			}
		case r.acceptAny("COMMENT"):
			r.acceptOp("=")
			if s, ok := r.text(); ok {
				o.comment = &s
			}
		case r.acceptAny("ENGINE"), r.server.Version < 50500 && r.acceptAny("TYPE"):
			o.engine = r.engine()
		case !alter && r.isWord(0, "START") && r.isWord(1, "TRANSACTION"):
			o.start = r.peek(0).start
			r.take()
			o.end = r.take().end
		case r.accept("WITH", "SYSTEM", "VERSIONING"):
			o.versioning = versioningAdded
		case r.accept("PARTITION", "BY"):
			r.skipPartitions(o)
		case !alter && r.startsQuery():
			return true
		case r.skipParens():
		default:
			r.take()
		}
	}
	return false
}

// startsQuery tells whether the SELECT of CREATE TABLE … SELECT comes next.
func (r *reader) startsQuery() bool {
	if r.isOp(0, "(") {
		return r.isWord(1, "SELECT", "WITH", "VALUES", "TABLE") || r.isOp(1, "(")
	}
	return r.isWord(0, "SELECT", "AS", "WITH", "VALUES", "TABLE") && !r.isOp(1, "=")
}

// skipPartitions steps over PARTITION BY, which ends the options. Its
// partitions have options of their own, of which the engine is the table's too
// if that has none.
func (r *reader) skipPartitions(o *tableOptions) {
	for depth := 0; r.peek(0).kind != tokEnd && (depth > 0 || !r.startsQuery()); {
		switch {
		case depth == 0 && r.acceptAny("HASH", "KEY", "RANGE", "LIST", "COLUMNS"):
			r.skipParens() // with an expression, which may have more of them
		case r.acceptOp("("):
			depth++
		case r.acceptOp(")"):
			depth--
		case depth > 0 && r.isWord(0, "ENGINE") && (r.isOp(1, "=") || r.isName(1)):
			r.take()
			if engine := r.engine(); o.engine == "" {
				o.engine = engine
			}
		default:
			r.take()
		}
	}
}

// engine takes a storage engine's name, which may be quoted.
func (r *reader) engine() string {
	r.acceptOp("=")
	if s, ok := r.text(); ok {
		return s
	}
	return r.name()
}

// number takes a whole number; -1 and a failure if there is none.
func (r *reader) number() int {
	t := r.peek(0)
	if t.kind != tokNumber {
		r.fail("expected a number")
		return -1
	}
	r.take()
	n := 0
	for _, c := range strings.TrimSpace(t.text) {
		if c < '0' || c > '9' {
			break
		}
		if n = n*10 + int(c-'0'); n > 1<<32 {
			return 1 << 32
		}
	}
	return n
}
