package schema

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"daybook/objects"
)

// MayWrite tells whether a statement, whose result Apply has just given, may
// change rows of a selected table in a way of which only the statement is in
// the binlog. It is "" if the statement certainly does not, else why, to stand
// in a message.
//
// What counts are the tables that the statement changes, their triggers, the
// routines that it calls and the views that it names, and whatever these name
// in turn. A table that is none the catalog knows is a temporary one, if
// everything else can be seen. A database that the account of the snapshot
// could not see at all may have any. But what cannot be seen of the server's own
// and its service's databases changes nothing elsewhere.
func (c *Catalog) MayWrite(result *Result, selected func(db, table string) bool) (why string) {
	if result.change == nil {
		return ""
	}
	s := &writeSearch{catalog: c, selected: selected, seen: map[step]bool{}}
	s.statement(result.change)
	for len(s.steps) > 0 && s.why == "" {
		next := s.steps[len(s.steps)-1]
		s.steps = s.steps[:len(s.steps)-1]
		s.program(next)
	}
	return s.why
}

// writeSearch looks for a selected table that a statement may change.
type writeSearch struct {
	catalog  *Catalog
	selected func(db, table string) bool
	steps    []step
	seen     map[step]bool
	why      string
}

// step is a program that the statement may run.
type step struct {
	program *program
	changes bool   // a view: its rows may be changed, and not only read
	cause   string // what of the statement leads here
}

func (s *writeSearch) found(format string, args ...any) {
	if s.why == "" {
		s.why = fmt.Sprintf(format, args...)
	}
}

// visit plans to look into a program, once.
func (s *writeSearch) visit(p *program, changes bool, cause string) {
	key := step{program: p, changes: changes}
	if !s.seen[key] && !s.seen[step{program: p, changes: true}] {
		s.seen[key] = true
		s.steps = append(s.steps, step{p, changes, cause})
	}
}

func (s *writeSearch) statement(change *rowChange) {
	if change.merge != "" {
		s.found("it changes the tables that %s is made of, a temporary MERGE table", change.merge)
	}
	for _, t := range change.targets {
		s.target(t)
	}
	if change.unclear != "" {
		p := &program{Database: change.database}
		maps.Copy(change.mentions.names, change.mentions.values)
		p.setBody(&change.mentions, "")
		s.visit(p, true, "the statement, which cannot be read in full ("+change.unclear+"),")
		return
	}
	for _, n := range sorted(change.mentions.names) {
		if p := s.catalog.findProgram(aView, change.in(n)); p != nil {
			s.visit(p, false, "view "+p.String()+", which it reads,")
		}
		s.packages(change.database, n, "")
	}
	for _, n := range sorted(change.mentions.calls) {
		s.call(change, n)
	}
	for _, n := range sorted(change.mentions.tables) {
		s.hidden(change.in(n), "it")
	}
}

// in completes a name that the statement writes.
func (r *rowChange) in(n TableName) TableName {
	if n.Database == "" {
		n.Database = r.database
	}
	return n
}

func sorted(names map[TableName]bool) []TableName {
	return slices.SortedFunc(maps.Keys(names), func(a, b TableName) int { return strings.Compare(a.String(), b.String()) })
}

// call visits the routine that a statement calls.
func (s *writeSearch) call(change *rowChange, n TableName) {
	full := change.in(n)
	known := false
	for _, kind := range []programKind{aFunction, aProcedure} {
		if p := s.catalog.findProgram(kind, full); p != nil {
			known = true
			s.visit(p, false, fmt.Sprintf("%s %s, which it calls,", kind, p))
		}
	}
	named := func(t target) bool { return strings.EqualFold(t.Name, n.Name) }
	if !known && !slices.ContainsFunc(change.targets, named) {
		s.unseen(change.database, full, "")
	}
}

// unseen finds it possible that a name that is called is a routine, or one of a
// package of the database own, that the account cannot see.
func (s *writeSearch) unseen(own string, n TableName, lead string) {
	c := s.catalog
	d := c.databases[c.fold(n.Database)]
	if objects.System(n.Database) {
		return
	}
	if d == nil && c.hides(n.Database, seesRoutines) && c.findProgram(aPackage, TableName{own, n.Database}) == nil {
		s.found("%s%s may be a stored function, and those of %s cannot be seen: %s", lead, n.Name, n.Database, toSee(aFunction))
		return
	}
	if d == nil && c.server.mariaDB() {
		n = TableName{own, n.Database}
		d = c.databases[c.fold(own)]
	}
	if d != nil && !c.sees(d.Name, seesRoutines) && c.findProgram(aPackage, n) == nil {
		s.found("%s%s may be a stored function, and those of %s cannot be seen: %s", lead, n.Name, d.Name, toSee(aFunction))
	}
}

// hidden finds it possible that what stands for a table is one with triggers, or a
// view, that the account cannot see.
func (s *writeSearch) hidden(n TableName, cause string) {
	c := s.catalog
	if n.Database == "" || objects.System(n.Database) || c.find(n) != nil || c.findProgram(aView, n) != nil {
		return
	}
	if c.hides(n.Database, seesTables) || c.databases[c.fold(n.Database)] != nil && !c.sees(n.Database, seesTables) {
		s.found("%s names %s, which cannot be seen, and may be a view or have triggers: GRANT SELECT, TRIGGER, SHOW VIEW ON *.*", cause, n)
	}
}

