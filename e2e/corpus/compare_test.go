//go:build servers

package corpus

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"daybook/binlog/schema"
	"daybook/change"
	"daybook/e2e/rowtext"
	"daybook/e2e/servers"
)

// tolerated are the tables whose changes are not all in the binlog.
func (r *run) tolerated(n name) bool {
	if r.cascades[n] || r.merges {
		r.count.cascades++
		return true
	}
	return false
}

var oddEngines = []string{"MRG_MYISAM", "MRG_MyISAM", "BLACKHOLE", "FEDERATED", "CONNECT", "EXAMPLE", "S3", "SPIDER"}

func (r *run) compare(whole bool) {
	list := r.must("SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA NOT IN ('mysql', 'sys', 'performance_schema', 'information_schema', 'corpus_mark') AND TABLE_TYPE NOT LIKE '%VIEW'")
	for _, f := range r.must("SELECT CONSTRAINT_SCHEMA, TABLE_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA NOT IN ('mysql', 'sys') AND (UPDATE_RULE NOT IN ('RESTRICT', 'NO ACTION') OR DELETE_RULE NOT IN ('RESTRICT', 'NO ACTION'))") {
		r.cascades[name{f[0], f[1]}] = true
	}
	if r.dead {
		return
	}
	r.definitions(list)
	there := map[name]bool{}
	for _, row := range list {
		n := name{row[0], row[1]}
		there[n] = true
		t := r.replica.tables[n]
		odd := slices.Contains(oddEngines, row[3])
		r.merges = r.merges || row[3] == "MRG_MYISAM" || row[3] == "MRG_MyISAM"
		if t == nil || row[2] == "SEQUENCE" || odd || !whole && len(list) > 12 && !t.touched {
			continue
		}
		r.rows(n, t, row[2] == "SYSTEM VERSIONED")
	}
	for n, t := range r.replica.tables {
		if !there[n] && n.database != "corpus_mark" {
			if !r.again && t.def != nil && !t.untold {
				r.found("%s is there in the changes, and not on the source", n)
			}
			delete(r.replica.tables, n)
		}
	}
}

// definitions compares those that are new.
func (r *run) definitions(list [][]string) {
	var names []schema.TableName
	for _, row := range list {
		n := name{row[0], row[1]}
		t := r.replica.tables[n]
		if t == nil && row[2] != "SEQUENCE" {
			if !r.again {
				r.found("nothing told of %s", n)
			}
			t = r.replica.newTable(nil)
			t.untold = true
			r.replica.tables[n] = t
		}
		if t != nil && t.defined && !slices.Contains(oddEngines, row[3]) {
			names = append(names, schema.TableName{Database: n.database, Name: n.table})
		}
	}
	if len(names) == 0 {
		return
	}
	c, err := schema.SnapshotTables(context.Background(), r.conn.LongQuery, r.kind, names...)
	if err != nil {
		r.found("definitions: %v", err)
		return
	}
	for _, sn := range names {
		n := name{sn.Database, sn.Name}
		t := r.replica.tables[n]
		t.defined = false
		want, ok := c.Table(sn.Database, sn.Name)
		if !ok {
			continue // not understood, or locked
		}
		if t.def != nil {
			r.count.definitions++
			if a, b := r.described(want, false), r.described(t.def, false); a != b && r.opens(n) {
				r.found("definition of %s\n%s", n, difference(a, b))
			} else if a, b := r.described(want, true), r.described(t.def, true); a != b {
				r.found("default of %s\n%s", n, difference(a, b))
			}
		}
		if t.def == nil || len(t.def.Columns) != len(want.Columns) {
			t.def, t.loose, t.blank = want, true, r.replica.unsure(want)
		}
	}
}

// opens tells whether the source can open a table: of one that it cannot,
// information_schema lacks this and that.
func (r *run) opens(n name) bool {
	_, err := r.query("SELECT 1 FROM " + servers.QuoteName(n.database) + "." + servers.QuoteName(n.table) + " LIMIT 0")
	return err == nil
}

func (r *run) described(t *change.Table, defaults bool) string {
	list := []string{fmt.Sprint(t.Charset, " ", t.Key(), " ", t.Comment)}
	for _, c := range t.Columns {
		c.Members = slices.Clone(c.Members)
		if !defaults || c.Type == change.Inet4 || c.Type == change.Inet6 || c.Type == change.UUID || c.Type == change.Timestamp {
			c.Default = nil // as it is written, of which there are several ways, or in the session's time zone
		}
		if c.Default != nil && r.kind.Version < 80000 { // MySQL shows no more than is text
			text, _, _ := strings.Cut(*c.Default, "\ufffd")
			c.Default = &text
		}
		for i := range c.Members {
			c.Members[i] = r.replica.sets.kept(&c, c.Members[i])
		}
		line, _ := json.Marshal(c)
		list = append(list, string(line))
	}
	return strings.Join(list, "\n")
}

func difference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	var out []string
	for i := range max(len(a), len(b)) {
		x, y := "", ""
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			out = append(out, "source:  "+x, "catalog: "+y)
		}
	}
	return strings.Join(out, "\n")
}

const maxRows = 5000

// rows compares a table's rows, and takes those of the source.
func (r *run) rows(n name, t *table, versioned bool) {
	if t.def == nil || r.replica.maria && !slices.ContainsFunc(t.def.Columns, func(c change.Column) bool { return !c.Generated }) {
		return // the latter: deletes are empty, and do not even tell how many rows they are of
	}
	from := servers.QuoteName(n.database) + "." + servers.QuoteName(n.table)
	if versioned {
		from += " FOR SYSTEM_TIME ALL"
	}
	rows, err := r.query(rowtext.Query(t.def, fmt.Sprint(from, " LIMIT ", maxRows+1)))
	if err != nil {
		if strings.Contains(err.Error(), "Unknown column") {
			r.found("rows of %s: %v", n, err)
		}
		t.loose = true
		return
	}
	if len(rows) > maxRows {
		t.loose = true
		return
	}
	rowtext.Selected(t.def, rows)
	have, all := map[string]int{}, map[string]int{}
	for _, values := range rows {
		r.replica.sets.keep(t.def, values)
		all[strings.Join(values, separator)]++
		have[t.joined(values)]++
	}
	r.count.tables++
	r.count.rows += len(rows)
	if !t.loose {
		if out := missing(have, t.rows); len(out) > 0 && !r.tolerated(n) && !r.ofSession(t, have) {
			slices.Sort(out)
			r.found("rows of %s differ:\n%s\n%s", n, strings.Join(out[:min(6, len(out))], "\n"), r.described(t.def, false))
		}
	}
	t.loose, t.touched, t.blank, t.rows = false, false, r.replica.unsure(t.def), map[string]int{}
	for row, k := range all {
		t.rows[t.joined(strings.Split(row, separator))] += k
	}
}

// missing says in which rows the source and the changes differ.
func missing(source, changes map[string]int) []string {
	var out []string
	for v, n := range source {
		if changes[v] != n {
			out = append(out, fmt.Sprintf("source has %d of %.600q, the changes %d", n, v, changes[v]))
		}
	}
	for v, n := range changes {
		if source[v] == 0 {
			out = append(out, fmt.Sprintf("source has none of %.600q, the changes %d", v, n))
		}
	}
	return out
}

// ofSession tells whether the rows differ in virtual columns only, which each session
// computes by its own settings.
func (r *run) ofSession(t *table, have map[string]int) bool {
	source := &table{rows: have}
	for i, c := range t.def.Columns {
		if c.Generated {
			source.leave(i)
			t.leave(i)
		}
	}
	return len(missing(source.rows, t.rows)) == 0
}
