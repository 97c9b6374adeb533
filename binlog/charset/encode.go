package charset

import (
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding"
)

// Encode returns UTF-8 text in the character set, with a question mark for each
// character that it lacks, as the servers do.
func (cs *Charset) Encode(text string) []byte {
	var dst []byte
	for _, r := range text {
		n := len(dst)
		if dst = cs.appendRune(dst, r); len(dst) == n {
			dst = cs.appendRune(dst, '?')
		}
	}
	return dst
}

// Fit returns text as the servers have it after they stored it in the character
// set.
func (cs *Charset) Fit(text string) string {
	if cs.ASCII && isASCII([]byte(text)) {
		return text
	}
	return cs.String(string(cs.Encode(text)))
}

// appendRune appends nothing if the set lacks r.
func (cs *Charset) appendRune(dst []byte, r rune) []byte {
	switch {
	case cs.ASCII && r < utf8.RuneSelf:
		return append(dst, byte(r))
	case cs.encode != nil:
		return cs.encode(dst, r)
	case r > 0xffff && cs.MaxLen < utf8.UTFMax:
		return dst
	}
	return utf8.AppendRune(dst, r)
}

// encodeUTF16 returns the encode of a Unicode charset of two bytes; wide: of those
// outside the BMP too, in four.
func encodeUTF16(order binary.AppendByteOrder, wide bool) func(dst []byte, r rune) []byte {
	return func(dst []byte, r rune) []byte {
		switch {
		case r <= 0xffff:
			return order.AppendUint16(dst, uint16(r))
		case !wide:
			return dst
		}
		high, low := utf16.EncodeRune(r)
		return order.AppendUint16(order.AppendUint16(dst, uint16(high)), uint16(low))
	}
}

func encodeUTF32(dst []byte, r rune) []byte { return binary.BigEndian.AppendUint32(dst, uint32(r)) }

// encodeSingle returns the encode of a charset with a table of characters.
func encodeSingle(table *[256]rune) func(dst []byte, r rune) []byte {
	return func(dst []byte, r rune) []byte {
		if i := slices.Index(table[:], r); i >= 0 && r != utf8.RuneError {
			return append(dst, byte(i))
		}
		return dst
	}
}

// encodeMulti returns the encode of a charset of two bytes, or three, which is the
// reverse of the conversion to UTF-8: a character has the lowest of its codes, shorter
// ones first, but for the codes that are absent.
func (m *multiByteCharset) encodeMulti(absent func(code uint32) bool) func(dst []byte, r rune) []byte {
	var codes map[rune]uint32
	return func(dst []byte, r rune) []byte {
		if codes == nil {
			codes = m.reverse(absent)
		}
		if code, ok := codes[r]; ok {
			return appendCode(dst, code)
		}
		return dst
	}
}

func (m *multiByteCharset) reverse(absent func(code uint32) bool) map[rune]uint32 {
	codes := map[rune]uint32{}
	var b, text []byte
	add := func(code uint32) {
		if absent(code) || m.next(b) != len(b) {
			return
		}
		text = m.convert(text[:0], b)
		if r, n := utf8.DecodeRune(text); n == len(text) && r != utf8.RuneError {
			if _, known := codes[r]; !known {
				codes[r] = code
			}
		}
	}
	for c := byte(0x80); c != 0; c++ {
		b = append(b[:0], c)
		add(uint32(c))
	}
	for code := uint32(0x8140); code <= 0xffff; code++ {
		b = append(b[:0], byte(code>>8), byte(code))
		add(code)
	}
	for code := uint32(0x8fa1a1); code <= 0x8ffefe; code++ { // of ujis and eucjpms
		b = append(b[:0], byte(code>>16), byte(code>>8), byte(code))
		add(code)
	}
	return codes
}

// encodeGB18030 is the encode of gb18030, which has a code for each character.
func (m *multiByteCharset) encodeGB18030(enc encoding.Encoding) func(dst []byte, r rune) []byte {
	encoder := enc.NewEncoder()
	return func(dst []byte, r rune) []byte {
		if b, err := encoder.Bytes([]byte(string(r))); err == nil && string(m.convert(nil, b)) == string(r) {
			return append(dst, b...)
		}
		for i := range m.patches {
			if offset := m.patches[i].offset(r); offset >= 0 {
				return appendCode(dst, m.patches[i].code+uint32(offset))
			}
		}
		return dst
	}
}

// offset returns how many codes behind the patch's first the character stands, -1 if it
// does not.
func (p *patch) offset(r rune) int {
	if p.linear > 0 {
		first, _ := utf8.DecodeRuneInString(p.runes)
		if r >= first && r < first+rune(p.linear) {
			return int(r - first)
		}
		return -1
	}
	if i := strings.IndexRune(p.runes, r); i >= 0 {
		return utf8.RuneCountInString(p.runes[:i])
	}
	return -1
}

// appendCode appends the bytes of a character's code.
func appendCode(dst []byte, code uint32) []byte {
	for shift := 24; shift >= 0; shift -= 8 {
		if code>>shift != 0 {
			dst = append(dst, byte(code>>shift))
		}
	}
	return dst
}

// The codes that are not written: those that the servers do not know, and of several
// for one character the ones that they do not choose.

func absentNone(code uint32) bool { return code == 0x80 }

func absentSJIS(code uint32) bool {
	return code == 0x80 || code>>8 == 0x87 || code>>8 == 0xed || code>>8 == 0xee || code >= 0xfa40
}

func absentCP932(code uint32) bool { return code == 0x80 || code>>8 == 0xed || code>>8 == 0xee }

func absentUJIS(code uint32) bool { return code>>8 == 0xad }

func absentBig5(code uint32) bool {
	return code < 0xa140 || code >= 0xa3c0 && code <= 0xa3e1 || code >= 0xc840 && code <= 0xc8fe || code >= 0xf9dd
}

func absentGBK(code uint32) bool {
	return code < 0x8140 || code == 0xa2e3 || code == 0xa8bf || code >= 0xa989 && code <= 0xa995 || code >= 0xfe50
}

func absentGB2312(code uint32) bool {
	return code < 0xa1a1 || code&0xff < 0xa1 || code == 0xa2e3 || code >= 0xa2a1 && code <= 0xa2aa || code >= 0xa6e0 && code <= 0xa6f5 || code >= 0xa8bb && code <= 0xa8c0
}
