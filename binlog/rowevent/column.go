package rowevent

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"daybook/binlog/charset"
	"daybook/binlog/cursor"
	"daybook/change"
)

// op says how a column's value is decoded.
type op uint8

const (
	opInt  op = iota + 1 // size bytes, little-endian, signed
	opUint               // the same, unsigned
	opFloat
	opDouble
	opDecimal
	opBit
	opYear
	opDate
	opOldTime
	opOldDateTime
	opOldTimestamp
	opTime2
	opDateTime2
	opTimestamp2
	opHiresTime // MariaDB, mysql56_temporal_format=OFF
	opHiresDateTime
	opHiresTimestamp
	opEnum
	opSet
	opText // a length of prefix bytes, then text
	opBytes
	opBinary // BINARY(n), which comes without its trailing zeros
	opJSON
	opGeometry
	opCompressedText
	opCompressedBytes
	opUUID
	opInet4
	opInet6
)

// column is a table's column, compiled to what decoding it needs.
type column struct {
	op               op
	prefix           int // bytes of the length before the value; 0: size bytes always
	size             int // bytes of the value; with a prefix the most there may be, -1: any
	precision, scale int
	charset          *charset.Charset
	labels           [][]byte // of ENUM and SET
	json             int      // index among the JSON columns
}

var errShort = fmt.Errorf("%w: value is cut off", ErrCorrupt)

// errRange builds the error for bytes that are no value of the column's type.
func errRange(b []byte) error {
	if len(b) > 32 {
		b = b[:32]
	}
	return fmt.Errorf("%w: %x is no value of the column's type", ErrCorrupt, b)
}

// wireSize returns how many bytes the value at the front of b takes, which may
// be more than b has; -1: b is too short to tell.
func (c *column) wireSize(b []byte) int {
	if c.prefix == 0 {
		return c.size
	}
	if c.prefix > len(b) {
		return -1
	}
	return c.prefix + int(cursor.LittleEndian(b[:c.prefix]))
}

// decode decodes the value at the front of b into v and returns the bytes used.
// Fixed sizes come first: they are most values.
func (d *Decoder) decode(c *column, b []byte, v *change.Value) (int, error) {
	if c.prefix != 0 {
		return d.decodeVariable(c, b, v)
	}
	size := c.size
	if size > len(b) {
		return 0, errShort
	}
	b = b[:size]
	v.Bytes = nil
	ok := true
	switch c.op {
	case opInt:
		shift := 64 - uint(size)*8
		v.Kind, v.Num = change.Int64, uint64(int64(cursor.LittleEndian(b)<<shift)>>shift)
	case opUint:
		v.Kind, v.Num = change.Uint64, cursor.LittleEndian(b)
	case opFloat:
		v.Kind, v.Num = change.Float32, uint64(binary.LittleEndian.Uint32(b))
	case opDouble:
		v.Kind, v.Num = change.Float64, binary.LittleEndian.Uint64(b)
	case opDecimal:
		start := len(d.arena)
		d.arena, ok = appendDecimal(d.arena, b, c.precision, c.scale)
		v.Kind, v.Num, v.Bytes = change.DecimalText, 0, d.arena[start:len(d.arena):len(d.arena)]
	case opDateTime2:
		v.Kind = change.CivilTime
		v.Num, ok = dateTime2(b)
	case opTimestamp2:
		n, good := timestamp2(b)
		v.Kind, v.Num, ok = change.Instant, uint64(n), good
	case opTime2:
		n, good := time2(b)
		v.Kind, v.Num, ok = change.Duration, uint64(n), good
	case opDate:
		v.Kind = change.CivilDate
		v.Num, ok = date(cursor.LittleEndian(b))
	default:
		return size, d.decodeRare(c, b, v)
	}
	if !ok {
		return 0, errRange(b)
	}
	return size, nil
}

