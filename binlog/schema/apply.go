package schema

import (
	"maps"
	"slices"
	"strings"

	"daybook/binlog/charset"
	"daybook/change"
)

// Context is what a statement's meaning depends on beside its text: the
// default database and the status variables of its query event.
type Context struct {
	Database string
	SQLMode  uint64 // Q_SQL_MODE_CODE
	// ClientCollation is the first number of Q_CHARSET_CODE, the charset in
	// which the statement is written; 0: UTF-8.
	ClientCollation uint16
	// ConnectionCollation is the second number of Q_CHARSET_CODE, the charset that
	// literals are converted to first; 0: one that has all characters.
	ConnectionCollation uint16
	// ServerCollation is the third number of Q_CHARSET_CODE: the default of
	// new databases; 0: the catalog's Server.DefaultCharset.
	ServerCollation uint16
	// DatabaseCollation is Q_CHARSET_DATABASE_CODE, which is there only if the
	// session has set collation_database; 0: it has not.
	DatabaseCollation uint16
	// TimeZone is Q_TIME_ZONE_CODE, which is there only if the statement depends on
	// it; "": it does not.
	TimeZone string
	Thread   uint32 // the session's
	// ExplicitDefaultsForTimestamp is Q_EXPLICIT_DEFAULTS_FOR_TIMESTAMP, or on
	// MariaDB from 10.10 bit 24 of Q_FLAGS2_CODE; nil: not told, the catalog's
	// Server counts.
	ExplicitDefaultsForTimestamp *bool
	// Temporary are the temporary tables that the session has, which Apply
	// follows; nil: they are not followed, and none is known.
	Temporary *TemporaryTables
	// UsesTemporary: the event is marked as that of a statement that used a
	// temporary table (LOG_EVENT_THREAD_SPECIFIC_F).
	UsesTemporary bool
	// IfExists is MariaDB's sql_if_exists: statements that name a table which is not
	// there pass over it.
	IfExists  bool
	EndsGroup bool // the event is the last one of its group
	Failed    bool // the event has an error code: nothing was created
}

// Result says what a statement is and what it did.
type Result struct {
	Class Class
	SQL   string // the statement as UTF-8, without START TRANSACTION
	// ServerText: the server has written it, in UTF-8 whatever the session speaks.
	ServerText bool
	SQLMode    uint64 // in which SQL is to be read: the session's, unless the server wrote it in another
	// Database is that of the first table or database named, else the default one.
	Database string
	// Databases are those that were created, altered or dropped.
	Databases []string
	// WholeDatabase: it creates or drops one, which is logged as the default database too.
	WholeDatabase bool
	// Tables says what a DDL did to each table, in the statement's order.
	Tables []change.TableChange
	// Moves are what it does to the rows of whole tables.
	Moves []Move
	// Named lists the tables that the statement names as those it changes; for
	// DML as far as they can be told.
	Named []TableName
	// Acting are the foreign keys that a DDL declares and whose actions change rows
	// that the source does not log.
	Acting []ForeignKey
	// TemporaryChanged: Context.Temporary did.
	TemporaryChanged bool
	// Unexplained: the statement is marked as one that used a temporary table, and
	// it is not known which: the session may have some that are not known.
	Unexplained bool
	// InDoubt: the statement is marked as one that used a temporary table, and
	// may have been about one of which nothing is known.
	InDoubt bool
	// Abridged: a CREATE TABLE that the server may have written, in a mode in which
	// it leaves out some of what columns and keys have.
	Abridged bool

	change    *rowChange // what a statement that may change rows names; nil for others
	forgotten []forgotten
}

// IsDDL tells a statement about tables or databases.
func (r *Result) IsDDL() bool { return r.Class == DDL }

// run is one statement's run against the catalog.
type run struct {
	catalog  *Catalog
	server   Server
	ctx      Context
	explicit bool   // explicit_defaults_for_timestamp
	client   string // the charset of literals' bytes; "": UTF-8
	literals string // the charset that they are converted to first; "": the client's
	// charsetLeftOut: the statement is the server's own, without the table's charset.
	charsetLeftOut bool
	shown          bool // it has the form in which the server shows tables, and may be its own
	result         *Result
	err            *UnreadableError
}

