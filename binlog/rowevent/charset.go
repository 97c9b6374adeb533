package rowevent

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// charset converts one of the server's character sets to UTF-8.
type charset struct {
	name   string
	maxLen int // bytes of the longest character
	// ascii: text of bytes below 0x80 only is UTF-8 already.
	ascii bool
	// convert appends b as UTF-8 to dst, at most three bytes for each of b.
	// What the server itself cannot convert becomes U+FFFD, but for multi-byte
	// characters that are known elsewhere. nil: the charset is UTF-8.
	convert func(dst, b []byte) []byte
}

// text returns b as UTF-8: b itself if that is what it is, else converted in
// the arena.
func (d *Decoder) text(cs *charset, b []byte) []byte {
	if cs.ascii && isASCII(b) {
		return b
	}
	if cs.convert == nil && utf8.Valid(b) {
		return b
	}
	start := len(d.arena)
	d.arena = cs.appendUTF8(d.arena, b)
	return d.arena[start:len(d.arena):len(d.arena)]
}

// appendUTF8 appends b as UTF-8.
func (cs *charset) appendUTF8(dst, b []byte) []byte {
	if cs.convert != nil {
		return cs.convert(dst, b)
	}
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		dst = utf8.AppendRune(dst, r)
		b = b[n:]
	}
	return dst
}

func isASCII(b []byte) bool {
	for len(b) >= 8 {
		if littleEndian(b[:8])&0x8080808080808080 != 0 {
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// charsetByName returns the charset that the server calls name. The result is
// for one goroutine.
func charsetByName(name string) (*charset, bool) {
	cs := &charset{name: name, maxLen: 2, ascii: true}
	switch name {
	case "utf8mb4":
		cs.maxLen = 4
	case "utf8mb3", "utf8":
		cs.maxLen = 3
	case "ucs2":
		cs.ascii, cs.convert = false, utf16BE
	case "utf16":
		cs.maxLen, cs.ascii, cs.convert = 4, false, utf16BE
	case "utf16le":
		cs.maxLen, cs.ascii, cs.convert = 4, false, utf16LE
	case "utf32":
		cs.maxLen, cs.ascii, cs.convert = 4, false, utf32BE
	case "gbk":
		cs.convert = multiByte(simplifiedchinese.GBK, lengthDouble, nil)
	case "gb2312":
		cs.convert = multiByte(simplifiedchinese.GBK, lengthDouble, gb2312Patches)
	case "gb18030":
		cs.maxLen, cs.convert = 4, multiByte(simplifiedchinese.GB18030, lengthGB18030, gb18030Patches)
	case "big5":
		cs.convert = multiByte(traditionalchinese.Big5, lengthDouble, big5Patches)
	case "euckr":
		cs.convert = multiByte(korean.EUCKR, lengthDouble, nil)
	case "sjis":
		cs.convert = multiByte(japanese.ShiftJIS, lengthShiftJIS, sjisPatches)
	case "cp932":
		cs.convert = multiByte(japanese.ShiftJIS, lengthShiftJIS, cp932Patches)
	case "ujis":
		cs.maxLen, cs.convert = 3, multiByte(japanese.EUCJP, lengthEUCJP, ujisPatches)
	case "eucjpms":
		cs.maxLen, cs.convert = 3, multiByte(japanese.EUCJP, lengthEUCJP, eucjpmsPatches)
	default:
		high := highHalf(name)
		if high == "" {
			return nil, false
		}
		cs.maxLen, cs.ascii, cs.convert = 1, name != "swe7", singleByte(name, high)
	}
	return cs, true
}

// singleByte returns the conversion of a charset with a table of characters.
func singleByte(name, high string) func(dst, b []byte) []byte {
	var table [256]rune
	for i := range 128 {
		table[i] = rune(i)
	}
	i := 128
	for _, r := range high {
		table[i] = r
		i++
	}
	if name == "swe7" {
		for c, r := range swe7Low {
			table[c] = r
		}
	}
	return func(dst, b []byte) []byte {
		for _, c := range b {
			dst = utf8.AppendRune(dst, table[c])
		}
		return dst
	}
}

// The lengths of the character at the front of b, which is not ASCII.

func lengthDouble([]byte) int { return 2 }

func lengthGB18030(b []byte) int {
	if len(b) > 1 && b[1] >= '0' && b[1] <= '9' {
		return 4
	}
	return 2
}

func lengthShiftJIS(b []byte) int {
	if b[0] >= 0xa1 && b[0] <= 0xdf {
		return 1 // half-width katakana
	}
	return 2
}

func lengthEUCJP(b []byte) int {
	switch {
	case b[0] == 0x8f:
		return 3
	case b[0] == 0x8e || b[0] >= 0xa1:
		return 2
	}
	return 1
}

// multiByteCharset is a charset that an x/text encoding decodes, but for the
// patched characters.
type multiByteCharset struct {
	decoder *encoding.Decoder
	length  func([]byte) int
	patches []patch
}

func multiByte(enc encoding.Encoding, length func([]byte) int, patches []patch) func(dst, b []byte) []byte {
	m := &multiByteCharset{enc.NewDecoder(), length, patches}
	return m.convert
}

func (m *multiByteCharset) convert(dst, b []byte) []byte {
	done := 0
	for i := 0; i < len(b); {
		n := m.next(b[i:])
		if n > 1 && len(m.patches) > 0 {
			if r, ok := patched(m.patches, uint32(bigEndian(b[i:i+n]))); ok {
				dst = utf8.AppendRune(m.convertRun(dst, b[done:i]), r)
				done = i + n
			}
		}
		i += n
	}
	return m.convertRun(dst, b[done:])
}

// next returns the length of the character at the front of b.
func (m *multiByteCharset) next(b []byte) int {
	if b[0] < utf8.RuneSelf {
		return 1
	}
	return min(m.length(b), len(b))
}

// convertRun converts characters that are not patched, all at once if they are
// all known; else one by one, since the decoder takes the second byte of a
// character that it does not know for a character of its own.
func (m *multiByteCharset) convertRun(dst, b []byte) []byte {
	start := len(dst)
	dst = m.decode(dst, b)
	if !bytes.ContainsRune(dst[start:], utf8.RuneError) {
		return dst
	}
	dst = dst[:start]
	for len(b) > 0 {
		n := m.next(b)
		start := len(dst)
		dst = m.decode(dst, b[:n])
		if bytes.ContainsRune(dst[start:], utf8.RuneError) {
			dst = utf8.AppendRune(dst[:start], utf8.RuneError)
		}
		b = b[n:]
	}
	return dst
}

func (m *multiByteCharset) decode(dst, b []byte) []byte {
	dst = slices.Grow(dst, 3*len(b)+utf8.UTFMax)
	m.decoder.Reset()
	// The room is enough, and bad bytes are replaced, so this cannot fail.
	n, _, _ := m.decoder.Transform(dst[len(dst):cap(dst)], b, true)
	return dst[:len(dst)+n]
}

// patched looks a character code up in patches.
func patched(patches []patch, code uint32) (rune, bool) {
	i, found := slices.BinarySearchFunc(patches, code, func(p patch, code uint32) int { return int(p.code) - int(code) })
	if !found {
		i--
	}
	if i < 0 {
		return 0, false
	}
	p := &patches[i]
	offset := int(code - p.code)
	for _, r := range p.runes {
		if offset < p.linear {
			return r + rune(offset), true
		}
		if offset == 0 {
			return r, true
		}
		offset--
	}
	return 0, false
}
