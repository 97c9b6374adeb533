package schema

// Class says what kind of statement was read.
type Class uint8

// The classes of statements. DDL is about tables and databases; what is about
// views, routines, triggers, events, users and the rest is Other.
const (
	Other Class = iota
	DDL
	DML // a statement-format change of rows
	Begin
	Commit
	Rollback // of the whole transaction
	Savepoint
	XA
)

// String returns the class's lower-case name.
func (c Class) String() string {
	names := [...]string{Other: "other", DDL: "ddl", DML: "dml", Begin: "begin", Commit: "commit", Rollback: "rollback", Savepoint: "savepoint", XA: "xa"}
	if int(c) < len(names) {
		return names[c]
	}
	return "unknown"
}

// read reads one statement. The first result is one of the structs of
// statement.go, or nil if the statement changes nothing in the catalog.
func (r *reader) read() (any, Class) {
	r.statementPrefix()
	switch {
	case r.acceptAny("CREATE"):
		return r.create()
	case r.acceptAny("ALTER"):
		return r.alter()
	case r.acceptAny("DROP"):
		return r.drop()
	case r.acceptAny("RENAME"):
		if !r.acceptAny("TABLE", "TABLES") {
			return nil, Other
		}
		return r.renameTable(), DDL
	case r.acceptAny("TRUNCATE"):
		r.acceptAny("TABLE")
		return &truncateTable{name: r.tableName()}, DDL
	}
	return nil, r.classify()
}

// statementPrefix steps over what may stand before a statement's first word.
func (r *reader) statementPrefix() {
	for r.isOp(0, "(") || r.isOp(0, ";") {
		r.take()
	}
	if r.accept("SET", "STATEMENT") { // MariaDB: SET STATEMENT x=1 FOR …
		for r.peek(0).kind != tokEnd && !r.acceptAny("FOR") {
			r.take()
		}
	}
	if r.server.mariaDB() && r.isWord(0, "ANALYZE") && !r.isWord(1, "TABLE", "TABLES", "LOCAL", "NO_WRITE_TO_BINLOG") {
		r.take() // runs the statement behind it
		if r.acceptAny("FORMAT") {
			r.acceptOp("=")
			r.take()
		}
	}
}

// classify tells the class of a statement that is no DDL, and notes the
// tables that one which changes rows names.
func (r *reader) classify() Class {
	switch {
	case r.acceptAny("BEGIN"), r.accept("START", "TRANSACTION"):
		return Begin
	case r.acceptAny("COMMIT"):
		return Commit
	case r.acceptAny("ROLLBACK"):
		r.acceptAny("WORK")
		if r.isWord(0, "TO") {
			return Savepoint
		}
		return Rollback
	case r.acceptAny("SAVEPOINT", "RELEASE"):
		return Savepoint
	case r.acceptAny("XA"):
		return XA
	case r.isWord(0, "INSERT", "REPLACE", "UPDATE", "DELETE", "LOAD", "WITH"):
		r.rowChange()
		return DML
	case r.isWord(0, "SELECT", "CALL", "DO"): // logged for the functions that they call
		r.rowChange()
	}
	return Other
}

func (r *reader) create() (any, Class) {
	orReplace := r.accept("OR", "REPLACE")
	switch {
	case r.acceptAny("TABLE"):
		return r.createTable(orReplace, false), DDL
	case r.accept("TEMPORARY", "TABLE"):
		return r.createTable(orReplace, true), Other
	case r.accept("TEMPORARY", "SEQUENCE"):
		return &createTable{temporary: true, ifNotExist: r.ifExists(), name: r.tableName()}, Other
	case r.peek(0).kind == tokWord && r.isWord(1, "TABLE"): // a kind of table that a newer server has
		r.take()
		r.take()
		return r.createTable(orReplace, false), DDL
	case r.acceptAny("DATABASE", "SCHEMA"):
		s := &createDatabase{orReplace: orReplace, ifNotExist: r.ifExists()}
		s.name = r.databaseName()
		s.charset = r.databaseCharset()
		return s, DDL
	case r.acceptAny("SEQUENCE"):
		s := &createSequence{orReplace: orReplace, ifNotExist: r.ifExists()}
		s.name = r.tableName()
		if r.isWord(0, "AS") {
			r.fail("a sequence of a type other than BIGINT")
		}
		r.tableOptions(&s.options, false)
		return s, DDL
	case r.isWord(0, "INDEX", "UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR", "ONLINE", "OFFLINE"), r.isVendorsKey(), r.isWord(0, "CLUSTERED") && r.isWord(1, "COLUMNAR"):
		return r.createIndex(orReplace)
	}
	return r.createProgram(), Other
}

