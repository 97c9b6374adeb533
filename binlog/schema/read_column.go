package schema

import (
	"strings"

	"daybook/binlog/charset"
)

// columnElement reads a column of CREATE TABLE, ADD COLUMN, CHANGE or MODIFY,
// fills a with it and appends that to dst, followed by the keys that the
// column declares inline.
func (r *reader) columnElement(dst []alteration, a alteration) []alteration {
	a.column.name = r.columnName()
	if a.kind == changeColumn && a.name == "" { // MODIFY
		a.name = a.column.name
	}
	a.column.typ = r.dataType()
	var unique, primary bool
	if a.column.typ.word == "SERIAL" {
		a.column.typ = typeSpec{word: "BIGINT", length: -1, scale: -1, unsigned: true}
		a.column.autoInc, a.column.nullable, unique = true, boolOf(false), true
	}
	for !r.atElementEnd() && !(r.isWord(0, "PARTITION") && r.isWord(1, "BY")) {
		switch {
		case r.accept("PRIMARY", "KEY"), r.acceptAny("KEY", "PRIMARY"):
			primary, a.column.nullable = true, boolOf(false)
		case r.acceptAny("UNIQUE"):
			unique = true
			r.acceptAny("KEY")
		case r.accept("SERIAL", "DEFAULT", "VALUE"):
			a.column.autoInc, a.column.nullable, unique = true, boolOf(false), true
		default:
			r.columnAttribute(&a)
		}
	}
	dst = append(dst, a)
	if primary {
		dst = append(dst, inlineKey(a, true))
	}
	if unique {
		dst = append(dst, inlineKey(a, false))
	}
	return dst
}

func boolOf(b bool) *bool { return &b }

// inlineKey is the key that a column declares. Where the column is added IF NOT EXISTS,
// so is the key, whether the column is there or not.
func inlineKey(a alteration, primary bool) alteration {
	k := key{Primary: primary, Unique: true, Parts: []keyPart{{Column: a.column.name}}}
	if primary {
		k.Name = primaryName
	}
	return alteration{kind: addKey, key: k, ifExists: a.kind == addColumn && a.ifExists}
}

// columnAttribute reads one attribute behind a column's data type, or steps
// over one token of what it does not know.
func (r *reader) columnAttribute(a *alteration) {
	c := &a.column
	switch {
	case r.accept("NOT", "NULL"):
		c.nullable = boolOf(false)
	case r.acceptAny("NULL"):
		c.nullable = boolOf(true)
	case r.acceptAny("AUTO_INCREMENT"):
		c.autoInc, c.nullable = true, boolOf(false)
	case r.acceptAny("DEFAULT"):
		c.fallback = r.defaultValue(r.server.mariaDB())
	case r.accept("ON", "UPDATE"):
		c.onUpdate = true
		r.take()
		r.skipParens()
	case r.acceptAny("COMMENT"):
		c.comment, _ = r.text()
	case r.acceptAny("COLLATE"):
		if cs := charset.OfCollation(r.charset()); cs != "" && cs != defaultCharset {
			c.charset = cs
		}
	case r.accept("GENERATED", "ALWAYS", "AS"), r.acceptAny("AS"):
		r.generated(c)
	case r.acceptAny("COLUMN_FORMAT", "STORAGE"):
		r.take()
	case r.acceptAny("INVISIBLE"):
		c.invisible = true
	case r.acceptAny("COMPRESSED"):
		c.compressed = true
	case r.accept("WITH", "SYSTEM", "VERSIONING"):
		c.versioned = true
	case r.accept("WITHOUT", "SYSTEM", "VERSIONING"):
	case r.acceptAny("STORED", "PERSISTENT"):
		c.stored = true
	case r.acceptAny("REFERENCES"):
		r.references(true)
	case r.acceptAny("CONSTRAINT"):
		if !r.isWord(0, "CHECK") {
			r.take()
		}
	case r.acceptAny("CHECK"):
		r.skipParens()
		_ = r.accept("NOT", "ENFORCED") || r.accept("ENFORCED")
	case r.accept("FIRST"):
		a.first = true
	case r.acceptAny("AFTER"):
		a.after = r.columnName()
	case r.charsetAttribute(&c.typ, &c.charset):
	case r.skipParens():
	default:
		r.take()
	}
}

