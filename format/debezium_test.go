package format_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"daybook/change"
	"daybook/format"
)

// text writes records as key, arrow and the envelope's op and images.
func text(t *testing.T, records [][2][]byte) string {
	t.Helper()
	var lines []string
	for _, r := range records {
		if r[1] == nil {
			lines = append(lines, string(r[0])+" → null")
			continue
		}
		var v struct {
			Op            string
			Before, After json.RawMessage
		}
		if err := json.Unmarshal(r[1], &v); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("%s → %s %s %s", r[0], v.Op, v.Before, v.After))
	}
	return strings.Join(lines, "\n")
}

func TestRecordsOfAChange(t *testing.T) {
	absent := change.Value{}
	ab := table("ab", []int{0}, intColumn("a", false), intColumn("b", true))
	bare := table("bare", nil, intColumn("a", true), intColumn("b", true))
	pair := func(a, b change.Value) []change.Value { return []change.Value{a, b} }
	for _, c := range []struct {
		name       string
		change     *change.Change
		tombstones bool
		want       string
	}{
		{"delete with tombstone", rowChange(ab, pair(i64(1), i64(2)), nil), true, `{"a":1} → d {"a":1,"b":2} null` + "\n" + `{"a":1} → null`},
		{"delete without a key has no tombstone", rowChange(bare, pair(i64(1), null), nil), true, ` → d {"a":1,"b":null} null`},
		{"key change with tombstone", rowChange(ab, pair(i64(1), i64(2)), pair(i64(3), i64(2))), true,
			`{"a":1} → d {"a":1,"b":2} null` + "\n" + `{"a":1} → null` + "\n" + `{"a":3} → c null {"a":3,"b":2}`},
		{"update without a key", rowChange(bare, pair(i64(1), null), pair(i64(2), null)), true, ` → u {"a":1,"b":null} {"a":2,"b":null}`},
		{"absent values are left out", rowChange(ab, pair(i64(1), absent), pair(absent, i64(5))), false, `{"a":1} → u {"a":1} {"b":5}`},
		{"absent is not null", rowChange(ab, pair(i64(1), absent), pair(i64(2), null)), false,
			`{"a":1} → d {"a":1} null` + "\n" + `{"a":2} → c null {"a":2,"b":null}`},
		{"nothing in the image", rowChange(bare, pair(absent, absent), nil), false, ` → d {} null`},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := encoder(format.DebeziumOptions{Tombstones: c.tombstones})
			if got := text(t, encode(t, e, c.change)); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// TestValuesWithoutModel has the values that Debezium fails on or that the
// server of the goldens cannot make.
func TestValuesWithoutModel(t *testing.T) {
	for _, c := range []struct {
		name   string
		column change.Column
		value  change.Value
		want   string
	}{
		{"day that the month does not have", col(change.Date), date(2021, 2, 30), `null`},
		{"the same, not null", notNull(col(change.Date)), date(2021, 2, 30), `0`},
		{"datetime of such a day", col(change.DateTime), datetime(2021, 2, 30, 1, 2, 3), `null`},
		{"the same, not null", notNull(col(change.DateTime, 6)), datetime(2021, 2, 30, 1, 2, 3), `0`},
		{"clock that no day has", col(change.DateTime), datetime(2021, 2, 3, 24, 0, 0), `null`},
		{"zero timestamp with fraction, not null", notNull(col(change.Timestamp, 3)), change.Value{Kind: change.Instant}, `"1970-01-01T00:00:00Z"`},
		{"not a number", col(change.Float), f32(float32(math.NaN())), `"NaN"`},
		{"infinity", col(change.Double), f64(math.Inf(-1)), `"-Infinity"`},
		{"negative zero", col(change.Double), f64(math.Copysign(0, -1)), `-0.0`},
		{"vector", col(change.Vector, 3), blob("\x00\x00\x80?\xcd\xcc\xcc=\x00\x00\x00\xc0"), `[1.0,0.1,-2.0]`},
		{"empty vector", col(change.Vector, 0), blob(""), `[]`},
		{"uuid", col(change.UUID), str("123e4567-e89b-12d3-a456-426655440000"), `"123e4567-e89b-12d3-a456-426655440000"`},
		{"point, high byte first", col(change.Point), wkb(0, "00000000013ff0000000000000c000000000000000"), `{"x":1.0,"y":-2.0,"wkb":"AAAAAAE/8AAAAAAAAMAAAAAAAAAA","srid":null}`},
		{"point cut short", col(change.Point), wkb(1, "0101"), `{"x":null,"y":null,"wkb":"AQE=","srid":1}`},
		{"bytes that are not UTF-8", col(change.VarChar, 9), str("a\xffé\xe3\x81\xf0\x9f\x98\x80"), `"a` + "\ufffdé\ufffd\ufffd😀" + `"`},
		{"surrogate in UTF-8", col(change.VarChar, 9), str("\xed\xa0\x80"), `"` + "\ufffd\ufffd\ufffd" + `"`},
		{"kind that is not known", col(change.Int), change.Value{Kind: 255}, `null`},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := table("t", nil, c.column)
			records := encode(t, encoder(format.DebeziumOptions{}), rowChange(table, nil, []change.Value{c.value}))
			want := ` → c null {"v":` + c.want + `}`
			if got := text(t, records); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestTruncateLeavesNoTableChange(t *testing.T) {
	ab := table("ab", []int{0}, intColumn("a", false))
	c := schemaChange("TRUNCATE TABLE ab", change.TableChange{Type: change.Truncated, Database: "format_dbz", Name: "ab", Table: ab})
	c.Source = change.Source{File: "binlog.000001", Pos: 4, ServerID: 7, Thread: 9, GTID: "0-1-2", CommitMicros: 1700000000123456}
	c.DDL.Session = change.Session{Database: "x", SQLMode: "ANSI_QUOTES,STRICT_ALL_TABLES", TimeZone: "+02:00", CharacterSetServer: "latin1", CollationServer: "latin1_bin", CollationConnection: "utf8mb4_general_ci", CharacterSetCollations: new(string), UniqueChecks: true, Timestamp: 1699999999000250}
	e := format.NewDebezium(format.DebeziumOptions{Name: "shop", Connector: "mariadb", Version: "1"})
	got := canonical(t, encode(t, e, c)[0][1], fields{"ts_ms": "*"})
	want := canonical(t, []byte(`{"source":{"version":"1","connector":"mariadb","name":"shop","ts_ms":1700000000123,"snapshot":"false",`+
		`"db":"format_dbz","sequence":null,"ts_us":1700000000123456,"ts_ns":1700000000123456000,"table":"ab","server_id":7,`+
		`"gtid":"0-1-2","file":"binlog.000001","pos":4,"row":0,"thread":9,"query":null},"ts_ms":0,`+
		`"databaseName":"format_dbz","schemaName":null,"ddl":"TRUNCATE TABLE ab","tableChanges":[],`+
		`"session":{"database":"x","sqlMode":"ANSI_QUOTES,STRICT_ALL_TABLES","timeZone":"+02:00","characterSetServer":"latin1",`+
		`"collationServer":"latin1_bin","collationConnection":"utf8mb4_general_ci","collationDatabase":null,"defaultCollationForUtf8mb4":null,"characterSetCollations":"",`+
		`"foreignKeyChecks":false,"uniqueChecks":true,"explicitDefaultsForTimestamp":false,"timestamp":1699999999.000250}}`), fields{"ts_ms": "*"})
	sameText(t, "value", got, want)
}

// TestStatementsTimeHasNoFractionWhereItIsWhole: MySQL 5.5 refuses to set its variable
// timestamp to a number with one.
func TestStatementsTimeHasNoFractionWhereItIsWhole(t *testing.T) {
	e := format.NewDebezium(format.DebeziumOptions{Name: "shop", Connector: "mysql", Version: "1"})
	for micros, want := range map[int64]string{1699999999000000: `"timestamp":1699999999}`, 1699999999000250: `"timestamp":1699999999.000250}`} {
		c := schemaChange("CREATE DATABASE d")
		c.DDL.Session = change.Session{Timestamp: micros}
		if got := string(encode(t, e, c)[0][1]); !strings.Contains(got, want) {
			t.Errorf("the record of %d is %s", micros, got)
		}
	}
}

// TestRareSettings: what is not told is the default.
func TestRareSettings(t *testing.T) {
	e := format.NewDebezium(format.DebeziumOptions{Name: "shop", Connector: "mariadb", Version: "1"})
	for want, session := range map[string]change.Session{
		`"timestamp":0}`: {},
		`"timestamp":0,"autoIncrementIncrement":10,"autoIncrementOffset":3,"lcTimeNames":"de_DE"}`: {AutoIncrementIncrement: 10, AutoIncrementOffset: 3, LCTimeNames: "de_DE"},
		`"timestamp":0,"sqlIfExists":true,"checkConstraintChecks":false}`:                          {SQLIfExists: true, ConstraintsUnchecked: true},
		`"timestamp":0,"defaultTableEncryption":true,"sqlRequirePrimaryKey":true}`:                 {DefaultTableEncryption: true, RequirePrimaryKey: true},
	} {
		c := schemaChange("CREATE DATABASE d")
		c.DDL.Session = session
		if got := string(encode(t, e, c)[0][1]); !strings.Contains(got, want) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestGapIsASchemaChangeOfNothing(t *testing.T) {
	c := &change.Change{Op: change.Gap, Gap: &change.GapInfo{From: `a "file":4`, To: "binlog.000002:4", Reason: "by command"}}
	c.Source = change.Source{File: "binlog.000002", Pos: 4, CommitMicros: 1700000000123456}
	e := format.NewDebezium(format.DebeziumOptions{Name: "shop", Version: "1"})
	record := encode(t, e, c)[0]
	sameText(t, "key", string(record[0]), `{"databaseName":""}`)
	got := canonical(t, record[1], fields{"ts_ms": "*"})
	want := canonical(t, []byte(`{"source":{"version":"1","connector":"mysql","name":"shop","ts_ms":1700000000123,"snapshot":"false",`+
		`"db":"","sequence":null,"ts_us":1700000000123456,"ts_ns":1700000000123456000,"table":null,"server_id":0,`+
		`"gtid":null,"file":"binlog.000002","pos":4,"row":0,"thread":null,"query":null},"ts_ms":0,"databaseName":"",`+
		`"schemaName":null,"ddl":null,"tableChanges":[],"gap":{"from":"a \"file\":4","to":"binlog.000002:4","reason":"by command"}}`), fields{"ts_ms": "*"})
	sameText(t, "value", got, want)
}

// TestSourceFollowsEveryField changes one field of the source at a time: none
// may be taken from the change before.
func TestSourceFollowsEveryField(t *testing.T) {
	first, second := table("first", nil, intColumn("a", true)), table("second", nil, intColumn("a", true))
	c := rowChange(first, nil, []change.Value{i64(1)})
	c.Source = change.Source{File: "f1", Pos: 1, Row: 1, ServerID: 1, Thread: 1, GTID: "g1", Query: "q1", CommitMicros: 1}
	e := encoder(format.DebeziumOptions{})
	for name, set := range map[string]func(){
		"nothing": func() {},
		"file":    func() { c.File = "f2" },
		"pos":     func() { c.Pos = 2 },
		"row":     func() { c.Row = 2 },
		"server":  func() { c.ServerID = 2 },
		"thread":  func() { c.Thread = 0 },
		"gtid":    func() { c.GTID = "" },
		"query":   func() { c.Query = "" },
		"time":    func() { c.CommitMicros = 2 },
		"table":   func() { c.Table = second },
	} {
		set()
		got, want := encode(t, e, c)[0][1], encode(t, encoder(format.DebeziumOptions{}), c)[0][1]
		sameText(t, name, string(got), string(want))
	}
}

// TestMoreTablesThanAreKept goes around more tables than the encoder remembers.
func TestMoreTablesThanAreKept(t *testing.T) {
	e := encoder(format.DebeziumOptions{})
	tables := make([]*change.Table, 2500)
	for i := range tables {
		tables[i] = table(fmt.Sprint("t", i), nil, intColumn(fmt.Sprint("c", i), true))
	}
	for range 2 {
		for i, table := range tables {
			got, want := text(t, encode(t, e, rowChange(table, nil, []change.Value{i64(int64(i))}))), fmt.Sprintf(` → c null {"c%d":%d}`, i, i)
			if got != want {
				t.Fatalf("got %s, want %s", got, want)
			}
		}
	}
}

func TestChangesThatCannotBe(t *testing.T) {
	ab := table("ab", []int{0}, intColumn("a", false), intColumn("b", true))
	for _, c := range []struct {
		change *change.Change
		want   string
	}{
		{rowChange(ab, nil, []change.Value{i64(1)}), "encode change at binlog.000001:4 row 2: insert of format_dbz.ab with 0 values before and 1 after, but the table has 2 columns"},
		{&change.Change{Op: change.Delete, Table: ab}, "encode change at binlog.000001:4 row 2: delete of format_dbz.ab with 0 values before and 0 after, but the table has 2 columns"},
		{&change.Change{Op: change.Insert}, "encode change at binlog.000001:4 row 2: insert without a table"},
		{&change.Change{Op: change.Schema}, "encode change at binlog.000001:4: schema change without a statement"},
		{&change.Change{Op: change.Gap}, "encode change at binlog.000001:4: gap that does not say of what"},
		{&change.Change{}, "encode change at binlog.000001:4 row 2: operation unknown is not known"},
	} {
		c.change.Source = change.Source{File: "binlog.000001", Pos: 4, Row: 2}
		var out recorder
		err := encoder(format.DebeziumOptions{}).Encode(c.change, &out)
		if len(out.records) > 0 {
			t.Error("wrote a record")
		}
		if err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

// TestHiddenKey: a column that is none of the user's is the key and in no image.
func TestHiddenKey(t *testing.T) {
	table := &change.Table{Database: "d", Name: "t", PrimaryKey: []int{1}, Columns: []change.Column{
		{Name: "a", Type: change.Int, Length: -1, Scale: -1}, {Name: "k", Type: change.BigInt, Length: -1, Scale: -1, Hidden: true}}}
	row := []change.Value{{Kind: change.Int64, Num: 7}, {Kind: change.Int64, Num: 9}}
	got := encode(t, encoder(format.DebeziumOptions{}), rowChange(table, nil, row))
	if key, value := string(got[0][0]), string(got[0][1]); key != `{"k":9}` || !strings.Contains(value, `"after":{"a":7}`) {
		t.Errorf("%s %s", key, value)
	}
}

// FuzzRecordIsJSON puts arbitrary bytes wherever a change holds bytes or text.
func FuzzRecordIsJSON(f *testing.F) {
	f.Add("name", []byte("plain text of some length"), uint64(0))
	f.Add("na\"me", []byte("caf\xc3\xa9 \xff \\ \" \x00\x1f\x7f \xf0\x9f\x98\x80 \xf0\x9f"), uint64(math.MaxUint64))
	f.Add("\xed\xa0\x80", []byte("1234567\"1234567\\\n"), math.Float64bits(math.NaN()))
	f.Fuzz(func(t *testing.T, name string, b []byte, n uint64) {
		all := &change.Table{Database: name, Name: name, PrimaryKey: []int{0}}
		var row []change.Value
		for kind := change.Null; kind <= change.WKB; kind++ {
			all.Columns = append(all.Columns, change.Column{Name: fmt.Sprint(name, kind), Type: change.Type(n % 64), Length: int(n % 300), Nullable: n%2 == 0,
				Members: []string{name}, Comment: name, Charset: name})
			row = append(row, change.Value{Kind: kind, Num: n, Bytes: b})
		}
		s := change.Source{File: name, GTID: string(b), Query: string(b), Pos: n, Thread: n, CommitMicros: int64(n)}
		e := encoder(format.DebeziumOptions{})
		for _, c := range []*change.Change{rowChange(all, nil, row), rowChange(all, row, row), schemaChange(string(b), created(all)),
			{Op: change.Gap, Gap: &change.GapInfo{From: name, To: string(b), Reason: name}}} {
			c.Source = s
			for _, r := range encode(t, e, c) {
				if !json.Valid(r[0]) || !json.Valid(r[1]) {
					t.Fatalf("not JSON: %s %s", r[0], r[1])
				}
			}
		}
		var v struct {
			After  map[string]any
			Source struct{ Query, File string }
		}
		if err := json.Unmarshal(encode(t, e, rowChangeAt(all, row, s))[0][1], &v); err != nil {
			t.Fatal(err)
		}
		valid := func(s string) string { return string([]rune(s)) } // a rune of U+FFFD for each bad byte
		if got := v.After[fmt.Sprint(valid(name), change.String)]; got != valid(string(b)) {
			t.Errorf("%q came back as %q", b, got)
		}
		if v.Source.File != valid(name) || v.Source.Query != valid(string(b)) {
			t.Errorf("%q, %q came back as %q, %q", name, b, v.Source.File, v.Source.Query)
		}
	})
}

func rowChangeAt(table *change.Table, after []change.Value, s change.Source) *change.Change {
	c := rowChange(table, nil, after)
	c.Source = s
	return c
}

// BenchmarkDebezium encodes inserts of an order-like table, about 700 bytes each.
func BenchmarkDebezium(b *testing.B) {
	text := func(name string, n int) change.Column {
		return change.Column{Name: name, Type: change.VarChar, Length: n, Scale: -1, Nullable: true, Charset: "utf8mb4"}
	}
	orders := table("orders", []int{0}, change.Column{Name: "id", Type: change.BigInt, Length: -1, Scale: -1},
		intColumn("customer", false), text("status", 20), text("email", 100), text("note", 200),
		change.Column{Name: "total", Type: change.Decimal, Length: 10, Scale: 2, Nullable: true},
		change.Column{Name: "created", Type: change.DateTime, Length: 6, Scale: -1, Nullable: true},
		change.Column{Name: "updated", Type: change.Timestamp, Length: 6, Scale: -1, Nullable: true})
	row := []change.Value{i64(1), i64(12345), str("shipped"), str("someone@example.com"), str("leave the parcel at the neighbour's door, please"),
		dec("1234.50"), datetime(2024, 1, 2, 3, 4, 5, 678901), instant("2024-05-06T07:08:09.123456Z")}
	c := rowChange(orders, nil, row)
	c.Source = change.Source{File: "binlog.000001", ServerID: 1, Thread: 42, GTID: "64cb74ea-e6a0-11f1-8461-02fc00000001:4707", CommitMicros: 1795373066632000}
	e := format.NewDebezium(format.DebeziumOptions{Name: "shop", Version: "0.1.0"})
	var out counter
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		c.Pos, c.Row, row[0].Num = 1000+uint64(i), i%100, uint64(i)
		if i%100 == 0 {
			c.CommitMicros += 1000
		}
		if err := e.Encode(c, &out); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(out.bytes)/float64(b.N), "B/record")
}

// counter counts the bytes of records, and writes them over each other. It
// implements format.Records.
type counter struct {
	buf   []byte
	bytes int
}

func (c *counter) Begin(key []byte, _ int) []byte {
	c.bytes += len(key)
	return c.buf[:0]
}

func (c *counter) End(value []byte) {
	c.bytes += len(value)
	c.buf = value
}
