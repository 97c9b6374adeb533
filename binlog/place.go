package binlog

import (
	"strconv"

	"daybook/change"
)

// Place is where a saved position stands, for people.
type Place struct {
	File  string // "" where only the GTID set is known
	Pos   uint64
	GTIDs string // the set executed before it; "" where the source has none
}

// PlaceOf returns where a checkpoint's position stands. Of a large GTID set,
// which is not all in the position, it has what was added last.
func PlaceOf(position []byte) (Place, error) {
	s, err := readPosition(position)
	if err != nil {
		return Place{}, err
	}
	place := Place{File: s.File, Pos: s.Pos}
	if s.GTIDs != nil {
		place.GTIDs = *s.GTIDs
	}
	if s.GTIDBase != 0 {
		place.GTIDs = "…," + place.GTIDs
	}
	return place, nil
}

// String returns file and offset, and the GTID set.
func (p Place) String() string {
	s := ""
	if p.File != "" {
		s = p.File + ":" + strconv.FormatUint(p.Pos, 10)
	}
	if p.GTIDs == "" {
		return s
	}
	if s != "" {
		s += ", "
	}
	return s + "GTIDs " + p.GTIDs
}

// Source returns the place as that of a change.
func (p Place) Source() change.Source { return change.Source{File: p.File, Pos: p.Pos} }
