package schema

import (
	"iter"
	"slices"
	"strings"
)

// programKind says what a stored program is.
type programKind string

const (
	aTrigger   programKind = "trigger"
	aFunction  programKind = "function"
	aProcedure programKind = "procedure"
	aPackage   programKind = "package" // MariaDB's PACKAGE BODY
	aView      programKind = "view"
)

// program is a stored program, or a view: statements that run because another
// one names them, or the table that they belong to. Of its body the catalog
// keeps what it may change as little as need be: the identifiers in it, with
// their databases where these are written.
//
// A trigger, a function, and a procedure that these call cannot run a statement
// that is put together as text, and the server logs a CALL by other statements
// as what it does. So a table whose name is not in the body is not changed by
// it, unless by a program whose name is.
type program struct {
	Kind     programKind   `json:"kind"`
	Database string        `json:"database"`
	Name     string        `json:"name"`
	Table    string        `json:"table,omitempty"`  // of a trigger
	Events   triggerEvents `json:"events,omitempty"` // of a trigger
	Named    string        `json:"named,omitempty"`  // what may be tables and views, see pack
	Calls    string        `json:"calls,omitempty"`  // what may be routines, likewise
	Tables   string        `json:"tables,omitempty"` // what stands where nothing but a table or view can, likewise
	Names    string        `json:"names,omitempty"`  // what earlier versions saved for both: identifiers, each before a line feed
	Writes   bool          `json:"writes,omitempty"` // has a statement that changes rows
	Opaque   bool          `json:"opaque,omitempty"` // the body is not known, or not in SQL
}

// programKey is a program's name in its database. Routines are found in any
// case, views as tables are; a trigger's name is kept as it was written.
type programKey struct {
	kind programKind
	name string
}

func (c *Catalog) programKey(kind programKind, name string) programKey {
	switch kind {
	case aTrigger:
		return programKey{kind, name}
	case aView:
		return programKey{kind, c.fold(name)}
	}
	return programKey{kind, strings.ToLower(name)}
}

// setBody notes what a body names, and whether it may change rows. own is the
// database of what is named without one; "": the program's.
func (p *program) setBody(m *mentions, own string) {
	p.Named, p.Calls, p.Tables = p.pack(m.names, own), p.pack(m.calls, own), p.pack(m.tables, own)
	for word := range m.words {
		switch word {
		case "INSERT", "REPLACE", "UPDATE", "DELETE", "LOAD", "TRUNCATE":
			p.Writes = true
		case "JAVASCRIPT":
			p.Opaque = true
		}
	}
}

// pack makes one text of names.
func (p *program) pack(names map[TableName]bool, own string) string {
	list := make([]string, 0, len(names)+1)
	for n := range names {
		if n.Database == "" {
			n.Database = own
		}
		line := n.Name
		if n.Database != "" {
			line = n.Database + "\t" + n.Name
		}
		if n.Name == "" || strings.ContainsAny(n.Name+n.Database, "\t\n") {
			p.Opaque = true // a name of which no one would think
			continue
		}
		list = append(list, line)
	}
	slices.Sort(list)
	return strings.Join(append(slices.Compact(list), ""), "\n")
}

// unpack gives the names in a text that pack made: where one has no database,
// that of the program; where it is anyDatabase, each of all.
func (p *program) unpack(text string, all map[string]*database) iter.Seq[TableName] {
	return func(yield func(TableName) bool) {
		for line := range strings.Lines(text) {
			database, name, qualified := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
			switch {
			case !qualified:
				if !yield(TableName{p.Database, database}) {
					return
				}
			case database != anyDatabase:
				if !yield(TableName{database, name}) {
					return
				}
			default:
				for _, d := range all {
					if !yield(TableName{d.Name, name}) {
						return
					}
				}
			}
		}
	}
}

// anyDatabase stands for the database of a name that an earlier version saved,
// which kept them without.
const anyDatabase = ""

// readOld takes over the names that an earlier version saved.
func (p *program) readOld() {
	if p.Names == "" {
		return
	}
	p.Named = ""
	for line := range strings.Lines(p.Names) {
		p.Named += anyDatabase + "\t" + line
	}
	p.Names, p.Calls = "", p.Named
}

func (p *program) String() string { return TableName{p.Database, p.Name}.String() }

// putProgram adds a program, or replaces the one of that name.
func (c *Catalog) putProgram(p *program) {
	d := c.ensureDatabase(p.Database)
	key := c.programKey(p.Kind, p.Name)
	if old := d.programs[key]; old != nil {
		c.dropProgram(old)
	}
	d.programs[key] = p
	if p.Kind == aTrigger {
		table := c.fold(p.Table)
		d.triggers[table] = append(d.triggers[table], p)
	}
	c.dirty[c.programEntry(p)] = true
}

// dropProgram removes a program.
func (c *Catalog) dropProgram(p *program) {
	d := c.databases[c.fold(p.Database)]
	delete(d.programs, c.programKey(p.Kind, p.Name))
	if p.Kind == aTrigger {
		table := c.fold(p.Table)
		if d.triggers[table] = slices.DeleteFunc(d.triggers[table], func(t *program) bool { return t == p }); len(d.triggers[table]) == 0 {
			delete(d.triggers, table)
		}
	}
	c.dirty[c.programEntry(p)] = true
}

