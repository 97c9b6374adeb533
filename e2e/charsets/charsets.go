// Package charsets gives tests the character sets that clients speak, each with
// an encoder that is none of Daybook's, and letters that it has.
//
// Left out are those of which no encoder is at hand: armscii8, dec8, geostd8,
// hp8, keybcs2, macce, swe7, gb2312, eucjpms. binlog/charset's tests have them.
package charsets

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// Client is a character set that a session speaks, under the servers' name for
// it.
type Client struct {
	Name     string
	Letters  string            // some that it has
	encoding encoding.Encoding // nil: UTF-8
}

// Clients are the character sets, UTF-8 first. Not every server has all.
var Clients = []Client{
	{"utf8mb4", "é漢字𝄞ßЖא한", nil}, {"utf8mb4", "ü表𝒳", nil}, {"utf8", "éß漢Ж", nil}, {"latin1", "éßñ€Ü", charmap.Windows1252},
	{"latin2", "čžŁ", charmap.ISO8859_2}, {"sjis", "表ソ漢ｱ能", japanese.ShiftJIS}, {"cp932", "表ソ漢ｱ能", japanese.ShiftJIS}, {"ujis", "漢字ソ", japanese.EUCJP},
	{"gbk", "汉字縗運", simplifiedchinese.GBK}, {"big5", "功許蓋漢", traditionalchinese.Big5}, {"euckr", "한글漢", korean.EUCKR},
	{"cp1251", "ЖщЯ", charmap.Windows1251}, {"koi8r", "ЖщЯ", charmap.KOI8R}, {"cp1250", "čřŽ", charmap.Windows1250}, {"greek", "αβΩ", charmap.ISO8859_7},
	{"hebrew", "אבג", charmap.ISO8859_8}, {"latin5", "ğşİ", charmap.ISO8859_9}, {"latin7", "ąčę", charmap.ISO8859_13}, {"cp850", "éüß", charmap.CodePage850},
	{"cp852", "čžŁ", charmap.CodePage852}, {"cp866", "ЖщЯ", charmap.CodePage866}, {"cp1256", "عربي", charmap.Windows1256}, {"cp1257", "ąčę", charmap.Windows1257},
	{"tis620", "กขค", charmap.Windows874}, {"macroman", "éüß", charmap.Macintosh}, {"gb18030", "汉字é", simplifiedchinese.GB18030},
}

// Encode returns text in the character set; false if that lacks a letter.
func (c *Client) Encode(text string) (string, bool) {
	if c.encoding == nil {
		if c.Name == "utf8" {
			for _, r := range text {
				if r > 0xFFFF {
					return "", false
				}
			}
		}
		return text, utf8.ValidString(text)
	}
	if c.Name == "big5" && strings.ContainsFunc(text, notInBig5) {
		return "", false
	}
	s, err := c.encoding.NewEncoder().String(text)
	return s, err == nil
}

// notInBig5 tells letters that the encoder has where the servers have others, or nothing: Cyrillic ones, and those
// of Hong Kong's supplement, which é is one of.
func notInBig5(r rune) bool {
	s, err := traditionalchinese.Big5.NewEncoder().String(string(r))
	return unicode.Is(unicode.Cyrillic, r) || err == nil && r >= utf8.RuneSelf && s[0] < 0xa1
}
