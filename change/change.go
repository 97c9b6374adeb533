// Package change holds one change of a MySQL source as plain data: a row that
// was inserted, updated or deleted, a schema change, or a gap: a stretch of the
// source of which nothing is known.
//
// It is what the binlog package produces and what the format package turns
// into records; it knows neither the binlog's bytes nor Kafka. The main types
// are [Change], [Table] and [Value].
//
// A *Table is immutable once it has been handed out, may be shared by any
// number of goroutines, and is replaced by a new one when a DDL changes the
// table, so its address can key a cache. A *Change and the values in it belong
// to the goroutine that reads them, and only until it asks for the next one.
package change

import "time"

// Op says what a change did.
type Op uint8

// The operations. Schema is every DDL, TRUNCATE TABLE included; Gap stands in
// the place of what was passed over by command.
const (
	Insert Op = iota + 1
	Update
	Delete
	Schema
	Gap
)

// String returns the operation's lower-case name.
func (o Op) String() string {
	switch o {
	case Insert:
		return "insert"
	case Update:
		return "update"
	case Delete:
		return "delete"
	case Schema:
		return "schema"
	case Gap:
		return "gap"
	}
	return "unknown"
}

// Source says where in the source's binlog a change stands. Everything but Row
// and Pos is the same for all rows of a statement, so the strings are shared.
type Source struct {
	File     string // binlog file name
	Pos      uint64 // offset in File of the event that holds the change
	Row      int    // index of the row within that event, from 0
	ServerID uint32 // the server the change was first made on
	Thread   uint64 // connection ID at the source; 0: not told
	GTID     string // of the transaction, in the server's own notation; "": none
	Query    string // the statement's text, where the source logs it; "": not told
	// CommitMicros is the commit time at the source in microseconds since the
	// Unix epoch: exact where the GTID event tells it (MySQL 8.0.1 and later),
	// else the event header's whole second.
	CommitMicros int64
}

// CommitTime returns CommitMicros as a time in UTC.
func (s *Source) CommitTime() time.Time { return time.UnixMicro(s.CommitMicros).UTC() }

// Change is one row change, one schema change or one gap. The Source of a gap
// is the place where reading goes on, or the event group that was passed over.
type Change struct {
	Source
	Op    Op
	Table *Table // of a row change; else nil
	// Before and After are the row images, a Value for each of Table.Columns:
	// Before of Update and Delete, After of Insert and Update; else nil.
	Before, After []Value
	DDL           *SchemaChange // of Op Schema; else nil
	Gap           *GapInfo      // of Op Gap; else nil
}

// GapInfo says from where to where in the source changes may be missing, or,
// where To is before From, come again. Both are text that a person reads: file
// and offset, and the GTID or GTID set where there are GTIDs.
type GapInfo struct {
	From, To string
	Reason   string
}

// SchemaChange is a DDL statement and what it did to the tables.
type SchemaChange struct {
	Database string // the database it is about; "" if none
	SQL      string // the statement as the source logged it, as UTF-8
	Session  Session
	Tables   []TableChange
}

// Session is what a statement's meaning depends on beside its text. Who runs it
// elsewhere sets the same; the time is that of the change.
type Session struct {
	Database           string // the default database; "": none
	SQLMode            string // names, joined by commas
	TimeZone           string // "": the statement does not depend on it; SYSTEM: the source's own
	CharacterSetServer string // of new databases; "": not told
	CollationServer    string // the same, to the collation
	// CollationConnection is that of literals, which are converted to its character
	// set first; "": not told.
	CollationConnection string
	// CollationDatabase is the default in place of the database's own, where the
	// session has set one; else "".
	CollationDatabase string
	// DefaultCollationForUTF8MB4 is MySQL 8.0's variable of that name; "": not told.
	DefaultCollationForUTF8MB4 string
	// CharacterSetCollations is MariaDB's variable of that name; nil: the statement
	// does not depend on it.
	CharacterSetCollations *string
	ForeignKeyChecks       bool
	UniqueChecks           bool
	// ExplicitDefaultsForTimestamp is the variable of that name.
	ExplicitDefaultsForTimestamp bool
	// Timestamp is what NOW() was, in microseconds since 1970. The commit, which
	// [Source] tells, may be later.
	Timestamp int64

	// What few sessions set. The zero value is each server's default.

	// AutoIncrementIncrement and AutoIncrementOffset number the rows that are there
	// when a column is added; both 0: 1.
	AutoIncrementIncrement, AutoIncrementOffset uint16
	LCTimeNames                                 string // the language of MONTHNAME() and the like; "": en_US
	SQLIfExists                                 bool   // MariaDB: each DROP, ALTER and RENAME has IF EXISTS
	ConstraintsUnchecked                        bool   // MariaDB: check_constraint_checks is off
	DefaultTableEncryption                      bool   // MySQL 8.0
	RequirePrimaryKey                           bool   // MySQL 8.0: no table is made, or becomes one, without a primary key
}

// TableChangeType says what a DDL statement did to one table.
type TableChangeType uint8

// The kinds of table change. A rename is an Altered with Previous set.
const (
	Created TableChangeType = iota + 1
	Altered
	Dropped
	Truncated
)

// TableChange is what a DDL statement did to one table.
type TableChange struct {
	Type TableChangeType
	// Database and Name are the table's, after the statement.
	Database, Name string
	// PreviousDatabase and PreviousName are those before a rename, else "".
	PreviousDatabase, PreviousName string
	// Table is the definition after the statement; nil for Dropped, and for
	// Truncated of a table whose definition is not known.
	Table *Table
}
