package broker

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// layout is the shape of a request on the wire, for all of its versions. Each
// request is checked against it before kmsg decodes it, because kmsg believes
// the counts of arrays and tags: it allocates for as many elements as there
// are bytes left, and a count of tags of 4 billion in a request of 20 bytes
// keeps it busy for a minute.
type layout []field

type field struct {
	kind     byte
	min, max int16  // versions that have the field
	elements layout // of an array or a nullable struct
	tag      int    // that is refused
	bare     bool   // the array's elements are values, not structs, so they have no tags
}

// The kinds of field. Numbers and UUIDs are kept by their size in bytes.
const (
	kindString = 's' // null is allowed everywhere, as kmsg does
	kindBytes  = 'y'
	kindArray  = '['
	kindStruct = '(' // nullable
	// kindRefusedTag is no field, but says which tag the struct may not have.
	kindRefusedTag = '!'
)

// parseLayout reads a layout's notation: one word for each field in the order
// of the wire. `1`, `2`, `4`, `8` and `16` are numbers and UUIDs of that many
// bytes, `s` is a string, `y` are bytes, `[4]` and `[s]` are arrays of such
// values, `[ … ]` is an array of structs, `( … )` a nullable struct. `:3-`,
// `:3-5` and `:-5` after it are the versions that have the field. The tags at
// the end of each struct go without saying; `!1` as the last word refuses tag
// 1, for a tag that holds a struct, whose count of tags kmsg would believe. It
// panics on a mistake, as the notation is only ever a constant.
func parseLayout(notation string) layout {
	l, rest := parseFields(strings.Fields(notation))
	if len(rest) != 0 {
		panic("layout has a ] or ) too many: " + notation)
	}
	return l
}

func parseFields(words []string) (l layout, rest []string) {
	for len(words) > 0 && !strings.ContainsAny(words[0][:1], "])") {
		word := words[0]
		words = words[1:]
		f := field{max: math.MaxInt16}
		if word == "[" || word == "(" {
			f.kind = word[0]
			f.elements, words = parseFields(words)
			if len(words) == 0 {
				panic("layout lacks a ] or )")
			}
			word = words[0]
			words = words[1:]
		}
		kind, versions, _ := strings.Cut(word, ":")
		switch kind {
		case "]", ")":
		case "s", "y":
			f.kind = kind[0]
		case "[4]", "[s]":
			f.kind, f.bare = kindArray, true
			f.elements = parseLayout(kind[1:2])
		case "!1":
			f.kind, f.tag = kindRefusedTag, 1
		default:
			f.kind = byte(number(kind))
		}
		from, to, _ := strings.Cut(versions, "-")
		if from != "" {
			f.min = number(from)
		}
		if to != "" {
			f.max = number(to)
		}
		l = append(l, f)
	}
	return l, words
}

func number(s string) int16 {
	n, err := strconv.ParseInt(s, 10, 16)
	if err != nil {
		panic("layout: " + err.Error())
	}
	return int16(n)
}

// maxElements is how many array elements and tags a request may have: each of
// them, though it may take one byte, becomes some hundred bytes of request,
// response and encoded response. There is nothing to ask for so many things.
const maxElements = 10_000

// walk is one request being checked.
type walk struct {
	version  int16
	flexible bool
	left     int // of maxElements
}

// check steps over the body of a request and returns what follows it. It
// allocates nothing.
func (l layout) check(b []byte, version int16, flexible bool) ([]byte, error) {
	w := walk{version, flexible, maxElements}
	return w.structure(l, b)
}

// take counts n elements.
func (w *walk) take(n int) error {
	if w.left -= n; w.left < 0 {
		return fmt.Errorf("%w: it has more than %d elements", errBadFrame, maxElements)
	}
	return nil
}

// structure steps over one struct.
func (w *walk) structure(l layout, b []byte) ([]byte, error) {
	b, err := w.fields(l, b)
	if err != nil || !w.flexible {
		return b, err
	}
	refused := noTag
	if len(l) > 0 && l[len(l)-1].kind == kindRefusedTag {
		refused = l[len(l)-1].tag
	}
	return w.tags(b, refused)
}

func (w *walk) fields(l layout, b []byte) ([]byte, error) {
	var err error
	for _, f := range l {
		if w.version < f.min || w.version > f.max {
			continue
		}
		switch f.kind {
		case kindRefusedTag:
		case kindString, kindBytes:
			var n int
			if n, b, err = f.size(b, w.flexible); err == nil {
				b, err = skip(b, n)
			}
		case kindArray:
			b, err = w.array(f, b)
		case kindStruct:
			b, err = w.nullable(f.elements, b)
		default:
			b, err = skip(b, int(f.kind))
		}
		if err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (w *walk) nullable(l layout, b []byte) ([]byte, error) {
	const null = 0xff
	rest, err := skip(b, 1)
	if err != nil || b[0] == null {
		return rest, err
	}
	return w.structure(l, rest)
}

func (w *walk) array(f field, b []byte) ([]byte, error) {
	n, b, err := f.size(b, w.flexible)
	if err == nil {
		err = w.take(n)
	}
	for range n {
		if err != nil {
			return nil, err
		}
		if f.bare {
			b, err = w.fields(f.elements, b)
		} else {
			b, err = w.structure(f.elements, b)
		}
	}
	return b, err
}

// tags steps over a tag section of KIP-482, in which there must be no tag of
// the key refused.
func (w *walk) tags(b []byte, refused int) ([]byte, error) {
	count, b, err := uvarint(b)
	if err == nil {
		err = w.take(count)
	}
	for range count {
		if err != nil {
			return nil, err
		}
		var key, size int
		if key, b, err = uvarint(b); err != nil {
			return nil, err
		}
		if key == refused {
			return nil, fmt.Errorf("%w: tag %d is not for clients", errBadFrame, key)
		}
		if size, b, err = uvarint(b); err != nil {
			return nil, err
		}
		b, err = skip(b, size)
	}
	return b, err
}

// size reads the length of a string or of bytes, or an array's count. Null
// is 0.
func (f field) size(b []byte, flexible bool) (int, []byte, error) {
	if flexible {
		n, b, err := uvarint(b)
		return max(n-1, 0), b, err
	}
	if f.kind == kindString {
		if len(b) < 2 {
			return 0, nil, errCutOff
		}
		return max(int(int16(binary.BigEndian.Uint16(b))), 0), b[2:], nil
	}
	if len(b) < 4 {
		return 0, nil, errCutOff
	}
	return max(int(int32(binary.BigEndian.Uint32(b))), 0), b[4:], nil
}

var errCutOff = fmt.Errorf("%w: it is cut off", errBadFrame)

func skip(b []byte, n int) ([]byte, error) {
	if n > len(b) {
		return nil, errCutOff
	}
	return b[n:], nil
}
