package schema

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"daybook/change"
)

// defaultText returns a DEFAULT literal in the one form that the catalog
// knows, which is what the server shows of it: numbers rounded to the column's
// scale, dates in full, labels as declared. It is nil if there is no literal.
func (u *run) defaultText(c *change.Column, l *literal) *string {
	if l == nil || l.kind == tokOp || l.kind == tokWord && l.text == "NULL" || c.AutoIncrement || c.Generated {
		return nil
	}
	text, number := l.text, l.kind == tokNumber
	if l.kind == tokString && l.charset == "" {
		text = u.defaultLiteral(c, text)
	}
	switch l.kind {
	case tokHex:
		text = label{hexText(l.text), textual(c), l.charset}.in(c.Charset)
	case tokBits:
		text = label{bitsText(l.text), textual(c), l.charset}.in(c.Charset)
	case tokWord:
		number = true
		if text = "0"; l.text == "TRUE" {
			text = "1"
		}
	}
	if isTime(c) {
		local, ok := u.inZone(text)
		if !ok {
			return &text
		}
		text = local
	}
	if l.kind == tokHex || l.kind == tokBits {
		if c.Type.IsInteger() || c.Type <= change.Year {
			text, number = new(big.Int).SetBytes([]byte(text)).String(), true
		}
	}
	s, ok := u.storedText(c, text, number)
	if !ok {
		return nil
	}
	s = strings.ToValidUTF8(s, "\ufffd")
	return &s
}

// defaultLiteral returns a text as a column takes it.
func (u *run) defaultLiteral(c *change.Column, text string) string {
	l := u.literal(label{text: text})
	if (c.Type == change.Enum || c.Type == change.Set) && c.Charset == "binary" || c.Type.IsBinary() {
		l = u.bytesOf(l)
	}
	texts := [1]string{l.in(c.Charset)}
	if !l.bytes {
		fit(u.literals, texts[:]...)
	}
	return texts[0]
}

func isTime(c *change.Column) bool {
	return c.Type == change.Date || c.Type == change.Time || c.Type == change.DateTime || c.Type == change.Timestamp
}

// textual tells the columns whose bytes are text.
func textual(c *change.Column) bool {
	return c.Type.IsText() || c.Type == change.Enum || c.Type == change.Set
}

// storedText returns what the column makes of a value; false if it can have no
// literal default.
func (u *run) storedText(c *change.Column, text string, number bool) (string, bool) {
	switch t := c.Type; {
	case t.IsInteger():
		return padZero(c, round(text, 0), c.Length), true
	case t == change.Decimal:
		width := c.Length
		if c.Scale > 0 {
			width++
		}
		return padZero(c, round(text, c.Scale), width), true
	case t == change.Float || t == change.Double:
		return floatText(c, text), true
	case t == change.Bit:
		return bitText(text, number), true
	case t == change.Year:
		return yearText(c, text, number), true
	case t == change.Date:
		d := u.rounded(u.withoutZeroes(parseDateTime(text)), 0)
		return d.date(), true
	case t == change.DateTime || t == change.Timestamp:
		d := u.rounded(u.withoutZeroes(parseDateTime(text)), c.Length)
		return d.date() + " " + d.clock(max(c.Length, 0)), true
	case t == change.Time:
		d := u.rounded(parseTime(text), c.Length)
		return d.clock(max(c.Length, 0)), true
	case t == change.Enum:
		return enumText(c, u.server.keptLabel(text, c.Charset), number), true
	case t == change.Set:
		labels := strings.Split(text, ",")
		for i, l := range labels {
			labels[i] = u.server.keptLabel(l, c.Charset)
		}
		return setText(c, labels, number), true
	case t == change.Char:
		return strings.TrimRight(text, " "), true
	case t == change.VarChar: // too long by blanks alone
		for over := utf8.RuneCountInString(text) - c.Length; over > 0 && strings.HasSuffix(text, " "); over-- {
			text = text[:len(text)-1]
		}
		return text, true
	case t == change.Binary:
		return strings.TrimRight(text, "\x00"), true
	case t >= change.TinyText && t <= change.LongText, t >= change.TinyBlob && t <= change.LongBlob:
		return text, u.server.mariaFrom(100201)
	case t == change.JSON || t.IsGeometry():
		return "", false
	}
	return text, true
}

