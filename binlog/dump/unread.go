package dump

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// noneUnread refuses a MariaDB server that does not log what it replicates, and has replicated more of a domain
// than was read; of the one that is being read: since then. Of a domain of which nothing was read another one may have it from before
// reading began: that is told.
func (d *placing) noneUnread(ctx context.Context) error {
	same := d.sameServer()
	if d.s.Flavor != MariaDB || d.s.LogsReplicated() || d.whole.GTIDs == nil || same && d.p.Had == nil {
		return nil
	}
	replicated, err := d.c.Replicated(ctx, d.s)
	if err != nil {
		return err
	}
	there, err := d.c.BinlogState(ctx)
	if err != nil {
		return err
	}
	behind, unread := d.p.GTIDs.Clone(), GTID{}
	for _, domain := range slices.Sorted(maps.Keys(replicated.domains)) {
		g := replicated.domains[domain]
		switch read, followed := d.whole.GTIDs.domains[domain]; {
		case there[g.by()] >= g.Seq, same && (d.p.Had.domains[domain] == g || followed && d.p.mayHaveRead(g)):
		case !followed && same:
			behind.Add(g)
			unread = g
		case !followed:
			d.lacks = append(d.lacks, fmt.Sprintf("the source has replicated %s, of a GTID domain of which nothing was read, and does not log what it replicates (log_slave_updates=OFF): "+
				"what it replicated of that domain is in none of its binlogs", &g))
		case same: // a server that has nothing to do with the former ones may number lower
			if g.Seq > read.Seq {
				behind.Add(g)
			}
			unread = g
		case g.Seq > read.Seq && !d.p.mayHaveRead(g) && !d.p.wentBack(domain):
			behind.Add(g)
			unread = g
		}
	}
	if unread.IsZero() {
		return nil
	}
	who, last := d.otherName(), "nothing was read"
	if same {
		who = "the source does not log what it replicates (log_slave_updates=OFF)"
	}
	if read, ok := d.p.GTIDs.domains[unread.Domain]; ok {
		last = fmt.Sprintf("what was read ends with %q", read.String())
	}
	return &MissingError{Behind: behind, Text: fmt.Sprintf("%s, and has replicated up to %s, and of the GTID domain %d %s: what is between is in none of its binlogs",
		who, &unread, unread.Domain, last)}
}
