package binlog

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"daybook/binlog/schema"
	"daybook/change"
	"daybook/objects"
)

// statement acts on a statement that is a group of its own or, in a
// transaction, one of its statements. It counts as one.
func (r *Reader) statement(it *item) (*change.Change, error) {
	var c *change.Change
	if m := &r.stream.group.MariaDB; !m.StartAlter && !m.RollbackAlter && !r.seen() {
		// Of an ALTER in two phases the second one counts: what is committed
		// between them was written to the table as it was before.
		var err error
		if c, err = r.apply(it); err != nil {
			return nil, err
		}
		r.take()
	}
	if it.ends {
		return c, r.endGroup()
	}
	return c, nil
}

// apply follows a statement in the catalog.
func (r *Reader) apply(it *item) (*change.Change, error) {
	q := &it.query
	result, err := r.sessions.apply(r.catalog, it)
	var unreadable *schema.UnreadableError
	if err != nil && !errors.As(err, &unreadable) {
		return nil, err
	}
	switch {
	case unreadable != nil:
		if err := r.unreadable(unreadable, result); err != nil {
			return nil, err
		}
	case !result.IsDDL():
		return r.statementFormat(it, result)
	}
	if d := r.stream.group.disorder; d != nil && (r.stream.group.old && r.wantsDDL(result) || slices.ContainsFunc(r.touched(result), func(n schema.TableName) bool { return r.filter.Table(n.Database, n.Name) })) {
		return nil, d
	}
	r.touch(result)
	r.moveTables(result.Moves)
	// CREATE TABLE … SELECT, logged as it was written, may call a function.
	if err := r.mayWrite(q, result, it.undone); err != nil {
		return nil, err
	}
	r.doubt(it, result)
	r.tellActing(result)
	r.generation++
	if err := r.releaseHeld(); err != nil {
		return nil, err
	}
	if !r.wantsDDL(result) {
		return nil, nil
	}
	return r.schemaChange(it, result), nil
}

func (r *Reader) schemaChange(it *item, result *schema.Result) *change.Change {
	server := schemaServer(r.server.Load(), r.version())
	session := it.query.session(server, r.stream.status, &it.event)
	session.SQLMode = schema.SQLModes(result.SQLMode, server)
	if result.WholeDatabase {
		session.Database = "" // the one that is logged is not there before, or not after
	}
	if result.ServerText {
		session.CollationConnection = "" // its literals are not converted
	}
	r.ddl = change.SchemaChange{Database: result.Database, SQL: runnable(it, result), Tables: result.Tables, Session: session}
	r.change = change.Change{Source: r.source(it.event.ServerID), Op: change.Schema, DDL: &r.ddl}
	return &r.change
}

// runnable returns a statement as it can be run elsewhere.
func runnable(it *item, result *schema.Result) string {
	// Servers that do not undo a DROP TABLE log it for the tables that were there, and name the others too.
	failed := it.query.failed || len(result.Tables) < len(result.Named)
	if names, ok := strings.CutPrefix(result.SQL, "DROP TABLE "); ok && failed && !strings.HasPrefix(names, "IF EXISTS ") {
		return "DROP TABLE IF EXISTS " + names
	}
	return result.SQL
}

// statementFormat decides about what is no DDL: a change of rows that was
// logged as a statement, or nothing that matters here.
func (r *Reader) statementFormat(it *item, result *schema.Result) (*change.Change, error) {
	if table, ok := r.catalog.EmptiedBy(result); ok && !it.undone {
		// A MEMORY table is empty when its server has restarted, which some
		// servers log in this form, and never undo.
		if !r.filter.Table(table.Database, table.Name) || r.o.SchemaChanges == SchemaChangesNone {
			return nil, nil
		}
		definition, _ := r.catalog.Table(table.Database, table.Name)
		result.Database = table.Database
		result.Tables = []change.TableChange{{Type: change.Truncated, Database: table.Database, Name: table.Name, Table: definition}}
		return r.schemaChange(it, result), nil
	}
	return nil, r.mayWrite(&it.query, result, it.undone)
}

// mayWrite is an error for a statement that may change rows of a selected
// table, which the binlog does not have. undone: the source has rolled it back,
// so that only tables keep something of it whose engine cannot, or may not. What
// all tables undo is one in an XA transaction only if that is committed.
func (r *Reader) mayWrite(q *query, result *schema.Result, undone bool) error {
	why := r.writes(q, result, undone)
	switch {
	case why == "":
		return nil
	case r.inXA() && r.writes(q, result, true) == "":
		r.progress.spool.statement = why
		return nil
	}
	return statementError("", why)
}

// statementError is that of a statement which may change rows, if nothing is seen that says it does not.
func statementError(where, why string) error {
	err := fmt.Errorf("%w: %s%s", ErrStatement, where, why)
	if reason, _, _ := strings.Cut(why, formatAdvice); schema.Unseen(reason) {
		return fmt.Errorf("%w; %w", err, ErrUnseen)
	}
	return err
}

