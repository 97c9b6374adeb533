package rowevent

import (
	"daybook/binlog/cursor"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"strconv"

	"daybook/change"
)

// fixedBinary decodes MariaDB's UUID, INET4 and INET6, which travel as BINARY
// without their trailing zeros, to the text that the server shows.
func (d *Decoder) fixedBinary(c *column, b []byte, v *change.Value) error {
	var raw [16]byte
	copy(raw[:], b)
	start := len(d.arena)
	switch c.op {
	case opUUID:
		d.arena = appendUUID(d.arena, raw)
	case opInet4:
		d.arena = netip.AddrFrom4([4]byte(raw[:4])).AppendTo(d.arena)
	default:
		d.arena = appendInet6(d.arena, raw)
	}
	v.Kind, v.Bytes = change.String, d.arena[start:len(d.arena):len(d.arena)]
	return nil
}

func appendUUID(dst []byte, u [16]byte) []byte {
	dst = hex.AppendEncode(dst, u[:4])
	for i := 4; i < 10; i += 2 {
		dst = append(dst, '-')
		dst = hex.AppendEncode(dst, u[i:i+2])
	}
	dst = append(dst, '-')
	return hex.AppendEncode(dst, u[10:])
}

// appendInet6 appends the server's text of an address, which is that of RFC
// 5952 except that a single zero group is left out too, and that the
// IPv4-compatible addresses, ::a.b.c.d, are written as such.
func appendInet6(dst []byte, a [16]byte) []byte {
	var groups [8]uint16
	for i := range groups {
		groups[i] = binary.BigEndian.Uint16(a[2*i:])
	}
	gap, gapLen := 8, 0
	for i := 0; i < 8; i++ {
		n := 0
		for i+n < 8 && groups[i+n] == 0 {
			n++
		}
		if n > gapLen {
			gap, gapLen = i, n
		}
		i += n
	}
	end := 8
	if gap == 0 && (gapLen == 6 || gapLen == 5 && groups[5] == 0xffff) {
		end = 6 // the rest as IPv4
	}
	for i := 0; i < end; i++ {
		if i == gap {
			dst = append(dst, "::"...)
			i += gapLen - 1
			continue
		}
		if i > 0 && i != gap+gapLen {
			dst = append(dst, ':')
		}
		dst = strconv.AppendUint(dst, uint64(groups[i]), 16)
	}
	if end == 6 {
		if gapLen == 5 {
			dst = append(dst, ':')
		}
		dst = netip.AddrFrom4([4]byte(a[12:])).AppendTo(dst)
	}
	return dst
}

// The sizes of MariaDB's temporal types with 0 to 6 fractional digits under
// mysql56_temporal_format=OFF.
var (
	hiresTimeSizes      = [7]int{3, 4, 4, 5, 5, 5, 6}
	hiresDateTimeSizes  = [7]int{8, 6, 6, 7, 7, 7, 8}
	hiresTimestampSizes = [7]int{4, 5, 5, 6, 6, 7, 7}
)

// hires decodes those types: big-endian numbers of fractions of the declared
// digits (sql/field.cc, sql/compat56.cc of MariaDB). With 0 digits they are
// the older forms.
func hires(c *column, b []byte, v *change.Value) bool {
	unit := int64(1)
	for range 6 - c.scale {
		unit *= 10
	}
	switch c.op {
	case opHiresTimestamp:
		frac := int64(cursor.BigEndian(b[4:])) * unit
		v.Kind, v.Num = change.Instant, uint64(int64(cursor.BigEndian(b[:4]))*1e6+frac)
		return frac <= maxMicros
	case opHiresTime:
		// The zero is in the middle of the range.
		const zero = (838*3600 + 59*60 + 59 + 1) * 1e6
		n := (int64(cursor.BigEndian(b)) - zero/unit) * unit
		v.Kind, v.Num = change.Duration, uint64(n)
		return n > -zero && n < zero
	}
	n := cursor.BigEndian(b)
	if n > 1<<63/uint64(unit) {
		return false
	}
	n *= uint64(unit)
	micros, n := n%1e6, n/1e6
	second, n := n%60, n/60
	minute, n := n%60, n/60
	hour, n := n%24, n/24
	day, n := n%32, n/32
	year, month := n/13, n%13
	civil := change.Civil{
		Year: int(year), Month: int(month), Day: int(day),
		Hour: int(hour), Minute: int(minute), Second: int(second), Micros: int(micros),
	}
	v.Kind, v.Num = change.CivilTime, civil.Pack()
	return year <= 9999
}