// decodeRare decodes the fixed-size types that decode leaves out.
func (d *Decoder) decodeRare(c *column, b []byte, v *change.Value) error {
	ok := true
	switch c.op {
	case opYear:
		v.Kind, v.Num = change.YearNum, uint64(b[0])
		if b[0] != 0 {
			v.Num += 1900
		}
	case opBit:
		v.Kind, v.Num = change.Bits, cursor.BigEndian(b)
		ok = bits.Len64(v.Num) <= c.precision
	case opEnum:
		ok = enumLabel(c, cursor.LittleEndian(b), v)
	case opSet:
		ok = d.setLabels(c, cursor.LittleEndian(b), v)
	case opOldDateTime:
		v.Kind = change.CivilTime
		v.Num, ok = oldDateTime(cursor.LittleEndian(b))
	case opOldTimestamp:
		v.Kind, v.Num = change.Instant, cursor.LittleEndian(b)*1e6
	case opOldTime:
		n, good := oldTime(cursor.LittleEndian(b))
		v.Kind, v.Num, ok = change.Duration, uint64(n), good
	case opHiresTime, opHiresDateTime, opHiresTimestamp:
		ok = hires(c, b, v)
	default:
		return errors.New("no way to decode the column") // a bug in compile
	}
	if !ok {
		return errRange(b)
	}
	return nil
}

func enumLabel(c *column, n uint64, v *change.Value) bool {
	if n > uint64(len(c.labels)) {
		return false
	}
	v.Kind, v.Num = change.EnumLabel, n
	if n > 0 {
		v.Bytes = c.labels[n-1]
	}
	return true
}

func (d *Decoder) setLabels(c *column, n uint64, v *change.Value) bool {
	if bits.Len64(n) > len(c.labels) {
		return false
	}
	start := len(d.arena)
	for rest := n; rest != 0; rest &= rest - 1 {
		if len(d.arena) > start { // servers write no comma before the first that is not empty
			d.arena = append(d.arena, ',')
		}
		d.arena = append(d.arena, c.labels[bits.TrailingZeros64(rest)]...)
	}
	v.Kind, v.Num, v.Bytes = change.SetLabels, n, d.arena[start:len(d.arena):len(d.arena)]
	return true
}

// decodeVariable decodes a value with its length before it.
func (d *Decoder) decodeVariable(c *column, b []byte, v *change.Value) (int, error) {
	if c.prefix > len(b) {
		return 0, errShort
	}
	n := int(cursor.LittleEndian(b[:c.prefix]))
	if n > len(b)-c.prefix {
		return 0, errShort
	}
	used := c.prefix + n
	b = b[c.prefix:used:used]
	if c.size >= 0 && n > c.size {
		return 0, errRange(b)
	}
	v.Num = 0
	var err error
	switch c.op {
	case opText:
		v.Kind, v.Bytes = change.String, d.text(c.charset, b)
	case opBytes:
		v.Kind, v.Bytes = change.Blobs, b
	case opBinary:
		v.Kind, v.Bytes = change.Blobs, d.pad(b, c.size)
	case opJSON:
		err = d.jsonColumn(c, b, v)
	case opGeometry:
		err = geometry(b, v)
	case opCompressedText, opCompressedBytes:
		err = d.decompressColumn(c, b, v)
	case opUUID, opInet4, opInet6:
		err = d.fixedBinary(c, b, v)
	default:
		err = errors.New("no way to decode the column") // a bug in compile
	}
	return used, err
}

// pad returns b with zeros up to size bytes.
func (d *Decoder) pad(b []byte, size int) []byte {
	if len(b) == size {
		return b
	}
	start := len(d.arena)
	d.arena = append(d.arena, b...)
	d.arena = append(d.arena, make([]byte, size-len(b))...)
	return d.arena[start:len(d.arena):len(d.arena)]
}

// geometry splits the server's form, a 4-byte SRID and WKB. A NOT NULL column
// that an ALTER TABLE of an old server added holds no bytes at all.
func geometry(b []byte, v *change.Value) error {
	v.Kind, v.Bytes = change.WKB, b
	if len(b) == 0 {
		return nil
	}
	if len(b) < 4 {
		return errRange(b)
	}
	v.Num, v.Bytes = uint64(binary.LittleEndian.Uint32(b)), b[4:]
	return nil
}
