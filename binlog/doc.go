// Package binlog reads the binlog of a MySQL or MariaDB server as a replica
// would and turns it into changes, resumable after any row.
//
// A [Reader] is opened at a [Start] or at the position of an earlier
// [Checkpoint], and hands out one [change.Change] after the other by
// [Reader.Poll]. It keeps the definitions of all tables of the source as they
// are at its position, follows every DDL, and reconnects by itself when the
// connection is lost. [Dial] gives a plain connection for prechecks.
//
// # Guarantees
//
// Every committed row of a selected table and every DDL is handed out once and
// in binlog order, and none that was rolled back, whatever connections are
// lost; a checkpoint taken at any point and opened again goes on with exactly
// the change after it. A source that is not the one the position is from, or
// has lost what was read, is an error. What cannot be read rightly (an event
// type that is not known, a statement-format change or an unknown definition of
// a selected table) ends in an error that Poll returns for ever, a [GroupError]
// if [Options.Skip] leads past it; what touches no selected table never does.
// Memory is bounded by [Options.BufferBytes] and one event.
//
// # How it works
//
// A feed (package dump) reads the network and queues events. A stream makes
// event groups of them and keeps the resume point; it is read by the Reader,
// and by scans that look for something else. All of that happens in Poll, on the
// caller's goroutine, so a position never runs ahead of what the caller got.
// When a connection fails, Poll first hands out what is buffered, then tells the
// feed where to go on: at the start of the current event group, of which the
// rows already taken are stepped over.
//
// # Goroutines
//
// Open, Poll, Checkpoint, Moved and Pending belong to one goroutine at a time.
// Ready and Close may be called from any.
package binlog
