// Package format turns changes of a MySQL source into the keys and values of
// Kafka records.
//
// The main type is [Encoder], which has one implementation so far:
// [NewDebezium], the JSON envelope of Debezium's MySQL connector without its
// schema part. docs/record-formats.md describes the bytes type by type.
//
// An encoder guarantees that whatever bytes a change holds, its records are
// valid, that encoding the same change twice differs in nothing but the time of
// processing, and that its memory is bounded by the largest change and by a
// fixed number of table definitions. It belongs to one goroutine.
package format

import "daybook/change"

// Encoder makes records of changes.
type Encoder interface {
	// Encode writes each record of c to out, in order: none, one, or several
	// when a row's key changed.
	Encode(c *change.Change, out Records) error
}

// Records takes records one after the other. What makes batches of them
// implements it, so that a value is written once, in the place where it stays,
// and nothing of this package knows what a batch is.
type Records interface {
	// Begin begins a record; a nil key is Kafka's null. The value is to be
	// appended to what Begin returns, with room for that many bytes. The key
	// stays as it is until End.
	Begin(key []byte, room int) []byte
	// End ends it: value is what appending gave, nil for Kafka's null.
	End(value []byte)
}
