// Package rowtext gives the values of a row as text, in one form whether they are
// selected from a server or told by a change, so that tests can compare them: what
// [Query] selects and [Selected] reads is what [Told] makes of a change's image.
//
// The session that selects has the time zone +00:00. The form is exact for each type,
// but for text: what is no character in its character set, servers show as a question mark,
// and for the marks that a change has in its place Told has question marks.
package rowtext

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"daybook/change"
	"daybook/e2e/servers"
)

const (
	// Null is the text of a null. That of a string stands between quotes.
	Null = "NULL"
	// Absent is the text of a value that an image lacks.
	Absent = "\x00absent"
	// Longest is how many bytes of a string are compared; of a longer one only how many it
	// has, as its HEX may be more than a packet may have.
	Longest = 1 << 20
)

// Query selects all columns of a table, which may have clauses behind its name.
func Query(def *change.Table, from string) string {
	list := make([]string, len(def.Columns))
	for i := range def.Columns {
		list[i] = expression(&def.Columns[i])
	}
	return "SELECT " + strings.Join(list, ", ") + " FROM " + from
}

// expression gives a column's value, of which selected makes the text.
func expression(c *change.Column) string {
	name := servers.QuoteName(c.Name)
	switch {
	case c.Type.IsBinary(), c.Type.IsGeometry(), c.Type == change.Vector:
		return hexOf(name)
	case IsText(c):
		return hexOf("CONVERT(" + name + " USING utf8mb4)")
	case isFloat(c): // of FLOAT(7,3) ZEROFILL too, which + 0 rounds
		return name + " + 0e0"
	case c.Type == change.Bit, c.Type == change.Year, c.Type.IsInteger(), c.Zerofill:
		return name + " + 0"
	}
	return "CAST(" + name + " AS CHAR)"
}

func hexOf(value string) string {
	return fmt.Sprintf("IF(LENGTH(%s) > %d, CONCAT('long: ', LENGTH(%[1]s)), HEX(%[1]s))", value, Longest)
}

// IsText tells whether a column's values have a character set.
func IsText(c *change.Column) bool {
	return c.Type.IsText() || c.Type == change.Enum || c.Type == change.Set || c.Type == change.JSON
}

func isFloat(c *change.Column) bool { return c.Type == change.Float || c.Type == change.Double }

// Selected puts the text of each value in the place of what Query gave.
func Selected(def *change.Table, rows [][]string) {
	for _, row := range rows {
		for i := range row {
			row[i] = selected(&def.Columns[i], row[i])
		}
	}
}

func selected(c *change.Column, s string) string {
	switch {
	case s == Null:
	case IsText(c):
		if b, err := hex.DecodeString(s); err == nil {
			return quoted(b)
		}
	case isFloat(c):
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return number(f)
		}
	}
	return s
}

// Told returns the text of each value of a row image.
func Told(def *change.Table, image []change.Value) []string {
	list := make([]string, len(image))
	for i := range image {
		list[i] = told(&def.Columns[i], &image[i])
	}
	return list
}

func told(c *change.Column, v *change.Value) string {
	switch v.Kind {
	case change.Absent:
		return Absent
	case change.Null:
		return Null
	case change.Int64:
		return strconv.FormatInt(v.Int(), 10)
	case change.YearNum:
		if c.Length == 2 { // shown with two digits
			return strconv.FormatUint(v.Num%100, 10)
		}
		return strconv.FormatUint(v.Num, 10)
	case change.Uint64, change.Bits:
		return strconv.FormatUint(v.Num, 10)
	case change.Float32, change.Float64:
		return number(v.Float())
	case change.CivilDate, change.CivilTime, change.Instant, change.Duration:
		return timeText(c, v)
	case change.WKB:
		if len(v.Bytes) == 0 && v.Num == 0 {
			return "" // no geometry, which LOAD XML makes of a field that is not there
		}
		srid := uint32(v.Num)
		return fmt.Sprintf("%X%X", []byte{byte(srid), byte(srid >> 8), byte(srid >> 16), byte(srid >> 24)}, v.Bytes)
	}
	switch binary := v.Kind == change.Blobs; {
	case !binary && !IsText(c):
		return string(v.Bytes)
	case len(v.Bytes) > Longest:
		return fmt.Sprint("long: ", len(v.Bytes))
	case binary:
		return fmt.Sprintf("%X", v.Bytes)
	}
	return quoted([]byte(strings.ReplaceAll(string(v.Bytes), "\uFFFD", "?")))
}

func quoted(b []byte) string { return "'" + string(b) + "'" }

// number has one zero only.
func number(f float64) string {
	if f == 0 {
		f = 0
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

func timeText(c *change.Column, v *change.Value) string {
	switch d := v.Civil(); v.Kind {
	case change.CivilDate:
		return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
	case change.CivilTime:
		return fmt.Sprintf("%04d-%02d-%02d %02d:%02d:%02d%s", d.Year, d.Month, d.Day, d.Hour, d.Minute, d.Second, fraction(c, d.Micros))
	case change.Instant:
		if v.Num == 0 {
			return "0000-00-00 00:00:00" + fraction(c, 0)
		}
		t := time.UnixMicro(v.Int()).UTC()
		return t.Format("2006-01-02 15:04:05") + fraction(c, t.Nanosecond()/1000)
	}
	n, sign := v.Int(), ""
	if n < 0 {
		n, sign = -n, "-"
	}
	s := n / 1e6
	return fmt.Sprintf("%s%02d:%02d:%02d%s", sign, s/3600, s/60%60, s%60, fraction(c, int(n%1e6)))
}

func fraction(c *change.Column, micros int) string {
	if c.Length <= 0 {
		return ""
	}
	return fmt.Sprintf(".%06d", micros)[:c.Length+1]
}
