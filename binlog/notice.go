package binlog

import (
	"fmt"

	"daybook/binlog/dump"
)

// Notice tells of something in the binlog that a person should know of and that
// stops nothing.
type Notice struct {
	Kind  NoticeKind
	Table string // database.table; "": none
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
	// NumbersLeftOut: MariaDB's binlog goes on in a GTID domain behind a gap, told once a domain and
	// hour; or another server's binlogs lack what was read, or may lack more, told when the task is led there.
	NumbersLeftOut NoticeKind = "numbers_left_out"
	// EventsOfService: events that a service writes for itself were passed over. Told
	// once a type and hour.
	EventsOfService NoticeKind = "events_of_service"
	// ReplicaUnseen: the account may not see whether the source is a replica, of which it would log
	// nothing. Told once an hour.
	ReplicaUnseen NoticeKind = "replica_unseen"
	// DatabasesLeftOut: the source's binlog lacks databases. Told once an hour.
	DatabasesLeftOut NoticeKind = "databases_left_out"
	// XANotLogged: prepared XA transactions of another server are held at one whose binlog may not have how they
	// end. Told once an hour.
	XANotLogged NoticeKind = "xa_not_logged"
)

// connected refuses a connection's server that leaves out what is selected by name, and tells of what
// it may leave out.
func (r *Reader) connected(c *dump.Connection) error {
	if c.Unlogged.Unseen && r.dueToTell("replica unseen", true) {
		r.tell(ReplicaUnseen, "", c.Unlogged.Found+"; "+c.Unlogged.Fix)
	}
	r.tellHeldXA(c)
	for _, text := range c.Lacks {
		r.tell(NumbersLeftOut, "", text)
	}
	out := leftOut(r.filter, c.Status, c.Filters, r.catalog.Databases())
	switch text := out.Found + "; " + out.Fix; {
	case out.Selected:
		return fmt.Errorf("%w: %s", ErrLeftOut, text)
	case out.Filtered && r.dueToTell("left out: "+out.Found, true):
		r.tell(DatabasesLeftOut, "", text)
	}
	return nil
}

// tellGap tells of a transaction that does not follow the one before in its domain.
//
// MariaDB numbers the transactions of a domain without gaps. A server that filters what it
// replicates leaves numbers out; so does one that was told to pass over some (gtid_slave_pos),
// as its data were loaded anew, and then changes are in no binlog. In a Galera cluster that numbers for all
// nodes a DDL that fails uses up a number.
func (r *Reader) tellGap(last, g dump.GTID) {
	if r.dueToTell(fmt.Sprintf("GTID domain %d", g.Domain), true) {
		why := "it filters what it replicates, or was told to pass over what is between (gtid_slave_pos, gtid_seq_no), which is not in it"
		if r.server.Load().InGalera() {
			why = "a DDL failed in the Galera cluster, which uses up a number, or " + why
		}
		r.tell(NumbersLeftOut, "", fmt.Sprintf("the source's binlog goes on with %s behind %s: %s", &g, &last, why))
	}
}

// tellHeldXA tells of prepared XA transactions at another MySQL server in the source's place that did not log that they were
// prepared: it does not log that they are committed either.
func (r *Reader) tellHeldXA(c *dump.Connection) {
	s, n := c.Status, len(r.xa.prepared)
	if n == 0 || s.Flavor != MySQL || s.ServerUUID == r.stream.pos.ServerUUID || s.LogsReplicated() || !r.dueToTell("held XA transactions", true) {
		return
	}
	r.tell(XANotLogged, "", fmt.Sprintf("%d prepared XA transactions of the former source are held back, and the source does not log what it replicates (log_replica_updates, log_slave_updates = OFF): "+
		"if they are committed there, that may not be in its binlog, and their rows are not told; compare what XA RECOVER lists with the data", n))
}

// tellService tells of an event that is passed over though it does not say that it may be.
func (r *Reader) tellService(e *dump.Event) {
	if r.dueToTell(fmt.Sprintf("events of type %d", e.Type), true) {
		r.tell(EventsOfService, "", fmt.Sprintf("events of type %d are passed over: the service writes them for itself (X-Paxos), and they change no row", e.Type))
	}
}

// tell logs a notice about a table at the current event, and hands it on.
func (r *Reader) tell(kind NoticeKind, table, text string, more ...any) {
	n := Notice{Kind: kind, Table: table, Text: text, File: r.stream.file, Pos: r.stream.start}
	r.log.Warn(text, append([]any{"kind", string(kind), "source", r.o.Source.Address, "table", table, "file", n.File, "pos", n.Pos}, more...)...)
	if r.o.Notify != nil {
		r.o.Notify(n)
	}
}