// impliedDefault gives a column that a primary key makes NOT NULL the default
// that MySQL before 5.7 gives it: the type's zero value. MariaDB gives that to a TIMESTAMP
// that has no default, where explicit_defaults_for_timestamp is off.
func (u *run) impliedDefault(c *change.Column) {
	if c.Default != nil || c.AutoIncrement || u.server.mysqlFrom(50700) || u.server.mariaDB() && (c.Type != change.Timestamp || u.explicit) {
		return
	}
	kind, zero := tokString, ""
	switch t := c.Type; {
	case t <= change.Year || t == change.Time:
		kind, zero = tokNumber, "0"
	case t == change.Enum && len(c.Members) > 0:
		zero = c.Members[0]
	case t == change.Date || t == change.DateTime || t == change.Timestamp:
		zero = "0000-00-00"
	}
	c.Default = u.defaultText(c, &literal{kind: kind, text: zero})
}

// round rounds a decimal number half away from zero to scale digits.
func round(text string, scale int) string {
	if text = leadingNumber(text); len(text) > 400 {
		return text
	}
	if digits, exponent, ok := strings.Cut(strings.ToLower(text), "e"); ok {
		n, err := strconv.Atoi(exponent)
		switch large := err != nil || n < -800 || n > 400; {
		case large && (strings.HasPrefix(exponent, "-") || strings.Trim(digits, "-0.") == ""):
			text = "0"
		case large:
			return text // which servers refuse
		}
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return text
	}
	s := r.FloatString(min(max(scale, 0), 40))
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-")
	}
	return s
}

// leadingNumber returns the number that a text begins with, "0" if there is none.
func leadingNumber(text string) string {
	text = strings.TrimSpace(text)
	sign := ""
	if strings.HasPrefix(text, "-") || strings.HasPrefix(text, "+") {
		sign, text = strings.TrimPrefix(text[:1], "+"), text[1:]
	}
	l := lexer{src: text}
	n := 0
	for n < len(text) && (isDigit(text[n]) || text[n] == '.' && !strings.Contains(text[:n], ".")) {
		n++
	}
	if l.pos = n; n > 0 && l.atExponent() {
		for n += 2; n < len(text) && isDigit(text[n]); {
			n++
		}
	}
	if strings.Trim(text[:n], ".") == "" {
		return "0"
	}
	return sign + text[:n]
}

// padZero fills up to the display width if the column is ZEROFILL.
func padZero(c *change.Column, s string, width int) string {
	if c.Zerofill && len(s) < width && width < 256 {
		return strings.Repeat("0", width-len(s)) + s
	}
	return s
}

