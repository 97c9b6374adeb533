package dump

import (
	"context"
	"fmt"
)

// isNext tells the file that the position's server wrote after the position's.
func (d *placing) isNext(file string) bool {
	base, number := splitName(d.p.File)
	other, next := splitName(file)
	return base == other && next == number+1
}

// nextFile goes on at the begin of the oldest file, the one before which was purged, if all
// that is before it was read: a dump after the GTID set might begin at a later file, and leave out what
// has no GTIDs. Not ok: not all of that was read.
func (d *placing) nextFile(ctx context.Context) (From, bool, error) {
	next := From{File: d.logs[0].name, Pos: 4}
	if d.p.GTIDs == nil || d.p.overlaps() {
		return next, false, nil
	}
	read := false
	err := d.look(ctx, next, func(e seen) error {
		if e.Type != EvPreviousGTIDs && e.Type != EvMariaGTIDList {
			return nil
		}
		set, err := ParsePreviousGTIDs(e.Event)
		if err != nil {
			return err
		}
		read = d.p.GTIDs.ContainsSet(set)
		return errEnough
	})
	if err == nil && read {
		err = d.nothingMissing(ctx)
	}
	return next, read, err
}

// noneAnonymous sees that a dump after a GTID set leaves no transactions without GTIDs out: it
// begins at the newest file before which the server had nothing but what is in the set.
func (d *placing) noneAnonymous(ctx context.Context) error {
	if d.s.Flavor != MySQL || d.read == (Place{}) {
		return nil
	}
	begins := ""
	err := d.look(ctx, From{GTIDs: d.p.GTIDs}, func(e seen) error {
		begins = e.file
		return errEnough
	})
	if err != nil || begins == d.read.File {
		return err
	}
	var found Place
	err = d.look(ctx, From{File: d.read.File, Pos: d.read.Pos}, func(e seen) error {
		switch {
		case e.file == begins:
			return errEnough
		case e.Type == EvAnonymousGTID && e.start > 0:
			found = Place{e.file, e.start}
			return errEnough
		}
		return nil
	})
	if err != nil || found == (Place{}) {
		return err
	}
	return &MissingError{Next: found, Kind: ErrOtherServer, Text: fmt.Sprintf("%s, and has transactions without GTIDs behind %s, up to which was read, which a dump after the GTID set leaves out",
		d.otherName(), &d.p.LastGroup.GTID)}
}
