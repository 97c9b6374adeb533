package schema

import "strings"

// mentions are what a text may name: of tables and views each identifier, as
// database.name where it is written so, and of routines what is called.
type mentions struct {
	server Server
	mode   uint64

	names  map[TableName]bool // Database is "" where none is written
	values map[TableName]bool // those that can be no table where they stand
	calls  map[TableName]bool // those before "(" or after CALL, but for what the server knows itself
	words  map[string]bool    // those that stand alone, in upper case

	chain  []token // identifiers with dots between them
	dot    bool    // a dot stands behind them
	apart  bool    // with blanks about a dot, which then may begin .name
	called bool    // CALL stands before them
	into   bool    // INTO stands before them
	value  bool    // what stands beside them tells that they are no table

	clauses clauses
	last    token // the one before
}

// clauses tell where no table can stand, for each parenthesis that is open and,
// first, for what is outside of all.
type clauses []bool

func (c clauses) values() bool { return len(c) > 0 && c[len(c)-1] }

func (c *clauses) set(values bool) {
	if len(*c) == 0 {
		*c = append(*c, false)
	}
	(*c)[len(*c)-1] = values
}

func (c *clauses) open(values bool) {
	if len(*c) == 0 {
		*c = append(*c, false)
	}
	*c = append(*c, values)
}

func (c *clauses) close() {
	if len(*c) > 0 {
		*c = (*c)[:len(*c)-1]
	}
}

// keyword acts on the words, all reserved, behind which only values stand, and on
// those behind which tables may, or a statement begins.
func (c *clauses) keyword(word string) {
	switch strings.ToUpper(word) {
	case "SELECT", "WHERE", "HAVING", "BY":
		c.set(true)
	case "FROM", "JOIN", "STRAIGHT_JOIN", "INTO", "TABLE", "TABLES", "USING", "FOR", "OF", "INSERT", "REPLACE", "UPDATE", "DELETE", "TRUNCATE", "LOAD", "CALL",
		"BEGIN", "END", "DECLARE", "SET", "IF", "THEN", "ELSE", "ELSEIF", "CASE", "WHEN", "DO", "LOOP", "WHILE", "UNTIL", "REPEAT", "RETURN", "UNION", "EXCEPT", "INTERSECT", "WITH":
		c.set(false)
	}
}

// operators stand beside values, and never beside a table; @ before a variable.
const operators = "=<>+-*/%!|&^~@"

func (t *token) isOperator() bool { return t.kind == tokOp && strings.Contains(operators, t.text) }

func (t *token) isWord(word string) bool { return t.kind == tokWord && strings.EqualFold(t.text, word) }

// add takes the text's next token.
func (m *mentions) add(t token) {
	switch {
	case t.kind == tokWord || t.kind == tokQuoted:
		if !m.dot || len(m.chain) == 0 {
			m.finish(false)
			if t.kind == tokWord && !(m.last.kind == tokOp && m.last.text == "@") {
				m.clauses.keyword(t.text)
			}
			m.called, m.into = m.last.isWord("CALL"), m.last.isWord("INTO")
			m.value = m.clauses.values() || m.last.isOperator() || m.last.isWord("AS")
		} else if m.chain[len(m.chain)-1].end+1 != t.start {
			m.apart = true
		}
		m.chain, m.dot = append(m.chain, t), false
	case t.kind == tokOp && t.text == "." && len(m.chain) > 0 && !m.dot:
		m.dot = true
	case t.kind == tokOp && t.text == "(":
		m.open(t)
	default:
		m.value = m.value || t.isOperator() && !m.dot
		m.finish(false)
		if t.kind == tokOp && t.text == ")" {
			m.clauses.close()
		} else if t.kind == tokOp && t.text == ";" {
			m.clauses = m.clauses[:0]
		}
	}
	m.last = t
}

// open takes an opening parenthesis. The columns of INSERT INTO t (…) are values;
// the arguments of a sequence's functions are tables.
func (m *mentions) open(t token) {
	values := m.clauses.values()
	if len(m.chain) > 0 && !m.dot {
		values = values && !m.sequenceCall() || m.into
		m.finish(len(m.chain) > 1 || !m.server.builtInCall(m.chain[0], t, m.mode))
	} else {
		m.finish(false)
	}
	m.clauses.open(values)
}

// sequenceCall tells that a function follows which changes a sequence.
func (m *mentions) sequenceCall() bool {
	switch strings.ToUpper(m.chain[0].text) {
	case "NEXTVAL", "LASTVAL", "SETVAL":
		return true
	}
	return false
}

// end tells that the text has ended.
func (m *mentions) end() { m.finish(false); m.last, m.clauses = token{}, nil }

// finish notes the identifiers read last.
func (m *mentions) finish(called bool) {
	if len(m.chain) == 0 {
		m.dot, m.value = false, false
		return
	}
	if m.names == nil {
		m.names, m.values, m.calls, m.words = map[TableName]bool{}, map[TableName]bool{}, map[TableName]bool{}, map[string]bool{}
	}
	called = called || m.called || m.mode&modeOracle != 0 // which calls procedures by their names alone
	note := func(n TableName) {
		m.names[n] = true
		if called {
			m.calls[n] = true
		}
	}
	if len(m.chain) == 1 {
		m.words[strings.ToUpper(m.chain[0].text)] = true
	} else {
		note(TableName{m.chain[0].text, m.chain[1].text})
	}
	switch {
	case len(m.chain) == 1 && m.value && !called:
		m.values[TableName{Name: m.chain[0].text}] = true
	case len(m.chain) == 1 || m.apart:
		for _, t := range m.chain {
			note(TableName{Name: t.text})
		}
	}
	m.chain, m.dot, m.apart, m.called, m.into, m.value = m.chain[:0], false, false, false, false, false
}
