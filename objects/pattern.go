package objects

import (
	"strings"
)

// Pattern is one that was read: that of a database and that of a table, or a regular
// expression for both.
type Pattern struct {
	database, table part
	both            string // the regular expression; "": there are two parts
}

// part is what a pattern says of one name.
type part struct {
	kind kind
	text string
}

type kind uint8

const (
	exact kind = iota
	wildcards
	expression
)

// Parse reads a pattern. The error is an [*Error].
func Parse(text string) (Pattern, error) {
	p, err := parse(text)
	if err != nil {
		err.Pattern = text
		return Pattern{}, err
	}
	return p, nil
}

func parse(text string) (p Pattern, err *Error) {
	if len(text) > maxLength {
		return p, &Error{Reason: tooLong}
	}
	rest, marked := text, false
	switch {
	case strings.HasPrefix(text, "`"):
		p.database, rest, err = readQuoted(text)
		marked = true
	case strings.HasPrefix(text, "/"):
		p.database, rest, err = readExpression(text)
		if err == nil && rest == "" {
			return Pattern{both: p.database.text}, checkBoth(p.database.text)
		}
		marked = true
	default:
		database, _, _ := strings.Cut(text, ".")
		if database == "" {
			return p, &Error{Reason: "the database is missing: " + form}
		}
		p.database, rest = bare(database), text[len(database):]
	}
	switch {
	case err != nil:
		return p, err
	case rest == "" || rest == ".":
		return p, &Error{Reason: "the table is missing: " + form}
	case marked && rest[0] != '.':
		return p, &Error{Reason: "a dot and the table must stand behind the closing mark of the database, not", Part: rest}
	}
	p.table, err = parseTable(rest[1:])
	return p, err
}

const form = "the form is database.table, such as shop.*"

func parseTable(text string) (p part, err *Error) {
	rest := ""
	switch text[0] {
	case '`':
		p, rest, err = readQuoted(text)
	case '/':
		p, rest, err = readExpression(text)
	default:
		p = bare(text)
	}
	if err == nil && rest != "" {
		err = &Error{Reason: "the table ends with its closing mark, and nothing may stand behind it", Part: rest}
	}
	return p, err
}

// bare is a name without marks.
func bare(name string) part {
	if strings.ContainsAny(name, "*?") {
		return part{wildcards, name}
	}
	return part{exact, name}
}

// readQuoted reads the name in backquotes that text begins with, and returns what is behind.
func readQuoted(text string) (p part, rest string, err *Error) {
	var name strings.Builder
	for rest = text[1:]; ; {
		before, after, closed := strings.Cut(rest, "`")
		if !closed {
			return p, "", &Error{Reason: "a backquote is not closed; one that is part of the name is written twice", Part: text}
		}
		name.WriteString(before)
		if rest = after; !strings.HasPrefix(rest, "`") {
			break
		}
		name.WriteByte('`')
		rest = rest[1:]
	}
	if name.Len() == 0 {
		return p, "", &Error{Reason: "there is no name between the backquotes"}
	}
	return part{exact, name.String()}, rest, nil
}

// readExpression reads the regular expression in slashes that text begins with, and
// returns what is behind.
func readExpression(text string) (p part, rest string, err *Error) {
	var re strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '/':
			if re.Len() == 0 {
				return p, "", &Error{Reason: "there is no regular expression between the slashes"}
			}
			return part{expression, re.String()}, text[i+1:], checkExpression(re.String())
		case text[i] == '\\' && i+1 < len(text):
			if i++; text[i] != '/' {
				re.WriteByte('\\')
			}
		}
		re.WriteByte(text[i])
	}
	return p, "", &Error{Reason: `the slash of a regular expression is not closed; one within it is written \/, and a name that begins with one stands in backquotes`, Part: text}
}

// String returns the pattern in a form that has the same meaning.
func (p Pattern) String() string {
	if p.both != "" {
		return part{expression, p.both}.String()
	}
	return p.database.String() + "." + p.table.String()
}

func (p part) String() string {
	switch p.kind {
	case expression:
		return "/" + escapeSlashes(p.text) + "/"
	case exact:
		if strings.ContainsAny(p.text, "`/.*? ") {
			return "`" + strings.ReplaceAll(p.text, "`", "``") + "`"
		}
	}
	return p.text
}

// escapeSlashes writes a regular expression so that it can stand between slashes.
func escapeSlashes(re string) string {
	var b strings.Builder
	for i := 0; i < len(re); i++ {
		switch {
		case re[i] == '\\' && i+1 < len(re):
			b.WriteByte('\\')
			i++
		case re[i] == '/':
			b.WriteByte('\\')
		}
		b.WriteByte(re[i])
	}
	return b.String()
}

// Exact returns the pattern that means one table alone.
func Exact(database, table string) Pattern {
	return Pattern{database: part{exact, database}, table: part{exact, table}}
}

// Names returns the database and the table that the pattern names; "" in place of one for
// which it has wildcards or a regular expression.
func (p Pattern) Names() (database, table string) {
	if p.both != "" {
		return "", ""
	}
	if p.database.kind == exact {
		database = p.database.text
	}
	if p.table.kind == exact {
		table = p.table.text
	}
	return database, table
}

// Name reads what names one table: database.table, each in backquotes or as it is.
func Name(text string) (database, table string) {
	if p, err := Parse(text); err == nil {
		if database, table = p.Names(); database != "" && table != "" {
			return database, table
		}
	}
	database, table, _ = strings.Cut(text, ".")
	return database, table
}

// Plain tells whether no pattern has backquotes or slashes that mean something. So it was
// with all patterns before there were such.
func Plain(patterns []string) bool {
	for _, text := range patterns {
		database, table, _ := strings.Cut(text, ".")
		for _, name := range []string{database, table} {
			if strings.HasPrefix(name, "`") || strings.HasPrefix(name, "/") {
				return false
			}
		}
	}
	return true
}

// parsePlain reads a pattern in which backquotes and slashes are characters of names.
func parsePlain(text string) (Pattern, error) {
	database, table, _ := strings.Cut(text, ".")
	if database == "" || table == "" {
		return Pattern{}, &Error{Pattern: text, Reason: "a name is missing: " + form}
	}
	return Pattern{database: bare(database), table: bare(table)}, nil
}
