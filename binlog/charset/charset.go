package charset

import (
	"bytes"
	"encoding/binary"
	"slices"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"

	"daybook/binlog/cursor"
)

// Charset converts one of the server's character sets to UTF-8.
type Charset struct {
	Name   string
	MaxLen int // bytes of the longest character
	// ASCII: text of bytes below 0x80 only is UTF-8 already.
	ASCII bool
	// convert appends b as UTF-8 to dst, at most three bytes for each of b.
	// What the server itself cannot convert becomes U+FFFD, but for multi-byte
	// characters that are known elsewhere. nil: the charset is UTF-8.
	convert func(dst, b []byte) []byte
	// size returns how many bytes convert appends, or some more; nil with convert.
	size func(b []byte) int
	// encode appends a character, or nothing if the set lacks it; nil: the charset is UTF-8.
	encode func(dst []byte, r rune) []byte
}

// IsUTF8 tells whether text is UTF-8 already, or ASCII that reads the same.
func (cs *Charset) IsUTF8(b []byte) bool {
	return cs.ASCII && isASCII(b) || cs.convert == nil && utf8.Valid(b)
}

// String returns text as UTF-8.
func (cs *Charset) String(text string) string {
	if b := []byte(text); !cs.IsUTF8(b) {
		return string(cs.AppendUTF8(nil, b))
	}
	return text
}

// SizeUTF8 returns how many bytes AppendUTF8 appends, or some more.
func (cs *Charset) SizeUTF8(b []byte) int {
	if cs.size != nil {
		return cs.size(b)
	}
	n := 0
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		n += utf8.RuneLen(r)
		b = b[size:]
	}
	return n
}

// AppendUTF8 appends b as UTF-8.
func (cs *Charset) AppendUTF8(dst, b []byte) []byte {
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
		if cursor.LittleEndian(b[:8])&0x8080808080808080 != 0 {
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

// ByName returns the charset that the server calls name; false for one that is
// not known. The result is for one goroutine.
func ByName(name string) (*Charset, bool) {
	cs := &Charset{Name: name, MaxLen: 2, ASCII: true}
	switch name {
	case "utf8mb4":
		cs.MaxLen = 4
	case "utf8mb3", "utf8":
		cs.MaxLen = 3
	case "ucs2":
		cs.unicode(2, utf16BE, sizeUTF16BE, encodeUTF16(binary.BigEndian, false))
	case "utf16":
		cs.unicode(4, utf16BE, sizeUTF16BE, encodeUTF16(binary.BigEndian, true))
	case "utf16le":
		cs.unicode(4, utf16LE, sizeUTF16LE, encodeUTF16(binary.LittleEndian, true))
	case "utf32":
		cs.unicode(4, utf32BE, sizeUTF32BE, encodeUTF32)
	case "gbk":
		cs.multiByte(simplifiedchinese.GBK, lengthDouble, nil, absentGBK)
	case "gb2312":
		cs.multiByte(simplifiedchinese.GBK, lengthDouble, gb2312Patches, absentGB2312)
	case "gb18030":
		cs.MaxLen = 4
		cs.multiByte(simplifiedchinese.GB18030, lengthGB18030, gb18030Patches, nil)
	case "big5":
		cs.multiByte(traditionalchinese.Big5, lengthDouble, big5Patches, absentBig5)
	case "euckr":
		cs.multiByte(korean.EUCKR, lengthDouble, nil, absentNone)
	case "sjis":
		cs.multiByte(japanese.ShiftJIS, lengthShiftJIS, sjisPatches, absentSJIS)
	case "cp932":
		cs.multiByte(japanese.ShiftJIS, lengthShiftJIS, cp932Patches, absentCP932)
	case "ujis":
		cs.MaxLen = 3
		cs.multiByte(japanese.EUCJP, lengthEUCJP, ujisPatches, absentUJIS)
	case "eucjpms":
		cs.MaxLen = 3
		cs.multiByte(japanese.EUCJP, lengthEUCJP, eucjpmsPatches, absentNone)
	case "filename":
		cs.filename()
	default:
		high := highHalf(name)
		if high == "" {
			return nil, false
		}
		cs.MaxLen, cs.ASCII = 1, name != "swe7"
		cs.singleByte(high)
	}
	return cs, true
}

// unicode makes cs one of the Unicode charsets but UTF-8.
func (cs *Charset) unicode(maxLen int, convert func(dst, b []byte) []byte, size func(b []byte) int, encode func([]byte, rune) []byte) {
	cs.MaxLen, cs.ASCII, cs.convert, cs.size, cs.encode = maxLen, false, convert, size, encode
}

// singleByte makes cs a charset with a table of characters.
func (cs *Charset) singleByte(high string) {
	var table [256]rune
	for i := range 128 {
		table[i] = rune(i)
	}
	i := 128
	for _, r := range high {
		table[i] = r
		i++
	}
	if cs.Name == "swe7" {
		for c, r := range swe7Low {
			table[c] = r
		}
	}
	cs.encode = encodeSingle(&table)
	cs.convert = func(dst, b []byte) []byte {
		for _, c := range b {
			dst = utf8.AppendRune(dst, table[c])
		}
		return dst
	}
	cs.size = func(b []byte) int {
		n := 0
		for _, c := range b {
			n += utf8.RuneLen(table[c])
		}
		return n
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
	piece   []byte // of the text, converted
}

func (cs *Charset) multiByte(enc encoding.Encoding, length func([]byte) int, patches []patch, absent func(code uint32) bool) {
	m := &multiByteCharset{decoder: enc.NewDecoder(), length: length, patches: patches}
	cs.convert, cs.size = m.convert, m.size
	if cs.encode = m.encodeMulti(absent); absent == nil {
		cs.encode = m.encodeGB18030(enc)
	}
}

func (m *multiByteCharset) convert(dst, b []byte) []byte {
	done := 0
	for i := 0; i < len(b); {
		n := m.next(b[i:])
		if n > 1 && len(m.patches) > 0 {
			if r, ok := patched(m.patches, uint32(cursor.BigEndian(b[i:i+n]))); ok {
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

// size: but for ASCII and the long characters of gb18030, each takes three bytes at most.
func (m *multiByteCharset) size(b []byte) int {
	size := 0
	for i := 0; i < len(b); {
		n := m.next(b[i:])
		if b[i] < utf8.RuneSelf {
			size++
		} else {
			size += max(n, utf8.UTFMax-1)
		}
		i += n
	}
	return size
}

// convertRun converts characters that are not patched, in pieces.
func (m *multiByteCharset) convertRun(dst, b []byte) []byte {
	const piece = 4 << 10
	for len(b) > piece {
		n := 0
		for n < piece {
			n += m.next(b[n:])
		}
		dst = m.convertPiece(dst, b[:n])
		b = b[n:]
	}
	return m.convertPiece(dst, b)
}

// convertPiece converts characters all at once if they are all known; else one
// by one, since the decoder takes the second byte of a character that it does
// not know for a character of its own.
func (m *multiByteCharset) convertPiece(dst, b []byte) []byte {
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
	m.piece = slices.Grow(m.piece[:0], 3*len(b)+utf8.UTFMax)
	m.decoder.Reset()
	// The room is enough, and bad bytes are replaced, so this cannot fail.
	n, _, _ := m.decoder.Transform(m.piece[:cap(m.piece)], b, true)
	return append(dst, m.piece[:n]...)
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
