package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"daybook/admin"
)

func shownValue(s string) *admin.ChangeValue { return &admin.ChangeValue{Text: s} }

// hostile is what rows of others may hold: it must not reach the terminal as it is.
const hostile = "\x1b]0;owned\x07\x1b[2J\u202e\r\n\t\x00\u009b31m'\\"

var null = &admin.ChangeValue{Null: true}

// tailed are changes of every kind.
var tailed = admin.ChangePage{Next: 20, HighWatermark: 20, Changes: []admin.Change{
	{Offset: 0, Next: 1, Time: "2026-01-31T12:00:00.5Z", Op: "ddl", Database: "shop", Table: "orders", SQL: "CREATE TABLE orders (\n\tid INT PRIMARY KEY,\r\n\tname VARCHAR(40))"},
	{Offset: 1, Next: 2, Time: "2026-01-31T12:00:01Z", Op: "insert", Database: "shop", Table: "orders", Key: []admin.ChangeField{{Name: "id", Value: *shownValue("1")}}, Columns: []admin.ChangeColumn{
		{Name: "id", Type: "INT", After: shownValue("1")}, {Name: "name", Type: "VARCHAR", After: shownValue("Zoë's 🎉 👩‍💻")}, {Name: "empty", Type: "TEXT", After: shownValue("")},
		{Name: "null", Type: "TEXT", After: null}, {Name: "word", Type: "TEXT", After: shownValue("NULL")}, {Name: "due", Type: "DATE", After: shownValue("2026-01-31")},
		{Name: "total", Type: "DECIMAL", After: shownValue("9.90")}, {Name: "doc", Type: "JSON", After: shownValue(`{"a": null}`)}, {Name: "bin", Type: "BLOB", After: &admin.ChangeValue{Text: "0x00ff", Cut: 12345}},
		{Name: "bits", Type: "BIT", After: shownValue("b'101'")}, {Name: "long", Type: "TEXT", After: &admin.ChangeValue{Text: "abc", Cut: 1}}}},
	{Offset: 2, Next: 3, Time: "2026-01-31T12:00:02Z", Op: "update", Database: "shop", Table: "orders", Key: []admin.ChangeField{{Name: "id", Value: *shownValue("1")}}, Columns: []admin.ChangeColumn{
		{Name: "id", Type: "INT", Before: shownValue("1"), After: shownValue("1")}, {Name: "name", Type: "VARCHAR", Before: shownValue("Ada"), After: shownValue("Ada")},
		{Name: "total", Type: "DECIMAL", Before: shownValue("9.90"), After: shownValue("19.90"), Changed: true}, {Name: "due", Type: "DATE", Before: null, After: shownValue("2026-02-01"), Changed: true}}},
	{Offset: 3, Next: 6, Op: "update", Database: "shop", Table: "orders", Key: []admin.ChangeField{{Name: "id", Value: *shownValue("1")}}, NewKey: []admin.ChangeField{{Name: "id", Value: *shownValue("2")}}, Columns: []admin.ChangeColumn{
		{Name: "id", Type: "INT", Before: shownValue("1"), After: shownValue("2"), Changed: true}, {Name: "total", Type: "DECIMAL", Before: shownValue("1"), After: shownValue("1")}}},
	{Offset: 6, Next: 7, Op: "update", Database: "shop", Table: "partial", Key: []admin.ChangeField{{Name: "id", Value: *shownValue("1")}}, Columns: []admin.ChangeColumn{
		{Name: "id", Type: "INT", Before: shownValue("1")}, {Name: "a", Type: "INT", After: shownValue("5"), Changed: true}, {Name: "b", Type: "TEXT"}}},
	{Offset: 7, Next: 8, Op: "update", Database: "shop", Table: "keyless", Columns: []admin.ChangeColumn{
		{Name: "a", Type: "INT", Before: shownValue("1"), After: shownValue("1")}, {Name: "b", Type: "INT", Before: shownValue("1"), After: shownValue("2"), Changed: true}}},
	{Offset: 8, Next: 9, Op: "update", Database: "shop", Table: "orders", Key: []admin.ChangeField{{Name: "a", Value: *shownValue("1")}, {Name: "b", Value: *shownValue("x,y")}}, Columns: []admin.ChangeColumn{
		{Name: "a", Type: "INT", Before: shownValue("1"), After: shownValue("1")}}},
	{Offset: 9, Next: 10, Op: "delete", Database: hostile, Table: hostile, Key: []admin.ChangeField{{Name: hostile, Value: *shownValue(hostile)}}, Columns: []admin.ChangeColumn{
		{Name: "c", Type: "TEXT", Before: shownValue(hostile)}, {Name: "n", Type: "INT", Before: shownValue(hostile)}}},
	{Offset: 10, Next: 11, Op: "ddl", Database: "shop", Table: "orders", SQL: "CREATE TABLE x -- " + hostile, SQLCut: 99},
	{Offset: 11, Next: 12, Op: "ddl", Database: "shop", Table: "orders"},
	{Offset: 12, Next: 13, Op: "insert", Database: "shop", Table: "old", Untyped: true, Columns: []admin.ChangeColumn{{Name: "d", After: shownValue("19000")}, {Name: "s", After: shownValue("text")}}},
	{Offset: 13, Next: 14, Op: "gap", From: "binlog.000003:194743", To: "binlog.000007:4", Reason: "restarted from earliest by command"},
	{Offset: 14, Next: 20, Op: "lost", Reason: "retention has removed them before they were read"},
}}

