package tail_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"daybook/change"
	"daybook/format"
	"daybook/recordbatch"
	"daybook/store"
	"daybook/store/storetest"
	"daybook/tail"
)

const noon = 1795376096123456 // a commit, in microseconds

// task is a log, and the definitions that are known where it begins.
type task struct {
	*tail.Log
	t       *testing.T
	encoder format.Encoder
	tables  map[string]*change.Table
	pos     uint64
}

type records struct{ *recordbatch.Builder }

func (r records) Begin(key []byte, room int) []byte { return r.Builder.Begin(noon/1000, key, room) }

func begin(t *testing.T) *task {
	t.Helper()
	p, err := storetest.Open(t).EnsurePartition("shop")
	if err != nil {
		t.Fatal(err)
	}
	k := &task{t: t, encoder: format.NewDebezium(format.DebeziumOptions{Name: "shop", Tombstones: true}), tables: map[string]*change.Table{}}
	k.Log = &tail.Log{Partition: p, Turn: make(tail.Turn, 1), TableAt: func(database, table string, offset int64) (*change.Table, int64, error) {
		return k.tables[database+"."+table], offset + 1, nil
	}}
	return k
}

// append makes one batch of changes.
func (k *task) append(changes ...change.Change) {
	k.t.Helper()
	var b recordbatch.Builder
	for i := range changes {
		c := &changes[i]
		k.pos++
		c.Source.Pos, c.File, c.CommitMicros = k.pos, "binlog.000001", noon
		if err := k.encoder.Encode(c, records{&b}); err != nil {
			k.t.Fatal(err)
		}
	}
	if _, err := k.Partition.Append(b.Finish(), store.State{}); err != nil {
		k.t.Fatal(err)
	}
}

func (k *task) read(from int64, q tail.Query) []tail.Change {
	k.t.Helper()
	if q.Filter == nil {
		q.Filter = &tail.Filter{}
	}
	if q.Limit == 0 {
		q.Limit = 100
	}
	if q.MaxValue == 0 {
		q.MaxValue = 1 << 16
	}
	var all []tail.Change
	for {
		page, err := k.Read(k.t.Context(), from, q)
		if err != nil {
			k.t.Fatal(err)
		}
		if page.Next <= from {
			k.t.Fatalf("a page does not get on from offset %d: %+v", from, page)
		}
		all = append(all, page.Changes...)
		if from = page.Next; from >= k.Partition.HighWatermark() {
			return all
		}
	}
}

func (k *task) filter(tables, ops []string, key string) *tail.Filter {
	k.t.Helper()
	f, err := tail.NewFilter(tables, ops, key)
	if err != nil {
		k.t.Fatal(err)
	}
	return f
}

func column(typ change.Type, length int) change.Column {
	return change.Column{Name: "c", Type: typ, Length: length, Scale: -1, Nullable: true}
}

func number(kind change.Kind, n int64) change.Value { return change.Value{Kind: kind, Num: uint64(n)} }

func bytesOf(kind change.Kind, s string) change.Value {
	return change.Value{Kind: kind, Bytes: []byte(s)}
}