// createIndex reads what follows CREATE [OR REPLACE], from [UNIQUE|…] INDEX on.
func (r *reader) createIndex(orReplace bool) (any, Class) {
	r.acceptAny("ONLINE", "OFFLINE")
	k := key{}
	switch {
	case r.acceptAny("UNIQUE"):
		k.Unique = true
	case r.acceptAny("FULLTEXT", "SPATIAL", "VECTOR"), r.accept("CLUSTERED", "COLUMNAR"):
		k.FullText = true
	}
	if r.isVendorsKey() {
		r.take()
	}
	if !r.acceptAny("INDEX", "KEY") {
		return nil, Other
	}
	ifNotExists := r.ifExists()
	k.Name, k.Hash = r.keyName()
	if !r.accept("ON") {
		r.fail("expected ON")
	}
	s := &alterTable{name: r.tableName()}
	k.Parts = r.keyParts()
	k.Hash = r.keyOptions() || k.Hash
	if orReplace {
		s.actions = append(s.actions, alteration{kind: dropKey, name: k.Name, ifExists: true})
	}
	s.actions = append(s.actions, alteration{kind: addKey, key: k, ifExists: ifNotExists})
	return s, DDL
}

// databaseCharset reads the options of CREATE and ALTER DATABASE.
func (r *reader) databaseCharset() string {
	var o tableOptions
	r.tableOptions(&o, false)
	return o.charset
}

func (r *reader) alter() (any, Class) {
	for r.acceptAny("ONLINE", "OFFLINE", "IGNORE") {
	}
	switch {
	case r.acceptAny("TABLE"):
		return r.alterTable(), DDL
	case r.acceptAny("DATABASE", "SCHEMA"):
		s := &alterDatabase{name: r.db}
		if !r.isWord(0, "DEFAULT", "CHARACTER", "CHARSET", "COLLATE", "COMMENT", "ENCRYPTION", "READ", "UPGRADE") {
			s.name = r.databaseName()
		}
		s.charset = r.databaseCharset()
		return s, DDL
	}
	return r.alterProgram(), Other
}

func (r *reader) drop() (any, Class) {
	temporary := r.acceptAny("TEMPORARY")
	switch {
	case r.isWord(0, "TABLE", "TABLES", "SEQUENCE"):
		s := &dropTable{temporary: temporary, sequences: r.isWord(0, "SEQUENCE")}
		r.take()
		s.ifExists = r.ifExists()
		for {
			s.names = append(s.names, r.tableName())
			if !r.acceptOp(",") {
				break
			}
		}
		if temporary {
			return s, Other
		}
		return s, DDL
	case r.acceptAny("DATABASE", "SCHEMA"):
		r.ifExists()
		return &dropDatabase{name: r.databaseName()}, DDL
	case r.isWord(0, "INDEX", "ONLINE", "OFFLINE"):
		r.acceptAny("ONLINE", "OFFLINE")
		if !r.acceptAny("INDEX") {
			return nil, Other
		}
		a := alteration{kind: dropKey, ifExists: true}
		r.ifExists()
		a.name = r.name()
		if !r.accept("ON") {
			r.fail("expected ON")
		}
		return &alterTable{name: r.tableName(), actions: []alteration{a}}, DDL
	}
	return r.dropProgram(), Other
}

func (r *reader) renameTable() *renameTable {
	s := &renameTable{ifExists: r.ifExists()}
	for {
		from := r.tableName()
		if r.acceptAny("WAIT") {
			r.take()
		}
		r.acceptAny("NOWAIT")
		if !r.accept("TO") {
			r.fail("expected TO")
		}
		s.pairs = append(s.pairs, [2]TableName{from, r.tableName()})
		if !r.acceptOp(",") {
			return s
		}
	}
}
