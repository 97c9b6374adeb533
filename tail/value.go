package tail

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"daybook/change"
)

// room is how many bytes of values there may be yet, in one and in all of a change.
type room struct{ value, all int }

func (r *room) most() int { return max(min(r.value, r.all), 0) }

// valueOf turns a value of a record into what SQL shows. Known tells that it is one of
// the column's type; what is not is shown as it is in the record.
func valueOf(raw []byte, c *change.Column, r *room) (v Value, known bool) {
	defer func() { r.all -= len(v.Text) }()
	if bytes.Equal(raw, []byte("null")) {
		return Value{Null: true}, true
	}
	if c != nil {
		switch first := raw[0]; {
		case first == '"':
			v, known = stringOf(raw, c, r)
		case first == '{' && c.Type.IsGeometry():
			v, known = geometryOf(raw, r)
		case first == '[' && c.Type == change.Vector:
			return cutText(string(raw[:min(len(raw), r.most())]), len(raw)), true
		case first == 't' || first == 'f':
			v, known = Value{Text: "b'" + map[byte]string{'t': "1", 'f': "0"}[first] + "'"}, c.Type == change.Bit
		default:
			v.Text, known = numberOf(string(raw[:min(len(raw), 64)]), c)
		}
	}
	if known {
		return v, true
	}
	if raw[0] == '"' {
		v.Text, v.Cut = text(raw, r.most())
		return v, false
	}
	return cutText(string(raw[:min(len(raw), r.most())]), len(raw)), false
}

func cutText(s string, of int) Value { return Value{Text: s, Cut: int64(of - len(s))} }

// stringOf is of types whose values are strings in a record.
func stringOf(raw []byte, c *change.Column, r *room) (v Value, known bool) {
	switch {
	case c.Type.IsBinary():
		return binaryOf(raw, c, r)
	case c.Type == change.Bit:
		b, err := base64.StdEncoding.DecodeString(string(raw[1:min(len(raw)-1, 32)]))
		if err != nil {
			return v, false
		}
		var bits uint64
		for i, x := range b {
			bits |= uint64(x) << (8 * i)
		}
		return Value{Text: fmt.Sprintf("b'%0*b'", max(c.Length, 1), bits)}, true
	case c.Type == change.Timestamp:
		s, _ := text(raw, 40)
		day, clock, ok := strings.Cut(strings.TrimSuffix(s, "Z"), "T")
		return Value{Text: day + " " + clock + "+00:00"}, ok
	case c.Type.IsText(), c.Type == change.Decimal, c.Type == change.Enum, c.Type == change.Set, c.Type == change.JSON,
		c.Type == change.UUID, c.Type == change.Inet4, c.Type == change.Inet6, c.Type == change.Float, c.Type == change.Double:
		v.Text, v.Cut = text(raw, r.most())
		return v, true
	}
	return v, false
}

func binaryOf(raw []byte, _ *change.Column, r *room) (v Value, known bool) {
	raw = raw[1 : len(raw)-1]
	all := len(raw)/4*3 - bytes.Count(raw[max(len(raw)-2, 0):], []byte("="))
	shown := min(all, r.most()/2)
	part := raw[:min(len(raw), (shown+2)/3*4)]
	b := make([]byte, base64.StdEncoding.DecodedLen(len(part)))
	n, err := base64.StdEncoding.Decode(b, part)
	if err != nil {
		return v, false
	}
	b = b[:min(n, shown)]
	return Value{Text: "0x" + hex.EncodeToString(b), Cut: int64(all - len(b))}, true
}

// geometryOf shows a point by its coordinates, else the well-known binary.
func geometryOf(raw []byte, r *room) (v Value, known bool) {
	var x, y, srid string
	err := fields(raw, func(name string, value []byte) error {
		switch short := string(value[:min(len(value), 64)]); name {
		case "x":
			x = strings.TrimSuffix(short, ".0")
		case "y":
			y = strings.TrimSuffix(short, ".0")
		case "srid":
			srid = short
		case "wkb":
			if len(value) < 2 || value[0] != '"' {
				return errRecord
			}
			v, known = binaryOf(value, nil, r)
		}
		return nil
	})
	if err != nil || !known {
		return v, false
	}
	if x != "" && x != "null" {
		v = Value{Text: "POINT(" + x + " " + y + ")"}
	}
	if srid != "null" && srid != "" && v.Cut == 0 {
		v.Text += " SRID " + srid
	}
	return v, true
}

// numberOf is of types whose values are numbers in a record.
func numberOf(s string, c *change.Column) (string, bool) {
	if c.Type == change.Float || c.Type == change.Double {
		return strings.TrimSuffix(s, ".0"), true
	}
	if c.Type.IsInteger() {
		return s, true
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return "", false
	}
	const day = 24 * 60 * 60
	switch c.Type {
	case change.Year:
		return fmt.Sprintf("%04d", n), true
	case change.Date:
		return time.Unix(n*day, 0).UTC().Format(time.DateOnly), true
	case change.DateTime:
		at := time.UnixMicro(n)
		if c.Length <= 3 {
			at = time.UnixMilli(n)
		}
		return at.UTC().Format(time.DateTime + fraction(c.Length)), true
	case change.Time:
		sign := ""
		if n < 0 {
			sign, n = "-", -n
		}
		whole := n / 1e6
		clock := fmt.Sprintf("%s%02d:%02d:%02d", sign, whole/3600, whole/60%60, whole%60)
		if digits := min(c.Length, 6); digits > 0 {
			clock += fmt.Sprintf(".%06d", n%1e6)[:1+digits]
		}
		return clock, true
	}
	return "", false
}

// fraction is the layout of so many fractional digits.
func fraction(digits int) string {
	if digits <= 0 {
		return ""
	}
	return "." + strings.Repeat("0", min(digits, 6))
}
