package binlog

import (
	"fmt"
	"strconv"
)

// GroupError is the error of one event group that cannot be read, though what
// comes after it may be: a reader opened at the same position with
// [Options.Skip] passes over it.
type GroupError struct {
	File string // where the group begins
	Pos  uint64
	GTID string // of the group; "" where it has none
	Err  error  // what is wrong
}

// Error names the group and what is wrong.
func (e *GroupError) Error() string { return fmt.Sprintf("%s: %v", e.Place(), e.Err) }

// Unwrap returns what is wrong.
func (e *GroupError) Unwrap() error { return e.Err }

// Place names the group.
func (e *GroupError) Place() GroupPlace { return GroupPlace{File: e.File, Pos: e.Pos, GTID: e.GTID} }

// GroupPlace names one event group.
type GroupPlace struct {
	File string
	Pos  uint64
	GTID string
}

// String returns the place as a person reads it.
func (p GroupPlace) String() string {
	s := p.File + ":" + strconv.FormatUint(p.Pos, 10)
	if p.GTID != "" {
		s += " (GTID " + p.GTID + ")"
	}
	return s
}