// TestValues wants each type's values as SQL shows them.
func TestValues(t *testing.T) {
	day := func(y, m, d, h, min, s, us int) uint64 {
		return change.Civil{Year: y, Month: m, Day: d, Hour: h, Minute: min, Second: s, Micros: us}.Pack()
	}
	for _, test := range []struct {
		column change.Column
		value  change.Value
		want   string
	}{
		{column(change.Int, -1), number(change.Int64, -7), "-7"},
		{column(change.BigInt, -1), change.Value{Kind: change.Uint64, Num: 18446744073709551615}, "18446744073709551615"},
		{column(change.Decimal, 30), bytesOf(change.DecimalText, "-12345678901234567890.10"), "-12345678901234567890.10"},
		{column(change.Double, -1), change.Value{Kind: change.Float64, Num: 0x3ff0000000000000}, "1"},
		{column(change.Year, 4), number(change.YearNum, 0), "0000"},
		{column(change.Date, -1), change.Value{Kind: change.CivilDate, Num: day(1969, 12, 31, 0, 0, 0, 0)}, "1969-12-31"},
		{column(change.DateTime, 0), change.Value{Kind: change.CivilTime, Num: day(2026, 1, 2, 3, 4, 5, 0)}, "2026-01-02 03:04:05"},
		{column(change.DateTime, 3), change.Value{Kind: change.CivilTime, Num: day(2026, 1, 2, 3, 4, 5, 120000)}, "2026-01-02 03:04:05.120"},
		{column(change.DateTime, 6), change.Value{Kind: change.CivilTime, Num: day(1000, 1, 2, 3, 4, 5, 7)}, "1000-01-02 03:04:05.000007"},
		{column(change.Time, 2), number(change.Duration, -3020399000000), "-838:59:59.00"},
		{column(change.Time, 0), number(change.Duration, 61000000), "00:01:01"},
		{column(change.Timestamp, 3), number(change.Instant, noon), "2026-11-22 19:34:56.123+00:00"},
		{column(change.Bit, 1), number(change.Bits, 1), "b'1'"},
		{column(change.Bit, 10), number(change.Bits, 5), "b'0000000101'"},
		{column(change.VarChar, 9), bytesOf(change.String, "Zoë 🎉\"\\\n\x00"), "Zoë 🎉\"\\\n\x00"},
		{column(change.VarChar, 9), bytesOf(change.String, ""), ""},
		{column(change.VarChar, 9), bytesOf(change.String, "NULL"), "NULL"},
		{column(change.VarChar, 9), change.Value{Kind: change.Null}, "(null)"},
		{column(change.Enum, 1), bytesOf(change.EnumLabel, "big"), "big"},
		{column(change.JSON, -1), bytesOf(change.JSONText, `{"a": [1, null]}`), `{"a": [1, null]}`},
		{column(change.Blob, -1), bytesOf(change.Blobs, "\x00\xff"), "0x00ff"},
		{column(change.Binary, 4), bytesOf(change.Blobs, "a"), "0x61000000"},
		{column(change.Vector, 2), bytesOf(change.Blobs, "\x00\x00\x80\x3f\x00\x00\x00\x40"), "[1.0,2.0]"},
		{column(change.Point, -1), change.Value{Kind: change.WKB, Num: 4326, Bytes: []byte("\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\xf0\x3f\x00\x00\x00\x00\x00\x00\x00\xc0")}, "POINT(1 -2) SRID 4326"},
		{column(change.Polygon, -1), bytesOf(change.WKB, "\x01\x02"), "0x0102"},
		{column(change.UUID, -1), bytesOf(change.String, "123e4567-e89b-12d3-a456-426655440000"), "123e4567-e89b-12d3-a456-426655440000"},
	} {
		k := begin(t)
		table := &change.Table{Database: "shop", Name: "t", Columns: []change.Column{test.column}}
		k.tables["shop.t"] = table
		k.append(change.Change{Op: change.Insert, Table: table, After: []change.Value{test.value}})
		all := k.read(0, tail.Query{})
		if len(all) != 1 || len(all[0].Columns) != 1 || all[0].Columns[0].After == nil {
			t.Fatalf("%v: %+v", test.column.Type, all)
		}
		v, c := *all[0].Columns[0].After, all[0].Columns[0]
		if v.Null {
			v.Text = "(null)"
		}
		if v.Text != test.want || v.Cut != 0 || c.Type != test.column.Type.String() || all[0].Untyped {
			t.Errorf("%v(%d): %+v %+v, want %q", test.column.Type, test.column.Length, c, v, test.want)
		}
	}
}

var orders = &change.Table{Database: "shop", Name: "orders", PrimaryKey: []int{0}, Columns: []change.Column{
	{Name: "id", Type: change.Int, Length: -1, Scale: -1}, {Name: "total", Type: change.Decimal, Length: 9, Scale: 2, Nullable: true}, {Name: "due", Type: change.Date, Length: -1, Nullable: true}}}

func order(id int64, total string) []change.Value {
	return []change.Value{number(change.Int64, id), bytesOf(change.DecimalText, total), {Kind: change.Null}}
}

