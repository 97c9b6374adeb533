package schema_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"daybook/binlog/schema"
	"daybook/change"
)

var update = flag.Bool("update", false, "write the golden files")

// TestCorpus applies the statements of each file of testdata/corpus and
// compares what they did, and the catalog after them, with the golden file.
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob("testdata/corpus/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".sql"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := corpusText(t, string(text))
			golden := strings.TrimSuffix(file, ".sql") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatalf("%v: run with -update", err)
			}
			if got != string(want) {
				t.Errorf("differs from %s; run with -update and look at the difference\n%s", golden, got)
			}
		})
	}
}

// corpusText runs a file's statements, which end with ";" at a line's end. Its
// first lines may be "-- server: flavor version charset", "-- sql_mode: bits"
// and "-- lower_case_table_names: n".
func corpusText(t *testing.T, text string) string {
	server := schema.Server{}
	ctx := schema.Context{Database: "shop"}
	for _, line := range strings.Split(text, "\n") {
		name, value, _ := strings.Cut(strings.TrimPrefix(line, "-- "), ": ")
		switch name {
		case "server":
			if _, err := fmt.Sscan(value, &server.Flavor, &server.Version, &server.DefaultCharset); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
		case "sql_mode":
			ctx.SQLMode, _ = strconv.ParseUint(value, 10, 64)
		case "lower_case_table_names":
			server.LowerCaseTableNames, _ = strconv.Atoi(value)
		}
	}
	server.ExplicitDefaultsForTimestamp = server.Flavor == "mysql" && server.Version >= 80000 || server.Version >= 101000
	c := schema.NewCatalog(server)
	c.PutDatabase("shop", server.DefaultCharset)
	var b strings.Builder
	for _, sql := range strings.Split(strings.TrimSpace(text), ";\n") {
		sql = strings.TrimSuffix(sql, ";")
		r, err := c.Apply(sql, ctx)
		first, _, _ := strings.Cut(withoutHead(sql), "\n")
		fmt.Fprintf(&b, "> %.110s\n%s", first, resultText(r))
		if err != nil {
			fmt.Fprintf(&b, "  %v\n", err)
		}
	}
	for _, table := range c.Tables() {
		b.WriteString("\n" + tableText(table))
	}
	return b.String()
}

// withoutHead removes comment lines at the beginning.
func withoutHead(sql string) string {
	for strings.HasPrefix(sql, "--") {
		_, sql, _ = strings.Cut(sql, "\n")
	}
	return sql
}

func resultText(r *schema.Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  %s", r.Class)
	if len(r.Tables) == 0 && len(r.Named) > 0 {
		fmt.Fprintf(&b, " on %v", r.Named)
	}
	if len(r.Databases) > 0 {
		fmt.Fprintf(&b, " database %s", strings.Join(r.Databases, ", "))
	}
	for _, tc := range r.Tables {
		kind := map[change.TableChangeType]string{change.Created: "created", change.Altered: "altered", change.Dropped: "dropped", change.Truncated: "truncated"}[tc.Type]
		fmt.Fprintf(&b, ", %s %s.%s", kind, tc.Database, tc.Name)
		if tc.PreviousName != "" {
			fmt.Fprintf(&b, " from %s.%s", tc.PreviousDatabase, tc.PreviousName)
		}
		if tc.Table == nil && tc.Type != change.Dropped {
			b.WriteString(" (unknown)")
		}
	}
	return b.String() + "\n"
}

// tableText writes a definition about as a person would.
func tableText(t *change.Table) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s.%s %s", t.Database, t.Name, t.Charset)
	if t.Comment != "" {
		fmt.Fprintf(&b, " comment %q", t.Comment)
	}
	b.WriteString("\n")
	for i, c := range t.Columns {
		fmt.Fprintf(&b, "  %d %s %s\n", i, c.Name, columnText(c))
	}
	if t.PrimaryKey != nil {
		fmt.Fprintf(&b, "  primary key %v\n", t.PrimaryKey)
	}
	for _, k := range t.UniqueKeys {
		fmt.Fprintf(&b, "  unique key %s %v\n", k.Name, k.Columns)
	}
	return b.String()
}

func columnText(c change.Column) string {
	s := c.Type.String()
	switch {
	case c.Members != nil:
		s += fmt.Sprintf("%q", c.Members)
	case c.Length >= 0 && c.Scale >= 0:
		s += fmt.Sprintf("(%d,%d)", c.Length, c.Scale)
	case c.Length >= 0:
		s += fmt.Sprintf("(%d)", c.Length)
	}
	for _, word := range []struct {
		is   bool
		text string
	}{{c.Charset != "", " " + c.Charset}, {c.Unsigned, " unsigned"}, {c.Zerofill, " zerofill"}, {!c.Nullable, " not null"},
		{c.AutoIncrement, " auto_increment"}, {c.Generated, " generated"}} {
		if word.is {
			s += word.text
		}
	}
	if c.Default != nil {
		s += fmt.Sprintf(" default %q", *c.Default)
	}
	if c.Comment != "" {
		s += fmt.Sprintf(" comment %q", c.Comment)
	}
	return s
}
