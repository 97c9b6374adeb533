package task

import (
	"context"
	"slices"

	"daybook/objects"
)

// ObjectName names a table.
type ObjectName struct{ Database, Table string }

// Preview is what patterns select of a source's tables now.
type Preview struct {
	Count int
	First []ObjectName // in the order of names
	// IdleInclude are patterns that match no table, and IdleExclude those that take none away:
	// none of what was not looked at either.
	IdleInclude, IdleExclude []string
	Unread                   string // what was not looked at, and why; "": all was
}

// PreviewObjects tells what Include and Exclude select of the tables that the account may see,
// and names the first of them, at most so many. Views are left out.
func PreviewObjects(ctx context.Context, o Options, most int) (*Preview, error) {
	b, err := browse(ctx, o)
	if err != nil {
		return nil, err
	}
	defer b.close()
	there, err := databases(b.ctx, b.conn)
	if err != nil {
		return nil, b.failed("the list of databases", err)
	}
	p := &preview{most: most, selected: b.selected}
	if p.include, err = singly(o.Include, b.fold); err != nil {
		return nil, err
	}
	if p.exclude, err = singly(o.Exclude, b.fold); err != nil {
		return nil, err
	}
	for i, database := range there {
		if !slices.ContainsFunc(p.include, func(s single) bool { return s.selected.Database(database) }) {
			continue
		}
		names, err := b.baseTables(database)
		if err == nil {
			err = p.add(b.ctx, database, names)
		}
		if err != nil {
			p.Unread = "database " + database + " and those behind it: " + b.failed("their tables", err).Error()
			p.leave(there[i:])
			break
		}
	}
	p.IdleInclude, p.IdleExclude = idle(p.include), idle(p.exclude)
	return &p.Preview, nil
}

// preview counts what is selected.
type preview struct {
	Preview
	most             int
	selected         *objects.Selection
	include, exclude []single
}

// single is one pattern by itself.
type single struct {
	text     string
	selected *objects.Selection
	matches  bool // it has matched a table, or may match one that was not looked at
}

func singly(patterns []string, fold bool) (all []single, err error) {
	for _, text := range patterns {
		s := single{text: text}
		if s.selected, err = objects.New([]string{text}, nil, fold); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func idle(all []single) (patterns []string) {
	for _, s := range all {
		if !s.matches {
			patterns = append(patterns, s.text)
		}
	}
	return patterns
}

// add counts the tables of a database.
func (p *preview) add(ctx context.Context, database string, tables []string) error {
	include, exclude := waiting(p.include, database), waiting(p.exclude, database)
	for _, table := range tables {
		if err := ctx.Err(); err != nil {
			return err
		}
		name := ObjectName{database, table}
		selected := p.selected.Table(database, table)
		include = mark(include, name)
		if selected {
			if p.Count++; len(p.First) < p.most {
				p.First = append(p.First, name)
			}
		} else if len(exclude) > 0 && p.included(name) {
			exclude = mark(exclude, name)
		}
	}
	return nil
}

// leave passes over databases.
func (p *preview) leave(databases []string) {
	for _, database := range databases {
		for _, s := range slices.Concat(waiting(p.include, database), waiting(p.exclude, database)) {
			s.matches = true
		}
	}
}

func (p *preview) included(name ObjectName) bool {
	return slices.ContainsFunc(p.include, func(s single) bool { return s.selected.Table(name.Database, name.Table) })
}

// waiting are the patterns that may match a table of the database, and have matched none.
func waiting(all []single, database string) (some []*single) {
	for i := range all {
		if s := &all[i]; !s.matches && s.selected.Database(database) {
			some = append(some, s)
		}
	}
	return some
}

// mark takes out the patterns that match a table.
func mark(some []*single, name ObjectName) []*single {
	return slices.DeleteFunc(some, func(s *single) bool {
		s.matches = s.selected.Table(name.Database, name.Table)
		return s.matches
	})
}
