package dump

import (
	"context"
	"errors"
	"fmt"
)

// What is looked at of a MariaDB server that is gone on at by GTIDs. Its position is one GTID of each
// domain, so it begins behind the first transaction that has this, whatever it has
// elsewhere in its binlogs.

// scanned bounds what is looked at of a binlog, in bytes, for what is not likely.
const scanned = 64 << 20

// notAgain refuses a server whose binlogs have what was read already behind where
// a dump begins. Two servers that commit in one domain may have theirs in different
// orders; and unless gtid_strict_mode is ON sequences may go back
// (SET gtid_seq_no, which binlogs that are played back do), and a GTID stand there twice.
func (d *placing) notAgain(ctx context.Context) error {
	if d.p.Flavor != MariaDB {
		return nil
	}
	var again GTID
	var behind Place
	left, likely, inGroup := uint64(scanned), len(d.p.Back) > 0 || d.p.Read.shared(), false
	err := d.look(ctx, From{GTIDs: d.p.GTIDs}, func(e seen) error {
		if e.end == 0 {
			return nil
		}
		if left -= min(left, uint64(e.Size)); left == 0 && !likely {
			return errEnough
		}
		if e.Type == EvMariaGTID {
			t, err := ParseTransactionStart(e.Event)
			if err != nil {
				return err
			}
			if inGroup = d.p.isAgain(t.GTID); inGroup {
				again = t.GTID
			}
		}
		if inGroup = inGroup && e.InGroup(); inGroup {
			behind = Place{e.file, e.end}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("look whether something that was read stands there once more: %w", err)
	}
	if again.IsZero() {
		return nil
	}
	return d.p.readAgain(again, behind)
}

// isAgain tells whether a transaction that is sent after the position was read already.
func (p *Position) isAgain(g GTID) bool {
	if _, back := p.Back[g.by()]; back || g.Seq > p.Read.last(g.by()) {
		return g == p.GTIDs.domains[g.Domain]
	}
	return true
}

func (p *Position) readAgain(g GTID, next Place) *MissingError {
	behind, upTo := "the place", p.GTIDs.domains[g.Domain]
	if !upTo.IsZero() {
		behind = upTo.String()
	}
	return &MissingError{Next: next, Kind: ErrOtherServer, Text: fmt.Sprintf("its binlogs have the transaction %s behind %s, up to which was read, and it was read already, or another one of that number: "+
		"servers that both commit in one domain have theirs in different orders (give each its gtid_domain_id), or the sequence of the domain went back (SET gtid_seq_no; gtid_strict_mode=ON prevents it). "+
		"What stands between the two is not all new; compare the data", &g, behind)}
}

// noneLost refuses a server that has not got all that was read, even if it has what was read last of
// each domain: of each server that committed in one it must have that which was read last.
func (d *placing) noneLost(ctx context.Context) error {
	if d.p.Flavor != MariaDB {
		return nil
	}
	there, err := d.c.BinlogState(ctx)
	if err != nil {
		return err
	}
	replicated, err := d.c.Replicated(ctx, d.s)
	if err != nil {
		return err
	}
	for o := range d.p.Read {
		seq := d.p.Read.last(o)
		if back, ok := d.p.Back[o]; ok {
			seq = back
		}
		lost := GTID{Domain: o.Domain, Server: o.Server, Seq: seq}
		if !d.p.followsDomain(o.Domain) || there[o] >= seq || replicated.endsLike(d.p.GTIDs, o.Domain) || d.p.isReplicated(lost, replicated) {
			continue
		}
		before, err := d.hasReadBefore(ctx, lost)
		switch {
		case err != nil:
			return fmt.Errorf("look for what the source has of the time of %s: %w", &lost, err)
		case before:
			return d.mayCatchUp(d.lost(lost))
		}
		d.log.Warn("the source's binlogs lack a transaction that was read, and begin later: whether it has it is not known", "source", d.c.source.Address, "gtid", lost.String())
	}
	return nil
}

func (d *placing) lost(g GTID) error {
	if d.sameServer() {
		return fmt.Errorf("%w: its binlogs lack the transaction %s, which was read", ErrOtherServer, &g)
	}
	return fmt.Errorf("%w: %w: its binlogs lack the transaction %s, which was read; it may be a replica that is only behind, and the task goes on by itself as soon as it has caught up; or the failover lost it",
		ErrOtherServer, ErrBehind, &g)
}

// hasReadBefore tells whether the binlogs have something of a transaction's domain that
// has a lower number and was read: then they should have the transaction, too. A
// server that was set up from a later copy need not.
func (d *placing) hasReadBefore(ctx context.Context, g GTID) (before bool, err error) {
	found := false
	err = d.fromOldest(ctx, func(there GTID, at Place) bool {
		if there.Domain == g.Domain && d.p.mayHaveRead(there) {
			found, before = true, before || there.Seq < g.Seq
		}
		return !found || at == Place{} // any of the list may be lower
	})
	if errors.Is(err, errTooFar) {
		err = nil
	}
	return before, err
}
