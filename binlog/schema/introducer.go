package schema

import (
	"fmt"
	"strings"

	"daybook/binlog/charset"
)

// inHex returns a decoded statement with the literals in hex that have an introducer and
// bytes beyond ASCII (_latin1 X'E9' for _latin1'é'): these are the bytes that the client wrote,
// whatever it speaks, and not those of the statement in UTF-8.
func inHex(sql, client string, mode uint64, server Server) string {
	cs, known := charset.ByName(client)
	if client == "" || client == "utf8mb4" || client == "utf8mb3" || client == "binary" || !known || isASCII(sql) || !strings.Contains(sql, "_") {
		return sql
	}
	var b strings.Builder
	told := 0
	l := lexer{src: sql, mode: mode, server: server}
	for t := l.next(); t.kind != tokEnd; {
		word := t
		if t = l.next(); !isIntroducer(word) || t.kind != tokString || prefixedString(sql, t) {
			continue
		}
		var text string
		var pieces []token
		for ; t.kind == tokString; t = l.next() { // which are one
			text += t.text
			pieces = append(pieces, t)
		}
		if isASCII(text) || strings.Contains(text, "\ufffd") { // what bytes that was is not known
			continue
		}
		bytes := cs.Encode(text)
		b.WriteString(sql[told:word.start] + introducerOf(word.text, server.meant(word.text[1:], mode), string(bytes)))
		if word.end == pieces[0].start {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%sX'%X'", sql[word.end:pieces[0].start], bytes)
		for i, p := range pieces[1:] {
			b.WriteString(sql[pieces[i].end:p.start]) // the end of a comment may stand there
		}
		told = pieces[len(pieces)-1].end
	}
	return b.String() + sql[told:]
}

func isIntroducer(t token) bool {
	if t.kind != tokWord || !strings.HasPrefix(t.text, "_") {
		return false
	}
	name := charset.Canonical(t.text[1:])
	_, known := charset.ByName(name)
	return known || name == "binary"
}

// introducerOf returns the introducer of a literal in hex: the word that it has, but _binary if
// these bytes are none of the charset that is meant, which servers refuse in hex alone.
func introducerOf(word, meant, bytes string) string {
	name := charset.Canonical(meant)
	if name != "binary" && charset.MinLen(name) == 1 && strings.Contains(bytesIn(bytes, name), "\ufffd") {
		return "_binary"
	}
	return word
}

// prefixedString tells N'text'.
func prefixedString(sql string, t token) bool { return sql[t.start] == 'n' || sql[t.start] == 'N' }