// TestTail compares what is shown with testdata/tail, without colours, with them, and as JSON.
func TestTail(t *testing.T) {
	f := serveFake(t, map[string]any{"GET /api/v1/tasks/shop/changes": tailed})
	for name, args := range map[string][]string{"text": nil, "color": {"--color", "always"}, "json": {"-o", "json"}} {
		out, stderr, code := run(append([]string{"tail", "shop", "--no-follow", "--admin", f.url, "--token-file", f.tokenFile}, args...)...)
		if code != 0 || stderr != "" {
			t.Fatalf("%s: exit code %d: %s", name, code, stderr)
		}
		if name != "color" && strings.ContainsFunc(out, func(r rune) bool { return r != '\n' && r != '\u200d' && !unicode.IsPrint(r) }) {
			t.Errorf("%s: something reaches the terminal as it is: %q", name, out)
		}
		file := filepath.Join("testdata", "tail", name+".txt")
		if *update {
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(out), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil || string(want) != out {
			t.Errorf("%s: %v\n%s\nwant\n%s\n(-update rewrites it)", name, err, out, want)
		}
	}
}

func TestTailArguments(t *testing.T) {
	f := serveFake(t, map[string]any{"GET /api/v1/tasks/shop/changes": admin.ChangePage{Next: 5, HighWatermark: 5}})
	at := []string{"--admin", f.url, "--token-file", f.tokenFile}
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"shop", "--color", "red"}, 2, "--color"},
		{[]string{"shop", "-n", "-1"}, 2, "-n"},
		{[]string{"shop", "-o", "xml"}, 2, "-o"},
		{[]string{}, 2, "accepts 1 arg"},
		{[]string{"none", "--no-follow"}, 3, "use the version"},
		{[]string{"shop", "--no-follow", "--table", "a.*", "--table", "b", "--op", "insert,ddl", "--op", "delete", "--key", "id=7", "--from", "10m"}, 0, ""},
	} {
		_, stderr, code := run(append(append([]string{"tail"}, test.args...), at...)...)
		if code != test.code || !strings.Contains(stderr, test.want) {
			t.Errorf("%v: exit code %d, %s; want %d, %s", test.args, code, stderr, test.code, test.want)
		}
	}
	want := "GET /api/v1/tasks/shop/changes?from=10m&key=id%3D7&limit=1000&max_value=1048576&op=insert%2Cddl%2Cdelete&table=a.%2A%2Cb"
	if got := f.requests[len(f.requests)-1]; got != want {
		t.Errorf("asked %s, want %s", got, want)
	}
}
