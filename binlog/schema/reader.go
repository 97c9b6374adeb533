package schema

import (
	"strings"

	"daybook/binlog/charset"
)

// reader reads one statement. After the first failure all tokens are tokEnd,
// so every loop ends, and failed tells what was not understood.
type reader struct {
	lex    lexer
	ahead  []token // looked at but not taken
	server Server
	db     string // default database
	client string // the charset that the statement was written in
	failed *UnreadableError
	tables []TableName  // named so far
	change *rowChange   // what a statement that may change rows names
	acting []ForeignKey // that the statement declares and whose actions change rows
}

func newReader(sql string, server Server, ctx Context) *reader {
	return &reader{lex: lexer{src: sql, mode: ctx.SQLMode, server: server}, server: server, db: server.stored(ctx.Database), client: "utf8mb4"}
}

// peek returns the token n places ahead without taking it.
func (r *reader) peek(n int) token {
	if r.failed != nil {
		return token{kind: tokEnd}
	}
	for len(r.ahead) <= n {
		t := r.lex.next()
		if r.change != nil {
			r.change.mentions.add(t)
		}
		r.ahead = append(r.ahead, t)
	}
	return r.ahead[n]
}

// take returns the next token and moves past it.
func (r *reader) take() token {
	t := r.peek(0)
	if len(r.ahead) > 0 {
		r.ahead = r.ahead[:copy(r.ahead, r.ahead[1:])]
	}
	return t
}

// fail records the first failure, at the next token.
func (r *reader) fail(reason string) {
	if r.failed != nil {
		return
	}
	t := r.peek(0)
	near := r.lex.src[t.start:]
	if len(near) > 80 {
		near = strings.ToValidUTF8(near[:80], "")
	}
	r.failed = &UnreadableError{Tables: r.tables, Reason: reason, At: t.start, Near: near}
}

// isWord tells whether the token n places ahead is one of the words, unquoted.
func (r *reader) isWord(n int, words ...string) bool {
	t := r.peek(n)
	if t.kind != tokWord {
		return false
	}
	for _, w := range words {
		if strings.EqualFold(t.text, w) {
			return true
		}
	}
	return false
}

func (r *reader) isOp(n int, op string) bool {
	t := r.peek(n)
	return t.kind == tokOp && t.text == op
}

// accept takes the words if they all come next, in this order.
func (r *reader) accept(words ...string) bool {
	for i, w := range words {
		if !r.isWord(i, w) {
			return false
		}
	}
	for range words {
		r.take()
	}
	return true
}

// acceptAny takes the next token if it is one of the words.
func (r *reader) acceptAny(words ...string) bool {
	if r.isWord(0, words...) {
		r.take()
		return true
	}
	return false
}

func (r *reader) acceptOp(op string) bool {
	if r.isOp(0, op) {
		r.take()
		return true
	}
	return false
}

func (r *reader) expectOp(op string) {
	if !r.acceptOp(op) {
		r.fail("expected " + op)
	}
}

// isName tells whether the token n places ahead can be an identifier.
func (r *reader) isName(n int) bool {
	t := r.peek(n)
	return t.kind == tokWord || t.kind == tokQuoted
}

// name takes an identifier.
func (r *reader) name() string {
	if t := r.peek(0); !r.isName(0) || t.text == "" || strings.Contains(t.text, "\x00") {
		r.fail("expected a name")
		return ""
	}
	name := [1]string{r.take().text}
	fit("utf8mb3", name[:]...) // in which servers keep names; MySQL has a question mark for what it lacks
	return name[0]
}

// columnName takes an identifier that may be qualified; the last part counts.
func (r *reader) columnName() string {
	r.acceptOp(".")
	name := r.name()
	for r.acceptOp(".") {
		name = r.name()
	}
	return name
}

// databaseName takes a database's name in the form in which the server keeps it.
func (r *reader) databaseName() string { return r.server.stored(r.name()) }

// relationName takes [database.]name, or .name, of a table or view likewise.
func (r *reader) relationName() TableName {
	r.acceptOp(".")
	n := TableName{Database: r.db, Name: r.databaseName()}
	if r.acceptOp(".") {
		n = TableName{Database: n.Name, Name: r.databaseName()}
	}
	return n
}

// tableName takes the name of a table that the statement is about.
func (r *reader) tableName() TableName {
	n := r.relationName()
	if r.failed == nil {
		r.tables = append(r.tables, n)
	}
	return n
}

// text takes a string literal; adjacent ones are one.
func (r *reader) text() (string, bool) {
	if r.peek(0).kind != tokString {
		return "", false
	}
	s := r.take().text
	for r.peek(0).kind == tokString {
		s += r.take().text
	}
	return s, true
}

// skipParens steps over a balanced (...) if one comes next.
func (r *reader) skipParens() bool {
	if !r.acceptOp("(") {
		return false
	}
	r.skipToClose()
	return true
}

// skipToClose steps past the ) that closes an open (.
func (r *reader) skipToClose() {
	for depth := 1; depth > 0; {
		switch t := r.peek(0); {
		case t.kind == tokEnd:
			r.fail("expected )")
			return
		case t.kind == tokOp && t.text == "(":
			depth++
		case t.kind == tokOp && t.text == ")":
			depth--
		}
		r.take()
	}
}

// skipElement steps over everything up to the next comma or closing
// parenthesis that is not inside parentheses of its own.
func (r *reader) skipElement() {
	for !r.atElementEnd() {
		if !r.skipParens() {
			r.take()
		}
	}
}

// atElementEnd tells the end of a column, key or action. PARTITION BY needs no comma before it.
func (r *reader) atElementEnd() bool {
	return r.peek(0).kind == tokEnd || r.isWord(0, "PARTITION") && r.isWord(1, "BY") || r.isOp(0, ",") || r.isOp(0, ")") || r.isOp(0, ";")
}

// ifExists takes IF [NOT] EXISTS.
func (r *reader) ifExists() bool {
	return r.accept("IF", "NOT", "EXISTS") || r.accept("IF", "EXISTS")
}

// charset takes a charset's or collation's name, which may be quoted.
func (r *reader) charset() string {
	r.acceptOp("=")
	s, ok := r.text()
	if !ok {
		s = r.name()
	}
	return r.server.meant(s, r.lex.mode)
}

// meant returns the charset or collation that a name in a statement means, in lower case.
func (s Server) meant(name string, mode uint64) string {
	name = strings.ToLower(name)
	is4 := s.UTF8MB4 || !s.mariaDB() && mode&modeUTF8MB4 != 0
	if rest, ok := strings.CutPrefix(name, "utf8"); ok && is4 && (rest == "" || rest[0] == '_') {
		return "utf8mb4" + rest
	}
	return name
}

// introducer takes a _charset before a literal.
func (r *reader) introducer() string {
	return charset.Canonical(r.server.meant(r.take().text[1:], r.lex.mode))
}
