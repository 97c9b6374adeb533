//go:build servers

package ddl

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/klauspost/compress/s2"

	"daybook/binlog/schema"
	"daybook/change"
	"daybook/e2e/servers"
)

// definition is a table's, as it is saved (docs/store-format.md).
type definition struct {
	Table     *change.Table `json:"table"`
	Keys      []tableKey    `json:"keys"`
	Virtual   []string      `json:"virtual"`
	Invisible []string      `json:"invisible"`
	Versioned bool          `json:"versioned"`
	Engine    string        `json:"engine"`
	Assumed   bool          `json:"assumed"`
	Unknown   bool          `json:"unknown"`
	Unsure    bool          `json:"unsure"`
	// CharsetUnsure: the follower knows that the table's default charset may be another.
	CharsetUnsure bool `json:"charset_unsure"`

	history bool // FOR SYSTEM_TIME can be asked for
	text    string
}

type tableKey struct {
	Name    string
	Primary bool
	Unique  bool
	Parts   []struct {
		Column string
		Prefix int
	}
}

func (d *definition) name() string {
	return servers.QuoteName(d.Table.Database) + "." + servers.QuoteName(d.Table.Name)
}

// decode reads a saved definition.
func decode(value []byte) (*definition, error) {
	text, err := s2.Decode(nil, value[1:])
	if err != nil {
		return nil, err
	}
	d := &definition{}
	return d, json.Unmarshal(text, d)
}

// compare compares what the follower saved with the source's definitions, and
// returns those that are new there.
func (w *workload) compare() (changed []*definition) {
	w.dropGarbled()
	var names []schema.TableName
	history := map[schema.TableName]bool{}
	for _, r := range w.look.Query("SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA NOT IN" +
		" ('mysql', 'sys', 'performance_schema', 'information_schema', 'ddl_mark') AND TABLE_TYPE <> 'VIEW' ORDER BY 1, 2") {
		n := schema.TableName{Database: r[0], Name: r[1]}
		names = append(names, n)
		history[n] = r[2] == "SYSTEM VERSIONED"
	}
	known := w.follower.known()
	former := map[string]string{}
	for _, d := range w.tables {
		former[d.name()] = d.text
	}
	w.tables = nil
	if len(names) > 0 {
		c, err := schema.SnapshotTables(context.Background(), w.follower.conn.LongQuery, w.follower.kind, names...)
		if err != nil {
			w.report("read definitions: %v", err)
			return nil
		}
		for _, n := range names {
			value := c.Packed(n.Database, n.Name)
			if value == nil {
				w.report("information_schema has %s, and a snapshot of it does not: %v", n, w.look.Try("SHOW CREATE TABLE "+servers.QuoteName(n.Database)+"."+servers.QuoteName(n.Name)))
				continue
			}
			d, err := decode(value)
			if err != nil {
				w.t.Fatal(err)
			}
			if d.Unknown {
				w.report("what information_schema says of %s is not understood", n)
				continue
			}
			d.text, d.history = string(value), history[n]
			w.tables = append(w.tables, d)
			if former[d.name()] != d.text {
				changed = append(changed, d)
			}
		}
	}
	if out := differ(w.tables, known); len(out) > 0 {
		w.report("definitions differ\n%s\n%s", strings.Join(out[:min(len(out), 12)], "\n"), w.shownOf(out))
		w.follower.anew()
	}
	w.count.definitions += len(changed)
	return changed
}

// dropGarbled drops tables of which a server has put bytes into a label that are no text in
// its character set: it shows another label than its rows have. So it does of one that CREATE … SELECT
// made, with a question mark for what is beyond the BMP.
func (w *workload) dropGarbled() {
	garbled := "\ufffd\x00"
	if strings.Contains(strings.Join(w.recent[max(0, len(w.recent)-3):], "\n"), "SELECT") {
		garbled += "?"
	}
	for _, d := range w.follower.known() {
		if slices.ContainsFunc(d.Table.Columns, func(c change.Column) bool { return strings.ContainsAny(strings.Join(c.Members, ""), garbled) }) {
			w.look.Exec("DROP TABLE " + d.name())
			w.follower.read(nil)
		}
	}
}