// generated reads what follows AS: an expression, or ROW START and ROW END of
// MariaDB's system versioning.
func (r *reader) generated(c *columnDef) {
	c.generated = true
	switch {
	case r.accept("ROW", "START"):
		c.rowTime = startsRow
	case r.accept("ROW", "END"):
		c.rowTime = endsRow
	case !r.skipParens():
		r.fail("expected an expression")
	}
}

// references reads a REFERENCES clause, whose words NULL and DEFAULT do not concern
// the column, and notes one whose action changes rows. inline: it is a column's.
func (r *reader) references(inline bool) {
	parent := r.referencedTable()
	r.skipParens()
	var actions []string
	for {
		switch {
		case r.acceptAny("MATCH"):
			r.take()
			continue
		case r.accept("ON", "DELETE"):
			actions = r.action(actions, "ON DELETE ")
			continue
		case r.accept("ON", "UPDATE"):
			actions = r.action(actions, "ON UPDATE ")
			continue
		}
		break
	}
	if len(actions) > 0 && (!inline || r.server.obeysInlineReferences()) && r.failed == nil && len(r.tables) > 0 && len(r.acting) < maxActing {
		r.acting = append(r.acting, ForeignKey{Child: r.tables[0], Parent: parent, Actions: strings.Join(actions, " ")})
	}
}

// maxActing bounds the foreign keys that are told of one statement.
const maxActing = 64

// referencedTable takes a parent's name, which is in the child's database unless it
// says another.
func (r *reader) referencedTable() TableName {
	n := TableName{Name: r.name()}
	if len(r.tables) > 0 {
		n.Database = r.tables[0].Database
	}
	if r.acceptOp(".") {
		n = TableName{Database: n.Name, Name: r.name()}
	}
	return n
}

// action takes what follows ON DELETE and ON UPDATE, and adds what changes rows.
func (r *reader) action(to []string, when string) []string {
	for _, words := range [][]string{{"SET", "NULL"}, {"SET", "DEFAULT"}, {"CASCADE"}} {
		if r.accept(words...) {
			return append(to, when+strings.Join(words, " "))
		}
	}
	_ = r.accept("NO", "ACTION") || r.acceptAny("RESTRICT")
	return to
}

// charsetAttribute reads what sets the charset of a text type.
func (r *reader) charsetAttribute(t *typeSpec, set *string) bool {
	switch {
	case r.accept("CHARACTER", "SET"), r.acceptAny("CHARSET"), r.accept("CHAR", "SET"):
		*set = charset.Canonical(r.charset())
	case r.acceptAny("ASCII"):
		*set = "latin1"
	case r.acceptAny("UNICODE"):
		*set = "ucs2"
	case r.acceptAny("BYTE"):
		*set = "binary"
	case r.acceptAny("BINARY"):
		t.binary = true
	default:
		return false
	}
	return true
}

// defaultValue reads what follows DEFAULT. Whatever is no plain literal is an
// expression. bare: so is a literal in parentheses, which for MySQL's columns is an expression.
func (r *reader) defaultValue(bare bool) *literal {
	if opens, before := r.parenthesised(); opens > 0 && bare {
		negative := false
		for range before {
			negative = negative != (r.take().text == "-")
		}
		v := r.defaultValue(bare)
		if negative && v.kind == tokWord { // TRUE, FALSE
			v = &literal{kind: tokNumber, text: map[string]string{"TRUE": "1", "FALSE": "0"}[v.text]}
		}
		if negative {
			v.text = "-" + v.text
		}
		for range opens {
			r.take()
		}
		return v
	}
	t := r.peek(0)
	introduced := ""
	if next := r.peek(1).kind; t.kind == tokWord && strings.HasPrefix(t.text, "_") && (next == tokString || next == tokHex || next == tokBits) {
		introduced = r.introducer()
		t = r.peek(0)
	}
	negative := false
	if n := r.signs(0); n > 0 && r.peek(n).kind == tokNumber {
		for range n {
			negative = negative != (r.take().text == "-")
		}
		t = r.peek(0)
	}
	switch t.kind {
	case tokString:
		s, _ := r.text()
		if s == "" && introduced == "" && r.server.mariaDB() && r.lex.mode&modeEmptyIsNull != 0 {
			return &literal{kind: tokWord, text: "NULL"}
		}
		return &literal{kind: tokString, text: r.introduced(s, introduced), charset: introduced}
	case tokNumber, tokHex, tokBits:
		r.take()
		if negative {
			t.text = "-" + t.text
		}
		return &literal{kind: t.kind, text: t.text, charset: introduced}
	case tokWord:
		r.take()
		if r.isWord(0, "FOR") && r.server.mariaDB() || r.isOp(0, "(") {
			r.skipDefaultRest()
			return &literal{kind: tokOp}
		}
		switch word := strings.ToUpper(t.text); word {
		case "NULL", "TRUE", "FALSE":
			return &literal{kind: tokWord, text: word}
		case "DATE", "TIME", "TIMESTAMP": // DATE'2020-01-01'
			if s, ok := r.text(); ok {
				return &literal{kind: tokString, text: s}
			}
		case "NEXT", "PREVIOUS": // VALUE FOR sequence
			r.skipDefaultRest()
		}
		return &literal{kind: tokOp}
	}
	r.skipDefaultRest()
	return &literal{kind: tokOp}
}

