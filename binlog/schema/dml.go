package schema

import "strings"

// rowChange is what a statement that may change rows names: the tables whose
// rows it changes itself, and all identifiers, among which are the routines it
// calls and the views it reads.
type rowChange struct {
	database string // the default one
	targets  []target
	mentions mentions
	unclear  string // why the targets could not be told; "" if they were
	empties  bool   // it is DELETE FROM table and nothing else
	merge    string // a temporary table that it changes and whose rows are those of other tables; "": none
}

// target is a table, or a view, whose rows a statement changes.
type target struct {
	TableName
	events triggerEvents
	column string // not "": only if the table has this column
}

// triggerEvents are the kinds of row changes that a trigger is made for.
type triggerEvents uint8

const (
	onInsert triggerEvents = 1 << iota
	onUpdate
	onDelete
	onAny = onInsert | onUpdate | onDelete
)

// collect has every token from the next one on noted as mentioned.
func (r *reader) collect() {
	if r.change != nil {
		return
	}
	r.change = &rowChange{database: r.db, mentions: mentions{server: r.server, mode: r.lex.mode}}
	for _, t := range r.ahead {
		r.change.mentions.add(t)
	}
}

// rowChange reads a statement that may change rows to its end.
func (r *reader) rowChange() {
	r.collect()
	var ctes []string
	if r.acceptAny("WITH") {
		ctes = r.commonTables()
	}
	switch {
	case r.acceptAny("INSERT"):
		r.insert(onInsert)
	case r.acceptAny("REPLACE"):
		r.insert(onInsert | onDelete)
	case r.acceptAny("LOAD"):
		r.load()
	case r.acceptAny("UPDATE"):
		r.update(ctes)
	case r.acceptAny("DELETE"):
		r.delete(ctes)
	}
	r.skipRest()
	if r.failed != nil {
		r.change.unclear = r.failed.Reason
		for t := r.lex.next(); t.kind != tokEnd; t = r.lex.next() {
			r.change.mentions.add(t)
		}
	}
	r.change.mentions.end()
	for _, t := range r.change.targets {
		r.tables = append(r.tables, t.TableName)
	}
}

func (r *reader) changes(n TableName, events triggerEvents) {
	r.change.targets = append(r.change.targets, target{TableName: n, events: events})
}

// commonTables reads WITH up to the statement that uses it, and returns the
// names of its tables.
func (r *reader) commonTables() []string {
	var names []string
	r.acceptAny("RECURSIVE")
	for r.failed == nil {
		names = append(names, r.name())
		r.skipParens()
		if !r.acceptAny("AS") || !r.skipParens() {
			r.fail("expected AS (")
		}
		if r.acceptAny("CYCLE") { // MariaDB: columns RESTRICT
			for r.peek(0).kind != tokEnd && !r.acceptAny("RESTRICT") {
				r.take()
			}
		}
		if !r.acceptOp(",") {
			break
		}
	}
	return names
}

// insert reads what follows INSERT and REPLACE.
func (r *reader) insert(events triggerEvents) {
	for r.acceptAny("LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE") {
	}
	r.acceptAny("INTO")
	n := r.relationName()
	for r.peek(0).kind != tokEnd {
		if r.accept("ON", "DUPLICATE", "KEY") {
			events |= onUpdate
		} else {
			r.take()
		}
	}
	r.changes(n, events)
}

// load reads what follows LOAD, of DATA and of XML.
func (r *reader) load() {
	events := onInsert
	for !r.accept("INTO", "TABLE") {
		if r.isWord(0, "REPLACE") {
			events |= onDelete
		}
		if r.take().kind == tokEnd {
			r.fail("expected INTO TABLE")
			return
		}
	}
	r.changes(r.relationName(), events)
}

