package binlog

// Notice tells of something in the binlog that a person should know of and that
// stops nothing.
type Notice struct {
	Kind  NoticeKind
	Table string // database.table
	Text  string
	File  string // the place of the event
	Pos   uint64
}

// NoticeKind says what a Notice is about.
type NoticeKind string

// The kinds of notice.
const (
	// PartialImages: a session leaves columns out of its row images. Told once a
	// table and hour.
	PartialImages NoticeKind = "partial_images"
	// GeneratedLeftOut: the server leaves generated columns out of updates and
	// deletes. Told once a table.
	GeneratedLeftOut NoticeKind = "generated_left_out"
	// ForeignKeyAction: a DDL added a foreign key whose action changes rows that
	// are not in the binlog.
	ForeignKeyAction NoticeKind = "foreign_key_action"
	// DefinitionAdopted: a table's definition was taken from its rows or from the
	// source, as no statement in the binlog made it.
	DefinitionAdopted NoticeKind = "definition_adopted"
)

// tell logs a notice about a table at the current event, and hands it on.
func (r *Reader) tell(kind NoticeKind, table, text string, more ...any) {
	n := Notice{Kind: kind, Table: table, Text: text, File: r.stream.file, Pos: r.stream.start}
	r.log.Warn(text, append([]any{"kind", string(kind), "source", r.o.Source.Address, "table", table, "file", n.File, "pos", n.Pos}, more...)...)
	if r.o.Notify != nil {
		r.o.Notify(n)
	}
}
