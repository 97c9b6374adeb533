package schema

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokEnd    tokenKind = iota
	tokWord             // an unquoted identifier or keyword
	tokQuoted           // `x`, or "x" under ANSI_QUOTES
	tokString           // 'x', or "x"
	tokNumber           // 12, 1.5, 1e3
	tokHex              // x'41', 0x41; text holds the digits
	tokBits             // b'101', 0b101; text holds the digits
	tokOp               // one character of punctuation
)

// token is one lexical element. Its text has quotes and escapes resolved.
type token struct {
	kind       tokenKind
	text       string
	start, end int // byte offsets in the statement
}

// Bits of sql_mode that change how a statement is read, as in the status
// variable Q_SQL_MODE_CODE of a query event.
const (
	modeRealAsFloat        = 1 << 0
	modeANSIQuotes         = 1 << 2
	modeIgnoreSpace        = 1 << 3
	modeOracle             = 1 << 9  // MariaDB
	modeMSSQL              = 1 << 10 // MariaDB: names in brackets
	modeMaxDB              = 1 << 12 // MySQL before 8.0 and MariaDB
	modeNoZeroInDate       = 1 << 23
	modeTruncateFraction   = 1 << 32 // TIME_TRUNCATE_FRACTIONAL of MySQL
	modeEmptyIsNull        = 1 << 32 // EMPTY_STRING_IS_NULL of MariaDB
	modeUTF8MB4            = 1 << 33 // INTERPRET_UTF8_AS_UTF8MB4 of MySQL
	modeRoundFraction      = 1 << 34 // TIME_ROUND_FRACTIONAL of MariaDB
	modeNoBackslashEscapes = 1 << 20
	modeStrictTransTables  = 1 << 21
	modeStrictAllTables    = 1 << 22
)

// lexer splits a statement into tokens, steps over comments, and enters the
// versioned comments whose content the server runs. It reads forward only.
type lexer struct {
	src       string
	pos       int
	mode      uint64
	server    Server
	versioned int                 // versioned comments that are open
	written   bool                // what looks like a comment that the source passed over is written so
	inText    func(string) string // see decode
	raw       bool                // texts are bytes, which may be no UTF-8: names are made that
	afterDot  bool                // the last token was '.', so a word may begin with a digit
}

// next returns the next token; after the last one it returns tokEnd for ever.
func (l *lexer) next() token {
	l.skipBlank()
	start := l.pos
	if start >= len(l.src) {
		return token{kind: tokEnd, start: len(l.src), end: len(l.src)}
	}
	t := l.scan()
	t.start, t.end = start, l.pos
	if l.inText != nil && (t.kind == tokString || t.kind == tokQuoted) {
		t.text = l.inText(t.text)
	}
	if l.raw && (t.kind == tokWord || t.kind == tokQuoted) {
		t.text = strings.ToValidUTF8(t.text, "\ufffd")
	}
	l.afterDot = t.kind == tokOp && t.text == "."
	return t
}

func (l *lexer) scan() token {
	c := l.src[l.pos]
	switch {
	case c == '\'' || c == '"' && l.mode&modeANSIQuotes == 0:
		return token{kind: tokString, text: l.quoted(c, l.mode&modeNoBackslashEscapes == 0)}
	case c == '`' || c == '"':
		return token{kind: tokQuoted, text: l.quoted(c, false)}
	case c == '[' && l.mode&modeMSSQL != 0 && l.server.mariaFrom(100405):
		return token{kind: tokQuoted, text: l.quoted(']', false)}
	case isDigit(c) && !l.afterDot:
		return l.number()
	case c == '.' && !l.afterDot && isDigit(l.at(1)) && (l.pos == 0 || !isWordByte(l.src[l.pos-1]) && l.src[l.pos-1] != '`'):
		return l.number()
	case l.at(1) == '\'' && strings.IndexByte("xXbBnN", c) >= 0:
		l.pos++
		return l.prefixed(c)
	case isWordByte(c):
		return token{kind: tokWord, text: l.word()}
	}
	_, n := utf8.DecodeRuneInString(l.src[l.pos:])
	l.pos += n
	return token{kind: tokOp, text: l.src[l.pos-n : l.pos]}
}

// at returns the byte n places ahead, 0 past the end.
func (l *lexer) at(n int) byte {
	if l.pos+n < len(l.src) {
		return l.src[l.pos+n]
	}
	return 0
}

func (l *lexer) word() string {
	start := l.pos
	for l.pos < len(l.src) && isWordByte(l.src[l.pos]) {
		l.pos++
	}
	return l.src[start:l.pos]
}

// prefixed reads the quoted part of x'41', b'101' and n'text'.
func (l *lexer) prefixed(prefix byte) token {
	text := l.quoted('\'', l.mode&modeNoBackslashEscapes == 0)
	switch prefix {
	case 'x', 'X':
		return token{kind: tokHex, text: text}
	case 'b', 'B':
		return token{kind: tokBits, text: text}
	}
	return token{kind: tokString, text: text}
}

// number reads a numeric literal, or the identifier that digits may begin.
func (l *lexer) number() token {
	start := l.pos
	for isDigit(l.at(0)) {
		l.pos++
	}
	if l.pos == start+1 && l.src[start] == '0' {
		if c := l.at(0); c == 'x' || c == 'b' {
			if word := l.word(); len(word) > 1 && isRadix(word[1:], c) {
				kind := tokHex
				if c == 'b' {
					kind = tokBits
				}
				return token{kind: kind, text: word[1:]}
			}
			return token{kind: tokWord, text: l.src[start:l.pos]}
		}
	}
	if c := l.at(0); isWordByte(c) && !l.atExponent() {
		l.word()
		return token{kind: tokWord, text: l.src[start:l.pos]}
	}
	if l.at(0) == '.' {
		l.pos++
		for isDigit(l.at(0)) {
			l.pos++
		}
	}
	if l.atExponent() {
		l.pos += 2
		for isDigit(l.at(0)) {
			l.pos++
		}
	}
	return token{kind: tokNumber, text: l.src[start:l.pos]}
}

