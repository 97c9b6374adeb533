package charset

import "strings"

// Canonical gives a charset's one name: the server's in lower case, utf8mb3 for
// its alias utf8, "" for "".
func Canonical(name string) string {
	name = strings.ToLower(name)
	if name == "utf8" {
		return "utf8mb3"
	}
	return name
}

// OfCollation returns the charset that a collation's name begins with; "" for a
// MariaDB collation that is good for several (uca1400_ai_ci).
func OfCollation(collation string) string {
	head, _, _ := strings.Cut(strings.ToLower(collation), "_")
	if head == "uca1400" {
		return ""
	}
	return Canonical(head)
}

// MaxLen returns the most bytes that a character of a charset takes; 1 for one
// that is not known.
func MaxLen(name string) int {
	switch name {
	case "filename":
		return 5
	case "utf8mb4", "utf16", "utf16le", "utf32", "gb18030":
		return 4
	case "utf8mb3", "ujis", "eucjpms":
		return 3
	case "big5", "sjis", "euckr", "gb2312", "gbk", "ucs2", "cp932":
		return 2
	}
	return 1
}

// MinLen returns the fewest bytes that a character of a charset takes.
func MinLen(name string) int {
	switch name {
	case "utf32":
		return 4
	case "ucs2", "utf16", "utf16le":
		return 2
	}
	return 1
}

// lowCollations are the charsets of the collation IDs from 1.
var lowCollations = strings.Fields("" +
	"big5 latin2 dec8 cp850 latin1 hp8 koi8r latin1 latin2 swe7 " +
	"ascii ujis sjis cp1251 latin1 hebrew filename tis620 euckr latin7 " +
	"latin2 koi8u cp1251 gb2312 greek cp1250 latin2 gbk cp1257 latin5 " +
	"latin1 armscii8 utf8mb3 cp1250 ucs2 cp866 keybcs2 macce macroman cp852 " +
	"latin7 latin7 macce cp1250 utf8mb4 utf8mb4 latin1 latin1 latin1 cp1251 " +
	"cp1251 cp1251 macroman utf16 utf16 utf16le cp1256 cp1257 cp1257 utf32 " +
	"utf32 utf16le binary armscii8 ascii cp1250 cp1256 cp866 dec8 greek " +
	"hebrew hp8 keybcs2 koi8r koi8u utf8mb3 latin2 latin5 latin7 cp850 " +
	"cp852 swe7 utf8mb3 big5 euckr gb2312 gbk sjis tis620 ucs2 " +
	"ujis geostd8 geostd8 latin1 cp932 cp932 eucjpms eucjpms cp1250")

// collationRanges are the charsets of the IDs above.
var collationRanges = []struct {
	first, last int
	charset     string
}{
	{101, 127, "utf16"}, {128, 159, "ucs2"}, {160, 191, "utf32"}, {192, 223, "utf8mb3"}, {224, 247, "utf8mb4"},
	{248, 250, "gb18030"}, {255, 323, "utf8mb4"},
	// MariaDB's own.
	{576, 607, "utf8mb3"}, {608, 639, "utf8mb4"}, {640, 671, "ucs2"}, {672, 703, "utf16"}, {736, 767, "utf32"},
	{2048, 2303, "utf8mb3"}, {2304, 2559, "utf8mb4"}, {2560, 2815, "ucs2"}, {2816, 3071, "utf16"}, {3072, 3327, "utf32"},
}

// OfID returns the charset of a collation's ID, as query events and the metadata
// of table maps carry it; "" for one that is not known. MariaDB's NOPAD variants have the ID of the other plus 1024.
func OfID(id int) string {
	if id > 1024 && id < 2048 {
		id -= 1024
	}
	if id > 0 && id <= len(lowCollations) {
		return lowCollations[id-1]
	}
	for _, r := range collationRanges {
		if id >= r.first && id <= r.last {
			return r.charset
		}
	}
	return ""
}
