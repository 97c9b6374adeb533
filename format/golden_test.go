package format_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"daybook/change"
	"daybook/format"
)

var update = flag.Bool("update", false, "rewrite testdata/debezium/types.sql")

const task = "shop"

// record is one line of testdata/debezium/records.jsonl.
type record struct {
	Topic      string
	Key, Value json.RawMessage
	// differs is what we write, in canonical form, where we mean not to follow
	// Debezium, by path; docs/record-formats.md has the reasons.
	differs fields
}

// ddlDiffers are the differences in schema changes. Debezium makes up a
// statement for each table of a DROP, of which dropOfTwo is the first.
var ddlDiffers = map[string]fields{
	"CREATE INDEX i ON keyed (n)":                    {"source.table": "null"},
	"ALTER DATABASE format_dbz CHARACTER SET latin1": {"source.table": "null"},
	"DROP TABLE `format_dbz`.`copy`": {"source.table": `"keyed3,copy"`, "ddl": `"DROP TABLE keyed3, copy"`,
		"tableChanges": `[{"type":"DROP" "id":"\"format_dbz\".\"keyed3\"" "table":null } {"type":"DROP" "id":"\"format_dbz\".\"copy\"" "table":null } ]`},
}

const dropOfTwo = "DROP TABLE `format_dbz`.`keyed3`"

// source is the source block of a record.
type source struct {
	TSMicros int64  `json:"ts_us"`
	ServerID uint32 `json:"server_id"`
	GTID     string
	File     string
	Pos      uint64
	Row      int
	Thread   uint64
	Query    string
}