// update reads what follows UPDATE: of one table or several.
func (r *reader) update(ctes []string) {
	for r.acceptAny("LOW_PRIORITY", "IGNORE") {
	}
	refs := r.tableReferences(ctes)
	if !r.accept("SET") {
		r.fail("expected SET")
		return
	}
	if len(refs) == 1 && !refs[0].derived {
		r.changes(refs[0].TableName, onUpdate)
		return
	}
	for r.failed == nil {
		r.assignment(refs)
		if len(r.change.targets) > maxTargets {
			r.fail("too many columns")
		}
		if !r.acceptOp(",") {
			return
		}
	}
}

// assignment reads column = expression, and notes the tables whose the column
// may be.
func (r *reader) assignment(refs []reference) {
	path := []string{r.name()}
	for r.acceptOp(".") {
		path = append(path, r.name())
	}
	if r.acceptOp(":"); !r.acceptOp("=") {
		r.fail("expected =")
	}
	for !r.atElementEnd() && !r.isWord(0, "WHERE", "ORDER", "LIMIT") {
		if !r.skipParens() {
			r.take()
		}
	}
	if r.failed != nil {
		return
	}
	if len(path) > 1 {
		r.resolve(refs, path[:len(path)-1], onUpdate)
		return
	}
	for _, ref := range refs {
		if !ref.derived {
			r.change.targets = append(r.change.targets, target{ref.TableName, onUpdate, path[0]})
		}
	}
}

// delete reads what follows DELETE, in its three forms: FROM table; FROM
// tables USING references; tables FROM references.
func (r *reader) delete(ctes []string) {
	for r.acceptAny("LOW_PRIORITY", "QUICK", "IGNORE") || r.isWord(0, "HISTORY") && r.isWord(1, "FROM") && r.acceptAny("HISTORY") {
	}
	from := r.acceptAny("FROM")
	if from && r.failed == nil {
		if n, ok := r.onlyTable(); ok {
			r.changes(n, onDelete)
			return
		}
	}
	targets := r.deleteTargets()
	if from && !r.acceptAny("USING") || !from && !r.acceptAny("FROM") {
		r.fail("expected FROM or USING")
		return
	}
	refs := r.tableReferences(ctes)
	for _, path := range targets {
		r.resolve(refs, path, onDelete)
	}
}

// onlyTable takes the table of a DELETE from one.
func (r *reader) onlyTable() (TableName, bool) {
	n := 1
	for r.isOp(n, ".") {
		n += 2
	}
	if r.isOp(n, ",") || r.isOp(n-1, "*") || r.isWord(n, "USING", "JOIN", "INNER", "CROSS", "LEFT", "RIGHT", "NATURAL", "STRAIGHT_JOIN") {
		return TableName{}, false
	}
	name := r.relationName()
	r.change.empties = r.peek(0).kind == tokEnd || r.isOp(0, ";") && r.peek(1).kind == tokEnd
	return name, true
}

// deleteTargets reads [database.]table[.*], …
func (r *reader) deleteTargets() [][]string {
	var targets [][]string
	for r.failed == nil {
		path := []string{r.name()}
		for r.acceptOp(".") {
			if r.acceptOp("*") {
				break
			}
			path = append(path, r.name())
		}
		if targets = append(targets, path); len(targets) > maxReferences {
			r.fail("more tables than any server joins")
		}
		if !r.acceptOp(",") {
			break
		}
	}
	return targets
}

// resolve notes the tables that [database.]name stands for among references:
// an alias, or a table's own name.
func (r *reader) resolve(refs []reference, path []string, events triggerEvents) {
	found := false
	name := path[len(path)-1]
	for _, ref := range refs {
		own := ref.alias
		if own == "" || len(path) == 2 && !strings.EqualFold(own, name) {
			own = ref.Name
		}
		if !strings.EqualFold(own, name) || len(path) == 2 && !strings.EqualFold(ref.Database, path[0]) {
			continue
		}
		found = true
		if !ref.derived {
			r.changes(ref.TableName, events)
		}
	}
	if !found {
		r.fail("no table " + strings.Join(path, ".") + " among those named")
	}
}