// Apply reads a statement that the source has run, changes the catalog as the
// statement changed the source, and says what it did. The statement is in the
// charset of ctx.ClientCollation.
//
// The error is an [*UnreadableError] if the statement is about tables but
// cannot be followed; the result is given nevertheless, and the tables that
// are known to be touched have been marked unknown.
func (c *Catalog) Apply(sql string, ctx Context) (*Result, error) {
	sql = c.server.withoutBytes(sql, &ctx)
	written, charsetLeftOut, abridged, shown := c.server.ownText(sql, &ctx), c.server.leavesCharsetOut(sql, &ctx), ctx.abridges(sql), ownCreate.MatchString(sql)
	own := written > 0
	if c.server.escapes(sql, &ctx) {
		ctx.SQLMode &^= modeNoBackslashEscapes
	}
	if shown && c.server.mariaDB() && c.server.mayHaveWritten(sql, &ctx) {
		ctx.SQLMode &^= modeEmptyIsNull // in what the server writes an empty string is one
	}
	sql, inText := c.server.decode(sql, charset.OfID(int(ctx.ClientCollation)), written)
	r := newReader(sql, c.server, ctx)
	if name := charset.OfID(int(ctx.ClientCollation)); name != "" && !own {
		r.client = name
	}
	r.lex.inText, r.lex.raw = inText, r.client == "binary"
	statement, class := r.read()
	u := &run{catalog: c, server: c.server, ctx: ctx, explicit: c.server.ExplicitDefaultsForTimestamp, charsetLeftOut: charsetLeftOut, shown: shown,
		client: r.client, result: &Result{Class: class, ServerText: own, SQLMode: ctx.SQLMode, Database: r.db, Named: r.tables, Abridged: abridged, change: r.change}}
	if name := charset.OfID(int(ctx.ConnectionCollation)); !own && name != charset.OfID(int(ctx.ClientCollation)) {
		u.literals = name
	}
	told := func(sql string) string {
		if !own {
			sql = inHex(sql, r.client, ctx.SQLMode, c.server)
		}
		return strings.ToValidUTF8(sql, "\ufffd")
	}
	if ctx.ExplicitDefaultsForTimestamp != nil {
		u.explicit = *ctx.ExplicitDefaultsForTimestamp
	}
	u.result.SQL = told(sql)
	if create, ok := statement.(*createTable); ok && create.options.end > 0 {
		u.result.SQL = told(strings.TrimRight(sql[:create.options.start], " ") + sql[create.options.end:])
	}
	if len(r.tables) > 0 {
		u.result.Database = r.tables[0].Database
	}
	if s, ok := statement.(*dropTable); ok && s.sequences {
		s.names = slices.DeleteFunc(s.names, u.isNoSequence)
	}
	rest := u.passTemporary(statement)
	u.result.Unexplained = u.unexplained(statement, r.change)
	u.passTemporaryRows(r.change)
	u.result.forgotten = forgottenBy(rest)
	switch {
	case u.err != nil:
	case rest == nil && statement != nil:
		u.result.Class, u.result.Named = Other, nil
	case r.failed != nil && class == DDL:
		u.err = r.failed
		u.err.Tables = r.tables
		for _, n := range r.tables {
			u.result.Moves = append(u.result.Moves, Move{From: n, Unclear: true})
		}
	default:
		u.result.Moves = movesOf(rest)
		u.execute(rest)
		u.noteActing(r.acting)
	}
	if u.err != nil {
		for _, n := range u.err.Tables {
			if n.Database != "" && n.Name != "" {
				c.Unknown(n.Database, n.Name)
			}
		}
		return u.result, u.err
	}
	return u.result, nil
}

func (u *run) execute(statement any) {
	switch s := statement.(type) {
	case *createTable:
		u.createTable(s)
	case *createSequence:
		u.createSequence(s)
	case *alterTable:
		u.alterTable(s)
	case *dropTable:
		u.dropTable(s)
	case *renameTable:
		u.renameTable(s)
	case *truncateTable:
		tc := change.TableChange{Type: change.Truncated, Database: s.name.Database, Name: s.name.Name}
		tc.Table, _ = u.catalog.Table(s.name.Database, s.name.Name)
		u.result.Tables = append(u.result.Tables, tc)
	case *createDatabase:
		u.createDatabase(s)
	case *alterDatabase:
		u.touchDatabase(s.name)
		if s.charset != "" {
			u.catalog.changeDefault(s.name, u.resolveCharset(s.charset, u.serverCharset()), u.ctx.Thread)
		}
	case *dropDatabase:
		u.dropDatabase(s)
	case *createProgram:
		u.createProgram(s)
	case *dropProgram:
		u.dropProgram(s)
	}
}

// fail gives up on the statement; the tables named are not known any more.
func (u *run) fail(reason string, tables ...TableName) {
	if u.err == nil {
		u.err = &UnreadableError{Tables: tables, Reason: reason, Near: shorten(u.result.SQL)}
	}
}

func (u *run) serverCharset() string {
	if cs := charset.OfID(int(u.ctx.ServerCollation)); cs != "" {
		return cs
	}
	return u.server.DefaultCharset
}

