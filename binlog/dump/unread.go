package dump

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// noneUnread refuses another MariaDB server that does not log what it replicates, and has replicated more of a domain
// than was read. Of a domain of which nothing was read it may be from before reading began: that is told.
func (d *placing) noneUnread(ctx context.Context) error {
	if d.s.Flavor != MariaDB || d.sameServer() || d.s.LogsReplicated() {
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
		case there[g.by()] >= g.Seq:
		case !followed:
			d.lacks = append(d.lacks, fmt.Sprintf("the source has replicated %s, of a GTID domain of which nothing was read, and does not log what it replicates (log_slave_updates=OFF): "+
				"what it replicated of that domain is in none of its binlogs", &g))
		case g.Seq > read.Seq && !d.p.mayHaveRead(g) && !d.p.wentBack(domain):
			behind.Add(g)
			unread = g
		}
	}
	if unread.IsZero() {
		return nil
	}
	read := d.p.GTIDs.domains[unread.Domain]
	return &MissingError{Behind: behind, Text: fmt.Sprintf("%s, and has replicated up to %s, and of the GTID domain %d what was read ends with %q: what is between is in none of its binlogs",
		d.otherName(), &unread, unread.Domain, read.String())}
}