// brief writes changes in a line each.
func brief(all []tail.Change) string {
	var b strings.Builder
	for i := range all {
		c := &all[i]
		fmt.Fprintf(&b, "%d-%d %s %s.%s", c.Offset, c.Next, c.Op, c.Database, c.Table)
		for _, k := range append(slices.Clone(c.Key), c.NewKey...) {
			fmt.Fprintf(&b, " %s=%s", k.Name, k.Value.Text)
		}
		for _, col := range c.Columns {
			if col.Changed {
				fmt.Fprintf(&b, " [%s]", col.Name)
			}
		}
		fmt.Fprintln(&b, c.SQL+c.Reason)
	}
	return b.String()
}

func want(t *testing.T, what string, all []tail.Change, lines ...string) {
	t.Helper()
	if got := brief(all); got != strings.Join(append(lines, ""), "\n") {
		t.Errorf("%s:\n%swant\n%s", what, got, strings.Join(lines, "\n"))
	}
}

// fill makes a log of every kind of change, in two batches.
func fill(t *testing.T) *task {
	k := begin(t)
	k.tables["shop.orders"] = orders
	altered := *orders
	altered.Columns = append(slices.Clone(orders.Columns), change.Column{Name: "at", Type: change.DateTime, Length: 6, Nullable: true})
	k.append(
		change.Change{Op: change.Insert, Table: orders, After: order(1, "1.00")},
		change.Change{Op: change.Update, Table: orders, Before: order(1, "1.00"), After: order(1, "2.00")},
		change.Change{Op: change.Update, Table: orders, Before: order(1, "2.00"), After: order(7, "2.00")}, // with a tombstone
		change.Change{Op: change.Schema, DDL: &change.SchemaChange{Database: "shop", SQL: "ALTER …", Tables: []change.TableChange{{Type: change.Altered, Database: "shop", Name: "orders", Table: &altered}}}},
		change.Change{Op: change.Insert, Table: &altered, After: append(order(8, "3.00"), change.Value{Kind: change.CivilTime, Num: change.Civil{Year: 2026, Month: 1, Day: 2, Hour: 3, Minute: 4, Second: 5, Micros: 6}.Pack()})},
	)
	k.tables["shop.orders"] = &altered
	k.append(
		change.Change{Op: change.Delete, Table: &altered, Before: append(order(7, "2.00"), change.Value{Kind: change.Null})},
		change.Change{Op: change.Gap, Gap: &change.GapInfo{From: "a", To: "b", Reason: "skipped"}},
	)
	return k
}

func TestChanges(t *testing.T) {
	k := fill(t)
	lines := []string{
		"0-1 insert shop.orders id=1", "1-2 update shop.orders id=1 [total]", "2-5 update shop.orders id=1 id=7 [id]",
		"5-6 ddl shop.ordersALTER …", "6-7 insert shop.orders id=8", "7-8 delete shop.orders id=7", "9-10 gap .skipped",
	}
	want(t, "all", k.read(0, tail.Query{}), lines...)
	for limit := 1; limit < 4; limit++ {
		want(t, fmt.Sprint("pages of ", limit), k.read(0, tail.Query{Limit: limit}), lines...)
	}
	all := k.read(6, tail.Query{Limit: 1}) // the DDL before it is in the batch
	if v := all[0].Columns[3]; v.Type != "DATETIME" || v.After.Text != "2026-01-02 03:04:05.000006" || all[0].Time != "2026-11-22T19:34:56.123456Z" {
		t.Errorf("after the DDL: %+v %+v", all[0], v)
	}
	want(t, "the second part of an update", k.read(4, tail.Query{Limit: 1})[:1], "4-5 insert shop.orders id=7")
	if _, err := k.Read(t.Context(), 11, tail.Query{Filter: &tail.Filter{}, Limit: 1}); !errors.Is(err, tail.ErrBeyond) {
		t.Errorf("behind the end: %v", err)
	}
}

