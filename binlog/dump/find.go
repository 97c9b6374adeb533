package dump

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// sameGroup compares the group that was read last with the one that has its
// GTID there.
func (d *placing) sameGroup(ctx context.Context) error {
	mark := d.p.LastGroup
	if mark.GTID.IsZero() || mark.Micros == 0 && mark.Began == 0 || !d.p.GTIDs.Contains(mark.GTID) {
		return nil
	}
	there, state, err := d.find(ctx, mark.GTID)
	if d.s.Flavor == MariaDB && (errors.Is(err, ErrOtherServer) || err == nil && there == nil) {
		if built, e := d.isBuiltAt(ctx, mark.GTID); built || e != nil && !errors.Is(e, errTooFar) {
			if e == nil {
				e = d.toldOnly(ctx, mark.GTID)
			}
			return e
		}
	}
	switch {
	case errors.Is(err, ErrPurged):
		// Its binlogs go back to a later one: what it executed before, it says itself.
		d.log.Warn("the source's binlogs do not go back to the transaction read last, so it cannot be compared", "gtid", mark.GTID.String())
		return nil
	case err != nil:
		return fmt.Errorf("look for the transaction read last: %w", err)
	case there == nil:
		return d.mayCatchUp(fmt.Errorf("%w: its binlogs lack the transaction %s, which was read last", ErrOtherServer, &mark.GTID))
	}
	here, other := time.UnixMicro(mark.Micros), time.UnixMicro(there.Micros)
	if mark.Micros == 0 || there.Micros == 0 {
		here, other = time.Unix(int64(mark.Began), 0), time.Unix(int64(there.Began), 0)
	}
	if here.Equal(other) {
		d.read, d.had = there.end, state
		return nil
	}
	return fmt.Errorf("%w: its transaction %s is of %s, and the one that was read is of %s: it has another history (or filters a part of it, replicate_…)", ErrOtherServer, &mark.GTID,
		other.UTC().Format(time.RFC3339Nano), here.UTC().Format(time.RFC3339Nano))
}

// toldOnly tells of a server that has the transaction that was read last in none of its binlogs.
func (d *placing) toldOnly(ctx context.Context, g GTID) error {
	before, err := d.hasReadBefore(ctx, g)
	if err == nil && before && d.s.LogsReplicated() {
		d.lacks = append(d.lacks, fmt.Sprintf("the source's binlogs lack the transaction %s, which was read last, and have earlier ones that were read: it filters what it replicates, or was told to pass over some (gtid_slave_pos)", &g))
		return nil
	}
	d.log.Warn("the source was set up from a copy that ends with the transaction read last, so it cannot be compared", "gtid", g.String())
	return err
}

// begunBehind finds where on another server the place stands at which reading began, if nothing was
// read since: what that server has before it and the source had not is nothing new.
func (d *placing) begunBehind(ctx context.Context) error {
	if !d.p.LastGroup.GTID.IsZero() || d.sameServer() {
		return nil
	}
	for _, g := range d.p.GTIDs.newest() {
		there, _, err := d.find(ctx, g)
		switch {
		case errors.Is(err, ErrPurged) || errors.Is(err, ErrOtherServer): // its binlogs begin later
		case err != nil:
			return fmt.Errorf("look for the transaction that reading began behind: %w", err)
		case there != nil && (d.read == (Place{}) || d.read.Before(there.end)):
			d.read = there.end
		}
	}
	return nil
}

// find looks for the event group of a GTID that was executed; nil if it is not
// in the binlogs. state is what a MariaDB server has up to there: it makes up a list of
// that behind the first GTID that it sends.
func (d *placing) find(ctx context.Context, g GTID) (found *foundGroup, state BinlogState, err error) {
	state = BinlogState{}
	err = d.look(ctx, From{GTIDs: d.p.GTIDs.Without(g)}, func(e seen) error {
		if e.Type == EvMariaGTIDList {
			return eachListed(e.Body, state.add)
		}
		if e.Flags&FlagArtificial != 0 {
			return nil
		}
		switch {
		case found != nil && (e.Type.IsGTID() || !e.InGroup()):
			return errEnough
		case found != nil:
			if found.Began == 0 {
				found.Began = e.Timestamp
			}
			found.end = Place{e.file, e.end}
			return nil
		case !e.Type.IsGTID():
			return nil
		}
		t, err := ParseTransactionStart(e.Event)
		if err != nil {
			return err
		}
		if t.GTID.Seq != 0 {
			state.add(t.GTID)
		}
		if t.GTID == g {
			found = &foundGroup{GroupMark{GTID: g, Micros: t.OriginalMicros}, Place{e.file, e.end}}
		}
		return nil
	})
	return found, state, err
}

// foundGroup is an event group, and where it ends.
type foundGroup struct {
	GroupMark
	end Place
}