// parenthesised tells in how many parentheses a literal stands, which MariaDB takes
// for the literal itself, and how many of them and of signs are before it. MySQL does in SET
// DEFAULT, if there is no minus. 0: there is none.
func (r *reader) parenthesised() (opens, before int) {
	const most = 6
	signed := false
	for ; before < most; before++ {
		switch {
		case r.isOp(before, "("):
			opens++
		case opens > 0 && (r.isOp(before, "-") && r.server.mariaDB() || r.isOp(before, "+")):
			signed = true
		default:
			if end := r.literalEnd(before, signed); opens > 0 && end > 0 && r.closes(end, opens) {
				return opens, before
			}
			return 0, 0
		}
	}
	return 0, 0
}

// literalEnd returns where the literal ends that the i-th token begins, 0 if none does.
// number: it is to be one.
func (r *reader) literalEnd(i int, number bool) int {
	t := r.peek(i)
	if number {
		if t.kind == tokNumber || r.isWord(i, "TRUE", "FALSE") {
			return i + 1
		}
		return 0
	}
	if t.kind == tokWord && (strings.HasPrefix(t.text, "_") || r.isWord(i, "DATE", "TIME", "TIMESTAMP") && r.peek(i+1).kind == tokString) {
		i++
	}
	switch t = r.peek(i); {
	case t.kind == tokString:
		for r.peek(i+1).kind == tokString { // which are one
			i++
		}
	case t.kind != tokNumber && t.kind != tokHex && t.kind != tokBits && !r.isWord(i, "NULL", "TRUE", "FALSE"):
		return 0
	}
	return i + 1
}

// closes tells that n parentheses close at the i-th token.
func (r *reader) closes(i, n int) bool {
	for j := range n {
		if !r.isOp(i+j, ")") {
			return false
		}
	}
	return true
}

// signs counts the signs from the i-th token on, as far as they can be before a number.
func (r *reader) signs(i int) int {
	const most = 3
	n := 0
	for n < most && (r.isOp(i+n, "-") || r.isOp(i+n, "+")) {
		n++
	}
	return n
}

// skipDefaultRest steps over the rest of an expression, up to the next word
// that is an attribute of the column.
func (r *reader) skipDefaultRest() {
	for !r.atElementEnd() && !r.isWord(0, "NOT", "NULL", "COMMENT", "ON", "AFTER", "FIRST", "UNIQUE", "PRIMARY", "KEY",
		"COLLATE", "CHECK", "REFERENCES", "AUTO_INCREMENT", "INVISIBLE", "CONSTRAINT") {
		if !r.skipParens() {
			r.take()
		}
	}
}

// introduced returns a text behind an introducer: its bytes are text in that charset,
// whatever the client speaks.
func (r *reader) introduced(text, name string) string {
	cs, ok := charset.ByName(r.client)
	switch {
	case name != "" && ok:
		return bytesIn(string(cs.Encode(text)), name)
	case name != "" && r.client == "binary":
		return bytesIn(text, name)
	}
	return text
}
