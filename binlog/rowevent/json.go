package rowevent

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"daybook/binlog/cursor"
)

// The types of MySQL's binary JSON (sql-common/json_binary.h).
const (
	jsonSmallObject = 0x00
	jsonLargeObject = 0x01
	jsonSmallArray  = 0x02
	jsonLargeArray  = 0x03
	jsonLiteral     = 0x04
	jsonInt16       = 0x05
	jsonUint16      = 0x06
	jsonInt32       = 0x07
	jsonUint32      = 0x08
	jsonInt64       = 0x09
	jsonUint64      = 0x0a
	jsonDouble      = 0x0b
	jsonString      = 0x0c
	jsonOpaque      = 0x0f
)

// maxJSONDepth is the server's own bound on nesting.
const maxJSONDepth = 100

var errJSON = fmt.Errorf("%w: binary JSON has not the form it should", ErrCorrupt)

// jsonValue is a value inside a binary document: its type, and the bytes from
// its beginning to the end of what encloses it. Offsets in a container are from
// its beginning.
type jsonValue struct {
	kind byte
	data []byte
}

func (v jsonValue) isContainer() bool { return v.kind <= jsonLargeArray }
func (v jsonValue) isObject() bool    { return v.kind <= jsonLargeObject }

// parseJSON returns the value of a whole document. An empty document is what
// the server stores where it has no valid value to store; it reads it as null.
func parseJSON(b []byte) (jsonValue, error) {
	if len(b) == 0 {
		return jsonValue{jsonLiteral, []byte{0}}, nil
	}
	if b[0] > jsonOpaque {
		return jsonValue{}, errJSON
	}
	return jsonValue{b[0], b[1:]}, nil
}

// jsonContainer is the parsed header of an object or array.
type jsonContainer struct {
	object bool
	count  int
	wide   int    // bytes of an offset: 2, or 4 in the large form
	data   []byte // the container's own bytes
}

// container parses the header: element count, size in bytes, for an object a
// key entry (offset, 2-byte length) per element, and a value entry (type,
// offset or the value itself) per element.
func (v jsonValue) container() (jsonContainer, error) {
	c := jsonContainer{object: v.isObject(), wide: 2}
	if v.kind == jsonLargeObject || v.kind == jsonLargeArray {
		c.wide = 4
	}
	if len(v.data) < 2*c.wide {
		return c, errJSON
	}
	count, size := cursor.LittleEndian(v.data[:c.wide]), cursor.LittleEndian(v.data[c.wide:2*c.wide])
	if size > uint64(len(v.data)) || count > size {
		return c, errJSON
	}
	c.count, c.data = int(count), v.data[:size]
	if c.headerSize() > len(c.data) {
		return c, errJSON
	}
	return c, nil
}

func (c *jsonContainer) headerSize() int {
	n := 2*c.wide + c.count*(1+c.wide)
	if c.object {
		n += c.count * (c.wide + 2)
	}
	return n
}

// key returns the key of element i of an object.
func (c *jsonContainer) key(i int) ([]byte, error) {
	entry := c.data[2*c.wide+i*(c.wide+2):]
	start := cursor.LittleEndian(entry[:c.wide])
	end := start + cursor.LittleEndian(entry[c.wide:c.wide+2])
	if start < uint64(c.headerSize()) || end > uint64(len(c.data)) {
		return nil, errJSON
	}
	return c.data[start:end], nil
}

// element returns the value of element i.
func (c *jsonContainer) element(i int) (jsonValue, error) {
	entry := 2*c.wide + i*(1+c.wide)
	if c.object {
		entry += c.count * (c.wide + 2)
	}
	kind := c.data[entry]
	field := c.data[entry+1 : entry+1+c.wide]
	switch kind {
	case jsonLiteral, jsonInt16, jsonUint16:
		return jsonValue{kind, field}, nil
	case jsonInt32, jsonUint32:
		if c.wide == 4 {
			return jsonValue{kind, field}, nil
		}
	}
	offset := cursor.LittleEndian(field)
	if offset < uint64(c.headerSize()) || offset >= uint64(len(c.data)) || kind > jsonOpaque {
		return jsonValue{}, errJSON
	}
	return jsonValue{kind, c.data[offset:]}, nil
}

// json returns the text of a binary document as the server itself would
// render it.
func (d *Decoder) json(b []byte) ([]byte, error) {
	v, err := parseJSON(b)
	if err != nil {
		return nil, err
	}
	return d.render(len(b)+1, func(w *jsonWriter) error { return w.value(v, 0) })
}

