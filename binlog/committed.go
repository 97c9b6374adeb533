package binlog

import (
	"context"
	"fmt"
	"time"

	"daybook/binlog/dump"
)

// commitPatience is how long a commit is waited for that is in the binlog: longer than for a semi-synchronous
// replica where nobody has set how long, which is 10 s.
const commitPatience = 15 * time.Second

// committed returns the place in the binlog that all is committed before, so that definitions that are read
// now have it, and copies of the tables that are made from now on. What waits for its commit is behind it.
func (r *Reader) committed(ctx context.Context, c *Conn) (*Status, error) {
	s := *r.server.Load()
	whole, err := c.ReadCommitted(ctx, &s)
	if err != nil || whole {
		return &s, err
	}
	p := r.placeAt("", 4)
	if p.GTIDs, err = dump.ParseGTIDSet(s.Flavor, s.GTIDSet); err != nil {
		return nil, err
	}
	begins := false
	all := reachedEnd(s.File, s.Pos)
	p, err = r.runScan(ctx, p, &scan{until: func(n *scanner) bool {
		begins = n.group.open
		return begins || all(n)
	}})
	if err != nil {
		return nil, err
	}
	if begins {
		s.File, s.Pos = p.File, p.Pos
	}
	return &s, nil
}

// awaitCommitted waits until what was read up to a position is committed, and so seen by others; done: it
// was within commitPatience. Of a MySQL server without GTIDs it is not known.
func (r *Reader) awaitCommitted(ctx context.Context, c *Conn, read *dump.Position) (done bool, err error) {
	for began, pause := time.Now(), 10*time.Millisecond; time.Since(began) < commitPatience; pause *= 2 {
		s := *r.server.Load()
		whole, err := c.ReadCommitted(ctx, &s)
		if err != nil {
			return false, err
		}
		if done, err := read.IsCommitted(&s, whole); done || err != nil {
			return done, err
		}
		select {
		case <-time.After(min(pause, time.Second)):
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
	return false, nil
}

// reselected sees, where other objects are selected than were at the position, that a copy of the tables
// which is made once they hold has all that was read: what the former ones left out will not be read again.
func (r *Reader) reselected(ctx context.Context, c *Conn, p *position) error {
	if !r.selects || !p.IsOf(r.server.Load()) {
		return nil
	}
	done, err := r.awaitCommitted(ctx, c, &p.Position)
	if err == nil && !done {
		err = dump.Transient(fmt.Errorf("other objects are selected than before, and a transaction that was read waits for its commit at the source for longer than %s, such as for a semi-synchronous replica; they hold as soon as it has committed", commitPatience))
	}
	return err
}
