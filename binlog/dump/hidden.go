package dump

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// hiddenSlack is how far the clocks of two servers may differ.
const hiddenSlack = time.Minute

// noneHidden refuses a MariaDB server that has what was read last of a domain from its former source and in none of its
// binlogs, if these have something that a dump leaves out: such a server takes all of the domain up to that
// number for what came before. So it is, unless its binlogs were reset (RESET MASTER): then it numbers anew. What
// is older than the transaction read last, stands before something that was read, or changes no table, came before.
func (d *placing) noneHidden(ctx context.Context) error {
	if last := d.p.LastGroup; d.s.Flavor != MariaDB || last.Micros == 0 && last.Began == 0 {
		return nil
	}
	domains, err := d.elsewhere(ctx)
	if err != nil || len(domains) == 0 || d.oldest() == "" {
		return err
	}
	var (
		hidden, group GTID
		at, start     Place
	)
	since := d.lastRead().Add(-hiddenSlack).Unix()
	left := uint64(scanned)
	err = d.look(ctx, From{File: d.oldest(), Pos: 4}, func(e seen) error {
		if left -= min(left, uint64(e.Size)); left == 0 {
			return errTooFar
		}
		if !group.IsZero() && hidden.IsZero() && e.InGroup() && !isAdministrative(e.Event) {
			hidden, at = group, start
		}
		if e.Type != EvMariaGTID {
			group = GTID{}
			return nil
		}
		t, err := ParseTransactionStart(e.Event)
		if err != nil {
			return err
		}
		group = GTID{}
		switch read, ok := domains[t.GTID.Domain]; {
		case ok && t.GTID.Seq > read.Seq: // it numbers on from there
			if delete(domains, t.GTID.Domain); len(domains) == 0 {
				return errEnough
			}
		case ok && d.p.mayHaveRead(t.GTID):
			hidden = GTID{}
		case ok && int64(e.Timestamp) >= since:
			group, start = t.GTID, Place{e.file, e.start}
		}
		return nil
	})
	switch {
	case err != nil && !errors.Is(err, errTooFar):
		return fmt.Errorf("look whether the source numbers anew: %w", err)
	case hidden.IsZero():
		return nil
	}
	last := d.p.GTIDs.domains[hidden.Domain]
	return &MissingError{Next: at, Kind: ErrOtherServer, Text: fmt.Sprintf("%s, has %s, up to which was read, from its former source, and in its binlogs is the later transaction %s: "+
		"they were reset there (RESET MASTER), and it numbers anew, so that whoever asks for what follows %s is not sent what has a lower number. "+
		"Nothing is missing if its tables had all that was read when they were reset", d.otherName(), &last, &hidden, &last)}
}

// elsewhere returns what was read last of each domain of which the server has it by replication, and in none
// of its binlogs, where these end with something that was not read.
func (d *placing) elsewhere(ctx context.Context) (map[uint32]GTID, error) {
	replicated, err := d.c.Replicated(ctx, d.s)
	if err != nil {
		return nil, err
	}
	logged, err := d.c.BinlogState(ctx)
	if err != nil {
		return nil, err
	}
	domains := map[uint32]GTID{}
	for o, seq := range logged {
		g := d.p.GTIDs.domains[o.Domain]
		if last := (GTID{Domain: o.Domain, Server: o.Server, Seq: seq}); replicated.domains[o.Domain] == g && logged[g.by()] < g.Seq && !d.p.mayHaveRead(last) {
			domains[o.Domain] = g
		}
	}
	return domains, nil
}

// lastRead is when the group that was read last was committed.
func (d *placing) lastRead() time.Time {
	if mark := d.p.LastGroup; mark.Micros == 0 {
		return time.Unix(int64(mark.Began), 0)
	}
	return time.UnixMicro(d.p.LastGroup.Micros)
}
