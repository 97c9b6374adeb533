package rowevent

import (
	"daybook/change"

	"daybook/binlog/cursor"
)

// The temporal forms of MySQL 5.6.4 and later (TIME2, DATETIME2, TIMESTAMP2)
// are big-endian, so that they sort as bytes, with the fraction in (digits+1)/2
// further bytes; the older ones are little-endian numbers without a fraction
// (sql-common/my_time.cc, sql/field.cc).

// fractionSize returns the bytes of fsp fractional digits.
func fractionSize(fsp int) int { return (fsp + 1) / 2 }

// fraction returns the microseconds in the fractionSize(fsp) bytes of b.
func fraction(b []byte) uint64 {
	switch len(b) {
	case 1:
		return uint64(b[0]) * 10000
	case 2:
		return cursor.BigEndian(b) * 100
	}
	return cursor.BigEndian(b)
}

const maxMicros = 999999

func validClock(hour, minute, second int) bool { return hour < 24 && minute < 60 && second < 60 }

// dateTime2 decodes DATETIME2: 1 bit sign (always set), 17 bits year*13+month,
// 5 day, 5 hour, 6 minute, 6 second, then the fraction. The result has the form
// of [change.Civil.Pack].
func dateTime2(b []byte) (uint64, bool) {
	whole := cursor.BigEndian(b[:5])
	micros := fraction(b[5:])
	n := whole &^ (1 << 39)
	ok := n != whole && micros <= maxMicros
	return unpackDateTime(n, micros, ok)
}

// unpackDateTime repacks the server's bits, year*13+month down to the second.
func unpackDateTime(n, micros uint64, ok bool) (uint64, bool) {
	clock := n & (1<<17 - 1)
	ym := n >> 22
	ok = ok && ym/13 <= 9999 && validClock(int(clock>>12), int(clock>>6&63), int(clock&63))
	return ym/13<<46 | ym%13<<42 | (n >> 17 & 31 << 37) | clock<<20 | micros, ok
}

// time2 decodes TIME2 to microseconds: 1 bit sign (inverted), 1 unused, 10
// hour, 6 minute, 6 second, then the fraction, all as one two's complement.
func time2(b []byte) (int64, bool) {
	size := uint(len(b)) * 8
	n := int64(cursor.BigEndian(b)) - 1<<(size-1)
	negative := n < 0
	if negative {
		n = -n
	}
	bits := size - 24
	whole, frac := n>>bits, uint64(n&(1<<bits-1))
	switch len(b) {
	case 4:
		frac *= 10000
	case 5:
		frac *= 100
	}
	hour, minute, second := whole>>12, whole>>6&63, whole&63
	micros := (hour*3600+minute*60+second)*1e6 + int64(frac)
	if negative {
		micros = -micros
	}
	return micros, hour <= 838 && minute < 60 && second < 60 && frac <= maxMicros
}

// timestamp2 decodes TIMESTAMP2 to microseconds since the epoch.
func timestamp2(b []byte) (int64, bool) {
	frac := fraction(b[4:])
	return int64(cursor.BigEndian(b[:4]))*1e6 + int64(frac), frac <= maxMicros
}

// date decodes DATE: 15 bits year, 4 month, 5 day.
func date(n uint64) (uint64, bool) {
	return n>>9<<46 | (n >> 5 & 15 << 42) | (n & 31 << 37), n>>9 <= 9999 && n>>5&15 <= 12
}

// oldDateTime decodes the DATETIME of MySQL 5.5, the number YYYYMMDDhhmmss.
func oldDateTime(n uint64) (uint64, bool) {
	day, clock := int(n/1e6%1e8), int(n%1e6)
	c := change.Civil{
		Year: day / 1e4, Month: day / 100 % 100, Day: day % 100,
		Hour: clock / 1e4, Minute: clock / 100 % 100, Second: clock % 100,
	}
	ok := n < 1e14 && c.Month <= 12 && c.Day <= 31 && validClock(c.Hour, c.Minute, c.Second)
	return c.Pack(), ok
}

// oldTime decodes the TIME of MySQL 5.5, the signed number hhmmss in 3 bytes,
// to microseconds.
func oldTime(n uint64) (int64, bool) {
	x := int64(n<<40) >> 40
	sign := int64(1)
	if x < 0 {
		x, sign = -x, -1
	}
	hour, minute, second := x/1e4, x/100%100, x%100
	return sign * (hour*3600 + minute*60 + second) * 1e6, hour <= 838 && minute < 60 && second < 60
}

// civil unpacks what dateTime2 and date return.
func civil(n uint64) change.Civil {
	v := change.Value{Num: n}
	return v.Civil()
}