// debeziumRecords returns the records of types.sql and changes.sql: those of
// CREATE DATABASE, of each type case its table and its rows, of changes.sql.
func debeziumRecords(t *testing.T) []record {
	t.Helper()
	b, err := os.ReadFile("testdata/debezium/records.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var all []record
	for line := range bytes.Lines(b) {
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		var v struct{ DDL string }
		if err := json.Unmarshal(r.Value, &v); err != nil {
			t.Fatal(err)
		}
		if v.DDL == dropOfTwo {
			continue
		}
		r.differs = ddlDiffers[v.DDL]
		all = append(all, r)
	}
	i := 1
	for _, c := range typeCases {
		all[i].differs = fields{}
		for k, v := range c.schema {
			all[i].differs["tableChanges.0.table.columns.1."+k] = v
		}
		i++
		for _, r := range c.rows {
			if r.differs != "" {
				all[i].differs = fields{"after.v": canonical(t, []byte(r.differs), nil)}
			}
			i++
		}
	}
	return all
}

// at gives c the place in the binlog that Debezium says its record r has.
func at(t *testing.T, r record, c *change.Change) *change.Change {
	t.Helper()
	var v struct{ Source source }
	if err := json.Unmarshal(r.Value, &v); err != nil {
		t.Fatal(err)
	}
	s := v.Source
	c.Source = change.Source{File: s.File, Pos: s.Pos, Row: s.Row, ServerID: s.ServerID, Thread: s.Thread, GTID: s.GTID,
		Query: s.Query, CommitMicros: s.TSMicros}
	return c
}

func encoder(o format.DebeziumOptions) format.Encoder {
	o.Name, o.Version = task, "test"
	o.Now = func() time.Time { return time.Unix(1700000000, 123456789) }
	return format.NewDebezium(o)
}

// encode returns the records that e makes of c.
func encode(t testing.TB, e format.Encoder, c *change.Change) (records [][2][]byte) {
	t.Helper()
	err := e.Encode(c, func(key, value []byte) {
		records = append(records, [2][]byte{bytes.Clone(key), bytes.Clone(value)})
	})
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// volatile are the fields that cannot be the same in two runs or two products.
var volatile = fields{"source.version": "*", "ts_ms": "*", "ts_us": "*", "ts_ns": "*"}

// compare compares a record of ours with Debezium's: the fields, their order
// and their values, but for the volatile ones, those at the paths in ignore, and
// those meant to differ.
func compare(t *testing.T, got [2][]byte, want record, ignore ...string) {
	t.Helper()
	key := got[0]
	if key == nil {
		key = []byte("null")
	}
	sameText(t, "key", canonical(t, key, nil), canonical(t, want.Key, nil))
	ours := maps.Clone(volatile)
	for _, path := range ignore {
		ours[path] = "*"
	}
	theirs := maps.Clone(ours)
	maps.Copy(theirs, want.differs)
	sameText(t, "value", canonical(t, got[1], ours), canonical(t, want.Value, theirs))
}

// sameText fails the test with the place where got begins to differ from want.
func sameText(t *testing.T, what, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	i := 0
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	around := func(s string) string { return s[max(0, i-60):min(len(s), i+60)] }
	t.Errorf("%s\n got …%s…\nwant …%s…", what, around(got), around(want))
}

// canonical writes JSON text so that equal documents with their fields in the
// same order give the same text; the values at the paths in replace are
// replaced by the text there.
func canonical(t *testing.T, doc []byte, replace fields) string {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	var b strings.Builder
	writeCanonical(t, &b, d, "", replace)
	if d.More() {
		t.Fatalf("more than one value in %s", doc)
	}
	return b.String()
}

func writeCanonical(t *testing.T, b *strings.Builder, d *json.Decoder, path string, replace fields) {
	t.Helper()
	if with, ok := replace[path]; ok {
		var skipped json.RawMessage
		if err := d.Decode(&skipped); err != nil {
			t.Fatal(err)
		}
		b.WriteString(with)
		return
	}
	token, err := d.Token()
	if err != nil {
		t.Fatal(err)
	}
	switch v := token.(type) {
	case json.Delim:
		fmt.Fprint(b, v)
		for i := 0; d.More(); i++ {
			name := strconv.Itoa(i)
			if v == '{' {
				key, err := d.Token()
				if err != nil {
					t.Fatal(err)
				}
				name = key.(string)
				fmt.Fprintf(b, "%q:", name)
			}
			writeCanonical(t, b, d, strings.TrimPrefix(path+"."+name, "."), replace)
			b.WriteByte(' ')
		}
		end, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(b, end)
	case json.Number:
		b.WriteString(canonicalNumber(t, v.String()))
	default:
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(text)
	}
}

// canonicalNumber keeps 1 and 1.0 apart: a consumer may do so too.
func canonicalNumber(t *testing.T, s string) string {
	t.Helper()
	if !strings.ContainsAny(s, ".eE") {
		return s
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%ge0", f)
}

func TestTypesSQLIsOfTheCases(t *testing.T) {
	const file = "testdata/debezium/types.sql"
	if *update {
		if err := os.WriteFile(file, []byte(typesSQL()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != typesSQL() {
		t.Errorf("%s is not what the cases make: run go test ./format -update, then capture Debezium's records anew", file)
	}
}

// TestTypesAsDebezium compares the records of every column type, and the
// schema changes that make the columns, with Debezium's.
func TestTypesAsDebezium(t *testing.T) {
	golden := debeziumRecords(t)[1:] // after CREATE DATABASE
	e := encoder(format.DebeziumOptions{})
	for i, c := range typeCases {
		t.Run(c.sql, func(t *testing.T) {
			table := c.table(i)
			sql := fmt.Sprintf("CREATE TABLE %s (id INT PRIMARY KEY, v %s)", table.Name, c.sql)
			got := encode(t, e, at(t, golden[0], schemaChange(sql, created(table))))
			compare(t, got[0], golden[0])
			golden = golden[1:]
			for j, r := range c.rows {
				got := encode(t, e, at(t, golden[0], &change.Change{Op: change.Insert, Table: table, After: []change.Value{i64(int64(j + 1)), r.value}}))
				compare(t, got[0], golden[0])
				golden = golden[1:]
			}
		})
	}
}

func schemaChange(sql string, tables ...change.TableChange) *change.Change {
	return &change.Change{Op: change.Schema, DDL: &change.SchemaChange{Database: "format_dbz", SQL: sql, Tables: tables}}
}

func created(table *change.Table) change.TableChange {
	return change.TableChange{Type: change.Created, Database: table.Database, Name: table.Name, Table: table}
}
