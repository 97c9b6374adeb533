package binlog

import "fmt"

// MissingError tells of a binlog that is missing between two others. It is an
// [ErrPurged]; the resume point is before the gap, and the next file can be
// started at.
type MissingError struct {
	Next string // file behind the gap
	text string
}

// Error says between what a binlog is missing.
func (e *MissingError) Error() string {
	return fmt.Sprintf("%v: %s: a binlog between them is missing; the first place behind it is %s:4", ErrPurged, e.text, e.Next)
}

// Unwrap returns ErrPurged.
func (e *MissingError) Unwrap() error { return ErrPurged }

// Place returns the first place behind the gap.
func (e *MissingError) Place() Place { return Place{File: e.Next, Pos: 4} }
