// Package examples runs the programs of examples/, which users copy: each reads
// every record, commits what it has processed, ends in order when it is told to,
// goes on where it ended, by either way to log in, and tells a wrong password.
package examples
