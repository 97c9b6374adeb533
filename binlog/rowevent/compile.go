package rowevent

import (
	"fmt"
	"strings"

	"daybook/change"
)

// compile finds out how values of m are decoded as the definition t says, and
// checks that m is what a server writes for t. why is "" if it is.
func compile(m *MapColumn, t *change.Column, d *Decoder) (c column, why string) {
	switch {
	case t.Type.IsInteger():
		return compileInteger(m, t)
	case t.Type.IsText(), t.Type.IsBinary():
		return compileString(m, t, d)
	case t.Type.IsGeometry():
		return compileLong(m, t, opGeometry, typeGeometry)
	}
	switch t.Type {
	case change.Float:
		return compileFixed(m, t, typeFloat, opFloat, 4)
	case change.Double:
		return compileFixed(m, t, typeDouble, opDouble, 8)
	case change.Year:
		return compileFixed(m, t, typeYear, opYear, 1)
	case change.Date:
		if m.Type == typeNewDate {
			return column{op: opDate, size: 3}, ""
		}
		return compileFixed(m, t, typeDate, opDate, 3)
	case change.Decimal:
		return compileDecimal(m, t)
	case change.Bit:
		return compileBit(m, t)
	case change.Time, change.DateTime, change.Timestamp:
		return compileTemporal(m, t, d)
	case change.Enum, change.Set:
		return compileLabels(m, t)
	case change.JSON:
		return compileJSON(m, t, d)
	case change.Vector:
		return compileVector(m, t, d)
	case change.UUID:
		return compileFixedBinary(m, t, opUUID, 16)
	case change.Inet4:
		return compileFixedBinary(m, t, opInet4, 4)
	case change.Inet6:
		return compileFixedBinary(m, t, opInet6, 16)
	}
	return c, fmt.Sprintf("the definition has type %s, which this version does not know", t.Type)
}

// typeMismatch is why a column does not fit when already the types differ.
func typeMismatch(m *MapColumn, t *change.Column) string {
	return fmt.Sprintf("the table map has %s, the definition %s", m.Type, t.Type)
}

func lengthMismatch(what string, m, t int) string {
	return fmt.Sprintf("the table map has %s %d, the definition %d", what, m, t)
}

func compileFixed(m *MapColumn, t *change.Column, want WireType, o op, size int) (column, string) {
	if m.Type != want {
		return column{}, typeMismatch(m, t)
	}
	if m.Length != 0 && m.Length != size {
		return column{}, lengthMismatch("size", m.Length, size)
	}
	return column{op: o, size: size}, ""
}

func compileInteger(m *MapColumn, t *change.Column) (column, string) {
	o := opInt
	if t.Unsigned {
		o = opUint
	}
	switch t.Type {
	case change.TinyInt:
		return compileFixed(m, t, typeTiny, o, 1)
	case change.SmallInt:
		return compileFixed(m, t, typeShort, o, 2)
	case change.MediumInt:
		return compileFixed(m, t, typeInt24, o, 3)
	case change.Int:
		return compileFixed(m, t, typeLong, o, 4)
	}
	return compileFixed(m, t, typeLongLong, o, 8)
}

func compileDecimal(m *MapColumn, t *change.Column) (column, string) {
	if m.Type != typeNewDecimal {
		return column{}, typeMismatch(m, t)
	}
	if t.Length >= 0 && t.Length != m.Length {
		return column{}, lengthMismatch("precision", m.Length, t.Length)
	}
	if t.Scale >= 0 && t.Scale != m.Scale {
		return column{}, lengthMismatch("scale", m.Scale, t.Scale)
	}
	if !validDecimal(m.Length, m.Scale) {
		return column{}, fmt.Sprintf("the table map has the impossible DECIMAL(%d,%d)", m.Length, m.Scale)
	}
	return column{op: opDecimal, size: decimalSize(m.Length, m.Scale), precision: m.Length, scale: m.Scale}, ""
}

func compileBit(m *MapColumn, t *change.Column) (column, string) {
	if m.Type != typeBit {
		return column{}, typeMismatch(m, t)
	}
	if t.Length >= 0 && t.Length != m.Length {
		return column{}, lengthMismatch("bits", m.Length, t.Length)
	}
	if m.Length < 1 || m.Length > 64 {
		return column{}, fmt.Sprintf("the table map has the impossible BIT(%d)", m.Length)
	}
	return column{op: opBit, size: bitmapSize(m.Length), precision: m.Length}, ""
}

