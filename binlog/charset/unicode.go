package charset

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

func utf16BE(dst, b []byte) []byte { return appendUTF16(dst, b, binary.BigEndian) }
func utf16LE(dst, b []byte) []byte { return appendUTF16(dst, b, binary.LittleEndian) }

// appendUTF16 appends b as UTF-8, U+FFFD for a surrogate alone or half a unit.
func appendUTF16(dst, b []byte, order binary.ByteOrder) []byte {
	for len(b) >= 2 {
		r := rune(order.Uint16(b))
		b = b[2:]
		if utf16.IsSurrogate(r) {
			pair := rune(utf8.RuneError)
			if len(b) >= 2 {
				pair = utf16.DecodeRune(r, rune(order.Uint16(b)))
			}
			if r = pair; r != utf8.RuneError {
				b = b[2:]
			}
		}
		dst = utf8.AppendRune(dst, r)
	}
	if len(b) > 0 {
		dst = utf8.AppendRune(dst, utf8.RuneError)
	}
	return dst
}

func sizeUTF16BE(b []byte) int { return sizeUTF16(b, binary.BigEndian) }
func sizeUTF16LE(b []byte) int { return sizeUTF16(b, binary.LittleEndian) }

// sizeUTF16 returns how many bytes appendUTF16 appends, or some more for
// surrogates that are alone.
func sizeUTF16(b []byte, order binary.ByteOrder) int {
	n := 0
	for ; len(b) >= 2; b = b[2:] {
		r := rune(order.Uint16(b))
		switch {
		case r >= 0xd800 && r < 0xdc00 && len(b) >= 4 && order.Uint16(b[2:])>>10 == 0xdc00>>10:
			n += utf8.UTFMax
			b = b[2:]
		case utf16.IsSurrogate(r):
			n += utf8.RuneLen(utf8.RuneError)
		default:
			n += utf8.RuneLen(r)
		}
	}
	return n + utf8.UTFMax
}

func sizeUTF32BE(b []byte) int {
	n := 0
	for ; len(b) >= 4; b = b[4:] {
		if size := utf8.RuneLen(rune(binary.BigEndian.Uint32(b))); size > 0 {
			n += size
		} else {
			n += utf8.RuneLen(utf8.RuneError)
		}
	}
	return n + utf8.UTFMax
}

func utf32BE(dst, b []byte) []byte {
	for len(b) >= 4 {
		dst = utf8.AppendRune(dst, rune(binary.BigEndian.Uint32(b)))
		b = b[4:]
	}
	if len(b) > 0 {
		dst = utf8.AppendRune(dst, utf8.RuneError)
	}
	return dst
}
