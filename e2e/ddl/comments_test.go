//go:build servers

package ddl

import (
	"fmt"
	"strings"
)

// scatter puts other space and comments in the place of some spaces of a
// statement, and writes some of its words in another case.
func (s *session) scatter(sql string) string {
	var b strings.Builder
	for i := 0; i < len(sql); {
		switch c := sql[i]; {
		case c == '\'' || c == '"' || c == '`':
			n := s.quoted(sql[i:])
			b.WriteString(sql[i : i+n])
			i += n
			continue
		case strings.HasPrefix(sql[i:], "/*") && !strings.HasPrefix(sql[i:], "/*!") && !strings.HasPrefix(sql[i:], "/*M!"):
			n := len(sql) - i
			if end := strings.Index(sql[i:], "*/"); end >= 0 {
				n = end + 2
			}
			b.WriteString(sql[i : i+n])
			i += n
			continue
		case c == ' ' && s.rng.chance(4):
			b.WriteString(s.gap())
		default:
			b.WriteByte(c)
		}
		i++
	}
	out := b.String()
	if s.rng.chance(3) {
		out = s.rng.pick(" ", "\n\t", "/* first */ ", "-- first\n", "# it's first\n", "/**/") + out
	}
	return out + s.rng.maybe(6, s.rng.pick(";", " ;", " -- last", " # last", "\n/* last */", " /* it's last */ ;", "\n"))
}

// quoted returns the length of what begins with a quote.
func (s *session) quoted(sql string) int {
	escapes := sql[0] == '\'' || sql[0] == '"' && !s.ansi()
	for i := 1; i < len(sql); i++ {
		switch {
		case sql[i] == '\\' && escapes && s.backslashes():
			i++
		case sql[i] == sql[0]:
			return i + 1 // of a doubled one the second half begins anew
		}
	}
	return len(sql)
}

func (s *session) gap() string {
	switch s.rng.IntN(10) {
	case 0, 1:
		return s.rng.pick("\n", "\t", "  \r\n ", "\n\n")
	case 2:
		return " # it's, (a comment\n"
	case 3:
		return " -- it's; \"a comment\n"
	case 4:
		return " /* " + strings.NewReplacer("*/", "", "/*", "", `\`, "").Replace(s.words(6)) + " */ "
	case 5:
		return "/**/"
	case 6:
		return " /*! */ "
	case 7:
		return fmt.Sprintf(" /*!%s */ ", s.rng.pick("40101", "99999", "100100", "50700"))
	}
	return " /* a comment */ "
}

// versioned puts something that may be left out into a comment that some
// servers execute.
func (s *session) versioned(sql string) string {
	if sql == "" || !s.rng.chance(15) {
		return sql
	}
	switch s.rng.IntN(5) {
	case 0:
		return "/*! " + sql + " */"
	case 1:
		return "/*M! " + sql + " */"
	case 2:
		return "/*M!" + s.rng.pick("100100", "100500", "101000", "110400") + " " + sql + " */"
	case 3:
		return "/*!" + s.rng.pick("99999", "999999") + " it's nothing, " + s.rng.pick(")", "(", "`", "\"") + " */"
	}
	return "/*!" + s.rng.pick("40101", "50000", "50100", "50503", "50606", "50700", "50708", "80000", "80013", "80030", "90000", "100100", "100503", "101000") + " " + sql + " */"
}
