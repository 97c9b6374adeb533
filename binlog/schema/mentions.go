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
	value  bool    // what stands beside them tells that they are no table

	last token // the one before
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
			m.called = m.last.isWord("CALL")
			m.value = m.last.isOperator() || m.last.isWord("AS")
		} else if m.chain[len(m.chain)-1].end+1 != t.start {
			m.apart = true
		}
		m.chain, m.dot = append(m.chain, t), false
	case t.kind == tokOp && t.text == "." && len(m.chain) > 0 && !m.dot:
		m.dot = true
	case t.kind == tokOp && t.text == "(" && len(m.chain) > 0 && !m.dot:
		m.finish(len(m.chain) > 1 || !m.server.builtInCall(m.chain[0], t, m.mode))
	default:
		m.value = m.value || t.isOperator() && !m.dot
		m.finish(false)
	}
	m.last = t
}

// end tells that the text has ended.
func (m *mentions) end() { m.finish(false); m.last = token{} }

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
	m.chain, m.dot, m.apart, m.called, m.value = m.chain[:0], false, false, false, false
}
