package format

import (
	"encoding/binary"
	"math"
	"strconv"
	"time"

	"daybook/change"
)

// layout is what encoding a row needs to know of its table, worked out once.
type layout struct {
	table   *change.Table
	columns []column
	key     []int // indexes of the key's columns in key order, as Debezium has it
}

type column struct {
	name string // ,"name":
	*change.Column
}

func newLayout(t *change.Table) *layout {
	l := &layout{table: t, columns: make([]column, len(t.Columns)), key: t.Key()}
	// All names in one string: a table may have thousands.
	var names []byte
	ends := make([]int, len(t.Columns))
	for i := range t.Columns {
		names = append(appendString(append(names, ','), t.Columns[i].Name), ':')
		ends[i] = len(names)
	}
	all, start := string(names), 0
	for i, end := range ends {
		l.columns[i] = column{name: all[start:end], Column: &t.Columns[i]}
		start = end
	}
	return l
}

func (l *layout) hasKey() bool { return len(l.key) > 0 }

// sameKey reports whether an update left the key as it was. A key column that
// an image does not hold has not changed.
func (l *layout) sameKey(before, after []change.Value) bool {
	for _, i := range l.key {
		b, a := &before[i], &after[i]
		if b.Kind != change.Absent && a.Kind != change.Absent && !b.Equal(a) {
			return false
		}
	}
	return true
}

// appendKey appends the key as an object, or nothing if the table has none.
// The columns that the image does not hold are taken from other.
func (l *layout) appendKey(dst []byte, image, other []change.Value) []byte {
	if !l.hasKey() {
		return dst
	}
	start := len(dst)
	for _, i := range l.key {
		v := &image[i]
		if v.Kind == change.Absent && other != nil {
			v = &other[i]
		}
		dst = l.columns[i].append(dst, v)
	}
	return closeObject(dst, start)
}

// appendImage appends a row image as an object, nil as null.
func (l *layout) appendImage(dst []byte, image []change.Value) []byte {
	if image == nil {
		return append(dst, `null`...)
	}
	start := len(dst)
	for i := range l.columns {
		if !l.columns[i].Hidden {
			dst = l.columns[i].append(dst, &image[i])
		}
	}
	return closeObject(dst, start)
}

// closeObject ends the object whose fields, each after a comma, begin at start.
func closeObject(dst []byte, start int) []byte {
	if len(dst) == start {
		return append(dst, '{', '}')
	}
	dst[start] = '{'
	return append(dst, '}')
}

// append appends a comma, the column's name and the value; nothing for a value
// that is absent.
func (c *column) append(dst []byte, v *change.Value) []byte {
	if v.Kind == change.Absent {
		return dst
	}
	dst = append(dst, c.name...)
	switch v.Kind {
	case change.Int64, change.Duration:
		return strconv.AppendInt(dst, v.Int(), 10)
	case change.Uint64, change.YearNum:
		return strconv.AppendUint(dst, v.Num, 10)
	case change.String, change.DecimalText, change.EnumLabel, change.SetLabels, change.JSONText:
		return appendString(dst, v.Bytes)
	case change.Float32:
		return appendFloat(dst, v.Float(), 32)
	case change.Float64:
		return appendFloat(dst, v.Float(), 64)
	case change.Bits:
		if c.Length <= 1 {
			return strconv.AppendBool(dst, v.Num != 0)
		}
		return appendBits(dst, v.Num, c.Length)
	case change.CivilDate, change.CivilTime:
		return c.appendCivil(dst, v)
	case change.Instant:
		return c.appendInstant(dst, v.Int())
	case change.Blobs:
		return c.appendBlob(dst, v.Bytes)
	case change.WKB:
		return c.appendGeometry(dst, v)
	}
	return append(dst, `null`...)
}

// appendCivil appends a DATE as days, a DATETIME as milliseconds or, of more
// than three fractional digits, as microseconds since 1970-01-01T00:00 without
// regard to a zone. A date that the calendar does not have is null, or 0 if
// the column cannot be null.
func (c *column) appendCivil(dst []byte, v *change.Value) []byte {
	d := v.Civil()
	t := time.Date(d.Year, time.Month(d.Month), d.Day, d.Hour, d.Minute, d.Second, d.Micros*1000, time.UTC)
	if d.Year == 0 || d.Month == 0 || d.Day == 0 || t.Day() != d.Day || t.Month() != time.Month(d.Month) || t.Hour() != d.Hour ||
		t.Minute() != d.Minute || t.Second() != d.Second {
		if c.Nullable {
			return append(dst, `null`...)
		}
		return append(dst, '0')
	}
	switch {
	case v.Kind == change.CivilDate:
		const day = 24 * 60 * 60
		return strconv.AppendInt(dst, t.Unix()/day, 10)
	case c.Length <= 3:
		return strconv.AppendInt(dst, t.UnixMilli(), 10)
	}
	return strconv.AppendInt(dst, t.UnixMicro(), 10)
}

