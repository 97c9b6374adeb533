// Package charset knows the character sets and collations of MySQL and MariaDB: it
// converts text to UTF-8 as the servers do, and says which set a collation belongs
// to, by its ID or its name.
//
// The main type is [Charset]. What a server cannot convert itself becomes U+FFFD,
// one for each character; nothing fails. A Charset belongs to one goroutine, the
// functions to all.
package charset
