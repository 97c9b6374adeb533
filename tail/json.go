package tail

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// A record may have a value of a gigabyte, of which a few bytes are shown: so it is
// taken apart in place, and what is shown is copied.

// errRecord is of a record that is not of the form that package format writes.
var errRecord = errors.New("not a record of a change")

// fields calls f with each field of the object that b is. Both are as they stand there.
func fields(b []byte, f func(name string, value []byte) error) error {
	if len(b) < 2 || b[0] != '{' {
		return errRecord
	}
	for b = b[1:]; b[0] != '}'; {
		n := end(b)
		if n < 2 || n >= len(b) || b[0] != '"' || b[n] != ':' {
			return errRecord
		}
		var name string
		if err := json.Unmarshal(b[:n], &name); err != nil {
			return errRecord
		}
		b = b[n+1:]
		if n = end(b); n == 0 || n >= len(b) {
			return errRecord
		}
		if err := f(name, b[:n]); err != nil {
			return err
		}
		if b = b[n:]; b[0] == ',' {
			b = b[1:]
		}
		if len(b) == 0 {
			return errRecord
		}
	}
	return nil
}

// end returns how many bytes the value is long that b begins with; 0: it has no end.
func end(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	switch b[0] {
	case '"':
		return endOfString(b)
	case '{', '[':
		return endOfNested(b)
	}
	if n := bytes.IndexAny(b, ",}]"); n >= 0 {
		return n
	}
	return len(b)
}

func endOfString(b []byte) int {
	for i := 1; i < len(b); {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return 0
		}
		i += n
		escapes := 0
		for b[i-1-escapes] == '\\' {
			escapes++
		}
		if i++; escapes%2 == 0 {
			return i
		}
	}
	return 0
}

func endOfNested(b []byte) int {
	depth := 0
	for i := 0; i < len(b); {
		switch b[i] {
		case '"':
			n := endOfString(b[i:])
			if n == 0 {
				return 0
			}
			i += n
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return 0
}

// text returns the first bytes of a string, at most so many, and how many are left out.
func text(raw []byte, most int) (s string, cut int64) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", 0
	}
	raw = raw[1 : len(raw)-1]
	n, size := 0, 0
	for n < len(raw) {
		step, bytes := 1, 1
		if raw[n] == '\\' {
			step = escapeLength(raw[n:])
		} else if raw[n] >= utf8.RuneSelf {
			_, step = utf8.DecodeRune(raw[n:])
			bytes = step
		}
		if size+bytes > most {
			break
		}
		n, size = n+step, size+bytes
	}
	shown := append(append([]byte{'"'}, raw[:n]...), '"')
	if json.Unmarshal(shown, &s) != nil {
		return "", int64(len(raw))
	}
	return s, unescapedLength(raw[n:])
}

// escapeLength is that of an escape; each stands for one byte, as only control
// characters, quotes and backslashes are escaped.
func escapeLength(b []byte) int {
	if len(b) > 1 && b[1] == 'u' {
		return min(6, len(b))
	}
	return min(2, len(b))
}

func unescapedLength(b []byte) (n int64) {
	for {
		i := bytes.IndexByte(b, '\\')
		if i < 0 {
			return n + int64(len(b))
		}
		n += int64(i) + 1
		b = b[i+escapeLength(b[i:]):]
	}
}