func floatText(c *change.Column, text string) string {
	bits, digits := 64, -1
	if c.Type == change.Float {
		bits, digits = 32, 6
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(text), bits)
	if err != nil {
		return text
	}
	if c.Scale >= 0 {
		return padZero(c, strconv.FormatFloat(f, 'f', min(c.Scale, 40), bits), c.Length)
	}
	if digits > 0 {
		f, _ = strconv.ParseFloat(strconv.FormatFloat(f, 'g', digits, bits), 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if a := max(f, -f); a != 0 && (a >= 1e15 || a < 1e-14) {
		s = strings.Replace(strconv.FormatFloat(f, 'e', -1, 64), "e+", "e", 1)
		s = strings.Replace(s, "e0", "e", 1)
		s = strings.Replace(s, "e-0", "e-", 1)
	}
	width := 12
	if c.Type == change.Double {
		width = 22
	}
	return padZero(c, s, width)
}

func bitText(text string, number bool) string {
	n, ok := new(big.Int), false
	if number {
		if n, ok = n.SetString(round(text, 0), 10); ok && n.Sign() < 0 {
			n.Add(n, new(big.Int).Lsh(big.NewInt(1), 64))
		}
	}
	if !ok {
		n = new(big.Int).SetBytes([]byte(text[:min(len(text), 8)]))
	}
	return "b'" + n.Text(2) + "'"
}

func yearText(c *change.Column, text string, number bool) string {
	n, err := strconv.Atoi(round(text, 0))
	if err != nil {
		return text
	}
	switch {
	case n == 0 && (number || len(strings.TrimSpace(text)) == 4):
	case n >= 0 && n < 70:
		n += 2000
	case n >= 70 && n < 100:
		n += 1900
	}
	if c.Length == 2 {
		return fmt.Sprintf("%02d", n%100)
	}
	return fmt.Sprintf("%04d", n)
}

// findLabel finds an ENUM or SET label as the server does, trailing spaces and,
// failing an exact match, case aside.
func findLabel(c *change.Column, text string) (string, int) {
	if i := slices.Index(c.Members, text); i >= 0 {
		return text, i
	}
	text = strings.TrimRight(text, " ")
	if i := slices.Index(c.Members, text); i >= 0 {
		return text, i
	}
	for i, m := range c.Members {
		if strings.EqualFold(m, text) {
			return m, i
		}
	}
	return "", -1
}

func enumText(c *change.Column, text string, number bool) string {
	if !number {
		if m, i := findLabel(c, text); i >= 0 {
			return m
		}
	}
	if n, err := strconv.Atoi(text); err == nil && n > 0 && n <= len(c.Members) {
		return c.Members[n-1]
	}
	return text
}

func setText(c *change.Column, labels []string, number bool) string {
	var bits uint64
	if n, err := strconv.ParseUint(labels[0], 10, 64); err == nil && number {
		bits = n
	} else {
		for _, l := range labels {
			if _, i := findLabel(c, l); i >= 0 && i < 64 {
				bits |= 1 << i
			}
		}
	}
	var b strings.Builder
	for i, m := range c.Members {
		if i < 64 && bits>>i&1 == 1 {
			if b.Len() > 0 { // servers write no comma before the first that is not empty
				b.WriteByte(',')
			}
			b.WriteString(m)
		}
	}
	return b.String()
}

// shownDefault reads a default as information_schema shows it: the bare text,
// or on MariaDB from 10.2.7 on an SQL expression.
func (u *run) shownDefault(c *change.Column, shown string) *string {
	if u.server.mariaFrom(100207) {
		r := newReader(shown, u.server, Context{})
		l := r.defaultValue(true)
		if r.peek(0).kind != tokEnd {
			return nil
		}
		return u.defaultText(c, l)
	}
	switch {
	case strings.HasPrefix(strings.ToUpper(shown), "CURRENT_TIMESTAMP") && (c.Type == change.Timestamp || c.Type == change.DateTime):
		return nil
	case c.Type == change.Bit:
		r := newReader(shown, u.server, Context{})
		return u.defaultText(c, r.defaultValue(false))
	case u.server.mysqlFrom(80000) && (c.Type == change.Binary || c.Type == change.VarBinary || c.Charset == "binary") && strings.HasPrefix(shown, "0x"):
		return u.defaultText(c, &literal{kind: tokHex, text: shown[2:]})
	}
	return u.defaultText(c, &literal{kind: tokString, text: shown})
}

// hexText returns the bytes that hexadecimal digits stand for.
func hexText(digits string) string {
	if len(digits)%2 == 1 {
		digits = "0" + digits
	}
	b, err := hex.DecodeString(digits)
	if err != nil {
		return ""
	}
	return string(b)
}

// bitsText returns the bytes that binary digits stand for.
func bitsText(digits string) string {
	if len(digits) > 64 {
		return ""
	}
	n, ok := new(big.Int).SetString(digits, 2)
	if !ok {
		return ""
	}
	b := make([]byte, (len(digits)+7)/8)
	return string(n.FillBytes(b))
}
