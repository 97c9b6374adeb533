package format_test

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"daybook/change"
	"daybook/format"
)

// TestRoomOfLargeRows checks that what is asked for before a large record is
// written suffices, and is not much more.
func TestRoomOfLargeRows(t *testing.T) {
	const size, vector = 1 << 20, change.Vector
	for _, c := range []struct {
		name string
		typ  change.Type
		kind change.Kind
		b    []byte
	}{
		{"blob", change.LongBlob, change.Blobs, make([]byte, size+1)},
		{"plain text", change.LongText, change.String, bytes.Repeat([]byte("a"), size)},
		{"text of quotes", change.LongText, change.String, bytes.Repeat([]byte("\""), size)},
		{"text of lines", change.LongText, change.String, bytes.Repeat([]byte("a line of it\n"), size/13)},
		{"text of control characters", change.LongText, change.String, bytes.Repeat([]byte{1}, size)},
		{"text beyond ASCII", change.LongText, change.String, bytes.Repeat([]byte("daß"), size/4)},
		{"JSON", change.JSON, change.JSONText, bytes.Repeat([]byte(`{"a":"b\\n"}`), size/11)},
		{"geometry", change.Geometry, change.WKB, make([]byte, size)},
		{"vector", change.Vector, change.Blobs, bytes.Repeat([]byte{0x13, 0x37, 0xab, 0xcd}, size/4)},
	} {
		t.Run(c.name, func(t *testing.T) {
			large := table("large", []int{0}, intColumn("id", false), col(c.typ))
			before, after := []change.Value{i64(1), {Kind: c.kind, Bytes: c.b}}, []change.Value{i64(2), {Kind: c.kind, Bytes: c.b}}
			for _, change := range []*change.Change{rowChange(large, nil, after), rowChange(large, before, nil), rowChange(large, before, after)} {
				change.Query = strings.Repeat("/* \" */", 100_000)
				var out recorder
				if err := encoder(format.DebeziumOptions{Tombstones: true}).Encode(change, &out); err != nil {
					t.Fatal(err)
				}
				rest := 0 // what the record and those after it take
				for i := len(out.records) - 1; i >= 0; i-- {
					rest += len(out.records[i][1])
					room := out.rooms[i]
					if room < rest && out.records[i][1] != nil {
						t.Errorf("%v: room for %d bytes, %d were written", change.Op, room, rest)
					}
					if c.typ != vector && room > rest+rest/10+64<<10 {
						t.Errorf("%v: room for %d bytes, only %d were written", change.Op, room, rest)
					}
				}
			}
		})
	}
}

// TestLargeStatementIsNotKept encodes a change with the text of a statement of
// many megabytes.
func TestLargeStatementIsNotKept(t *testing.T) {
	e := encoder(format.DebeziumOptions{})
	small := table("small", nil, intColumn("a", true))
	before := inUse()
	func() {
		c := rowChange(small, nil, []change.Value{i64(1)})
		c.Query = strings.Repeat("x", 32<<20)
		encode(t, e, c)
	}()
	if kept := inUse() - before; kept > 2<<20 {
		t.Errorf("%d bytes are kept", kept)
	}
	runtime.KeepAlive(e)
}

// TestManyTables encodes a row of each of many tables, of which only the
// encoder can hold the definitions.
func TestManyTables(t *testing.T) {
	e := encoder(format.DebeziumOptions{})
	before := inUse()
	for i := range 3000 {
		var columns []change.Column
		for j := range 100 {
			columns = append(columns, intColumn(fmt.Sprintf("column_%d_of_table_%d", j, i), true))
		}
		row := make([]change.Value, len(columns))
		encode(t, e, rowChange(table(fmt.Sprintf("t%d", i), nil, columns...), nil, row))
	}
	if kept := inUse() - before; kept > 8<<20 {
		t.Errorf("%d bytes are kept of 3,000 tables of 100 columns", kept)
	}
	runtime.KeepAlive(e)
}

// inUse returns the bytes of the heap that are in use.
func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