func TestFilters(t *testing.T) {
	k := fill(t)
	gap := "9-10 gap .skipped"
	for _, test := range []struct {
		tables, ops []string
		key         string
		want        []string
	}{
		{[]string{"other"}, nil, "", nil},
		{[]string{"ord?rs", "x.y"}, []string{"delete"}, "", []string{"7-8 delete shop.orders id=7"}},
		{[]string{"shop.*"}, []string{"ddl"}, "", []string{"5-6 ddl shop.ordersALTER …"}},
		{nil, nil, "7", []string{"2-5 update shop.orders id=1 id=7 [id]", "7-8 delete shop.orders id=7"}},
		{nil, []string{"insert", "ddl"}, "ID='8'", []string{"5-6 ddl shop.ordersALTER …", "6-7 insert shop.orders id=8"}},
		{nil, nil, "id=8,total=3", nil},
	} {
		want(t, fmt.Sprintf("%v", test), k.read(0, tail.Query{Filter: k.filter(test.tables, test.ops, test.key)}), append(test.want, gap)...)
	}
	k = begin(t)
	k.append(change.Change{Op: change.Schema, DDL: &change.SchemaChange{Database: "shop", SQL: "TRUNCATE TABLE orders", Tables: []change.TableChange{{Type: change.Truncated, Database: "shop", Name: "orders"}}}})
	for table, n := range map[string]int{"orders": 1, "other": 0} {
		if got := k.read(0, tail.Query{Filter: k.filter([]string{"shop." + table}, nil, "")}); len(got) != n {
			t.Errorf("of %s: %+v", table, got)
		}
	}
	for _, wrong := range []struct {
		tables, ops []string
		key         string
	}{{[]string{"/(/"}, nil, ""}, {nil, []string{"drop"}, ""}, {nil, nil, "a=1,2"}, {nil, nil, "a='1"}, {nil, nil, "a='1'b"}} {
		if _, err := tail.NewFilter(wrong.tables, wrong.ops, wrong.key); !errors.Is(err, tail.ErrFilter) {
			t.Errorf("%v: %v", wrong, err)
		}
	}
}

// TestDefinitionThatDoesNotFit wants values as in the record where no definition is known for them.
func TestDefinitionThatDoesNotFit(t *testing.T) {
	k := fill(t)
	delete(k.tables, "shop.orders")
	for _, c := range k.read(0, tail.Query{Limit: 2})[:2] {
		if !c.Untyped || len(c.Columns) != 3 || c.Columns[1].Type != "" || c.Columns[1].After.Text == "" || !c.Columns[2].After.Null {
			t.Errorf("%+v", c)
		}
	}
}

// TestPartialImages wants columns that the source did not log to be neither NULL nor left out.
func TestPartialImages(t *testing.T) {
	k := begin(t)
	k.tables["shop.orders"] = orders
	k.append(change.Change{Op: change.Update, Table: orders,
		Before: []change.Value{number(change.Int64, 1), {}, {}}, After: []change.Value{number(change.Int64, 1), {Kind: change.Null}, {}}})
	c := k.read(0, tail.Query{})[0]
	if total, due := c.Columns[1], c.Columns[2]; total.Before != nil || !total.After.Null || !total.Changed || due.Before != nil || due.After != nil || due.Changed {
		t.Errorf("%+v", c.Columns)
	}
}

// TestLargeValuesAreCut wants of a large value its beginning, and how much is left out.
func TestLargeValuesAreCut(t *testing.T) {
	const size = 4 << 20
	for _, test := range []struct {
		typ   change.Type
		value change.Value
		text  string
		cut   int64
	}{
		{change.LongText, bytesOf(change.String, strings.Repeat("é\n", size)), "é\né\né\né\né\n", 3*size - 15},
		{change.LongBlob, bytesOf(change.Blobs, strings.Repeat("\x01", size)), "0x0101010101010101", size - 8},
	} {
		k := begin(t)
		table := &change.Table{Database: "shop", Name: "t", Columns: []change.Column{column(test.typ, -1)}}
		k.tables["shop.t"] = table
		k.append(change.Change{Op: change.Insert, Table: table, After: []change.Value{test.value}})
		v := k.read(0, tail.Query{MaxValue: 16})[0].Columns[0].After
		if v.Text != test.text || v.Cut != test.cut {
			t.Errorf("%v: %q, %d cut, want %q, %d", test.typ, v.Text, v.Cut, test.text, test.cut)
		}
	}
}

