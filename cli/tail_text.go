package cli

import (
	"fmt"
	"strings"

	"daybook/admin"
)

// changeText makes a line of a change. Nothing of it can command the terminal: of what
// rows and statements hold, only what is printable stays as it is.
type changeText struct{ color bool }

// The colours, as terminals have them.
const (
	green   = "32"
	yellow  = "33"
	red     = "31"
	cyan    = "36"
	magenta = "35"
	dim     = "2"
	bold    = "1"
)

var colorOf = map[string]string{"insert": green, "update": yellow, "delete": red, "ddl": cyan, "gap": magenta, "lost": magenta}

func (x *changeText) paint(s, color string) string {
	if !x.color || s == "" {
		return s
	}
	return "\x1b[" + color + "m" + s + "\x1b[0m"
}

func (x *changeText) line(c *admin.Change) string {
	when := c.Time
	if when == "" {
		when = "-"
	}
	head := x.paint(when, dim) + " " + x.paint(fmt.Sprintf("%-6s", c.Op), colorOf[c.Op]) + " "
	switch c.Op {
	case "gap":
		return head + fmt.Sprintf("nothing is known of the source from %s to %s: %s", printable(c.From), printable(c.To), printable(c.Reason))
	case "lost":
		return head + fmt.Sprintf("offsets %d to %d are not in the log any more: %s", c.Offset, c.Next-1, printable(c.Reason))
	case "ddl":
		return head + x.ddl(c)
	}
	return head + x.row(c)
}

func (x *changeText) ddl(c *admin.Change) string {
	if c.SQL == "" {
		return fmt.Sprintf("%s.%s: its definition changed without a statement in the binlog", printable(c.Database), printable(c.Table))
	}
	s := shownText(c.SQL, true) + cutNote(c.SQLCut)
	if c.Database != "" {
		return x.paint(printable(c.Database), bold) + "  " + s
	}
	return s
}

func (x *changeText) row(c *admin.Change) string {
	s := x.paint(printable(c.Database+"."+c.Table), bold)
	inKey := map[string]bool{}
	if len(c.Key) > 0 {
		s += " " + fieldsOf(c, c.Key)
		for _, f := range c.Key {
			inKey[f.Name] = true
		}
	} else {
		s += " (no key)"
	}
	if len(c.NewKey) > 0 {
		s += x.paint(" → ", yellow) + fieldsOf(c, c.NewKey)
	}
	var shown, missing []string
	for i := range c.Columns {
		col := &c.Columns[i]
		switch {
		case col.Before == nil && col.After == nil:
			missing = append(missing, printable(col.Name))
		case inKey[col.Name]:
		case c.Op != "update":
			shown = append(shown, printable(col.Name)+"="+x.value(col.Type, either(col)))
		case col.Changed:
			shown = append(shown, printable(col.Name)+": "+x.side(col.Type, col.Before)+x.paint(" → ", yellow)+x.side(col.Type, col.After))
		case len(c.Key) == 0: // what else would tell which row it is
			shown = append(shown, printable(col.Name)+"="+x.value(col.Type, either(col)))
		}
	}
	if len(shown) > 0 {
		s += "  " + strings.Join(shown, ", ")
	} else if c.Op == "update" && len(c.NewKey) == 0 {
		s += "  (no column changed)"
	}
	if len(missing) > 0 {
		s += x.paint(" (not in the binlog: "+strings.Join(missing, ", ")+")", dim)
	}
	if c.Untyped {
		s += x.paint(" (the table's definition is not known: values as in the record)", dim)
	}
	return s
}

func either(col *admin.ChangeColumn) *admin.ChangeValue {
	if col.After != nil {
		return col.After
	}
	return col.Before
}

func fieldsOf(c *admin.Change, key []admin.ChangeField) string {
	var all []string
	for i := range key {
		all = append(all, printable(key[i].Name)+"="+valueText(typeOf(c, key[i].Name), &key[i].Value))
	}
	return strings.Join(all, ",")
}

func typeOf(c *admin.Change, name string) string {
	for i := range c.Columns {
		if c.Columns[i].Name == name {
			return c.Columns[i].Type
		}
	}
	return ""
}

// side is ? where the source did not log what was there.
func (x *changeText) side(typ string, v *admin.ChangeValue) string {
	if v == nil {
		return x.paint("?", dim)
	}
	return x.value(typ, v)
}

func (x *changeText) value(typ string, v *admin.ChangeValue) string {
	if v.Null {
		return x.paint("NULL", dim)
	}
	return valueText(typ, v)
}

// bare are the types whose values stand without quotes; so do those of no known type that
// look like numbers.
var bare = map[string]bool{
	"TINYINT": true, "SMALLINT": true, "MEDIUMINT": true, "INT": true, "BIGINT": true, "FLOAT": true, "DOUBLE": true, "DECIMAL": true,
	"BIT": true, "YEAR": true, "VECTOR": true,
	"BINARY": true, "VARBINARY": true, "TINYBLOB": true, "BLOB": true, "MEDIUMBLOB": true, "LONGBLOB": true,
	"GEOMETRY": true, "POINT": true, "LINESTRING": true, "POLYGON": true, "MULTIPOINT": true, "MULTILINESTRING": true, "MULTIPOLYGON": true, "GEOMETRYCOLLECTION": true,
}

func valueText(typ string, v *admin.ChangeValue) string {
	if v.Null {
		return "NULL"
	}
	s := shownText(v.Text, false)
	if !bare[typ] && (typ != "" || !number(v.Text)) {
		s = "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	return s + cutNote(v.Cut)
}

func number(s string) bool {
	return s != "" && strings.Trim(s, "0123456789.-") == ""
}

func cutNote(n int64) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "…[1 byte more]"
	}
	return fmt.Sprintf("…[%d bytes more]", n)
}

const joiner = '\u200d' // of emoji

// shownText shows what is not printable by its number; the lines of a statement stay
// apart, set in.
func shownText(s string, lines bool) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case !unprintable(r) && (r != '\\' || lines):
			b.WriteRune(r)
		case r == '\\':
			b.WriteString(`\\`)
		case r == '\n' && lines:
			b.WriteString("\n    ")
		case r == '\t' && lines:
			b.WriteString("    ")
		case r == '\r' && lines:
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == 0:
			b.WriteString(`\0`)
		default:
			fmt.Fprintf(&b, `\u{%x}`, r)
		}
	}
	return b.String()
}
