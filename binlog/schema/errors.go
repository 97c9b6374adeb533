package schema

import (
	"fmt"
	"strings"
)

// UnreadableError says that a statement about tables could not be followed.
// The catalog has marked the tables unknown, where it could tell them.
type UnreadableError struct {
	Tables []TableName // that the statement touches, as far as it can be told
	Reason string
	At     int    // byte offset in the statement, as UTF-8
	Near   string // the statement from there on, shortened
	// Rows: it is a CREATE TABLE … SELECT that was logged as a statement, so the
	// rows that it inserted are not in the binlog.
	Rows bool
}

// Error implements error.
func (e *UnreadableError) Error() string {
	names := make([]string, len(e.Tables))
	for i, n := range e.Tables {
		names[i] = n.String()
	}
	return fmt.Sprintf("read DDL on %q: %s at offset %d, near %q", strings.Join(names, ", "), e.Reason, e.At, e.Near)
}