// appendInstant appends a TIMESTAMP in UTC with as many fractional digits as
// its column has. 0000-00-00 is null, or the epoch if the column cannot be null.
func (c *column) appendInstant(dst []byte, micros int64) []byte {
	if micros == 0 {
		if c.Nullable {
			return append(dst, `null`...)
		}
		return append(dst, `"1970-01-01T00:00:00Z"`...)
	}
	t := time.UnixMicro(micros).UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	dst = append(dst, '"')
	dst = appendDigits(dst, year, 4)
	dst = appendDigits(append(dst, '-'), int(month), 2)
	dst = appendDigits(append(dst, '-'), day, 2)
	dst = appendDigits(append(dst, 'T'), hour, 2)
	dst = appendDigits(append(dst, ':'), minute, 2)
	dst = appendDigits(append(dst, ':'), second, 2)
	if digits := min(c.Length, 6); digits > 0 {
		dst = appendDigits(append(dst, '.'), t.Nanosecond()/1000, 6)
		dst = dst[:len(dst)-6+digits]
	}
	return append(dst, 'Z', '"')
}

// appendDigits appends the last n decimal digits of v.
func appendDigits(dst []byte, v, n int) []byte {
	for range n {
		dst = append(dst, '0')
	}
	for i := len(dst) - 1; v > 0 && n > 0; i, n = i-1, n-1 {
		dst[i] = byte('0' + v%10)
		v /= 10
	}
	return dst
}

// maxBinary is the most bytes that BINARY holds.
const maxBinary = 255

// appendBlob appends base64, a VECTOR as an array of its numbers. BINARY is
// filled up with the zero bytes that the binlog leaves out.
func (c *column) appendBlob(dst, b []byte) []byte {
	if c.Type == change.Vector {
		return appendVector(dst, b)
	}
	if c.Type == change.Binary && len(b) < c.Length {
		var full [maxBinary]byte
		copy(full[:], b)
		b = full[:max(len(b), min(c.Length, maxBinary))]
	}
	return appendBase64(dst, b)
}

func appendVector(dst, b []byte) []byte {
	start := len(dst)
	for ; len(b) >= 4; b = b[4:] {
		dst = append(dst, ',')
		dst = appendFloat(dst, float64(math.Float32frombits(binary.LittleEndian.Uint32(b))), 32)
	}
	if len(dst) == start {
		return append(dst, '[', ']')
	}
	dst[start] = '['
	return append(dst, ']')
}

// appendGeometry appends the well-known binary and the spatial reference
// system, null for 0; a POINT column also has the point's coordinates.
func (c *column) appendGeometry(dst []byte, v *change.Value) []byte {
	dst = append(dst, '{')
	if c.Type == change.Point {
		dst = appendPoint(dst, v.Bytes)
	}
	dst = append(dst, `"wkb":`...)
	dst = appendBase64(dst, v.Bytes)
	dst = append(dst, `,"srid":`...)
	if v.Num == 0 {
		dst = append(dst, `null`...)
	} else {
		dst = strconv.AppendUint(dst, v.Num, 10)
	}
	return append(dst, '}')
}

// appendPoint appends x and y of a point in well-known binary: a byte of byte
// order, 4 bytes of type, two doubles. Null if it is not that.
func appendPoint(dst, wkb []byte) []byte {
	if len(wkb) != 21 || wkb[0] > 1 {
		return append(dst, `"x":null,"y":null,`...)
	}
	var order binary.ByteOrder = binary.BigEndian
	if wkb[0] == 1 {
		order = binary.LittleEndian
	}
	dst = appendFloat(append(dst, `"x":`...), math.Float64frombits(order.Uint64(wkb[5:])), 64)
	dst = appendFloat(append(dst, `,"y":`...), math.Float64frombits(order.Uint64(wkb[13:])), 64)
	return append(dst, ',')
}
