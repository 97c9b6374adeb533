package schema

import (
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// charsetOf gives a charset's one name in the catalog: the server's in lower
// case, utf8mb3 for its alias utf8, "" for "".
func charsetOf(name string) string {
	name = strings.ToLower(name)
	if name == "utf8" {
		return "utf8mb3"
	}
	return name
}

// charsetOfCollation returns the charset that a collation's name begins with;
// "" for a MariaDB collation that is good for several (uca1400_ai_ci).
func charsetOfCollation(collation string) string {
	head, _, _ := strings.Cut(strings.ToLower(collation), "_")
	if head == "uca1400" {
		return ""
	}
	return charsetOf(head)
}

// maxBytes returns the most bytes that a character of the charset needs.
func maxBytes(charset string) int {
	switch charset {
	case "utf8mb4", "utf16", "utf16le", "utf32", "gb18030":
		return 4
	case "utf8mb3", "ujis", "eucjpms":
		return 3
	case "big5", "sjis", "euckr", "gb2312", "gbk", "ucs2", "cp932":
		return 2
	}
	return 1
}

// collations gives the charset of the collation IDs up to last and above the
// entry before it. MySQL and MariaDB share these numbers; MariaDB adds 1024
// for the NO PAD twin, and has blocks of 256 from 2048 on for uca1400.
var collations = [...]struct {
	last    uint16
	charset string
}{
	{1, "big5"}, {2, "latin2"}, {3, "dec8"}, {4, "cp850"}, {5, "latin1"}, {6, "hp8"}, {7, "koi8r"}, {8, "latin1"},
	{9, "latin2"}, {10, "swe7"}, {11, "ascii"}, {12, "ujis"}, {13, "sjis"}, {14, "cp1251"}, {15, "latin1"},
	{16, "hebrew"}, {18, "tis620"}, {19, "euckr"}, {20, "latin7"}, {21, "latin2"}, {22, "koi8u"}, {23, "cp1251"},
	{24, "gb2312"}, {25, "greek"}, {26, "cp1250"}, {27, "latin2"}, {28, "gbk"}, {29, "cp1257"}, {30, "latin5"},
	{31, "latin1"}, {32, "armscii8"}, {33, "utf8mb3"}, {34, "cp1250"}, {35, "ucs2"}, {36, "cp866"},
	{37, "keybcs2"}, {38, "macce"}, {39, "macroman"}, {40, "cp852"}, {42, "latin7"}, {43, "macce"},
	{44, "cp1250"}, {46, "utf8mb4"}, {49, "latin1"}, {52, "cp1251"}, {53, "macroman"}, {55, "utf16"},
	{56, "utf16le"}, {57, "cp1256"}, {59, "cp1257"}, {61, "utf32"}, {62, "utf16le"}, {63, "binary"},
	{64, "armscii8"}, {65, "ascii"}, {66, "cp1250"}, {67, "cp1256"}, {68, "cp866"}, {69, "dec8"}, {70, "greek"},
	{71, "hebrew"}, {72, "hp8"}, {73, "keybcs2"}, {74, "koi8r"}, {75, "koi8u"}, {76, "utf8mb3"}, {77, "latin2"},
	{78, "latin5"}, {79, "latin7"}, {80, "cp850"}, {81, "cp852"}, {82, "swe7"}, {83, "utf8mb3"}, {84, "big5"},
	{85, "euckr"}, {86, "gb2312"}, {87, "gbk"}, {88, "sjis"}, {89, "tis620"}, {90, "ucs2"}, {91, "ujis"},
	{93, "geostd8"}, {94, "latin1"}, {96, "cp932"}, {98, "eucjpms"}, {99, "cp1250"}, {124, "utf16"},
	{159, "ucs2"}, {183, "utf32"}, {223, "utf8mb3"}, {247, "utf8mb4"}, {250, "gb18030"}, {323, "utf8mb4"},
	{578, "utf8mb3"}, {610, "utf8mb4"}, {642, "ucs2"}, {674, "utf16"}, {738, "utf32"},
}

// CharsetOfCollation returns the charset of a collation's ID, as the status
// variables of query events and the metadata of table maps carry it; "" for an
// ID that is not known.
func CharsetOfCollation(id uint16) string {
	switch {
	case id == 0:
		return ""
	case id >= 2048:
		blocks := [...]string{"utf8mb3", "utf8mb4", "ucs2", "utf16", "utf32"}
		if n := int(id-2048) / 256; n < len(blocks) {
			return blocks[n]
		}
		return ""
	case id >= 1024:
		id -= 1024
	}
	for _, c := range collations {
		if id <= c.last {
			return c.charset
		}
	}
	return ""
}

// decodeText returns text of a client's charset as UTF-8. Bytes that mean
// nothing become U+FFFD; an unknown charset is taken for UTF-8.
func decodeText(text, charset string) string {
	if isASCII(text) {
		return text
	}
	e := encodingOf(charset)
	if e == nil {
		return strings.ToValidUTF8(text, "\ufffd")
	}
	out, err := e.NewDecoder().String(text)
	if err != nil {
		return strings.ToValidUTF8(text, "\ufffd")
	}
	return out
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// encodingOf returns the encoding of a charset that a client may speak; nil
// for UTF-8, and for the few old ones that no library knows.
func encodingOf(charset string) encoding.Encoding {
	switch charset {
	case "latin1":
		return charmap.Windows1252
	case "latin2":
		return charmap.ISO8859_2
	case "latin5":
		return charmap.ISO8859_9
	case "latin7":
		return charmap.ISO8859_13
	case "greek":
		return charmap.ISO8859_7
	case "hebrew":
		return charmap.ISO8859_8
	case "cp850":
		return charmap.CodePage850
	case "cp852":
		return charmap.CodePage852
	case "cp866":
		return charmap.CodePage866
	case "cp1250":
		return charmap.Windows1250
	case "cp1251":
		return charmap.Windows1251
	case "cp1256":
		return charmap.Windows1256
	case "cp1257":
		return charmap.Windows1257
	case "koi8r":
		return charmap.KOI8R
	case "koi8u":
		return charmap.KOI8U
	case "macroman":
		return charmap.Macintosh
	case "tis620":
		return charmap.Windows874
	case "big5":
		return traditionalchinese.Big5
	case "gb2312", "gbk":
		return simplifiedchinese.GBK
	case "gb18030":
		return simplifiedchinese.GB18030
	case "sjis", "cp932":
		return japanese.ShiftJIS
	case "ujis", "eucjpms":
		return japanese.EUCJP
	case "euckr":
		return korean.EUCKR
	}
	return nil
}