// formatAdvice is what to do about any such statement.
const formatAdvice = "; a session or trigger runs with binlog_format=STATEMENT or MIXED: find and change it"

// writes says which selected table a statement may change, and by which way; "" if
// none.
func (r *Reader) writes(q *query, result *schema.Result, undone bool) string {
	if q.updatedTold && !r.anySelected(q.updated) {
		return ""
	}
	selected := r.filter.Table
	if undone {
		selected = r.keepsUndone
	}
	why := r.catalog.MayWrite(result, selected)
	if why == "" {
		return ""
	}
	return fmt.Sprintf("%.200q, default database %q: %s"+formatAdvice,
		result.SQL, q.context.Database, why)
}

// keepsUndone tells whether a table is selected and may keep what was rolled
// back. Sequences of MariaDB do, whatever their engine.
func (r *Reader) keepsUndone(database, table string) bool {
	if !r.filter.Table(database, table) {
		return false
	}
	if !r.catalog.CertainlyUndoes(database, table) {
		return true
	}
	t, known := r.catalog.Table(database, table)
	return !known || len(t.Columns) > 0 && t.Columns[0].Name == "next_not_cached_value"
}

func (r *Reader) anySelected(databases []string) bool {
	for _, d := range databases {
		if r.filter.Database(d) {
			return true
		}
	}
	return false
}

// wantsDDL tells whether a DDL is handed out.
func (r *Reader) wantsDDL(result *schema.Result) bool {
	switch r.o.SchemaChanges {
	case SchemaChangesNone:
		return false
	case SchemaChangesInstance:
		return !objects.System(result.Database)
	}
	for _, t := range result.Tables {
		if r.filter.Table(t.Database, t.Name) || t.PreviousName != "" && r.filter.Table(t.PreviousDatabase, t.PreviousName) {
			return true
		}
	}
	for _, n := range result.Named {
		if r.filter.Table(n.Database, n.Name) {
			return true
		}
	}
	return r.anySelected(result.Databases)
}

// unreadable acts on a DDL that cannot be understood. The tables it names are
// unknown from here on, so that a row of a selected one is an error; what
// cannot even be told apart is one at once.
func (r *Reader) unreadable(u *schema.UnreadableError, result *schema.Result) error {
	named := false
	for _, n := range u.Tables {
		if u.Rows && r.filter.Table(n.Database, n.Name) {
			return fmt.Errorf("%w: %w: the rows that it inserted are not in the binlog; a session runs with binlog_format=STATEMENT or MIXED: find and change it", ErrStatement, u)
		}
		named = named || n.Database != "" && n.Name != ""
	}
	if !named && (result.Database == "" || r.filter.Database(result.Database)) {
		return fmt.Errorf("%w: a DDL that cannot be understood may be about a selected table: %w; report it", ErrSchema, u)
	}
	r.log.Warn("a DDL cannot be understood; the definitions of its tables are not known from here on",
		"source", r.o.Source.Address, "file", r.stream.file, "pos", r.stream.start, "error", u)
	return nil
}

// tellActing tells of foreign keys whose actions change rows of a selected table
// that the binlog does not have.
func (r *Reader) tellActing(result *schema.Result) {
	for _, k := range result.Acting {
		if !r.filter.Table(k.Child.Database, k.Child.Name) {
			continue
		}
		r.tell(ForeignKeyAction, k.Child.String(), "a foreign key was added whose action changes rows that are not in the binlog: "+k.Actions+", of "+k.Parent.String())
	}
}

// passOver acts on an item of the group that is to be passed over: its DDL is
// followed as far as it can be, so that what comes after is read rightly. At
// its end a gap is handed out.
func (r *Reader) passOver(it *item) (*change.Change, error) {
	switch it.kind {
	case itemXA:
		r.forget(r.stream.group.xid, 0)
	case itemStatement:
		result, err := r.sessions.apply(r.catalog, it)
		if err != nil {
			r.log.Warn("a statement of the group passed over cannot be understood", "source", r.o.Source.Address, "error", err)
		}
		r.touch(result)
		r.moveTables(result.Moves)
		r.doubt(it, result)
		r.generation++
		if err := r.releaseHeld(); err != nil {
			return nil, err
		}
	}
	if !it.ends {
		return nil, nil
	}
	s := r.stream
	from := r.o.Skip.String()
	source := r.source(it.event.ServerID)
	r.skipping, r.passed, r.progress.skip = false, true, 0
	r.dropSpool()
	if err := r.endGroup(); err != nil {
		return nil, err
	}
	r.gap = change.GapInfo{From: from, To: GroupPlace{File: s.pos.File, Pos: s.pos.Pos}.String(), Reason: "the event group was skipped"}
	r.change = change.Change{Source: source, Op: change.Gap, Gap: &r.gap}
	return &r.change, nil
}

// isAt tells whether the group that begins is the one at a place.
func (r *Reader) isAt(p *GroupPlace) bool {
	s := r.stream
	if p.GTID != "" {
		return p.GTID == s.gtidText()
	}
	return p.File == s.pos.File && p.Pos == s.pos.Pos
}