func (c *Catalog) programEntry(p *program) string {
	return programEntryKey(c.fold(p.Database), c.programKey(p.Kind, p.Name))
}

// findProgram returns the program of that kind and name, nil if there is none.
func (c *Catalog) findProgram(kind programKind, n TableName) *program {
	d := c.databases[c.fold(n.Database)]
	if d == nil {
		return nil
	}
	if p := d.programs[c.programKey(kind, n.Name)]; p != nil || kind != aTrigger {
		return p
	}
	for key, p := range d.programs { // servers differ in whether triggers' names have a case
		if key.kind == aTrigger && strings.EqualFold(key.name, n.Name) {
			return p
		}
	}
	return nil
}

// triggersOf returns a table's triggers.
func (c *Catalog) triggersOf(n TableName) []*program {
	if d := c.databases[c.fold(n.Database)]; d != nil {
		return d.triggers[c.fold(n.Name)]
	}
	return nil
}

// dropTriggers drops a table's triggers, as the server does with the table.
func (c *Catalog) dropTriggers(n TableName) {
	for _, p := range slices.Clone(c.triggersOf(n)) {
		c.dropProgram(p)
	}
}

// moveTriggers gives a table's triggers to its new name.
func (c *Catalog) moveTriggers(from, to TableName) {
	for _, p := range slices.Clone(c.triggersOf(from)) {
		c.dropProgram(p)
		moved := *p
		moved.Database, moved.Table = c.stored(to.Database), c.stored(to.Name)
		c.putProgram(&moved)
	}
}

// sight is what the catalog knows of a database beyond the definitions that it
// has: that nothing of the kind was hidden from the account that read them.
type sight uint8

const (
	seesTables sight = 1 << iota // tables and views
	seesTriggers
	seesRoutines
	seesViews // what is in views
	seesAll   = seesTables | seesTriggers | seesRoutines | seesViews
)

// sightOf tells what must be seen of a database for a program of that kind to
// be as the catalog knows it.
func sightOf(kind programKind) sight {
	switch kind {
	case "": // a statement
		return 0
	case aTrigger:
		return seesTriggers
	case aView:
		return seesViews
	}
	return seesRoutines
}

func (c *Catalog) sees(db string, what sight) bool {
	d := c.databases[c.fold(db)]
	return what == 0 || d != nil && d.Seen&what == what
}

// hides tells that a database which the catalog does not have may be one that
// was hidden from the account.
func (c *Catalog) hides(db string, what sight) bool {
	return db != "" && c.databases[c.fold(db)] == nil && c.others&what != what
}

// setSightOfOthers notes what is seen of the databases that are not in the catalog.
func (c *Catalog) setSightOfOthers(seen sight) {
	if c.others != seen {
		c.others = seen
		c.dirty[sightKey] = true
	}
}

// setSight notes what is seen of a database.
func (c *Catalog) setSight(db string, seen sight) {
	if d := c.ensureDatabase(db); d.Seen != seen {
		d.Seen = seen
		c.dirty[databaseKey(c.fold(db))] = true
	}
}

// unsee notes what is not known any more of a database; of one that is not there any
// more, it does so of all that are not.
func (c *Catalog) unsee(db string, what sight) {
	if d := c.databases[c.fold(db)]; d != nil {
		c.setSight(db, d.Seen&^what)
	} else {
		c.setSightOfOthers(c.others &^ what)
	}
}

// forgotten is what a statement changed of the programs of a database, as far
// as a catalog of a later position cannot tell how they were before.
type forgotten struct {
	database string
	what     sight
}

// forgottenBy tells what a statement changes of programs.
func forgottenBy(statement any) []forgotten {
	var list []forgotten
	add := func(what sight, names ...TableName) {
		for _, n := range names {
			list = append(list, forgotten{n.Database, what})
		}
	}
	switch s := statement.(type) {
	case *createProgram:
		add(sightOf(s.program.Kind), TableName{Database: s.program.Database})
	case *dropProgram:
		what := sightOf(s.kind)
		if s.kind == aView {
			what |= seesTables // a name that is not known may have been a view
		}
		add(what, s.names...)
	case *dropTable:
		if !s.temporary {
			add(seesTriggers, s.names...)
		}
	case *renameTable:
		for _, p := range s.pairs {
			add(seesTriggers|seesTables|seesViews, p[0], p[1])
		}
	case *alterTable:
		if s.renameTo != nil {
			add(seesTriggers, s.name, *s.renameTo)
		}
	case *createTable:
		if s.orReplace && !s.temporary {
			add(seesTriggers, s.name)
		}
	case *createDatabase:
		add(seesAll, TableName{Database: s.name})
	case *dropDatabase:
		add(seesAll, TableName{Database: s.name})
	}
	return list
}

// ChangesPrograms tells whether the statement changed triggers, stored routines
// or views, or tables that may have some.
func (r *Result) ChangesPrograms() bool { return len(r.forgotten) > 0 }

// Forget makes a catalog that is to stand for an earlier position rely no more
// on what a statement in between changed of triggers, stored routines and views;
// result is what another catalog's Apply gave for it.
func (c *Catalog) Forget(result *Result) {
	for _, f := range result.forgotten {
		c.unsee(f.database, f.what)
	}
}
