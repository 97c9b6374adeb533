package rowevent

import (
	"unicode/utf8"
)

// charset converts one of the server's character sets to UTF-8.
type charset struct {
	name   string
	maxLen int // bytes of the longest character
	// ascii: bytes below 0x80 stand for themselves and never inside a longer
	// character's first byte, so that text of only such bytes is UTF-8 already.
	ascii bool
	// convert appends b as UTF-8 to dst. What the server itself cannot convert
	// becomes U+FFFD.
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
	if cs.convert == nil {
		d.arena = appendValid(d.arena, b)
	} else {
		d.arena = cs.convert(d.arena, b)
	}
	return d.arena[start:len(d.arena):len(d.arena)]
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

// appendValid appends b with each byte that is no part of valid UTF-8 replaced.
func appendValid(dst, b []byte) []byte {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		dst = utf8.AppendRune(dst, r)
		b = b[n:]
	}
	return dst
}

// charsetByName returns the charset that the server calls name.
func charsetByName(name string) (*charset, bool) {
	switch name {
	case "utf8mb4":
		return &charset{name: name, maxLen: 4, ascii: true}, true
	case "utf8mb3", "utf8":
		return &charset{name: name, maxLen: 3, ascii: true}, true
	case "ascii":
		return &charset{name: name, maxLen: 1, ascii: true}, true
	}
	return nil, false
}
