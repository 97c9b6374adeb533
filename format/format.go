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
	// Encode calls emit for each record of c, in order: none, one, or several
	// when a row's key changed. A nil key or value is Kafka's null. Both are
	// valid only during the call of emit.
	Encode(c *change.Change, emit func(key, value []byte)) error
}