// shownOf returns what the source shows of the tables that differences are about.
func (w *workload) shownOf(differences []string) string {
	var b strings.Builder
	for _, d := range w.tables {
		if !slices.ContainsFunc(differences, func(l string) bool { return strings.Contains(l, d.name()) }) {
			continue
		}
		if rows, err := w.look.TryQuery("SHOW CREATE TABLE " + d.name()); err == nil {
			b.WriteString(rows[0][1])
		}
	}
	return b.String()
}

// known are the definitions that the follower saved.
func (f *follower) known() []*definition {
	var all []*definition
	for k, v := range f.saved {
		parts := strings.Split(k, "\x00")
		if parts[0] != "t" || slices.Contains([]string{"mysql", "sys", "ddl_mark"}, parts[1]) {
			continue
		}
		d, err := decode(v)
		if err != nil {
			f.t.Fatal(err)
		}
		if f.saved["u\x00"+strings.Join(parts[1:], "\x00")] != nil { // in doubt: its statement did not tell all of it
			d.Unsure = true
		}
		all = append(all, d)
	}
	return all
}

// differ says in what definitions differ, line by line. Keys that are not unique are left
// out, and tables of which the follower knows that it has to look them up.
func differ(source, known []*definition) []string {
	assumed := map[string]bool{}
	for _, d := range known { // of which the binlog does not tell the engine
		if d.Assumed || d.Engine == "" {
			assumed[d.name()] = true
		}
	}
	unsure := func(d *definition) bool {
		return slices.ContainsFunc(known, func(k *definition) bool { return k.name() == d.name() && k.Unsure })
	}
	source, known = slices.DeleteFunc(slices.Clone(source), unsure), slices.DeleteFunc(slices.Clone(known), unsure)
	shownWrong := map[string]bool{}
	for _, d := range known {
		if i := slices.IndexFunc(source, func(s *definition) bool { return s.name() == d.name() }); i >= 0 && d.CharsetUnsure {
			d.Table.Charset = source[i].Table.Charset
		}
		for i := range d.Table.Columns {
			shownWrong[d.name()+d.Table.Columns[i].Name] = defaultIsGarbled(&d.Table.Columns[i])
		}
	}
	want, got := described(source, assumed, shownWrong), described(known, assumed, shownWrong)
	var out []string
	for l := range want {
		if !got[l] {
			out = append(out, "source:  "+l)
		}
	}
	for l := range got {
		if !want[l] {
			out = append(out, "catalog: "+l)
		}
	}
	slices.SortFunc(out, func(a, b string) int { return strings.Compare(a[9:], b[9:]) })
	return out
}

// defaultIsGarbled tells a default that MariaDB shows with question marks, or letters between
// zero bytes: it keeps those of TEXT and BLOB as expressions in utf8, and shows all in utf8.
func defaultIsGarbled(c *change.Column) bool {
	if c.Default == nil {
		return false
	}
	large := c.Type >= change.TinyText && c.Type <= change.LongText || c.Type >= change.TinyBlob && c.Type <= change.LongBlob
	return large && (strings.HasPrefix(c.Charset, "ucs") || strings.HasPrefix(c.Charset, "utf16") || c.Charset == "utf32") ||
		strings.ContainsFunc(*c.Default, func(r rune) bool { return r > 0xFFFF })
}

// described returns lines that say all of definitions. shownWrong are the columns, by their table's and
// their own name, whose default is not compared.
func described(list []*definition, assumed, shownWrong map[string]bool) map[string]bool {
	lines := map[string]bool{}
	for _, d := range list {
		add := func(what string, v any) {
			text, _ := json.Marshal(v)
			lines[fmt.Sprintf("%s %s %s", d.name(), what, text)] = true
		}
		t := *d.Table
		t.Columns, t.UniqueKeys = nil, nil
		add("table", t)
		add("key of rows", d.Table.Key())
		for _, k := range d.Table.UniqueKeys { // whose order matters for that alone
			add("unique", k)
		}
		for i, c := range d.Table.Columns {
			if shownWrong[d.name()+c.Name] {
				c.Default = nil
			}
			add(fmt.Sprintf("column %02d", i), c)
		}
		for _, k := range d.Keys {
			if k.Unique {
				for i := range k.Parts { // of some types the server has a length of its own
					k.Parts[i].Prefix = 0
				}
				add("key", k)
			}
		}
		add("virtual", d.Virtual)
		add("invisible", d.Invisible)
		add("versioned", d.Versioned)
		add("unknown", d.Unknown)
		if !assumed[d.name()] {
			add("engine", d.Engine)
		}
	}
	return lines
}
