package dump

import (
	"context"
	"errors"
)

// executed returns the GTID set that the server has executed of the position. A
// MariaDB server that was set up from a copy, whose GTIDs it was told (gtid_slave_pos), has
// what they say in no binlog.
func (d *placing) executed(ctx context.Context) (*GTIDSet, error) {
	executed, err := d.c.Executed(ctx, d.s)
	if err != nil || d.s.Flavor != MariaDB || executed.ContainsSet(d.p.GTIDs) {
		return executed, err
	}
	told, err := d.set(ctx, "@@GLOBAL.gtid_slave_pos")
	if err != nil {
		return nil, err
	}
	for domain, g := range d.p.GTIDs.domains {
		if _, logged := executed.domains[domain]; !logged && told.domains[domain] == g {
			executed.Add(g)
		}
	}
	return executed, nil
}

// isBuiltAt tells whether a MariaDB server was set up from a copy that ends with a
// transaction, so that its binlogs begin with what follows: of the domain they have
// nothing that was read, and then the next number; or nothing yet.
func (d *placing) isBuiltAt(ctx context.Context, g GTID) (bool, error) {
	found, follows := false, false
	err := d.fromOldest(ctx, func(there GTID, listed bool) bool {
		if there.Domain == g.Domain && (there.Seq > g.Seq || d.p.hasRead(BinlogState{{there.Domain, there.Server}: there.Seq}, g.Domain)) {
			found, follows = true, there.Seq == g.Seq+1 && !listed // of those that are listed one more is purged
		}
		return !found
	})
	if err != nil || found {
		return follows, err
	}
	told, err := d.set(ctx, "@@GLOBAL.gtid_slave_pos")
	return err == nil && told.domains[g.Domain] == g, err
}

// fromOldest shows the transactions of a MariaDB server's binlogs from the oldest on, first those that its
// list has, until more returns false. It gives up behind many bytes with errTooFar.
func (d *placing) fromOldest(ctx context.Context, more func(g GTID, listed bool) bool) error {
	oldest := 0
	for oldest < len(d.logs) && d.logs[oldest].gone() {
		oldest++
	}
	if oldest == len(d.logs) {
		return ErrPurged
	}
	left, goesOn := uint64(scanned), true
	return d.look(ctx, From{File: d.logs[oldest].name, Pos: 4}, func(e seen) error {
		var err error
		switch e.Type {
		case EvMariaGTIDList:
			if e.file == d.logs[oldest].name {
				err = eachListed(e.Body, func(g GTID) { goesOn = goesOn && more(g, true) })
			}
		case EvMariaGTID:
			var t TransactionStart
			if t, err = ParseTransactionStart(e.Event); err == nil {
				goesOn = more(t.GTID, false)
			}
		}
		switch left -= min(left, uint64(e.Size)); {
		case err != nil:
			return err
		case !goesOn:
			return errEnough
		case left == 0:
			return errTooFar
		}
		return nil
	})
}

// errTooFar ends a look that has seen too much for what it was for.
var errTooFar = errors.New("its binlogs are too long to be looked through")
