package rowevent

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"daybook/binlog/cursor"
	"daybook/change"
)

// errJSONDiff says that a change of a partial JSON update has no place in the
// document before it.
var errJSONDiff = fmt.Errorf("%w: partial JSON update does not fit the value before it", ErrCorrupt)

var errNoJSONBefore = errors.New("the event has a partial JSON update but not the value before it: set binlog_row_image=FULL or binlog_row_value_options='' at the source")

// jsonLeg is a member (key not nil) or an array element of a path.
type jsonLeg struct {
	key   []byte
	index int
}

// The operations of a JSON diff (sql/json_diff.h).
const (
	diffReplace = 0
	diffInsert  = 1
	diffRemove  = 2
)

// partialImage decodes the after image of a partial update: value options, and
// if they say so, a bit for each JSON column whether its value is a list of
// changes to the one before; then an image as others.
func (d *Decoder) partialImage(b []byte) ([]byte, error) {
	partial, b, ok := d.partialBits(b)
	if !ok {
		return nil, errShort
	}
	// image decodes all JSON columns as documents, so those with changes are
	// told to it.
	d.jsonBefore, d.jsonRaw = d.jsonRaw, d.jsonBefore
	clear(d.jsonRaw)
	d.partial = partial
	rest, err := d.image(b, d.second, d.allSecond, d.after)
	d.partial = nil
	return rest, err
}

// partialBits reads what comes before the null bits of a partial update's after
// image. A nil bitmap means that no column is partial.
func (d *Decoder) partialBits(b []byte) (bitmap, []byte, bool) {
	c := cursor.Cursor{B: b}
	options := c.Lenenc()
	if options > 1 {
		return nil, nil, false
	}
	var bits bitmap
	if options == 1 {
		bits = bitmap(c.Bytes(bitmapSize(d.jsons)))
	}
	return bits, c.B, c.Err == nil
}

// jsonColumn decodes a JSON column's value, whole or partial.
func (d *Decoder) jsonColumn(c *column, b []byte, v *change.Value) error {
	v.Kind = change.JSONText
	var err error
	if d.partial != nil && d.partial.has(c.json) {
		v.Bytes, err = d.applyDiffs(d.jsonBefore[c.json], b)
		return err
	}
	d.jsonRaw[c.json] = b
	v.Bytes, err = d.json(b)
	return err
}

// applyDiffs returns the text of the document before with the changes in b made.
func (d *Decoder) applyDiffs(before, b []byte) ([]byte, error) {
	if before == nil {
		return nil, errNoJSONBefore
	}
	t, err := newJSONTree(before)
	if err != nil {
		return nil, err
	}
	c := cursor.Cursor{B: b}
	for len(c.B) > 0 {
		if err := t.apply(&c); err != nil {
			return nil, err
		}
	}
	return d.render(t.size, func(w *jsonWriter) error { return w.node(&t.root, 0) })
}

// apply makes the change at the front of c: an operation, a path, and for all
// but a removal the new value as a binary document.
func (t *jsonTree) apply(c *cursor.Cursor) error {
	operation := c.U8()
	path, ok := parsePath(c.LenencBytes())
	var node jsonNode
	if operation != diffRemove {
		doc := c.LenencBytes()
		v, err := parseJSON(doc)
		if err != nil {
			return err
		}
		node.value = v
		t.size += len(doc) + 1
		t.budget += len(doc) + 1
	}
	if c.Err != nil || !ok || operation > diffRemove || len(path) > maxJSONDepth {
		return errJSONDiff
	}
	if len(path) == 0 {
		if operation != diffReplace {
			return errJSONDiff
		}
		t.root = node
		return nil
	}
	parent, err := t.parent(path)
	if err != nil {
		return err
	}
	i, found := parent.find(path[len(path)-1])
	switch {
	case operation == diffReplace && found:
		node.key = parent.nodes[i].key
		parent.nodes[i] = node
	case operation == diffRemove && found:
		parent.nodes = slices.Delete(parent.nodes, i, i+1)
	case operation == diffInsert && (!found || !parent.object):
		node.key = path[len(path)-1].key
		parent.nodes = slices.Insert(parent.nodes, i, node)
	default:
		return errJSONDiff
	}
	return nil
}

// parsePath parses a path without wildcards: $ and then .key, ."key" or [index].
func parsePath(b []byte) ([]jsonLeg, bool) {
	if len(b) == 0 || b[0] != '$' {
		return nil, false
	}
	b = b[1:]
	legs := []jsonLeg{}
	for len(b) > 0 {
		end := 1
		for end < len(b) && b[end] != '.' && b[end] != '[' {
			if b[0] == '.' && end == 1 && b[1] == '"' {
				end = quotedEnd(b, 1)
				break
			}
			end++
		}
		leg, ok := parseLeg(b[:end])
		if !ok {
			return nil, false
		}
		legs = append(legs, leg)
		b = b[end:]
	}
	return legs, true
}

// quotedEnd returns the index after the JSON string that begins at b[start].
func quotedEnd(b []byte, start int) int {
	for i := start + 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

func parseLeg(b []byte) (jsonLeg, bool) {
	switch {
	case b[0] == '[' && b[len(b)-1] == ']':
		n, err := strconv.ParseUint(string(b[1:len(b)-1]), 10, 32)
		return jsonLeg{index: int(n)}, err == nil
	case b[0] == '.' && len(b) > 1 && b[1] == '"':
		var key string
		err := json.Unmarshal(b[1:], &key)
		return jsonLeg{key: append([]byte{}, key...)}, err == nil
	case b[0] == '.' && len(b) > 1:
		return jsonLeg{key: b[1:]}, true
	}
	return jsonLeg{}, false
}
