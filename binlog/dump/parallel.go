package dump

import (
	"context"
	"fmt"
)

// group is an event group of a look.
type group struct {
	TransactionStart
	file  string
	start uint64
}

// parallel returns those that meet none of what was read, of the transactions that stand before the
// group read last in a MySQL server's binlogs and were not read; nil: none. A
// replica that commits in another order than its source brings about such, and it makes no
// difference in which order they are told.
func (d *placing) parallel(ctx context.Context) (*GTIDSet, error) {
	if d.s.Flavor != MySQL || d.read == (Place{}) {
		return nil, nil
	}
	early, err := d.early(ctx)
	if err != nil || len(early) == 0 {
		return nil, err
	}
	set := NewGTIDSet(MySQL)
	err = d.eachGroup(ctx, From{File: early[0].file, Pos: early[0].start}, func(g group) bool {
		if !d.p.GTIDs.Contains(g.GTID) {
			return true
		}
		kept := early[:0]
		for _, e := range early {
			before := e.file != g.file || e.start < g.start
			if meets := e.file != g.file || g.LastCommitted >= e.Sequence; !before || !meets {
				kept = append(kept, e)
			}
		}
		early = kept
		return len(early) > 0
	})
	for _, e := range early {
		set.Add(e.GTID)
	}
	if err != nil || set.IsEmpty() {
		return nil, err
	}
	return set, nil
}

// early returns the groups with a logical clock that were not read, of those that stand before the one
// that was read last.
func (d *placing) early(ctx context.Context) (early []group, err error) {
	err = d.eachGroup(ctx, From{GTIDs: d.p.GTIDs}, func(g group) bool {
		if g.Sequence > 0 {
			early = append(early, g)
		}
		return true
	})
	return early, err
}

// eachGroup shows the groups before the end of the one that was read last, until more returns
// false.
func (d *placing) eachGroup(ctx context.Context, from From, more func(group) bool) error {
	err := d.look(ctx, from, func(e seen) error {
		switch at := (Place{e.file, e.start}); {
		case e.end == 0:
			return nil
		case !at.Before(d.read):
			return errEnough
		case e.Type != EvGTID && e.Type != EvGTIDTagged:
			return nil
		}
		t, err := ParseTransactionStart(e.Event)
		if err == nil && !more(group{t, e.file, e.start}) {
			err = errEnough
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("look at what stands before the transaction read last: %w", err)
	}
	return nil
}
