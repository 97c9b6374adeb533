package objects

import (
	"regexp"
	"slices"
	"strings"
)

// Selection tells which tables are selected.
type Selection struct {
	include, exclude rules
	fold             bool
}

// New makes a selection of patterns; an exclusion wins. fold makes them match in any case,
// as the source does unless its lower_case_table_names is 0. The error is an [*Error], of
// the first pattern that has a fault.
func New(include, exclude []string, fold bool) (*Selection, error) {
	return newSelection(include, exclude, fold, readLimited)
}

// Saved makes a selection of patterns that were in use before, beyond the limits too. If
// plain, backquotes and slashes in them are characters of names.
func Saved(include, exclude []string, fold, plain bool) (*Selection, error) {
	return newSelection(include, exclude, fold, func(list []string) (patterns []Pattern, err error) {
		return readSaved(list, plain)
	})
}

func newSelection(include, exclude []string, fold bool, read func([]string) ([]Pattern, error)) (*Selection, error) {
	s := &Selection{fold: fold}
	for _, list := range []struct {
		from []string
		to   *rules
	}{{include, &s.include}, {exclude, &s.exclude}} {
		patterns, err := read(list.from)
		if err != nil {
			return nil, err
		}
		for _, p := range patterns {
			if err := list.to.add(p, fold); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

func readSaved(list []string, plain bool) (patterns []Pattern, err error) {
	read := Parse
	if plain {
		read = parsePlain
	}
	for _, text := range list {
		p, err := read(text)
		if err != nil {
			return nil, err
		}
		patterns = append(patterns, p)
	}
	return patterns, nil
}

// Fold returns a name as it is compared: in lower case where the source folds.
func (s *Selection) Fold(name string) string { return folded(name, s.fold) }

func folded(name string, fold bool) string {
	if fold {
		return strings.ToLower(name)
	}
	return name
}

// Table tells whether a table is selected.
func (s *Selection) Table(database, table string) bool {
	database, table = s.Fold(database), s.Fold(table)
	return s.include.match(database, table) && !s.exclude.match(database, table)
}

// Database tells whether a database may have selected tables.
func (s *Selection) Database(database string) bool {
	database = s.Fold(database)
	return s.include.mayMatch(database) && !s.exclude.cover(database)
}

// Databases returns those that are selected by their exact names, as they are compared.
func (s *Selection) Databases() (names []string) {
	for _, name := range s.include.databases {
		if s.Database(name) {
			names = append(names, name)
		}
	}
	return names
}

// rules are the patterns of a list, by what they name exactly.
type rules struct {
	databases []string                   // named exactly, in order
	tables    map[string]map[string]bool // named exactly, by database
	within    map[string][]*rule         // for other tables of a database that is named exactly
	others    []*rule
}

// rule is one pattern as it is matched.
type rule struct {
	database, table matcher
	both            *regexp.Regexp // in place of the two
	program         *program       // of both
	allTables       bool
}

func (r *rules) add(p Pattern, fold bool) error {
	if r.tables == nil {
		r.tables, r.within = map[string]map[string]bool{}, map[string][]*rule{}
	}
	database, table := p.Names()
	database, table = folded(database, fold), folded(table, fold)
	if database != "" && r.tables[database] == nil {
		r.databases = append(r.databases, database)
		r.tables[database] = map[string]bool{}
	}
	if database != "" && table != "" {
		r.tables[database][table] = true
		return nil
	}
	made, err := newRule(p, fold)
	if err != nil {
		return err
	}
	if database != "" {
		r.within[database] = append(r.within[database], made)
	} else {
		r.others = append(r.others, made)
	}
	return nil
}

func newRule(p Pattern, fold bool) (r *rule, err error) {
	r = &rule{}
	if p.both != "" {
		if r.both, err = compile(p.both, fold); err == nil {
			r.program, err = newProgram(p.both, fold)
		}
		return r, err
	}
	if r.database, err = newMatcher(p.database, fold); err == nil {
		r.table, err = newMatcher(p.table, fold)
	}
	r.allTables = coversTables(p.table)
	return r, err
}

// match tells whether a pattern means the table.
func (r *rules) match(database, table string) bool {
	if r.tables[database][table] {
		return true
	}
	for _, rule := range r.within[database] {
		if rule.table.match(table) {
			return true
		}
	}
	return !System(database) && slices.ContainsFunc(r.others, func(o *rule) bool { return o.match(database, table) })
}

func (r *rule) match(database, table string) bool {
	if r.both != nil {
		return r.both.MatchString(database + "." + table)
	}
	return r.database.match(database) && r.table.match(table)
}

// mayMatch tells whether a pattern may mean a table of the database.
func (r *rules) mayMatch(database string) bool {
	if r.tables[database] != nil {
		return true
	}
	return !System(database) && slices.ContainsFunc(r.others, func(o *rule) bool {
		if o.program != nil {
			return o.program.mayHave(database)
		}
		return o.database.match(database)
	})
}

// cover tells whether a pattern means all tables of the database. That of a regular
// expression for database.table is not known.
func (r *rules) cover(database string) bool {
	all := func(o *rule) bool { return o.allTables }
	return slices.ContainsFunc(r.within[database], all) ||
		!System(database) && slices.ContainsFunc(r.others, func(o *rule) bool { return o.allTables && o.database.match(database) })
}

// matcher matches one name.
type matcher struct {
	name       string
	wild       []rune
	expression *regexp.Regexp
}

func newMatcher(p part, fold bool) (m matcher, err error) {
	switch p.kind {
	case exact:
		m.name = folded(p.text, fold)
	case wildcards:
		m.wild = []rune(folded(p.text, fold))
	case expression:
		m.expression, err = compile(p.text, fold)
	}
	return m, err
}

func (m *matcher) match(name string) bool {
	switch {
	case m.expression != nil:
		return m.expression.MatchString(name)
	case m.wild != nil:
		return wildcard(m.wild, name)
	}
	return m.name == name
}

// wildcard matches name against a pattern in which * stands for any run of
// characters and ? for one. It needs time in the product of the lengths.
func wildcard(p []rune, name string) bool {
	n := []rune(name)
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

// System tells the server's own databases, and those in which a service keeps tables that were dropped.
func System(database string) bool {
	switch strings.ToLower(database) {
	case "mysql", "sys", "information_schema", "performance_schema", "__recycle_bin__", "__cdb_recycle_bin__":
		return true
	}
	return false
}
