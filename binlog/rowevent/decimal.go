package rowevent

import "encoding/binary"

// digitBytes is how many bytes hold 0 to 9 decimal digits.
var digitBytes = [10]int{0, 1, 1, 2, 2, 3, 3, 4, 4, 4}

var powersOf10 = [10]uint32{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}

// decimalSize returns the bytes of a DECIMAL(precision, scale).
func decimalSize(precision, scale int) int {
	whole := precision - scale
	return whole/9*4 + digitBytes[whole%9] + scale/9*4 + digitBytes[scale%9]
}

// validDecimal tells the precisions and scales that a column can have.
func validDecimal(precision, scale int) bool {
	return precision >= 1 && precision <= 65 && scale >= 0 && scale <= 38 && scale <= precision
}

// validInJSON tells the precisions and scales that a decimal in a JSON document can
// have, which is not cut to what a column can hold: what the server computes with is 9
// groups of up to 9 digits, of which the point parts none.
func validInJSON(precision, scale int) bool {
	groups := func(digits int) int { return (digits + 8) / 9 }
	return precision >= 1 && scale >= 0 && scale <= precision && groups(precision-scale)+groups(scale) <= 9
}

// appendDecimal appends the text of the decimal in b, whose length is
// decimalSize(precision, scale): no leading zeros but one before the point, all
// digits of the scale, no sign on zero. False: b holds a digit group that is
// out of range. The form is that of decimal2bin in MySQL's strings/decimal.cc:
// groups of 9 digits as big-endian numbers, the partial group outermost, all
// bits inverted for a negative number, the first bit inverted for all.
func appendDecimal(dst, b []byte, precision, scale int) ([]byte, bool) {
	var mask uint32
	if b[0]&0x80 == 0 {
		mask = 0xffffffff
		dst = append(dst, '-')
	}
	start := len(dst)
	first := byte(0x80)
	nonzero := uint32(0)
	ok := true
	group := func(digits int) uint32 {
		n := digitBytes[digits]
		var word [4]byte
		copy(word[4-n:], b[:n])
		word[4-n] ^= first
		first = 0
		b = b[n:]
		x := (binary.BigEndian.Uint32(word[:]) ^ mask) & (0xffffffff >> (32 - 8*n))
		ok = ok && x < powersOf10[digits]
		nonzero |= x
		return x
	}
	whole := precision - scale
	if d := whole % 9; d > 0 {
		if x := group(d); x > 0 {
			dst = appendUint32(dst, x)
		}
	}
	for range whole / 9 {
		x := group(9)
		if len(dst) > start {
			dst = appendPadded(dst, x, 9)
		} else if x > 0 {
			dst = appendUint32(dst, x)
		}
	}
	if len(dst) == start {
		dst = append(dst, '0')
	}
	if scale > 0 {
		dst = append(dst, '.')
		for range scale / 9 {
			dst = appendPadded(dst, group(9), 9)
		}
		if d := scale % 9; d > 0 {
			dst = appendPadded(dst, group(d), d)
		}
	}
	if nonzero == 0 && mask != 0 {
		dst = append(dst[:start-1], dst[start:]...)
	}
	return dst, ok
}

func appendUint32(dst []byte, x uint32) []byte {
	n := 1
	for n < 9 && x >= powersOf10[n] {
		n++
	}
	return appendPadded(dst, x, n)
}

// appendPadded appends the last n ≤ 9 decimal digits of x.
func appendPadded(dst []byte, x uint32, n int) []byte {
	var d [9]byte
	for i := n - 1; i >= 0; i-- {
		d[i] = byte('0' + x%10)
		x /= 10
	}
	return append(dst, d[:n]...)
}
