package rowevent_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"

	"daybook/binlog/rowevent"
	"daybook/change"
)

// FuzzTableMap: a body is refused as corrupt or gives no more columns than it
// has bytes; and a definition taken from a table map fits that table map.
func FuzzTableMap(f *testing.F) {
	for _, file := range recordings(f) {
		f.Add(readRecording(f, file).events[0].body, 80031, true)
		f.Add(readRecording(f, file).events[0].body, 0, false)
	}
	f.Fuzz(func(t *testing.T, body []byte, version int, mariadb bool) {
		m, err := rowevent.ParseTableMap(body, 6)
		if err != nil {
			if !errors.Is(err, rowevent.ErrCorrupt) {
				t.Fatalf("not a corrupt event: %v", err)
			}
			return
		}
		if len(m.Columns) > len(body) {
			t.Fatalf("%d columns from %d bytes", len(m.Columns), len(body))
		}
		o := rowevent.DecoderOptions{Flavor: "mysql", Version: version}
		if mariadb {
			o.Flavor = "mariadb"
		}
		table, ok := m.Definition(o)
		if !ok {
			return
		}
		if _, err := rowevent.NewDecoder(m, table, o); err != nil && !errors.Is(err, rowevent.ErrMismatch) {
			t.Fatalf("definition of its own: %v", err)
		}
	})
}

// FuzzRows: each row takes at least a byte, Skip agrees with Next wherever Next
// succeeds, and values are no longer than a small multiple of the body and of
// what the table's types demand.
func FuzzRows(f *testing.F) {
	type target struct {
		*rowevent.Decoder
		columns int
	}
	var targets []target
	for i, file := range recordings(f) {
		r := readRecording(f, file)
		m, err := rowevent.ParseTableMap(r.events[0].body, 6)
		if err != nil {
			f.Fatal(err)
		}
		d, err := rowevent.NewDecoder(m, r.table, r.options)
		if err != nil {
			f.Fatal(err)
		}
		targets = append(targets, target{d, len(m.Columns)})
		for _, e := range r.events {
			if e.kind != tableMapEvent {
				f.Add(i, e.kind, e.body)
			}
		}
	}
	f.Fuzz(func(t *testing.T, file int, kind byte, body []byte) {
		d := targets[uint(file)%uint(len(targets))]
		if err := d.Start(rowevent.EventKind(kind), body); err != nil {
			if !errors.Is(err, rowevent.ErrCorrupt) {
				t.Fatalf("not a corrupt event: %v", err)
			}
			return
		}
		size := len(body)
		if kind >= byte(rowevent.WriteRowsCompressedV1) {
			size *= 1032 // what deflate can make of it
		}
		rows := 0
		for {
			var before, after []change.Value
			ok, err := d.Next(&before, &after)
			if err != nil || !ok {
				break
			}
			rows++
			total := 0
			for _, v := range append(before, after...) {
				total += len(v.Bytes)
			}
			if total > 8*size+2*1024*d.columns {
				t.Fatalf("%d bytes of values from %d", total, size)
			}
		}
		if rows > size {
			t.Fatalf("%d rows from %d bytes", rows, size)
		}
		if err := d.Start(rowevent.EventKind(kind), body); err != nil {
			t.Fatal(err)
		}
		for i := range rows {
			if ok, err := d.Skip(); !ok || err != nil {
				t.Fatalf("Skip fails at row %d of %d: %v", i, rows, err)
			}
		}
	})
}

// FuzzJSON: a binary document is refused as corrupt or gives valid JSON in
// UTF-8 that is not much longer.
func FuzzJSON(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0x0c, 3, 'a', '"', 1})
	f.Add([]byte{0x00, 1, 0, 12, 0, 11, 0, 1, 0, 5, 0xff, 0xff, 'a'})
	f.Add([]byte{0x02, 2, 0, 20, 0, 0x0b, 10, 0, 4, 1, 0, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0})
	f.Add([]byte{0x0f, 0xf6, 4, 4, 2, 0x80 | 12, 50})
	f.Add([]byte{0x0f, 12, 8, 0, 0, 0, 0, 0, 0, 0, 0})
	d := jsonDecoder(f)
	f.Fuzz(func(t *testing.T, doc []byte) {
		text, err := decodeJSON(d, doc)
		if err != nil {
			if !errors.Is(err, rowevent.ErrCorrupt) {
				t.Fatalf("not a corrupt event: %v", err)
			}
			return
		}
		if !json.Valid(text) || !utf8.Valid(text) {
			t.Fatalf("no JSON: %q", text)
		}
		if len(text) > 8*len(doc)+64 {
			t.Fatalf("%d bytes of text from %d", len(text), len(doc))
		}
	})
}

// jsonDecoder returns a decoder of a table with one JSON column.
func jsonDecoder(t testing.TB) *rowevent.Decoder {
	m, err := rowevent.ParseTableMap(tableMapBody("d", "t", []byte{245}, []byte{4}, 1), 6)
	if err != nil {
		t.Fatal(err)
	}
	table := &change.Table{Database: "d", Name: "t", Columns: []change.Column{{Name: "j", Type: change.JSON, Nullable: true}}}
	d, err := rowevent.NewDecoder(m, table, rowevent.DecoderOptions{Flavor: "mysql"})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func decodeJSON(d *rowevent.Decoder, doc []byte) ([]byte, error) {
	body := []byte{1, 0, 0, 0, 0, 0, 1, 0, 2, 0, 1, 0xff, 0}
	body = append(binary.LittleEndian.AppendUint32(body, uint32(len(doc))), doc...)
	if err := d.Start(rowevent.WriteRowsV2, body); err != nil {
		return nil, err
	}
	var before, after []change.Value
	if _, err := d.Next(&before, &after); err != nil {
		return nil, err
	}
	return bytes.Clone(after[0].Bytes), nil
}
