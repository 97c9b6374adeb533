package schema

import (
	"context"
	"slices"
	"strings"

	"daybook/change"
)

// What a server tells of a table only when it is asked for that one.

// show asks for one table. It is false if that is not there any more.
func (p *page) show(ctx context.Context, what string, n TableName) (rows [][]Text, there bool, err error) {
	rows, err = p.query(ctx, what+backquote(n.Database)+"."+backquote(n.Name))
	if err != nil {
		named, otherErr := p.query(ctx, "SELECT 1 FROM information_schema.TABLES"+whereNames([]TableName{n}))
		if otherErr == nil && len(named) == 0 {
			return nil, false, nil
		}
		return nil, false, err
	}
	return rows, true, nil
}

// orderKeys puts keys in the server's order, which information_schema gives
// everywhere but on MySQL 8.0 and later. It matters only among unique keys. It
// is false if the table is not there any more.
func (p *page) orderKeys(ctx context.Context, n TableName, keys []key) ([]key, bool, error) {
	unique := 0
	for _, k := range keys {
		if k.Unique && !k.Primary {
			unique++
		}
	}
	if unique < 2 || !p.catalog.server.mysqlFrom(80000) {
		return keys, true, nil
	}
	rows, there, err := p.show(ctx, "SHOW KEYS FROM ", n)
	if err != nil || !there {
		return nil, false, err
	}
	order := map[string]int{}
	for i, r := range rows {
		if _, ok := order[r[2].String]; !ok {
			order[r[2].String] = i
		}
	}
	slices.SortStableFunc(keys, func(a, b key) int { return order[a.Name] - order[b.Name] })
	return keys, true, nil
}

// periodOf returns a MariaDB table's period of application time, which information_schema lacks,
// nil if there is none, and marks the keys that are WITHOUT OVERLAPS of it.
func (p *page) periodOf(ctx context.Context, def *change.Table, keys []key) (applied *period, there bool, err error) {
	if !p.catalog.server.mariaFrom(100403) || !mayHavePeriod(def) {
		return nil, true, nil
	}
	rows, there, err := p.show(ctx, "SHOW CREATE TABLE ", TableName{def.Database, def.Name})
	if err != nil || !there || len(rows) != 1 || len(rows[0]) < 2 {
		return nil, there, err
	}
	r := newReader(rows[0][1].String, p.catalog.server, Context{Database: def.Database})
	if !r.accept("CREATE", "TABLE") {
		return nil, true, nil // a sequence
	}
	s := r.createTable(false, false)
	if r.failed != nil {
		return nil, true, nil
	}
	for i := range s.elements {
		switch e := &s.elements[i]; e.kind {
		case addPeriod:
			if !strings.EqualFold(e.period.Name, "SYSTEM_TIME") {
				applied = &e.period
			}
		case addKey:
			at := slices.IndexFunc(keys, func(k key) bool { return k.Name == e.key.Name })
			n := len(e.key.Parts)
			if at >= 0 && n > 0 && e.key.Parts[n-1].period != "" {
				keys[at].Overlaps = true
			}
		}
	}
	return applied, true, nil
}

// mayHavePeriod tells a table that has two columns of which a period of application time can
// be: of one type, and NOT NULL.
func mayHavePeriod(t *change.Table) bool {
	for i, c := range t.Columns {
		if c.Nullable || c.Generated || c.Type != change.Date && c.Type != change.DateTime && c.Type != change.Timestamp {
			continue
		}
		if slices.ContainsFunc(t.Columns[i+1:], func(d change.Column) bool {
			return d.Type == c.Type && d.Length == c.Length && !d.Nullable && !d.Generated
		}) {
			return true
		}
	}
	return false
}
