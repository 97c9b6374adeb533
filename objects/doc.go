// Package objects reads the patterns by which a task selects tables, and tells
// which tables they mean. No other package takes a pattern apart.
//
// A pattern is database.table. Each of the two is one of
//
//	shop_*         a name; * stands for any run of characters and ? for one
//	`odd.name`     a name in backquotes, as it is; a backquote within is written twice
//	/shop_\d+/     a regular expression (RE2, as package regexp has it) for the whole
//	               name; a slash within is written \/
//
// and a regular expression alone, /shop_\d+\.(orders|items)/, is for database.table as a
// whole. Only what begins with a backquote or a slash is read as such, and a name that
// does can be given in backquotes. Without marks, the first dot divides the two names.
//
// The databases of the server itself and of its service ([System]) are meant by their
// exact names only. [New] makes a [Selection] of the patterns, which may be used by
// several goroutines at once. Matching takes time in proportion to the pattern and the
// name, and what all patterns together may cost is limited.
package objects
