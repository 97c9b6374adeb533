package format

import (
	"encoding/base64"
	"unicode/utf8"

	"daybook/change"
)

const (
	// largeRow is the bytes of a row's values from which the record's size is
	// worked out before it is written, so that the buffer need not be copied to a
	// larger one again and again.
	largeRow = 128 << 10
	// envelope is what a record holds beside the images and the statement.
	envelope = 4 << 10
	// fixedRoom is for a value that holds no bytes: an instant, a float.
	fixedRoom = 40
)

// room returns the bytes of the record of c with these images, or a little
// more; 0 for those that are not large.
func (l *layout) room(c *change.Change, before, after []change.Value) int {
	if bytesOf(before)+bytesOf(after)+len(c.Query) < largeRow {
		return 0
	}
	return l.imageRoom(before) + l.imageRoom(after) + quotedSize(c.Query) + envelope
}

// roomForText is room for a record that holds little but a text.
func roomForText(s string) int {
	if len(s) < largeRow {
		return 0
	}
	return quotedSize(s) + envelope
}

func bytesOf(image []change.Value) int {
	n := 0
	for i := range image {
		n += len(image[i].Bytes)
	}
	return n
}

func (l *layout) imageRoom(image []change.Value) int {
	n := 0
	for i := range image {
		n += len(l.columns[i].name) + l.columns[i].room(&image[i])
	}
	return n
}

// room returns how long the value is as JSON, at most.
func (c *column) room(v *change.Value) int {
	switch v.Kind {
	case change.String, change.DecimalText, change.EnumLabel, change.SetLabels, change.JSONText:
		return quotedSize(v.Bytes)
	case change.Blobs:
		if c.Type == change.Vector {
			const digits = 16 // of a 32-bit float, with the comma
			return fixedRoom + len(v.Bytes)/4*digits
		}
		return fixedRoom + base64.StdEncoding.EncodedLen(max(len(v.Bytes), min(c.Length, maxBinary)))
	case change.WKB:
		const point = 80 // the coordinates and the names of the fields
		return fixedRoom + point + base64.StdEncoding.EncodedLen(len(v.Bytes))
	}
	return fixedRoom
}

// quotedSize returns how many bytes appendString makes of s, or a little more
// if s is not UTF-8.
func quotedSize[S []byte | string](s S) int {
	n := 2
	ascii := true
	for i := 0; i < len(s); {
		if i+8 <= len(s) && plain(load64(s, i)) {
			i += 8
			continue
		}
		switch c := s[i]; {
		case c == '"', c == '\\', c == '\b', c == '\t', c == '\n', c == '\f', c == '\r':
			n++
		case c < ' ':
			n += len(`\u0000`) - 1
		case c >= utf8.RuneSelf:
			ascii = false
		}
		i++
	}
	if !ascii && !valid(s) {
		return n + len(string(utf8.RuneError))*len(s)
	}
	return n + len(s)
}

func valid[S []byte | string](s S) bool {
	if b, ok := any(s).([]byte); ok {
		return utf8.Valid(b)
	}
	return utf8.ValidString(string(s))
}