// packages visits the packages that a name may begin with, or be. Calls that the server
// logs in its own words have `package.function` as one name.
// cause is "" if the statement itself names it.
func (s *writeSearch) packages(own string, n TableName, cause string) {
	first, _, ofPackage := strings.Cut(n.Name, ".")
	if n.Database == "" && !ofPackage {
		return
	}
	for _, at := range []TableName{{own, n.Database}, n, {cmp.Or(n.Database, own), first}} {
		if p := s.catalog.findProgram(aPackage, at); p != nil {
			of := cause
			if of == "" {
				of = fmt.Sprintf("%s %s, which it calls,", aPackage, p)
			}
			s.visit(p, false, of)
		}
	}
}

// target looks at a table that the statement changes.
func (s *writeSearch) target(t target) {
	c := s.catalog
	if p := c.findProgram(aView, t.TableName); p != nil {
		s.visit(p, true, "view "+p.String()+", which it changes,")
		return
	}
	known := c.find(t.TableName)
	if known == nil {
		switch {
		case c.sees(t.Database, seesTables):
			// A temporary table: its rows are nobody's, and it has no triggers.
		case s.selected(t.Database, t.Name):
			s.found("it changes %s", t.TableName)
		case objects.System(t.Database):
			// No view of others' tables is there.
		default:
			s.found("%s"+maybeView, t.TableName)
		}
		return
	}
	if t.column != "" && !known.unknown && !hasColumn(c.unpack(known), t.column) {
		return
	}
	name := TableName{known.database, known.name}
	if s.selected(name.Database, name.Name) {
		s.found("it changes %s", name)
	}
	s.triggers(name, t.events, "")
}

func hasColumn(t *table, name string) bool {
	for _, c := range t.Def.Columns {
		if strings.EqualFold(c.Name, name) {
			return true
		}
	}
	return false
}

// triggers visits the triggers of a table that changes; cause is "" if the
// statement itself changes it.
func (s *writeSearch) triggers(n TableName, events triggerEvents, cause string) {
	for _, p := range s.catalog.triggersOf(n) {
		if p.Events != 0 && p.Events&events == 0 {
			continue
		}
		of := cause
		if of == "" {
			of = fmt.Sprintf("trigger %s of %s", p, n)
		}
		s.visit(p, false, of)
	}
	if !s.catalog.sees(n.Database, seesTriggers) && !objects.System(n.Database) {
		s.found("the triggers of %s cannot be seen: %s", n, toSee(aTrigger))
	}
}

// program looks at what a program names.
func (s *writeSearch) program(at step) {
	p, c := at.program, s.catalog
	writes := p.Writes || at.changes
	switch {
	case objects.System(p.Database) && !c.sees(p.Database, sightOf(p.Kind)):
		return
	case p.Opaque || !c.sees(p.Database, sightOf(p.Kind)):
		s.opaque(at)
		return
	case writes && c.databases[c.fold(p.Database)] != nil && !c.sees(p.Database, seesTables):
		s.found("%s may change a view of %s that cannot be seen", at.cause, p.Database)
		return
	}
	for n := range p.unpack(p.Named, c.databases) {
		if view := c.findProgram(aView, n); view != nil {
			s.visit(view, writes, at.cause)
		}
		s.packages(p.Database, n, at.cause)
		if writes {
			s.table(n, at.cause)
		}
		if s.why != "" {
			return
		}
	}
	for n := range p.unpack(p.Calls, c.databases) {
		function, procedure := c.findProgram(aFunction, n), c.findProgram(aProcedure, n)
		for _, called := range []*program{function, procedure} {
			if called != nil {
				s.visit(called, false, at.cause)
			}
		}
		if function == nil && procedure == nil && c.find(n) == nil && c.findProgram(aView, n) == nil {
			s.unseen(p.Database, n, at.cause+" may write: it names ")
		}
	}
	for n := range p.unpack(p.Tables, nil) {
		s.hidden(n, at.cause)
	}
}

// table looks at a table that a program may change.
func (s *writeSearch) table(n TableName, cause string) {
	e := s.catalog.find(n)
	if e == nil {
		return
	}
	name := TableName{e.database, e.name}
	if s.selected(name.Database, name.Name) {
		s.found("%s may change %s", cause, name)
		return
	}
	s.triggers(name, onAny, cause)
}

// Unseen tells of what MayWrite gave that it may be for what the account cannot see alone: a privilege
// may show that it changes nothing.
func Unseen(why string) bool {
	return strings.Contains(why, grantAdvice) || strings.HasSuffix(why, maybeView)
}

// grantAdvice stands before the privileges that let an account see more, and maybeView behind a name that is none of a
// table's.
const grantAdvice, maybeView = ": GRANT ", " is not a known table: it may be a view"

// toSee says what lets an account see programs of a kind.
func toSee(kind programKind) string {
	switch kind {
	case aTrigger:
		return "GRANT TRIGGER ON *.*"
	case aView:
		return "GRANT SELECT, SHOW VIEW ON *.*"
	}
	return "GRANT SELECT ON *.*"
}

// opaque decides about a program whose body is not known. A view that is only
// read can do nothing but call functions.
func (s *writeSearch) opaque(at step) {
	if at.program.Kind != aView || at.changes {
		s.found("%s may change anything, as what %s is cannot be seen: %s", at.cause, at.program, toSee(at.program.Kind))
		return
	}
	for _, d := range s.catalog.databases {
		for key, p := range d.programs {
			if key.kind == aFunction || key.kind == aPackage {
				s.visit(p, false, at.cause)
			}
		}
	}
}
