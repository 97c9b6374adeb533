//go:build servers

package transactions

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"daybook/e2e/servers"
)

// model is the replica: rows by table and primary key. It knows nothing but
// records.
type model struct {
	tables  map[string]map[string]row
	seen    map[place]string
	same    []string // pairs of records with the same file, pos and row
	records int
	recent  []string
}

// row is a row's values as text, by column.
type row map[string]string

// place is what no two records of rows may share.
type place struct {
	file string
	pos  uint64
	row  int
}

func newModel() *model {
	return &model{tables: map[string]map[string]row{}, seen: map[place]string{}}
}

type envelope struct {
	Op            string
	Before, After map[string]any
	DDL           string
	Source        struct {
		File, DB, Table string
		Pos             uint64
		Row             int
	}
}

// apply follows one record.
func (m *model) apply(value []byte) error {
	m.records++
	var e envelope
	d := json.NewDecoder(bytes.NewReader(value))
	d.UseNumber()
	if err := d.Decode(&e); err != nil {
		return err
	}
	m.remember(&e)
	if e.DDL != "" {
		return m.schema(e.DDL)
	}
	if e.Source.DB != db {
		return fmt.Errorf("%s.%s is not tracked", e.Source.DB, e.Source.Table)
	}
	at := place{e.Source.File, e.Source.Pos, e.Source.Row}
	if was, ok := m.seen[at]; ok {
		m.same = append(m.same, was+"\n"+m.recent[len(m.recent)-1])
	}
	m.seen[at] = m.recent[len(m.recent)-1]
	return m.change(&e)
}

func (m *model) change(e *envelope) error {
	t := m.table(e.Source.Table)
	before, after := texts(e.Before), texts(e.After)
	if e.Op == "u" && before["id"] != after["id"] {
		return fmt.Errorf("an update changes the key")
	}
	if e.Op != "c" {
		was, ok := t[before["id"]]
		if !ok {
			return fmt.Errorf("row %s is not there", before["id"])
		}
		if !maps.Equal(was, before) {
			return fmt.Errorf("row %s is %v, and was %v as the record says", before["id"], was, before)
		}
	}
	switch _, there := t[after["id"]]; {
	case e.Op == "c" && there:
		return fmt.Errorf("row %s is there already: %v", after["id"], t[after["id"]])
	case e.Op == "d":
		delete(t, before["id"])
	case e.Op == "c" || e.Op == "u":
		t[after["id"]] = after
	default:
		return fmt.Errorf("op %q", e.Op)
	}
	return nil
}

func texts(values map[string]any) row {
	r := row{}
	for name, v := range values {
		r[name] = "NULL"
		if v != nil {
			r[name] = fmt.Sprint(v)
		}
	}
	return r
}

func (m *model) table(name string) map[string]row {
	if m.tables[name] == nil {
		m.tables[name] = map[string]row{}
	}
	return m.tables[name]
}

var (
	emptied   = regexp.MustCompile("(?i)^\\s*(?:truncate(?: table)?|delete from)\\s+(?:`?tx`?\\.)?`?(\\w+)`?\\s*(?:/\\*.*)?$")
	addColumn = regexp.MustCompile(`ADD COLUMN x INT DEFAULT (\d+)`)
)

// schema follows those statements of the workload that change rows without a
// record of them.
func (m *model) schema(ddl string) error {
	if names := emptied.FindStringSubmatch(ddl); names != nil {
		m.tables[names[1]] = nil
		return nil
	}
	h := m.table("h")
	for _, r := range h {
		if strings.Contains(ddl, "CHANGE p q") {
			r["p"], r["q"] = r["q"], r["p"]
		}
		if value := addColumn.FindStringSubmatch(ddl); value != nil {
			r["x"] = value[1]
		}
		if strings.Contains(ddl, "DROP COLUMN x") {
			delete(r, "x")
		}
	}
	return nil
}

// compare compares every tracked table with what SELECT gives.
func (m *model) compare(t *testing.T, conn *servers.Conn) {
	t.Helper()
	for _, name := range conn.Query("SELECT table_name FROM information_schema.tables WHERE table_schema = '" + db + "' ORDER BY 1") {
		table := name[0]
		var columns []string
		for _, c := range conn.Query("SELECT column_name FROM information_schema.columns WHERE table_schema = '" + db + "' AND table_name = '" + table + "'") {
			columns = append(columns, c[0])
		}
		want := map[string]row{}
		for _, values := range conn.Query("SELECT " + strings.Join(columns, ", ") + " FROM " + table) {
			r := row{}
			for i, c := range columns {
				r[c] = values[i]
			}
			want[r["id"]] = r
		}
		t.Logf("table %s: %d rows", table, len(want))
		difference(t, table, m.table(table), want)
	}
}

func difference(t *testing.T, table string, got, want map[string]row) {
	t.Helper()
	ids := slices.Sorted(maps.Keys(want))
	for id := range got {
		if want[id] == nil {
			ids = append(ids, id)
		}
	}
	n := 0
	for _, id := range ids {
		if !maps.Equal(got[id], want[id]) {
			if n++; n <= 5 {
				t.Errorf("row %s of %s is %v in the replica, %v at the source", id, table, got[id], want[id])
			}
		}
	}
	if n > 5 {
		t.Errorf("%d rows of %s differ", n, table)
	}
}

func (m *model) rows() int {
	n := 0
	for _, t := range m.tables {
		n += len(t)
	}
	return n
}

func (m *model) remember(e *envelope) {
	line := fmt.Sprintf("%s:%d row %d %s %s.%s %.80v -> %.80v %.200s", e.Source.File, e.Source.Pos, e.Source.Row, e.Op, e.Source.DB, e.Source.Table, e.Before, e.After, e.DDL)
	if m.recent = append(m.recent, line); len(m.recent) > 11 {
		m.recent = m.recent[1:]
	}
}

// last are the records before the one that failed.
func (m *model) last() string { return strings.Join(m.recent[:max(0, len(m.recent)-1)], "\n") }
