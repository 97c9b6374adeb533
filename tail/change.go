// Package tail reads a task's log as people read changes: which row, which columns,
// from what to what, with values as SQL shows them.
//
// The main types are [Log], which reads pages of [Change] from any place, and
// [Filter]. What a record's values mean is told by the definition that its table had
// then, which [Definition] gives.
//
// Guarantees:
//   - It is a reader of its own: no consumer group knows of it.
//   - A page is bounded, whatever the records are: what is cut says how much is left out.
//   - One batch of the log is in memory at a time for each [Turn]; nothing is held between two pages.
//   - What cannot be shown since the log has lost it is told, with the offsets.
//
// A Log may be used by any number of goroutines.
package tail

// The operations of a change.
const (
	Insert = "insert"
	Update = "update"
	Delete = "delete"
	DDL    = "ddl"
	Gap    = "gap"
	Lost   = "lost"
)

// Change is a change of a row or of the schema, or what is told in the place of some.
type Change struct {
	Offset int64  `json:"offset" doc:"Of its record; an update that changes the key has two, of which it is the first."`
	Next   int64  `json:"next" doc:"The offset behind it: from there reading goes on."`
	Time   string `json:"time,omitempty" format:"date-time" doc:"When the source committed it, in UTC." example:"2026-01-31T12:00:00.123456Z"`
	Op     string `json:"op" enum:"insert,update,delete,ddl,gap,lost" doc:"gap: nothing is known of a stretch of the source; lost: the log does not have the records from offset to next any more."`

	Database string   `json:"database,omitempty" doc:"Of the table, or of the DDL." example:"shop"`
	Table    string   `json:"table,omitempty" doc:"The table; those of a DDL, joined by commas." example:"orders"`
	Key      []Field  `json:"key,omitempty" nullable:"false" doc:"The row's key; absent: the table has none."`
	NewKey   []Field  `json:"new_key,omitempty" nullable:"false" doc:"After an update that changes the key."`
	Columns  []Column `json:"columns,omitempty" nullable:"false" doc:"In the order of the table."`
	Untyped  bool     `json:"untyped,omitempty" doc:"The table's definition is not known: values are as they are in the record."`

	GTID  string `json:"gtid,omitempty" doc:"Of the transaction."`
	File  string `json:"file,omitempty" doc:"Where in the source's binlog: the file."`
	Pos   uint64 `json:"pos,omitempty" doc:"The offset in it."`
	Row   int    `json:"row,omitempty" doc:"The row in the event there."`
	Query string `json:"query,omitempty" doc:"The statement that changed the row, if the task includes it; 4096 bytes at most."`

	SQL    string `json:"sql,omitempty" doc:"The DDL statement; absent: the definition changed without one."`
	SQLCut int64  `json:"sql_cut,omitempty" doc:"How many bytes of sql are left out."`
	From   string `json:"from,omitempty" doc:"Of a gap: from where in the source."`
	To     string `json:"to,omitempty" doc:"Of a gap: to where."`
	Reason string `json:"reason,omitempty" doc:"Why there is a gap, or why records are lost."`
}

// Field is a column of a key.
type Field struct {
	Name  string `json:"name" doc:"The column."`
	Value Value  `json:"value" doc:"Its value."`
}

// Column is a column of a row that changed.
type Column struct {
	Name    string `json:"name" doc:"Its name."`
	Type    string `json:"type,omitempty" doc:"Its SQL type without length; absent: not known, and the values are as in the record." example:"DECIMAL"`
	Before  *Value `json:"before,omitempty" doc:"Before the change; absent: there was no row, or the source did not log it."`
	After   *Value `json:"after,omitempty" doc:"After the change; absent: there is no row, or the source did not log it."`
	Changed bool   `json:"changed,omitempty" doc:"By an update."`
}

// Value is a column's value as text.
type Value struct {
	Text string `json:"text,omitempty" doc:"As SQL shows it: 19.90, 2026-01-31, 0x00ff of binary types, b'101' of BIT, UTC with an offset of TIMESTAMP; absent: empty."`
	Null bool   `json:"null,omitempty" doc:"It is NULL."`
	Cut  int64  `json:"cut,omitempty" doc:"How many bytes of the value are left out at its end."`
}
