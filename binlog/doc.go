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
// in binlog order, whatever connections are lost; a checkpoint taken at any
// point and opened again goes on with exactly the change after it. What cannot
// be read rightly (an event type that is not known, a statement-format change
// or an unknown definition of a selected table, a purged position) ends in an
// error that Poll returns for ever; what touches no selected table never does.
// Memory is bounded by [Options.BufferBytes] and one event.
//
// # How it works
//
// One goroutine per Reader owns the connection: it reads into large blocks,
// cuts them into packets, verifies each event's CRC32 and queues slices of the
// blocks. Everything else (transactions, GTIDs, table maps, rows) happens in
// Poll, on the caller's goroutine, so a position never runs ahead of what the
// caller got. When a connection fails, Poll first hands out what is buffered,
// then tells the goroutine where to go on: at the start of the current event
// group, of which the rows already taken are stepped over.
//
// The dump stream is read here and not by go-mysql's BinlogSyncer, which
// switches checksums off, allocates and copies each packet, retries out of
// sight and opens another connection when it is closed. Its client package
// does the handshake, authentication and queries.
//
// # Goroutines
//
// Open, Poll, Checkpoint and Moved belong to one goroutine at a time. Ready
// and Close may be called from any.
package binlog
