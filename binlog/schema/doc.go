// Package schema keeps the definitions of all tables of a MySQL or MariaDB
// source as they are at one position of its binlog.
//
// A [Catalog] is filled once from information_schema ([Snapshot]) and then
// follows the binlog: each statement of a query event goes to [Catalog.Apply],
// which reads it, updates the catalog, and says what it did ([Result]).
// [Catalog.Dirty] gives the entries that changed, to be saved together with
// the position; [Load] brings them back.
//
// The reader of statements is made for this purpose alone. It understands what
// decoding row events and describing tables needs, and steps over everything
// else token by token, so an option that a newer server invents does not stop
// it. It never guesses: a statement about tables that it cannot follow is an
// [*UnreadableError], and the tables that it may have touched are marked
// unknown. Reading needs time and memory linear in the statement.
//
// For a change of rows that is logged as a statement, [Catalog.MayWrite] tells
// whether it may change a table that matters: the catalog knows triggers,
// stored routines and views by the identifiers in their bodies, and of which
// databases the account could not see them all.
//
// The package does no I/O of its own; Snapshot is given a query function. A
// Catalog belongs to one goroutine. The *change.Table values that it hands out
// are immutable and may be shared.
package schema
