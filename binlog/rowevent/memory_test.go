package rowevent_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"testing"

	"daybook/binlog/rowevent"
	"daybook/change"
)

// textTable is a table of LONGTEXT columns.
func textTable(t *testing.T, columns int, charset string, scratch *rowevent.Scratch) *rowevent.Decoder {
	t.Helper()
	types, metas := bytes.Repeat([]byte{252}, columns), bytes.Repeat([]byte{4}, columns)
	table := &change.Table{Database: "d", Name: "t"}
	for i := range columns {
		table.Columns = append(table.Columns, change.Column{Name: fmt.Sprint("c", i), Type: change.LongText, Length: -1, Charset: charset})
	}
	body := append(tableMapBody("d", "t", types, metas, 0), make([]byte, (columns+7)/8-1)...)
	m, err := rowevent.ParseTableMap(body, 6)
	if err != nil {
		t.Fatal(err)
	}
	d, err := rowevent.NewDecoder(m, table, rowevent.DecoderOptions{Flavor: "mysql", Scratch: scratch})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// oneRow is an insert of one row with one long column.
func oneRow(value []byte) []byte {
	body := []byte{1, 0, 0, 0, 0, 0, 1, 0, 2, 0, 1, 0xff, 0}
	return append(binary.LittleEndian.AppendUint32(body, uint32(len(value))), value...)
}

func next(t *testing.T, d *rowevent.Decoder) []byte {
	t.Helper()
	var before, after []change.Value
	if ok, err := d.Next(&before, &after); !ok || err != nil {
		t.Fatalf("next row: %t, %v", ok, err)
	}
	return after[0].Bytes
}

// largeDocument is an array of strings in binary JSON.
func largeDocument(size int) []byte {
	text := bytes.Repeat([]byte("a \"word\" "), 20)
	n := size / (len(text) + 7)
	head := 8 + 5*n
	var entries, strings []byte
	for range n {
		entries = append(entries, 12)
		entries = binary.LittleEndian.AppendUint32(entries, uint32(head+len(strings)))
		strings = append(binary.AppendUvarint(strings, uint64(len(text))), text...)
	}
	doc := binary.LittleEndian.AppendUint32([]byte{3}, uint32(n))
	doc = binary.LittleEndian.AppendUint32(doc, uint32(head+len(strings)))
	return append(append(doc, entries...), strings...)
}

// TestLargeValueInMemory bounds what is allocated to convert a large value, and
// what of it is kept.
func TestLargeValueInMemory(t *testing.T) {
	const size = 8 << 20
	for name, c := range map[string]struct {
		decoder *rowevent.Decoder
		value   []byte
	}{
		"latin1":  {textTable(t, 1, "latin1", nil), bytes.Repeat([]byte{0xe9}, size)},
		"gbk":     {textTable(t, 1, "gbk", nil), bytes.Repeat([]byte{0xb0, 0xa1}, size/2)},
		"gb18030": {textTable(t, 1, "gb18030", nil), bytes.Repeat([]byte{0x90, 0x30, 0x81, 0x30}, size/4)},
		"sjis":    {textTable(t, 1, "sjis", nil), bytes.Repeat([]byte{0xb1}, size)},
		"ucs2":    {textTable(t, 1, "ucs2", nil), bytes.Repeat([]byte{0x4e, 0x00}, size/2)},
		"utf16":   {textTable(t, 1, "utf16", nil), bytes.Repeat([]byte{0xd8, 0x3d, 0xde, 0x00}, size/4)},
		"utf32":   {textTable(t, 1, "utf32", nil), bytes.Repeat([]byte{0, 1, 0xf6, 0}, size/4)},
		"JSON":    {jsonDecoder(t), largeDocument(size)},
	} {
		t.Run(name, func(t *testing.T) {
			body := oneRow(c.value)
			before, used := allocated(), inUse()
			if err := c.decoder.Start(rowevent.WriteRowsV2, body); err != nil {
				t.Fatal(err)
			}
			text := len(next(t, c.decoder))
			if got := int(allocated() - before); got > text+text/4+1<<16 || text < size/2 {
				t.Errorf("%d bytes were allocated for a text of %d", got, text)
			}
			if !c.decoder.Release() {
				t.Error("the event has another row")
			}
			if kept := inUse() - used; kept > 1<<20 {
				t.Errorf("%d bytes are kept", kept)
			}
			runtime.KeepAlive(body)
			runtime.KeepAlive(c.decoder)
		})
	}
}

// TestEventsAreForgotten reads a large event of each of several tables to its
// end; neither the events nor what was made of them may be kept.
func TestEventsAreForgotten(t *testing.T) {
	var scratch rowevent.Scratch
	var decoders []*rowevent.Decoder
	used := inUse()
	for i := range 24 {
		d := textTable(t, 1, []string{"utf8mb4", "latin1"}[i%2], &scratch)
		if err := d.Start(rowevent.WriteRowsV2, oneRow(bytes.Repeat([]byte{0xc3, 0xa9}, 2<<20))); err != nil {
			t.Fatal(err)
		}
		next(t, d)
		var before, after []change.Value
		if ok, err := d.Next(&before, &after); ok || err != nil {
			t.Fatalf("after the last row: %t, %v", ok, err)
		}
		decoders = append(decoders, d)
	}
	if kept := inUse() - used; kept > 1<<20 {
		t.Errorf("%d bytes are kept of events of 4 MB", kept)
	}
	runtime.KeepAlive(decoders)
}

// TestDecodersAreSmall bounds what the decoders of many tables take, and checks
// what they say of it.
func TestDecodersAreSmall(t *testing.T) {
	const tables, columns = 200, 100
	var scratch rowevent.Scratch
	var decoders []*rowevent.Decoder
	used, told := inUse(), 0
	for range tables {
		d := textTable(t, columns, "latin1", &scratch)
		told += d.Size()
		decoders = append(decoders, d)
	}
	const definition = 22 << 10 // which the decoder refers to
	kept := (inUse() - used) / tables
	if own := kept - definition; own > 12<<10 {
		t.Errorf("a decoder of %d columns takes %d bytes", columns, own)
	}
	if told /= tables; told > 12<<10 || told < 4<<10 {
		t.Errorf("a decoder of %d columns says that it takes %d bytes", columns, told)
	}
	runtime.KeepAlive(decoders)
}

// allocated returns the bytes that were ever allocated.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// inUse returns the bytes of the heap that are in use.
func inUse() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
