package rowevent

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
