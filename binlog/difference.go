package binlog

import (
	"fmt"
	"strconv"
	"strings"

	"daybook/change"
)

// maxDifferences bounds what is told of one table.
const maxDifferences = 5

// differences says how a table differs from what is known of it, in what
// decoding and records depend on; none: it does not. known is nil if the table is
// not known, source if the source does not have it.
func differences(known, source *change.Table) []string {
	switch {
	case source == nil:
		return []string{"it is not at the source any more, or the account may not see it"}
	case known == nil:
		return []string{"it was created at the source"}
	}
	var what []string
	tell := func(format string, args ...any) { what = append(what, fmt.Sprintf(format, args...)) }
	if k, s := len(known.Columns), len(source.Columns); k != s {
		tell("it has %d columns, at the source %d", k, s)
	}
	for i := range min(len(known.Columns), len(source.Columns)) {
		k, s := &known.Columns[i], &source.Columns[i]
		if k.Name != s.Name {
			tell("column %d is %s, at the source %s", i+1, k.Name, s.Name)
		}
		if kt, st := typeText(k, s), typeText(s, k); kt != st {
			tell("column %s is %s, at the source %s", k.Name, kt, st)
		}
	}
	if k, s := keyText(known), keyText(source); k != s && len(what) == 0 {
		tell("the key is %s, at the source %s", k, s)
	}
	if n := len(what); n > maxDifferences {
		what = append(what[:maxDifferences], fmt.Sprintf("%d more", n-maxDifferences))
	}
	return what
}

// typeText is a column's type as far as values depend on it. What is not known
// of the other column is left out: full row metadata does not tell all.
func typeText(c, other *change.Column) string {
	var b strings.Builder
	b.WriteString(c.Type.String())
	length := max(c.Length, 0)
	known := c.Length >= 0 && other.Length >= 0
	switch c.Type {
	case change.Decimal:
		fmt.Fprintf(&b, "(%d,%d)", length, max(c.Scale, 0))
	case change.Char, change.VarChar, change.Binary, change.VarBinary, change.Bit, change.Vector:
		if known {
			fmt.Fprintf(&b, "(%d)", length)
		}
	case change.Time, change.DateTime, change.Timestamp:
		if length > 0 {
			fmt.Fprintf(&b, "(%d)", length)
		}
	case change.Enum, change.Set:
		b.WriteString("(" + labelText(c.Members) + ")")
	}
	if c.Unsigned {
		b.WriteString(" UNSIGNED")
	}
	if c.Charset != "" {
		b.WriteString(" CHARACTER SET " + c.Charset)
	}
	if !c.Nullable {
		b.WriteString(" NOT NULL")
	}
	return b.String()
}

func labelText(labels []string) string {
	quoted := make([]string, len(labels))
	for i, l := range labels {
		quoted[i] = strconv.Quote(l)
	}
	return strings.Join(quoted, ",")
}

// keyText names the columns that identify a row.
func keyText(t *change.Table) string {
	var names []string
	for _, c := range t.Key() {
		names = append(names, t.Columns[c].Name)
	}
	if len(names) == 0 {
		return "none"
	}
	return "(" + strings.Join(names, ", ") + ")"
}
