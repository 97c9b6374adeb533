package binlog

import "fmt"

// MissingError tells of transactions that were not read, in no binlog that is
// there. It is an [ErrPurged]; the resume point is before the gap, and reading
// can start behind it.
type MissingError struct {
	Next string // file behind the gap
	Pos  uint64 // in it
	text string
}

// Error says what is missing.
func (e *MissingError) Error() string {
	return fmt.Sprintf("%v: %s; the first place behind it is %s:%d", ErrPurged, e.text, e.Next, e.Pos)
}

// Unwrap returns ErrPurged.
func (e *MissingError) Unwrap() error { return ErrPurged }

// Place returns the first place behind the gap.
func (e *MissingError) Place() Place { return Place{File: e.Next, Pos: e.Pos} }
