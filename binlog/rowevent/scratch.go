package rowevent

import (
	"daybook/binlog/charset"
	"daybook/change"
)

const (
	// maxKept is the largest buffer that is used again, so that one huge row does
	// not cost its memory for ever.
	maxKept = 1 << 20
	// largeValue is the size from which a converted value has a buffer of its own,
	// of the size that it needs.
	largeValue = 64 << 10
)

// Scratch is the memory that decoders work in. Those of one stream share one,
// as only one of its events is read at a time: what a decoder returned, and the
// event that it was reading, end when another decoder of the same Scratch starts
// an event. The zero value is ready for use by one goroutine.
type Scratch struct {
	before, after []change.Value
	arena         []byte // small conversions for the current row
	inflate       inflater
	writer        jsonWriter
	charsets      map[string]*charset.Charset
	// of a partial update: the binary JSON of the images, by column.json
	jsonRaw, jsonBefore [][]byte
}

// fit makes room for rows of that many columns, of which some are JSON.
func (s *Scratch) fit(columns, jsons int) {
	if columns > len(s.before) {
		s.before, s.after = make([]change.Value, columns), make([]change.Value, columns)
	}
	if jsons > len(s.jsonRaw) {
		s.jsonRaw, s.jsonBefore = make([][]byte, jsons), make([][]byte, jsons)
	}
}

// charset returns the charset that the server calls name.
func (s *Scratch) charset(name string) (*charset.Charset, bool) {
	if cs := s.charsets[name]; cs != nil {
		return cs, true
	}
	cs, ok := charset.ByName(name)
	if ok {
		if s.charsets == nil {
			s.charsets = make(map[string]*charset.Charset)
		}
		s.charsets[name] = cs
	}
	return cs, ok
}

// forget lets go of the event that was read and of what only a large one needs.
func (s *Scratch) forget() {
	clear(s.before)
	clear(s.after)
	clear(s.jsonRaw)
	clear(s.jsonBefore)
	s.arena, s.inflate.rows = reuse(s.arena), reuse(s.inflate.rows)
	s.inflate.source.Reset(nil)
}

// reuse returns b, or nil if it has grown too large to be held on to.
func reuse(b []byte) []byte {
	if cap(b) > maxKept {
		return nil
	}
	return b
}

// scratchFor returns where to put a converted value of about size bytes: behind
// the arena, or for a large one into a buffer of its own.
func (d *Decoder) scratchFor(size int) []byte {
	if size < largeValue {
		return d.arena
	}
	return make([]byte, 0, size)
}

// text returns b as UTF-8: b itself if that is what it is, else converted in
// the arena.
func (d *Decoder) text(cs *charset.Charset, b []byte) []byte {
	if cs.IsUTF8(b) {
		return b
	}
	size := 0
	if len(b) >= largeValue {
		size = cs.SizeUTF8(b)
	}
	dst := d.scratchFor(size)
	return d.keep(cs.AppendUTF8(dst, b), len(dst), size)
}

// keep returns the value that was appended to what scratchFor gave, which had
// start bytes then. It goes into the arena unless it has a buffer of its own.
func (d *Decoder) keep(b []byte, start, size int) []byte {
	if size < largeValue {
		d.arena = b
	}
	return b[start:len(b):len(b)]
}
