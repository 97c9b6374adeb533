// Package rowevent decodes the two binlog events that carry rows: the table
// map event, which describes a table's columns on the wire, and the rows
// events, which hold the row images.
//
// [ParseTableMap] reads the first, with all the optional metadata of MySQL
// 8.0 and later and MariaDB 10.5 and later. [NewDecoder] compiles a table map
// and the table's definition into a [Decoder], which then turns each rows
// event into [change.Value] rows. The table map alone does not tell enough to
// decode a row (sign, charset, labels), so the definition comes from the schema
// history; NewDecoder proves that the two agree and returns [ErrMismatch]
// otherwise.
//
// Guarantees: bytes that do not have the form they should have give
// [ErrCorrupt], never a panic, a wrong value or an allocation larger than a
// small multiple of the input; a body is consumed to its last byte or it is an
// error; one row costs no allocation on the common path.
//
// The package does no I/O. A *TableMap is immutable. A *Decoder and the values
// it returns belong to one goroutine. What decoding needs of memory is in a
// [Scratch], which the decoders of a stream share: a decoder itself is as small as
// the list of its columns, and what a large event needed is dropped with it.
// Event bodies are given without the 19-byte header and without the checksum.
//
// The formats are those of MySQL's libbinlogevents (rows_event.h) and
// MariaDB's log_event.h.
package rowevent
