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
	tables map[TableName]bool // those that stand where nothing but a table can
	words  map[string]bool    // those that stand alone, in upper case

	chain  []token // identifiers with dots between them
	dot    bool    // a dot stands behind them
	apart  bool    // with blanks about a dot, which then may begin .name
	called bool    // CALL stands before them
	into   bool    // INTO stands before them
	table  bool    // they stand where a table does
	value  bool    // what stands beside them tells that they are no table

	clauses clauses
	last    token // the one before
	before  token // and the one before that
}

// clauses tell what may stand in each parenthesis that is open and, first, outside
// of all.
type clauses []clause

// clause is what may stand where the text is.
type clause struct {
	values bool // and no tables
	tables bool // and nothing else: the next one behind a comma is one, too
	query  bool // FROM is a query's, and not EXTRACT's or the like
}

func (c clauses) now() clause {
	if len(c) == 0 {
		return clause{}
	}
	return c[len(c)-1]
}

func (c clauses) values() bool { return c.now().values }

func (c *clauses) set(values, tables bool) {
	if len(*c) == 0 {
		*c = append(*c, clause{})
	}
	at := &(*c)[len(*c)-1]
	at.values, at.tables = values, tables
}

func (c *clauses) open(values bool) {
	if len(*c) == 0 {
		*c = append(*c, clause{})
	}
	*c = append(*c, clause{values: values, tables: c.now().tables, query: c.now().tables})
}

func (c *clauses) close() {
	if len(*c) > 0 {
		*c = (*c)[:len(*c)-1]
	}
}

// keyword acts on the words, all reserved, behind which only values stand, and on
// those behind which tables may, or a statement begins. before is the word before.
func (c *clauses) keyword(word string, before token) {
	switch word = strings.ToUpper(word); word {
	case "SELECT", "WHERE", "HAVING", "BY":
		c.set(true, false)
	case "FROM", "JOIN", "STRAIGHT_JOIN", "USING":
		c.set(false, c.now().query)
	case "UPDATE":
		c.set(false, !before.isWord("KEY") && !before.isWord("FOR"))
	case "ON":
		if at := c.now(); at.tables {
			c.set(false, false)
		}
	case "INTO", "TABLE", "TABLES", "FOR", "OF", "INSERT", "REPLACE", "DELETE", "TRUNCATE", "LOAD", "CALL",
		"BEGIN", "END", "DECLARE", "SET", "IF", "THEN", "ELSE", "ELSEIF", "CASE", "WHEN", "DO", "LOOP", "WHILE", "UNTIL", "REPEAT", "RETURN", "UNION", "EXCEPT", "INTERSECT", "WITH":
		c.set(false, false)
	}
	switch word {
	case "SELECT", "DELETE", "UPDATE":
		c.set(c.now().values, c.now().tables)
		(*c)[len(*c)-1].query = true
	}
}

// notTables are words that stand where a table does, and are none.
var notTables = wordSet(`
	into table dual lateral outfile dumpfile ignore low_priority quick delayed high_priority select values with json_table only
`)

// atTable tells that a table stands where an identifier begins.
func (m *mentions) atTable(t token) bool {
	if _, ok := notTables[strings.ToLower(t.text)]; ok && t.kind == tokWord {
		return false
	}
	switch strings.ToUpper(m.last.text) {
	case ",", "(":
		return m.last.kind == tokOp && m.clauses.now().tables
	case "LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE":
		return m.last.kind == tokWord && (m.before.isWord("INSERT") || m.before.isWord("REPLACE") || m.before.isWord("UPDATE") || m.before.isWord("LOW_PRIORITY"))
	case "INSERT", "REPLACE", "INTO", "TABLE":
		return m.last.kind == tokWord
	case "FROM", "JOIN", "STRAIGHT_JOIN", "USING", "UPDATE":
		return m.last.kind == tokWord && m.clauses.now().tables
	}
	return false
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
				m.clauses.keyword(t.text, m.last)
			}
			m.called, m.into = m.last.isWord("CALL"), m.last.isWord("INTO")
			m.table = m.atTable(t)
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
	m.before, m.last = m.last, t
}

// open takes an opening parenthesis. The columns of INSERT INTO t (…) are values;
// the arguments of a sequence's functions are tables.
func (m *mentions) open(t token) {
	values := m.clauses.values()
	if len(m.chain) > 0 && !m.dot {
		values = values && !m.sequenceCall() || m.into
		m.finish(!m.table && (len(m.chain) > 1 || !m.server.builtInCall(m.chain[0], t, m.mode)))
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
func (m *mentions) end() { m.finish(false); m.before, m.last, m.clauses = token{}, token{}, nil }

// finish notes the identifiers read last.
func (m *mentions) finish(called bool) {
	if len(m.chain) == 0 {
		m.dot, m.value = false, false
		return
	}
	if m.names == nil {
		m.names, m.values, m.calls, m.words = map[TableName]bool{}, map[TableName]bool{}, map[TableName]bool{}, map[string]bool{}
		m.tables = map[TableName]bool{}
	}
	called = called || m.called || m.mode&modeOracle != 0 && !m.table // which calls procedures by their names alone
	note := func(n TableName) {
		m.names[n] = true
		if called {
			m.calls[n] = true
		}
	}
	if m.table {
		n := TableName{Name: m.chain[0].text}
		if len(m.chain) > 1 {
			n = TableName{m.chain[0].text, m.chain[1].text}
		}
		m.tables[n] = true
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
	m.chain, m.dot, m.apart, m.called, m.into, m.value, m.table = m.chain[:0], false, false, false, false, false, false
}
