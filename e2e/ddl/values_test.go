//go:build servers

package ddl

import (
	"fmt"
	"strings"

	"daybook/change"
)

// value returns a value for a column, as SQL; the server makes fit what does not.
func (s *session) value(c *change.Column) string {
	r := s.rng
	if c.Nullable && r.chance(12) || c.AutoIncrement {
		return "NULL"
	}
	switch {
	case c.Type.IsInteger():
		return r.pick("0", "1", "-1", fmt.Sprint(r.IntN(1000)), fmt.Sprint(int64(r.Uint64())), fmt.Sprint(r.Uint64()))
	case c.Type.IsGeometry():
		return s.shape(c.Type)
	case c.Type.IsBinary():
		return fmt.Sprintf("X'%x'", string(s.bytes(r.IntN(max(1, min(c.Length, 40))+1))))
	case c.Type.IsText():
		return s.textValue(c)
	}
	switch c.Type {
	case change.Decimal:
		return fmt.Sprintf("%d.%d", r.IntN(1000000)-500000, r.IntN(1000000))
	case change.Float, change.Double:
		return r.pick("0", "0.1", fmt.Sprint(float32(r.NormFloat64())), fmt.Sprintf("%ge%d", r.NormFloat64(), r.IntN(30)))
	case change.Bit:
		return fmt.Sprint(r.Uint64() >> (64 - max(1, c.Length)))
	case change.Year:
		return r.pick("0", "1901", "2155", "1999", "2024")
	case change.Date, change.DateTime:
		return fmt.Sprintf("'%d-%02d-%02d %02d:%02d:%02d.%06d'", 1000+r.IntN(8000), 1+r.IntN(12), 1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(60), r.IntN(1e6))
	case change.Timestamp:
		return fmt.Sprintf("'%d-%02d-%02d %02d:%02d:%02d.%06d'", 1971+r.IntN(66), 1+r.IntN(12), 1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(60), r.IntN(1e6))
	case change.Time:
		return fmt.Sprintf("'%s%d:%02d:%02d.%06d'", r.maybe(30, "-"), r.IntN(838), r.IntN(60), r.IntN(60), r.IntN(1e6))
	case change.Enum:
		return fmt.Sprint(1 + r.IntN(len(c.Members)))
	case change.Set:
		return fmt.Sprint(r.Uint64() & (1<<len(c.Members) - 1))
	case change.JSON:
		return r.pick(`'{"a": [1, 2.5, "é", null, {"b": true}]}'`, `'[]'`, `'"x"'`, `'12345678901234567890'`, `'{"k": "漢𝄞", "n": -1}'`)
	case change.Vector:
		f := "TO_VECTOR"
		if s.maria {
			f = "VEC_FromText"
		}
		return f + "('[" + strings.TrimSuffix(strings.Repeat("1.5,", max(1, c.Length)), ",") + "]')"
	case change.UUID:
		return fmt.Sprintf("'%08x-1234-1234-8234-%012x'", r.Uint32(), r.Uint64()>>16)
	case change.Inet4:
		return fmt.Sprintf("'%d.%d.%d.%d'", r.IntN(256), r.IntN(256), r.IntN(256), r.IntN(256))
	case change.Inet6:
		return r.pick("'::'", "'::1'", fmt.Sprintf("'2001:db8::%x'", r.IntN(65536)), "'::ffff:1.2.3.4'")
	}
	return "DEFAULT"
}

// textValue is text, of which the server keeps what the column's character set has.
func (s *session) textValue(c *change.Column) string {
	letters := []rune("abcXYZ 019éßÜñ漢字表ソЖщ한글αβ€𝄞")
	if c.Charset == "binary" {
		letters = letters[:10]
	}
	var b strings.Builder
	for range s.rng.IntN(max(1, min(c.Length, 12)) + 1) {
		b.WriteRune(letters[s.rng.IntN(len(letters))])
	}
	return "'" + b.String() + "'"
}

func (s *session) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(s.rng.IntN(256))
	}
	return b
}

var shapes = map[change.Type]string{
	change.Point: "POINT(1 2)", change.LineString: "LINESTRING(0 0, 1 1, 2 5)", change.Polygon: "POLYGON((0 0, 0 5, 5 5, 5 0, 0 0))", change.MultiPoint: "MULTIPOINT(1 1, 2 2)",
	change.MultiLineString: "MULTILINESTRING((0 0, 1 1), (2 2, 3 3))", change.MultiPolygon: "MULTIPOLYGON(((0 0, 0 5, 5 5, 5 0, 0 0)))", change.GeometryCollection: "GEOMETRYCOLLECTION(POINT(1 1))",
}

func (s *session) shape(t change.Type) string {
	text := shapes[t]
	if text == "" {
		text = s.rng.pick("POINT(1 2)", "LINESTRING(0 0, 1 1)")
	}
	if s.maria || s.version < 50706 {
		return "GeomFromText('" + text + "')"
	}
	return "ST_GeomFromText('" + text + "'" + s.rng.pick("", "", ", 4326") + ")"
}