// TestLargerThanAPage reads a change that is larger than all that a page looks at, and one behind it.
func TestLargerThanAPage(t *testing.T) {
	k := begin(t)
	table := &change.Table{Database: "shop", Name: "t", Columns: []change.Column{column(change.LongText, -1)}}
	k.tables["shop.t"] = table
	k.append(change.Change{Op: change.Insert, Table: table, After: []change.Value{bytesOf(change.String, strings.Repeat("x", 40<<20))}})
	k.append(change.Change{Op: change.Insert, Table: table, After: []change.Value{bytesOf(change.String, "small")}})
	got := k.read(0, tail.Query{MaxValue: 16})
	if len(got) != 2 || got[0].Columns[0].After.Cut != 40<<20-16 || got[1].Columns[0].After.Text != "small" {
		t.Errorf("read %+v", got)
	}
}

func TestFind(t *testing.T) {
	k := begin(t)
	const uuid = "64cb74ea-e6a0-11f1-8461-02fc00000001"
	for _, gtid := range []string{uuid + ":5", uuid + ":9", "0-1-3", "0-2-4", "0-1-7"} {
		k.append(change.Change{Source: change.Source{GTID: gtid}, Op: change.Insert, Table: orders, After: order(1, "1")})
	}
	k.append(change.Change{Source: change.Source{GTID: "1-1-8"}, Op: change.Insert, Table: orders, After: order(1, "1")},
		change.Change{Source: change.Source{GTID: "1-1-7"}, Op: change.Insert, Table: orders, After: order(1, "1")}) // in another order
	for _, test := range []struct {
		from string
		want int64
		err  error
	}{
		{"", 7, nil}, {"latest", 7, nil}, {"earliest", 0, nil}, {"3", 3, nil}, {"8", 0, tail.ErrNotHere},
		{"2026-11-22T19:34:56Z", 0, nil}, {"2026-11-22T20:34:58+01:00", 7, nil}, {"1ms", 0, nil}, {"2d", 0, nil}, {"10m ago", 0, nil},
		{uuid + ":9", 1, nil}, {strings.ToUpper(uuid) + ":6", 1, nil}, {uuid + ":10", 0, tail.ErrNotHere}, {uuid + ":1", 0, nil},
		{"0-1-4", 4, nil}, {"1-1-8", 5, nil}, {"0-2-4", 3, nil}, {"0-3-1", 0, tail.ErrNotHere},
		{"yesterday", 0, tail.ErrPlace}, {"2026-01-31", 0, tail.ErrPlace}, {"-1", 0, tail.ErrPlace},
	} {
		got, err := k.Find(t.Context(), test.from)
		if test.from == "1ms" || test.from == "2d" || test.from == "10m ago" { // the records are of the future, or of the past, as the clock says
			if err != nil {
				t.Errorf("%s: %v", test.from, err)
			}
			continue
		}
		if !errors.Is(err, test.err) || got != test.want {
			t.Errorf("%s: %d, %v, want %d, %v", test.from, got, err, test.want, test.err)
		}
	}
}

// FuzzRecord takes any bytes for a record: it is told what is wrong with them, or they are shown.
func FuzzRecord(f *testing.F) {
	f.Add([]byte(`{"before":null,"after":{"id":1},"source":{"db":"shop","table":"orders"},"op":"c"}`))
	f.Add([]byte(`{"source":{"query":"a"},"ddl":null,"tableChanges":[{"id":"\"a\".\"b\"","table":{"columns":[]}}]}`))
	f.Fuzz(func(t *testing.T, value []byte) {
		if !json.Valid(value) && len(value) > 1000 {
			return
		}
		k := begin(t)
		k.tables["shop.orders"] = orders
		var b recordbatch.Builder
		b.End(append(b.Begin(1, []byte(`{"id":1}`), len(value)), value...))
		if _, err := k.Partition.Append(b.Finish(), store.State{}); err != nil {
			t.Fatal(err)
		}
		page, err := k.Read(t.Context(), 0, tail.Query{Filter: &tail.Filter{}, Limit: 10, MaxValue: 100})
		if err == nil && page.Next != 1 {
			t.Errorf("the next page begins at %d", page.Next)
		}
	})
}
