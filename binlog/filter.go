package binlog

import (
	"fmt"
	"strings"
)

// filter tells which tables are selected.
type filter struct {
	include, exclude []pattern
	fold             bool
}

// pattern is database.table with the wildcards * and ?.
type pattern struct{ database, table string }

// matches tells whether the pattern is about a database. One with wildcards is about none that is
// the server's own or a service's.
func (p *pattern) matches(database string) bool {
	return wildcard(p.database, database) && (p.database == database || !systemDatabase(database))
}

// newFilter reads the patterns. fold makes them match in any case, as the
// source does unless lower_case_table_names is 0.
func newFilter(include, exclude []string, fold bool) (*filter, error) {
	f := &filter{fold: fold}
	for _, list := range []struct {
		from []string
		to   *[]pattern
	}{{include, &f.include}, {exclude, &f.exclude}} {
		for _, text := range list.from {
			database, table, ok := strings.Cut(text, ".")
			if !ok || database == "" || table == "" {
				return nil, fmt.Errorf("read object pattern %q: it must have the form database.table, such as shop.*", text)
			}
			*list.to = append(*list.to, pattern{f.folded(database), f.folded(table)})
		}
	}
	return f, nil
}

// Selector returns what tells whether a table is selected, and whether a database
// may have such tables, for patterns as in Options; fold: the source's
// lower_case_table_names is not 0.
func Selector(include, exclude []string, fold bool) (table func(database, table string) bool, database func(string) bool, err error) {
	f, err := newFilter(include, exclude, fold)
	if err != nil {
		return nil, nil, err
	}
	return f.table, f.database, nil
}

func (f *filter) folded(name string) string {
	if f.fold {
		return strings.ToLower(name)
	}
	return name
}

// table tells whether a table is selected.
func (f *filter) table(database, table string) bool {
	database, table = f.folded(database), f.folded(table)
	match := func(list []pattern) bool {
		for i := range list {
			if p := &list[i]; p.matches(database) && wildcard(p.table, table) {
				return true
			}
		}
		return false
	}
	return match(f.include) && !match(f.exclude)
}

// database tells whether a database may have selected tables.
func (f *filter) database(database string) bool {
	database = f.folded(database)
	for _, p := range f.exclude {
		if p.table == "*" && wildcard(p.database, database) {
			return false
		}
	}
	for i := range f.include {
		if f.include[i].matches(database) {
			return true
		}
	}
	return false
}

// wildcard matches name against a pattern in which * stands for any run of
// characters and ? for one. It needs time in the product of the lengths.
func wildcard(pattern, name string) bool {
	p, n := []rune(pattern), []rune(name)
	i, j, star, mark := 0, 0, -1, 0
	for j < len(n) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == n[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

// systemDatabase tells the server's own databases, and those in which a service keeps tables that were dropped.
func systemDatabase(name string) bool {
	switch strings.ToLower(name) {
	case "mysql", "sys", "information_schema", "performance_schema", "__recycle_bin__", "__cdb_recycle_bin__":
		return true
	}
	return false
}