// compileTemporal tells the two families apart by the wire type. The older one
// has no metadata, so with fractional digits its size follows from the
// definition alone; only MariaDB has that.
func compileTemporal(m *MapColumn, t *change.Column, d *Decoder) (column, string) {
	type forms struct {
		old, new            WireType
		oldOp, newOp, hires op
		oldSize, newSize    int
		hiresSizes          [7]int
	}
	var f forms
	switch t.Type {
	case change.Time:
		f = forms{typeTime, typeTime2, opOldTime, opTime2, opHiresTime, 3, 3, hiresTimeSizes}
	case change.DateTime:
		f = forms{typeDateTime, typeDateTime2, opOldDateTime, opDateTime2, opHiresDateTime, 8, 5, hiresDateTimeSizes}
	default:
		f = forms{typeTimestamp, typeTimestamp2, opOldTimestamp, opTimestamp2, opHiresTimestamp, 4, 4, hiresTimestampSizes}
	}
	declared := max(t.Length, 0)
	if declared > 6 {
		return column{}, fmt.Sprintf("the definition has %d fractional digits", declared)
	}
	switch {
	case m.Type == f.new:
		if m.Length != declared {
			return column{}, lengthMismatch("fractional digits", m.Length, declared)
		}
		return column{op: f.newOp, size: f.newSize + fractionSize(m.Length)}, ""
	case m.Type == f.old && declared == 0:
		return column{op: f.oldOp, size: f.oldSize}, ""
	case m.Type == f.old && d.mariadb:
		return column{op: f.hires, size: f.hiresSizes[declared], scale: declared}, ""
	}
	return column{}, typeMismatch(m, t)
}

func compileLabels(m *MapColumn, t *change.Column) (column, string) {
	n := len(t.Members)
	want, o, size := typeEnum, opEnum, 1
	if t.Type == change.Set {
		want, o, size = typeSet, opSet, (n+7)/8
		if size > 4 {
			size = 8
		}
	} else if n > 255 {
		size = 2
	}
	if m.Type != want {
		return column{}, typeMismatch(m, t)
	}
	if n == 0 {
		return column{}, "the definition has no labels"
	}
	if m.Length != size {
		return column{}, fmt.Sprintf("the table map has %d bytes, the %d labels of the definition need %d", m.Length, n, size)
	}
	c := column{op: o, size: size, labels: make([][]byte, n)}
	all := []byte(strings.Join(t.Members, ""))
	for i, l := range t.Members {
		c.labels[i] = all[:len(l):len(l)]
		all = all[len(l):]
	}
	return c, ""
}

// compileLong compiles the types that are a BLOB with a 4-byte length inside.
func compileLong(m *MapColumn, t *change.Column, o op, want WireType) (column, string) {
	if m.Type != want {
		return column{}, typeMismatch(m, t)
	}
	if m.Length != 4 {
		return column{}, lengthMismatch("length bytes", m.Length, 4)
	}
	return column{op: o, prefix: 4, size: -1}, ""
}

// compileJSON takes MariaDB's JSON for what it is there, a LONGTEXT.
func compileJSON(m *MapColumn, t *change.Column, d *Decoder) (column, string) {
	if d.mariadb && m.Type == typeBlob {
		text := change.Column{Type: change.LongText, Length: -1, Charset: "utf8mb4"}
		return compileString(m, &text, d)
	}
	return compileLong(m, t, opJSON, typeJSON)
}

// compileVector: MySQL's VECTOR is a BLOB inside, MariaDB's a VARBINARY.
func compileVector(m *MapColumn, t *change.Column, d *Decoder) (column, string) {
	if !d.mariadb {
		return compileLong(m, t, opBytes, typeVector)
	}
	if m.Type != typeVarChar {
		return column{}, typeMismatch(m, t)
	}
	if t.Length >= 0 && t.Length*4 != m.Length {
		return column{}, lengthMismatch("bytes", m.Length, t.Length*4)
	}
	return column{op: opBytes, prefix: lengthBytes(m.Length), size: m.Length}, ""
}

// compileFixedBinary compiles MariaDB's UUID, INET4 and INET6, which travel
// as BINARY.
func compileFixedBinary(m *MapColumn, t *change.Column, o op, size int) (column, string) {
	if m.Type != typeString {
		return column{}, typeMismatch(m, t)
	}
	if m.Length != size {
		return column{}, lengthMismatch("bytes", m.Length, size)
	}
	return column{op: o, prefix: 1, size: size}, ""
}

// lengthBytes is the size of the length before a string of up to n bytes.
func lengthBytes(n int) int {
	if n > 255 {
		return 2
	}
	return 1
}