// render returns the text that write makes of a document of that many bytes.
// That of a large document is measured first.
func (d *Decoder) render(budget int, write func(w *jsonWriter) error) ([]byte, error) {
	w, size := &d.writer, 0
	if budget > largeValue {
		*w = jsonWriter{text: d.arena[len(d.arena):], measure: true, budget: budget, shortDoubles: d.shortDoubles}
		if err := write(w); err != nil {
			return nil, err
		}
		size = w.measured + len(w.text)
	}
	dst := d.scratchFor(size)
	*w = jsonWriter{text: dst, budget: budget, shortDoubles: d.shortDoubles}
	err := write(w)
	text := w.text
	*w = jsonWriter{}
	return d.keep(text, len(dst), size), err
}

// jsonWriter renders binary JSON as text.
type jsonWriter struct {
	text []byte
	// budget is the bytes of the document that have not been rendered yet.
	// Values of a right document do not overlap; without this a small document
	// that refers to the same bytes again and again could grow without bound.
	budget       int
	shortDoubles bool // the server writes 1 and not 1.0 for a double
	// measure: the text is counted in measured and then dropped.
	measure  bool
	measured int
}

// measureStep is how much text is kept while it is measured.
const measureStep = 4 << 10

func (w *jsonWriter) spend(n int) error {
	if w.budget -= n; w.budget < 0 {
		return errJSON
	}
	if w.measure && len(w.text) > measureStep {
		w.measured += len(w.text)
		w.text = w.text[:0]
	}
	return nil
}

func (w *jsonWriter) value(v jsonValue, depth int) error {
	if !v.isContainer() {
		return w.scalar(v)
	}
	c, err := v.container()
	if err != nil {
		return err
	}
	if err := w.spend(c.headerSize()); err != nil {
		return err
	}
	if depth++; depth > maxJSONDepth {
		return fmt.Errorf("%w: JSON is nested deeper than %d", ErrCorrupt, maxJSONDepth)
	}
	w.open(c.object)
	for i := range c.count {
		w.separate(i)
		if c.object {
			key, err := c.key(i)
			if err != nil {
				return err
			}
			if err := w.key(key); err != nil {
				return err
			}
		}
		element, err := c.element(i)
		if err != nil {
			return err
		}
		if err := w.value(element, depth); err != nil {
			return err
		}
	}
	w.close(c.object)
	return nil
}

func (w *jsonWriter) open(object bool) {
	if object {
		w.text = append(w.text, '{')
	} else {
		w.text = append(w.text, '[')
	}
}

func (w *jsonWriter) close(object bool) {
	if object {
		w.text = append(w.text, '}')
	} else {
		w.text = append(w.text, ']')
	}
}

func (w *jsonWriter) separate(i int) {
	if i > 0 {
		w.text = append(w.text, ", "...)
	}
}

func (w *jsonWriter) key(key []byte) error {
	if !utf8.Valid(key) {
		return fmt.Errorf("%w: JSON key is not UTF-8", ErrCorrupt)
	}
	if err := w.spend(len(key)); err != nil {
		return err
	}
	w.quote(key)
	w.text = append(w.text, ": "...)
	return nil
}

// quote appends a JSON string with the server's choice of escapes.
func (w *jsonWriter) quote(s []byte) {
	const hex = "0123456789abcdef"
	if w.measure && len(s) > measureStep {
		w.measureQuoted(s)
		return
	}
	w.text = append(w.text, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		w.text = append(w.text, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			w.text = append(w.text, '\\', c)
		case '\b':
			w.text = append(w.text, `\b`...)
		case '\t':
			w.text = append(w.text, `\t`...)
		case '\n':
			w.text = append(w.text, `\n`...)
		case '\f':
			w.text = append(w.text, `\f`...)
		case '\r':
			w.text = append(w.text, `\r`...)
		default:
			w.text = append(w.text, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	w.text = append(w.text, s[start:]...)
	w.text = append(w.text, '"')
}

// measureQuoted counts what quote appends.
func (w *jsonWriter) measureQuoted(s []byte) {
	w.measured += 2 + len(s)
	for _, c := range s {
		switch {
		case c == '"', c == '\\', c == '\b', c == '\t', c == '\n', c == '\f', c == '\r':
			w.measured++
		case c < 0x20:
			w.measured += len(`\u0000`) - 1
		}
	}
}

// jsonBytes reads the string at the front of b: its length in up to five bytes
// of 7 bits, the lowest first, then the bytes.
func jsonBytes(b []byte) (s []byte, used int, err error) {
	n, used := binary.Uvarint(b[:min(len(b), 5)])
	if used <= 0 || n > uint64(len(b)-used) {
		return nil, 0, errJSON
	}
	return b[used : used+int(n)], used + int(n), nil
}

func (w *jsonWriter) string(b []byte) error {
	s, used, err := jsonBytes(b)
	if err != nil {
		return err
	}
	if !utf8.Valid(s) {
		return fmt.Errorf("%w: JSON string is not UTF-8", ErrCorrupt)
	}
	if err := w.spend(used); err != nil {
		return err
	}
	w.quote(s)
	return nil
}
