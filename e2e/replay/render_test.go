//go:build servers

package replay

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"daybook/change"
)

// selectExpr is an expression that gives a column's value as the text that
// render gives of the decoded one.
func selectExpr(c *change.Column) string {
	name := "`" + strings.ReplaceAll(c.Name, "`", "``") + "`"
	switch {
	case c.Type == change.Bit || c.Type == change.Year:
		return name + "+0"
	case c.Type.IsBinary() || c.Type.IsGeometry() || c.Type == change.Vector:
		return "HEX(" + name + ")"
	case c.Type == change.Float || c.Type == change.Double:
		return "FORMAT(" + name + ",3)"
	}
	return "CONVERT(CAST(" + name + " AS CHAR) USING utf8mb4)"
}

func render(c *change.Column, v *change.Value) string {
	switch v.Kind {
	case change.Absent:
		return absent
	case change.Null:
		return "NULL"
	case change.Int64:
		if c.Zerofill {
			return fmt.Sprintf("%0*d", c.Length, v.Int())
		}
		return strconv.FormatInt(v.Int(), 10)
	case change.Uint64, change.Bits, change.YearNum:
		if c.Zerofill {
			return fmt.Sprintf("%0*d", c.Length, v.Num)
		}
		return strconv.FormatUint(v.Num, 10)
	case change.Float32, change.Float64:
		return strconv.FormatFloat(v.Float(), 'f', 3, 64)
	case change.CivilDate:
		d := v.Civil()
		return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
	case change.CivilTime:
		d := v.Civil()
		return fmt.Sprintf("%04d-%02d-%02d %02d:%02d:%02d%s", d.Year, d.Month, d.Day, d.Hour, d.Minute, d.Second, fraction(c, d.Micros))
	case change.Instant:
		t := time.UnixMicro(v.Int()).UTC()
		return t.Format("2006-01-02 15:04:05") + fraction(c, t.Nanosecond()/1000)
	case change.Duration:
		n, sign := v.Int(), ""
		if n < 0 {
			n, sign = -n, "-"
		}
		s := n / 1e6
		return fmt.Sprintf("%s%02d:%02d:%02d%s", sign, s/3600, s/60%60, s%60, fraction(c, int(n%1e6)))
	case change.Blobs, change.WKB:
		return fmt.Sprintf("%X", v.Bytes)
	}
	return string(v.Bytes)
}

func fraction(c *change.Column, micros int) string {
	if c.Length <= 0 {
		return ""
	}
	return fmt.Sprintf(".%06d", micros)[:c.Length+1]
}
