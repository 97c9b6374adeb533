package binlog

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"daybook/binlog/schema"
	"daybook/change"
)

// maxStatement bounds what a compressed statement may grow to; MySQL's limit
// of a packet.
const maxStatement = 1 << 30

// query acts on a QUERY_EVENT, of which the binlog has three forms.
func (r *Reader) query(e event) (*change.Change, error) {
	extra := 0
	if e.typ == evExecuteLoadQuery {
		extra = 13 // file ID, start, end, how to treat duplicates
	}
	q, err := parseQuery(e.body, extra)
	if err == nil && e.typ == evQueryCompressed {
		q.sql, err = inflate(q.sql, maxStatement)
	}
	if err != nil {
		return nil, err
	}
	q.sessionOf(r.status)
	r.openGroup(e)
	r.group.thread = uint64(q.thread)
	switch statementOf(q.sql) {
	case stBegin:
		r.group.explicit = true
		return nil, nil
	case stCommit:
		r.endGroup()
		return nil, nil
	case stRollback, stRollbackTo:
		return nil, r.rollback(&q)
	case stSavepoint:
		return nil, nil
	case stXAStart, stXAEnd, stXACommit, stXARollback:
		return nil, r.xa(&q)
	}
	return r.statement(e, &q)
}

// rollback ends or cuts a transaction that the source logged although it was
// undone, because it could not undo all of it.
func (r *Reader) rollback(q *query) error {
	if r.group.emitted {
		return fmt.Errorf("%w: %q undoes rows that were already taken, which the source does only for a transaction that mixes tables with and without transactions; compare the data and start the task anew", ErrEvent, q.sql)
	}
	if statementOf(q.sql) == stRollback {
		r.group.skip = 0
		r.endGroup()
	}
	return nil
}

// statement acts on a statement that is a group of its own or, in a
// transaction, one of its statements. It counts as one.
func (r *Reader) statement(e event, q *query) (*change.Change, error) {
	var c *change.Change
	var err error
	if r.scan != nil {
		err = r.scan.statement(r, q)
	} else if !r.take() {
		c, err = r.apply(e, q)
	}
	if err == nil {
		r.endStatement(q)
	}
	return c, err
}

// apply follows a statement in the catalog.
func (r *Reader) apply(e event, q *query) (*change.Change, error) {
	sql := string(q.sql)
	result, err := r.catalog.Apply(sql, q.context)
	var unreadable *schema.UnreadableError
	if err != nil && !errors.As(err, &unreadable) {
		return nil, err
	}
	switch {
	case unreadable != nil:
		if err := r.unreadable(unreadable, result); err != nil {
			return nil, err
		}
	case result.Class == schema.DML || result.Class == schema.Other && statementOf(q.sql) == stLooksLikeSelect:
		return nil, r.statementFormat(q, result)
	case !result.IsDDL():
		return nil, nil
	}
	r.generation++
	r.releaseHeld()
	if !r.wantsDDL(result) {
		return nil, nil
	}
	r.ddl = change.SchemaChange{Database: result.Database, SQL: result.SQL, Tables: result.Tables}
	r.change = change.Change{Source: r.source(e), Op: change.Schema, DDL: &r.ddl}
	return &r.change, nil
}

// endStatement ends the group of a statement that is one by itself. CREATE
// TABLE … SELECT (MySQL 8.0.21) opens a transaction by its last words.
func (r *Reader) endStatement(q *query) {
	switch {
	case r.group.explicit:
	case bytes.HasSuffix(q.sql, []byte("START TRANSACTION")):
		r.group.explicit = true
	default:
		r.endGroup()
	}
}

// wantsDDL tells whether a DDL is handed out.
func (r *Reader) wantsDDL(result *schema.Result) bool {
	switch r.o.SchemaChanges {
	case SchemaChangesNone:
		return false
	case SchemaChangesInstance:
		return !systemDatabase(result.Database)
	}
	for _, t := range result.Tables {
		if r.filter.table(t.Database, t.Name) || t.PreviousName != "" && r.filter.table(t.PreviousDatabase, t.PreviousName) {
			return true
		}
	}
	for _, n := range result.Named {
		if r.filter.table(n.Database, n.Name) {
			return true
		}
	}
	for _, d := range result.Databases {
		if r.filter.database(d) {
			return true
		}
	}
	return false
}

// unreadable acts on a DDL that cannot be understood. The tables it names are
// unknown from here on, so that a row of a selected one is an error; what
// cannot even be told apart is one at once.
func (r *Reader) unreadable(u *schema.UnreadableError, result *schema.Result) error {
	named := false
	for _, n := range u.Tables {
		if u.Rows && r.filter.table(n.Database, n.Name) {
			return fmt.Errorf("%w: %w: the rows that it inserted are not in the binlog; a session runs with binlog_format=STATEMENT or MIXED: find and change it, then start the task anew", ErrStatement, u)
		}
		named = named || n.Database != "" && n.Name != ""
	}
	if !named && (result.Database == "" || r.filter.database(result.Database)) {
		return fmt.Errorf("%w: a DDL that cannot be understood may be about a selected table: %w; report it, and start the task anew behind it", ErrSchema, u)
	}
	r.log.Warn("a DDL cannot be understood; the definitions of its tables are not known from here on",
		"source", r.o.Source.Address, "file", r.file, "pos", r.start, "error", u)
	return nil
}

// statementFormat decides about a change that was logged as a statement.
func (r *Reader) statementFormat(q *query, result *schema.Result) error {
	if !r.touchesSelected(q, result) {
		return nil
	}
	return fmt.Errorf("%w: %.200q, default database %q; a session or trigger runs with binlog_format=%s: find and change it, then start the task anew",
		ErrStatement, result.SQL, q.context.Database, "STATEMENT or MIXED")
}

// touchesSelected tells whether a statement may change a selected table.
// INSERT, REPLACE and LOAD name it first; others may join several, and a
// function may change any.
func (r *Reader) touchesSelected(q *query, result *schema.Result) bool {
	for _, n := range result.Named {
		if r.filter.table(n.Database, n.Name) {
			return true
		}
	}
	first, _, _ := strings.Cut(strings.ToUpper(strings.TrimLeft(result.SQL, " (\t\r\n")), " ")
	if len(result.Named) > 0 && (first == "INSERT" || first == "REPLACE" || first == "LOAD") {
		return false
	}
	if statementOf(q.sql) == stLooksLikeSelect || len(result.Named) == 0 {
		databases := append([]string{q.context.Database}, q.updated...)
		for _, d := range databases {
			if r.filter.database(d) {
				return true
			}
		}
		return false
	}
	lower := strings.ToLower(result.SQL)
	for _, t := range r.catalog.Tables() {
		if r.filter.table(t.Database, t.Name) && strings.Contains(lower, strings.ToLower(t.Name)) {
			return true
		}
	}
	return false
}
