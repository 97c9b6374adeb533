package rowevent_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"daybook/binlog/rowevent"
	"daybook/change"
)

// intTable is a table of one INT column, with its table map and a decoder.
func intTable(t *testing.T, idSize int) *rowevent.Decoder {
	t.Helper()
	body := tableMapBody("d", "t", []byte{3}, nil, 1)
	if idSize == 4 {
		body = append(slices.Clone(body[:4]), body[6:]...)
	}
	m, err := rowevent.ParseTableMap(body, idSize)
	if err != nil {
		t.Fatal(err)
	}
	table := &change.Table{Database: "d", Name: "t", Columns: []change.Column{{Name: "n", Type: change.Int, Nullable: true}}}
	d, err := rowevent.NewDecoder(m, table, rowevent.DecoderOptions{Flavor: "mysql", TableIDSize: idSize})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestEventForms reads the same two rows, 7 and NULL, from each form of event.
func TestEventForms(t *testing.T) {
	rows := []byte{0, 7, 0, 0, 0, 1}
	head := []byte{1, 0, 0, 0, 0, 0, 1, 0}
	for name, test := range map[string]struct {
		kind   rowevent.EventKind
		idSize int
		body   []byte
	}{
		"v0 of 5.1.4":     {rowevent.WriteRowsV0, 4, slices.Concat(head[:4], head[6:], []byte{1, 1}, rows)},
		"v0":              {rowevent.DeleteRowsV0, 6, slices.Concat(head, []byte{1, 1}, rows)},
		"v1":              {rowevent.WriteRowsV1, 6, slices.Concat(head, []byte{1, 1}, rows)},
		"v2":              {rowevent.DeleteRowsV2, 6, slices.Concat(head, []byte{2, 0, 1, 1}, rows)},
		"v2 of partition": {rowevent.WriteRowsV2, 6, slices.Concat(head, []byte{5, 0, 1, 9, 0, 1, 1}, rows)},
		"v2 update":       {rowevent.UpdateRowsV2, 6, slices.Concat(head, []byte{2, 0, 1, 1, 1}, rows)},
	} {
		d := intTable(t, test.idSize)
		if id, end, err := rowevent.TableID(test.body, test.idSize); id != 1 || !end || err != nil {
			t.Errorf("%s: table ID %d, statement end %t, %v", name, id, end, err)
		}
		if err := d.Start(test.kind, test.body); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for {
			var before, after []change.Value
			ok, err := d.Next(&before, &after)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if !ok {
				break
			}
			for _, v := range append(before, after...) {
				got = append(got, formatValue(&v))
			}
		}
		if !slices.Equal(got, []string{"int:7", "null"}) {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

// TestStartRefuses checks headers that do not fit the table map.
func TestStartRefuses(t *testing.T) {
	for name, body := range map[string][]byte{
		"empty":            {},
		"another table":    {2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 1},
		"more columns":     {1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2, 3},
		"no bitmap":        {1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1},
		"short extra data": {1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1},
		"long extra data":  {1, 0, 0, 0, 0, 0, 0, 0, 99, 0, 1, 1},
	} {
		if err := intTable(t, 6).Start(rowevent.WriteRowsV2, body); !errors.Is(err, rowevent.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := intTable(t, 6).Start(19, []byte{1, 0, 0, 0, 0, 0, 0, 0, 1, 1}); !errors.Is(err, rowevent.ErrCorrupt) {
		t.Errorf("a table map for a rows event: %v", err)
	}
}

// TestTruncated cuts the events of the recordings off everywhere: no cut may
// give all the rows and no error.
func TestTruncated(t *testing.T) {
	for _, file := range recordings(t) {
		if strings.Contains(file, "compressed") {
			continue // a cut there is found by Start
		}
		r := readRecording(t, file)
		cut := *r
		for i := 1; i < len(r.events); i++ {
			full := r.events[i].body
			step := max(1, len(full)/40)
			for n := 0; n < len(full); n += step {
				cut.events = []event{r.events[0], {r.events[i].kind, full[:n]}}
				whole := *r
				whole.events = []event{r.events[0], r.events[i]}
				if r.events[i].kind == tableMapEvent {
					continue
				}
				all, err := whole.decode()
				if err != nil {
					t.Fatal(err)
				}
				rows, err := cut.decode()
				if err == nil && len(rows) >= len(all) {
					t.Fatalf("%s: event %d cut to %d of %d bytes gives all rows", file, i, n, len(full))
				}
				if err != nil && !errors.Is(err, rowevent.ErrCorrupt) {
					t.Fatalf("%s: event %d cut to %d bytes: %v", file, i, n, err)
				}
			}
		}
	}
}

// TestJSON checks documents that no server writes; the recordings have those
// that servers do.
func TestJSON(t *testing.T) {
	// An array whose two elements are both the array after it, 40 times over,
	// would be 2^40 long.
	var bomb []byte
	const inner = 4 + 2*3
	for i := range 40 {
		size := uint16((40 - i) * inner)
		bomb = binary.LittleEndian.AppendUint16(bomb, 2)
		bomb = binary.LittleEndian.AppendUint16(bomb, size)
		for range 2 {
			if i == 39 {
				bomb = append(bomb, 4, 0, 0)
			} else {
				bomb = append(bomb, 2, inner, 0)
			}
		}
	}
	deep := []byte{}
	for i := range 101 {
		deep = binary.LittleEndian.AppendUint16(deep, 1)
		deep = binary.LittleEndian.AppendUint16(deep, uint16((101-i)*7))
		if i == 100 {
			deep = append(deep, 4, 0, 0)
		} else {
			deep = append(deep, 2, 7, 0)
		}
	}
	for _, test := range []struct {
		name string
		doc  []byte
		want string // "": corrupt
	}{
		{"empty", nil, "null"},
		{"string", []byte{12, 3, 'a', '"', 1}, `"a\"\u0001"`},
		{"value that refers to itself", []byte{2, 1, 0, 7, 0, 2, 0, 0}, ""},
		{"shared elements", append([]byte{2}, bomb...), ""},
		{"too deep", append([]byte{2}, deep...), ""},
		{"string longer than the document", []byte{12, 5, 'a'}, ""},
		{"key outside", []byte{0, 1, 0, 12, 0, 11, 0, 9, 0, 4, 0, 0, 'a'}, ""},
		{"unknown literal", []byte{4, 3}, ""},
		{"no UTF-8", []byte{12, 1, 0xff}, ""},
		{"unknown type", []byte{16, 0}, ""},
		{"not a number", []byte{11, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f}, ""},
		{"decimal of 81 digits", jsonDecimal(81, 0, bytes.Repeat([]byte{0x3b, 0x9a, 0xc9, 0xff}, 9)), strings.Repeat("9", 81)},
		{"decimal of 81 decimals", jsonDecimal(81, 81, bytes.Repeat([]byte{0x3b, 0x9a, 0xc9, 0xff}, 9)), "0." + strings.Repeat("9", 81)},
		{"decimal of more groups than the server has", jsonDecimal(80, 1, make([]byte, 37)), ""},
		{"decimal with more decimals than digits", jsonDecimal(1, 2, make([]byte, 1)), ""},
	} {
		text, err := decodeJSON(jsonDecoder(t), test.doc)
		if test.want == "" && !errors.Is(err, rowevent.ErrCorrupt) {
			t.Errorf("%s: got %.60q, %v", test.name, text, err)
		}
		if test.want != "" && (err != nil || string(text) != test.want) {
			t.Errorf("%s: got %.60q, %v", test.name, text, err)
		}
	}
}

// jsonDecimal is a document of one positive decimal, whose digits lack the sign bit.
func jsonDecimal(precision, scale byte, digits []byte) []byte {
	digits = bytes.Clone(digits)
	digits[0] |= 0x80
	return append([]byte{15, 246, byte(2 + len(digits)), precision, scale}, digits...)
}

// TestMetadataOfVendors steps over the fields that PolarDB and AliSQL add to a table map.
func TestMetadataOfVendors(t *testing.T) {
	r := readRecording(t, benchmarkRows)
	body := append(bytes.Clone(r.events[0].body), 72, 3, 1, 2, 3, 202, 0)
	m, err := rowevent.ParseTableMap(body, 6)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rowevent.NewDecoder(m, r.table, r.options); err != nil {
		t.Fatal(err)
	}
}

// TestNextAllocatesNothing holds the rows of the benchmarks to the promise.
func TestNextAllocatesNothing(t *testing.T) {
	r := readRecording(t, benchmarkRows)
	m, err := rowevent.ParseTableMap(r.events[0].body, 6)
	if err != nil {
		t.Fatal(err)
	}
	d, err := rowevent.NewDecoder(m, r.table, r.options)
	if err != nil {
		t.Fatal(err)
	}
	var before, after []change.Value
	allocs := testing.AllocsPerRun(10, func() {
		if err := d.Start(rowevent.EventKind(r.events[1].kind), r.events[1].body); err != nil {
			t.Fatal(err)
		}
		for ok := true; ok; {
			if ok, err = d.Next(&before, &after); err != nil {
				t.Fatal(err)
			}
		}
	})
	if allocs > 0 {
		t.Errorf("%v allocations for %d rows", allocs, len(r.rows))
	}
}
