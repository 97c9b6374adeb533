package change

import (
	"bytes"
	"math"
)

// Kind says what a Value holds.
type Kind uint8

// The kinds of value. The comment says which fields of Value carry it.
const (
	// Absent: the row image does not hold the column (binlog_row_image other
	// than FULL, or a virtual column). It is not NULL. The zero Value.
	Absent      Kind = iota
	Null             // SQL NULL
	Int64            // Num: int64
	Uint64           // Num
	Float32          // Num: math.Float32bits
	Float64          // Num: math.Float64bits
	DecimalText      // Bytes: canonical ASCII text with all digits of the scale, such as -12.50
	Bits             // Num: the bits of BIT(n)
	YearNum          // Num: 0, 1901–2155
	CivilDate        // Num: see Civil; clock parts are zero
	CivilTime        // Num: see Civil; DATETIME
	Instant          // Num: int64 microseconds since the epoch; 0 is TIMESTAMP's 0000-00-00
	Duration         // Num: int64 microseconds, signed; TIME
	String           // Bytes: UTF-8
	Blobs            // Bytes
	EnumLabel        // Bytes: the label as UTF-8; Num: its index from 1; 0: the error value '' (or a table without labels)
	SetLabels        // Bytes: the labels joined by commas; Num: the bit set
	JSONText         // Bytes: UTF-8 JSON text
	WKB              // Bytes: well-known binary without the SRID; Num: the SRID
)

// Value is one column's value, without boxing: 40 bytes, no pointer but Bytes.
// Bytes may alias the reader's buffers and live as long as the Change.
type Value struct {
	Kind  Kind
	Num   uint64
	Bytes []byte
}

// Equal tells whether two values of one column are the same.
func (v *Value) Equal(w *Value) bool {
	return v.Kind == w.Kind && v.Num == w.Num && bytes.Equal(v.Bytes, w.Bytes)
}

// Int returns Num as the signed number of Int64, Instant and Duration.
func (v *Value) Int() int64 { return int64(v.Num) }

// Float returns the number of Float32 and Float64.
func (v *Value) Float() float64 {
	if v.Kind == Float32 {
		return float64(math.Float32frombits(uint32(v.Num)))
	}
	return math.Float64frombits(v.Num)
}

// Civil is a DATE or DATETIME as MySQL keeps it: no zone, and zero parts are
// legal (0000-00-00, 2020-00-00).
type Civil struct {
	Year, Month, Day, Hour, Minute, Second, Micros int
}

// Pack returns c in the form of Value.Num: from the high bits down 14 bits
// year, 4 month, 5 day, 5 hour, 6 minute, 6 second, 20 microseconds.
func (c Civil) Pack() uint64 {
	return uint64(c.Year)<<46 | uint64(c.Month)<<42 | uint64(c.Day)<<37 |
		uint64(c.Hour)<<32 | uint64(c.Minute)<<26 | uint64(c.Second)<<20 | uint64(c.Micros)
}

// Civil unpacks the Num of CivilDate and CivilTime.
func (v *Value) Civil() Civil {
	n := v.Num
	return Civil{
		Year: int(n >> 46), Month: int(n >> 42 & 15), Day: int(n >> 37 & 31),
		Hour: int(n >> 32 & 31), Minute: int(n >> 26 & 63), Second: int(n >> 20 & 63), Micros: int(n & (1<<20 - 1)),
	}
}
