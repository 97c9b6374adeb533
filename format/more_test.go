//go:build servers

package format_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"daybook/binlog"
	"daybook/change"
	"daybook/e2e/servers"
	"daybook/format"
)

// TestMoreAsDebezium runs further statements on a real server and compares the records
// with those of Debezium's connector for its family, value by value.
func TestMoreAsDebezium(t *testing.T) {
	for _, tt := range []struct {
		server, file string
		lacks        []string
		differ       []difference
	}{
		{"mysql-8.0", "more", nil, moreDiffer},
		{"mariadb-10.11", "mariadb", mariadbLacks, mariadbDiffer},
	} {
		t.Run(tt.server, func(t *testing.T) {
			theirs := capturedRecords(t, "testdata/debezium/"+tt.file+".jsonl")
			ours := ownRecords(t, servers.Get(t, tt.server), "testdata/debezium/"+tt.file+".sql")
			used := map[int]bool{}
			for _, r := range ours {
				lacks := func(r statementRecord) bool {
					return slices.ContainsFunc(tt.lacks, func(s string) bool { return strings.HasPrefix(r.statement, s) })
				}
				for len(theirs) > 0 && lacks(theirs[0]) {
					theirs = theirs[1:]
				}
				switch {
				case lacks(r):
				case len(theirs) == 0:
					t.Errorf("Debezium has no record of %s", r.statement)
				default:
					compareValues(t, r, theirs[0], tt.differ, used)
					theirs = theirs[1:]
				}
			}
			for _, r := range theirs {
				t.Errorf("there is no record of %s", r.statement)
			}
			for i, d := range tt.differ {
				if !used[i] {
					t.Errorf("this is none any more: %s (%s, %s)", d.why, d.statement, d.path)
				}
			}
		})
	}
}

// statementRecord is a record as its values by path, and the statement that it is of.
type statementRecord struct {
	statement string
	values    map[string]string
}

// difference is where a record is meant to be another than Debezium's.
type difference struct {
	statement string // which it begins with
	path      *regexp.Regexp
	ours      string // "*": any; several with | between them
	why       string
}

// notCompared are the fields that differ from run to run, or have a test of their own.
var notCompared = []string{"value.source.version", "value.source.ts_", "value.ts_", "value.source.server_id", "value.source.gtid", "value.source.file", "value.source.pos",
	"value.source.thread", "value.source.row", "value.session"}

func compareValues(t *testing.T, ours, theirs statementRecord, differ []difference, used map[int]bool) {
	t.Helper()
	all := maps.Clone(theirs.values)
	for path := range ours.values {
		if _, ok := all[path]; !ok {
			all[path] = "none"
		}
	}
	for _, path := range slices.Sorted(maps.Keys(all)) {
		got, ok := ours.values[path]
		if !ok {
			got = "none"
		}
		if got == all[path] || slices.ContainsFunc(notCompared, func(p string) bool { return strings.HasPrefix(path, p) }) {
			continue
		}
		i := slices.IndexFunc(differ, func(d difference) bool {
			return d.path.MatchString(path) && (d.ours == "*" || slices.Contains(strings.Split(d.ours, "|"), got)) && strings.HasPrefix(ours.statement, d.statement)
		})
		if i < 0 {
			t.Errorf("%.120s: %s is %s, Debezium's %s", ours.statement, path, got, all[path])
		}
		used[i] = true
	}
}

// flatten lists the values of a JSON document by path.
func flatten(t *testing.T, values map[string]string, path string, doc any) {
	switch v := doc.(type) {
	case map[string]any:
		for name, child := range v {
			flatten(t, values, path+"."+name, child)
		}
	case []any:
		values[path+".length"] = strconv.Itoa(len(v))
		for i, child := range v {
			flatten(t, values, path+"."+strconv.Itoa(i), child)
		}
	case json.Number:
		values[path] = canonicalNumber(t, v.String())
	default:
		b, _ := json.Marshal(v) // what was read of JSON
		values[path] = string(b)
	}
}

func flat(t *testing.T, key, value []byte) statementRecord {
	t.Helper()
	r := statementRecord{values: map[string]string{}}
	for name, b := range map[string][]byte{"key": key, "value": value} {
		if b == nil {
			b = []byte("null")
		}
		d := json.NewDecoder(bytes.NewReader(b))
		d.UseNumber()
		var doc any
		if err := d.Decode(&doc); err != nil {
			t.Fatalf("%v: %s", err, b)
		}
		flatten(t, r.values, name, doc)
	}
	var v struct {
		DDL    string
		Source struct{ Query, Table string }
	}
	if err := json.Unmarshal(value, &v); err != nil {
		t.Fatal(err)
	}
	r.statement = cmp.Or(v.DDL+v.Source.Query, "row of "+v.Source.Table)
	return r
}

func capturedRecords(t *testing.T, file string) (all []statementRecord) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		var r struct{ Key, Value json.RawMessage }
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, flat(t, r.Key, r.Value))
	}
	return all
}

// ownRecords are what the reader and the encoder make of the statements of a file.
func ownRecords(t *testing.T, s *servers.Server, file string) (all []statementRecord) {
	t.Helper()
	conn := s.Connect(t, "")
	conn.Exec("DROP DATABASE IF EXISTS format_dbz")
	t.Cleanup(func() { conn.Exec("DROP DATABASE IF EXISTS format_dbz") })
	r := binlog.New(binlog.Options{
		Source:  binlog.Source{Address: s.Address, User: servers.Repl, Password: servers.Repl},
		Include: []string{"format_dbz.*"}, SchemaChanges: binlog.SchemaChangesObjects, IncludeQuery: true,
	})
	if err := r.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for sql := range strings.SplitSeq(strings.TrimSpace(string(b)), ";\n") {
		conn.Exec(strings.TrimSuffix(sql, ";"))
	}
	connector := "mysql"
	if s.MariaDB() {
		connector = "mariadb"
	}
	e := encoder(format.DebeziumOptions{Connector: connector})
	for {
		c := next(t, r)
		if c.Op == change.Schema && strings.HasPrefix(c.DDL.SQL, "TRUNCATE") {
			continue
		}
		for _, got := range encode(t, e, c) {
			all = append(all, flat(t, got[0], got[1]))
		}
		if c.Op == change.Schema && strings.HasPrefix(c.DDL.SQL, "DROP DATABASE") {
			return all
		}
	}
}