// resolveCharset replaces CHARACTER SET DEFAULT and nothing said by fallback.
func (u *run) resolveCharset(charset, fallback string) string {
	if charset == "" || charset == defaultCharset {
		return fallback
	}
	return charset
}

func (u *run) touchDatabase(name string) {
	u.result.Database = name
	u.result.Databases = append(u.result.Databases, name)
}

func (u *run) createDatabase(s *createDatabase) {
	u.touchDatabase(s.name)
	u.result.WholeDatabase = true
	if u.catalog.databases[u.catalog.fold(s.name)] != nil {
		switch {
		case s.ifNotExist:
			return
		case s.orReplace:
			u.dropTables(s.name)
		default: // what is known of it is from later
			u.catalog.dropDatabase(s.name)
		}
	}
	u.catalog.PutDatabase(s.name, u.resolveCharset(s.charset, u.serverCharset()))
	u.catalog.setSight(s.name, seesAll)
}

func (u *run) dropDatabase(s *dropDatabase) {
	u.touchDatabase(s.name)
	u.result.WholeDatabase = true
	u.dropTables(s.name)
}

// dropTables drops a database with all its tables.
func (u *run) dropTables(db string) {
	d := u.catalog.databases[u.catalog.fold(db)]
	if d == nil {
		return
	}
	for _, folded := range slices.Sorted(maps.Keys(d.tables)) {
		e := d.tables[folded]
		u.result.Tables = append(u.result.Tables, change.TableChange{Type: change.Dropped, Database: e.database, Name: e.name})
	}
	u.catalog.dropDatabase(db)
}

// isNoSequence tells a name that DROP SEQUENCE passes over: a table's.
func (u *run) isNoSequence(n TableName) bool {
	t := u.catalog.lookup(n)
	return t != nil && !t.Unknown && len(t.Def.Columns) > 0 && t.Def.Columns[0].Name != "next_not_cached_value"
}

func (u *run) dropTable(s *dropTable) {
	if s.temporary {
		return
	}
	for _, n := range s.names {
		if u.catalog.find(n) == nil {
			continue // a view, or IF EXISTS of none
		}
		u.catalog.Drop(n.Database, n.Name)
		u.result.Tables = append(u.result.Tables, change.TableChange{Type: change.Dropped, Database: n.Database, Name: n.Name})
	}
}

// renameTable does the renames one after the other and reports, for each
// table that is found elsewhere afterwards, where it came from.
func (u *run) renameTable(s *renameTable) {
	type move struct{ from, to TableName }
	var moves []move
	for _, p := range s.pairs {
		t := u.catalog.lookup(p[0])
		if t == nil {
			u.renameView(p[0], p[1])
			continue
		}
		u.move(t, p[1])
		i := slices.IndexFunc(moves, func(m move) bool { return u.catalog.find(m.to) == nil && u.same(m.to, p[0]) })
		if i >= 0 {
			moves[i].to = p[1]
		} else {
			moves = append(moves, move{p[0], p[1]})
		}
	}
	for _, m := range moves {
		if m.from == m.to {
			continue
		}
		tc := change.TableChange{Type: change.Altered, Database: m.to.Database, Name: m.to.Name,
			PreviousDatabase: m.from.Database, PreviousName: m.from.Name}
		tc.Table, _ = u.catalog.Table(m.to.Database, m.to.Name)
		u.result.Tables = append(u.result.Tables, tc)
	}
}

func (u *run) same(a, b TableName) bool {
	return u.catalog.fold(a.Database) == u.catalog.fold(b.Database) && u.catalog.fold(a.Name) == u.catalog.fold(b.Name)
}

// renameView does RENAME TABLE of a view.
func (u *run) renameView(from, to TableName) {
	if p := u.catalog.findProgram(aView, from); p != nil {
		u.catalog.dropProgram(p)
		renamed := *p
		renamed.Name = u.catalog.stored(to.Name)
		u.catalog.putProgram(&renamed)
	}
}

// move gives a table, and its triggers, another name.
func (u *run) move(t *table, to TableName) {
	u.catalog.remove(t.Def.Database, t.Def.Name)
	u.catalog.moveTriggers(TableName{t.Def.Database, t.Def.Name}, to)
	def := *t.Def
	def.Database, def.Name = u.catalog.stored(to.Database), u.catalog.stored(to.Name)
	moved := *t
	moved.Def = &def
	u.catalog.put(&moved)
}

// shorten cuts a statement for a message.
func shorten(sql string) string {
	if len(sql) > 80 {
		return strings.ToValidUTF8(sql[:80], "")
	}
	return sql
}