// atExponent tells whether the exponent of a float stands here.
func (l *lexer) atExponent() bool {
	if c := l.at(0); c != 'e' && c != 'E' {
		return false
	}
	return isDigit(l.at(1)) || (l.at(1) == '+' || l.at(1) == '-') && isDigit(l.at(2))
}

// quoted reads up to the closing quote, which stands doubled for itself. What
// is not closed ends with the statement.
func (l *lexer) quoted(quote byte, escapes bool) string {
	l.pos++
	start := l.pos
	var b strings.Builder
	for l.pos < len(l.src) {
		c := l.src[l.pos]
		switch {
		case c == quote && l.at(1) == quote:
			b.WriteString(l.src[start : l.pos+1])
			l.pos += 2
			start = l.pos
		case c == quote:
			text := l.src[start:l.pos]
			l.pos++
			if b.Len() == 0 {
				return text
			}
			b.WriteString(text)
			return b.String()
		case c == '\\' && escapes && l.pos+1 < len(l.src):
			b.WriteString(l.src[start:l.pos])
			writeEscape(&b, l.src[l.pos+1])
			l.pos += 2
			start = l.pos
		default:
			l.pos++
		}
	}
	b.WriteString(l.src[start:])
	return b.String()
}

// writeEscape writes what a backslash and c stand for in a string literal.
func writeEscape(b *strings.Builder, c byte) {
	switch c {
	case '0':
		c = 0
	case 'b':
		c = '\b'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'Z':
		c = 26
	case '%', '_': // kept escaped: they matter to LIKE only
		b.WriteByte('\\')
	}
	b.WriteByte(c)
}

// skipBlank moves past white space, comments, and the borders of versioned
// comments whose content the server runs.
func (l *lexer) skipBlank() {
	for l.pos < len(l.src) {
		switch c := l.src[l.pos]; {
		case c <= ' ':
			l.pos++
		case c == '#', c == '-' && l.at(1) == '-' && (l.pos+2 >= len(l.src) || l.src[l.pos+2] <= ' '):
			if n := strings.IndexByte(l.src[l.pos:], '\n'); n >= 0 {
				l.pos += n + 1
			} else {
				l.pos = len(l.src)
			}
		case c == '/' && l.at(1) == '*':
			l.openComment()
		case c == '*' && l.at(1) == '/' && l.versioned > 0:
			l.versioned--
			l.pos += 2
		default:
			return
		}
	}
}

// openComment steps over a comment, or only over the head of a versioned one
// that this server runs: /*! always, /*!50100 from that version on, and /*M!
// on MariaDB alone, which ignores the numbers 50700 to 99999 after /*!.
func (l *lexer) openComment() {
	rest := l.src[l.pos+2:]
	maria := strings.HasPrefix(rest, "M!")
	if !maria && !strings.HasPrefix(rest, "!") || maria && !l.server.mariaDB() {
		l.skipComment()
		return
	}
	head := l.pos + 3
	if maria {
		head++
	}
	version, digits := 0, 0
	for digits < 6 && head+digits < len(l.src) && isDigit(l.src[head+digits]) {
		version = version*10 + int(l.src[head+digits]-'0')
		digits++
	}
	if digits < 5 {
		version, digits = 0, 0
	}
	ignored := version > l.server.Version
	if l.server.mariaDB() && !maria && version >= 50700 && version <= 99999 {
		ignored = true
	}
	if ignored {
		l.skipComment()
		return
	}
	l.pos = head + digits
	l.versioned++
}

// passedOver is how a versioned comment begins that the source did not run: it logs a blank in
// the place of the exclamation mark.
var passedOver = regexp.MustCompile(`^/\*M? [0-9]{5,6}[^0-9]`)

// skipComment moves past the comment that begins here; one may be nested in a
// versioned comment that is not run, here or at the source.
func (l *lexer) skipComment() {
	rest, start := l.src[l.pos:], l.pos
	if len(rest) > 16 {
		rest = rest[:16]
	}
	if !l.written && passedOver.MatchString(rest) {
		if l.closeComment(true) {
			return
		}
		l.pos, l.written = start, true
	}
	l.closeComment(strings.HasPrefix(rest, "/*!") || strings.HasPrefix(rest, "/*M!"))
}

// closeComment moves behind the end of the comment that begins here, and tells whether there
// is one.
func (l *lexer) closeComment(nests bool) bool {
	l.pos += 2
	for depth := 1; depth > 0; {
		n := strings.IndexByte(l.src[l.pos:], '*')
		if n < 0 {
			l.pos = len(l.src)
			return false
		}
		l.pos += n
		switch {
		case l.at(1) == '/':
			l.pos += 2
			depth--
		case nests && n > 0 && l.src[l.pos-1] == '/':
			l.pos++
			depth++
		default:
			l.pos++
		}
	}
	return true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWordByte(c byte) bool {
	return c >= 0x80 || c == '_' || c == '$' || isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// isRadix tells whether s is digits of base 16 (kind 'x') or 2 ('b').
func isRadix(s string, kind byte) bool {
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		if s[i] != '0' && s[i] != '1' && (kind == 'b' || !isDigit(s[i]) && (c < 'a' || c > 'f')) {
			return false
		}
	}
	return true
}
