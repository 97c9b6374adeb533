package rowevent

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"

	"daybook/binlog/cursor"
)

func (w *jsonWriter) scalar(v jsonValue) error {
	switch v.kind {
	case jsonString:
		return w.string(v.data)
	case jsonOpaque:
		return w.opaque(v.data)
	}
	size := [jsonOpaque + 1]int{
		jsonLiteral: 1, jsonInt16: 2, jsonUint16: 2, jsonInt32: 4, jsonUint32: 4, jsonInt64: 8, jsonUint64: 8, jsonDouble: 8,
	}[v.kind&jsonOpaque]
	if size == 0 || size > len(v.data) {
		return errJSON
	}
	if size == 8 { // never inside the container's header, which is spent already
		if err := w.spend(size); err != nil {
			return err
		}
	}
	n := cursor.LittleEndian(v.data[:size])
	switch v.kind {
	case jsonLiteral:
		if n > 2 {
			return errJSON
		}
		w.text = append(w.text, [...]string{"null", "true", "false"}[n]...)
	case jsonInt16, jsonInt32, jsonInt64:
		shift := 64 - uint(size)*8
		w.text = strconv.AppendInt(w.text, int64(n<<shift)>>shift, 10)
	case jsonUint16, jsonUint32, jsonUint64:
		w.text = strconv.AppendUint(w.text, n, 10)
	case jsonDouble:
		return w.double(math.Float64frombits(n))
	}
	return nil
}

// double appends f as the server's my_gcvt writes it: the shortest digits that
// read back as f, with an exponent for a whole number of more than 15 digits
// and below 1e-15, and since MySQL 8 with a ".0" that keeps a whole number a
// double.
func (w *jsonWriter) double(f float64) error {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return errJSON
	}
	var buf [32]byte
	e := strconv.AppendFloat(buf[:0], f, 'e', -1, 64)
	i := len(e) - 1
	for e[i] != 'e' {
		i--
	}
	exponent, err := strconv.Atoi(string(e[i+1:]))
	if err != nil {
		return err
	}
	digits := i
	for _, c := range e[:i] {
		if c == '-' || c == '.' {
			digits--
		}
	}
	if exponent > 14 && digits <= exponent+1 || exponent < -15 {
		w.text = append(w.text, e[:i+1]...)
		w.text = strconv.AppendInt(w.text, int64(exponent), 10)
		return nil
	}
	start := len(w.text)
	w.text = strconv.AppendFloat(w.text, f, 'f', -1, 64)
	for _, c := range w.text[start:] {
		if c == '.' {
			return nil
		}
	}
	if !w.shortDoubles {
		w.text = append(w.text, ".0"...)
	}
	return nil
}

// opaque appends a value of a type that JSON does not have: the type's byte,
// the length, and the bytes as a column of the type would hold them.
func (w *jsonWriter) opaque(b []byte) error {
	if len(b) == 0 {
		return errJSON
	}
	kind := WireType(b[0])
	b, used, err := jsonBytes(b[1:])
	if err != nil {
		return err
	}
	if err := w.spend(1 + used); err != nil {
		return err
	}
	switch kind {
	case typeNewDecimal:
		return w.decimal(b)
	case typeDate, typeDateTime, typeTimestamp, typeTime:
		return w.temporal(kind, b)
	}
	w.text = append(w.text, `"base64:type`...)
	w.text = strconv.AppendInt(w.text, int64(kind), 10)
	w.text = append(w.text, ':')
	w.base64(b)
	w.text = append(w.text, '"')
	return nil
}

// base64 appends b in the server's form, which has a line break (here escaped)
// after each 76 characters.
func (w *jsonWriter) base64(b []byte) {
	const line = 76 / 4 * 3
	if w.measure {
		w.measured += base64.StdEncoding.EncodedLen(len(b)) + len(b)/line*len(`\n`)
		return
	}
	for len(b) > line {
		w.text = base64.StdEncoding.AppendEncode(w.text, b[:line])
		w.text = append(w.text, `\n`...)
		b = b[line:]
	}
	w.text = base64.StdEncoding.AppendEncode(w.text, b)
}

func (w *jsonWriter) decimal(b []byte) error {
	if len(b) < 2 {
		return errJSON
	}
	precision, scale := int(b[0]), int(b[1])
	if !validInJSON(precision, scale) || len(b) != 2+decimalSize(precision, scale) {
		return errJSON
	}
	var ok bool
	if w.text, ok = appendDecimal(w.text, b[2:], precision, scale); !ok {
		return errJSON
	}
	return nil
}

// temporal appends the text of the server's packed form: the bits of DATETIME2
// or TIME2 without the sign bit and with 24 bits of microseconds, negated for a
// negative TIME.
func (w *jsonWriter) temporal(kind WireType, b []byte) error {
	if len(b) != 8 {
		return errJSON
	}
	packed := int64(binary.LittleEndian.Uint64(b))
	if kind == typeTime {
		sign := ""
		if packed < 0 {
			packed, sign = -packed, "-"
		}
		n, micros := packed>>24, packed&(1<<24-1)
		hour, minute, second := n>>12&1023, n>>6&63, n&63
		if packed < 0 || n >= 1<<22 || minute > 59 || second > 59 || micros > maxMicros {
			return errJSON
		}
		w.text = fmt.Appendf(w.text, `"%s%02d:%02d:%02d.%06d"`, sign, hour, minute, second, micros)
		return nil
	}
	if packed < 0 {
		return errJSON
	}
	micros := uint64(packed) & (1<<24 - 1)
	n, ok := unpackDateTime(uint64(packed)>>24, micros, micros <= maxMicros)
	if !ok {
		return errJSON
	}
	c := civil(n)
	if kind == typeDate {
		w.text = fmt.Appendf(w.text, `"%04d-%02d-%02d"`, c.Year, c.Month, c.Day)
		return nil
	}
	w.text = fmt.Appendf(w.text, `"%04d-%02d-%02d %02d:%02d:%02d.%06d"`, c.Year, c.Month, c.Day, c.Hour, c.Minute, c.Second, c.Micros)
	return nil
}
