package dump

import (
	"context"
	"errors"
	"time"
)

// checkPeriod is the least time between two looks at an idle source.
const checkPeriod = 4 * time.Second

// live is the connection that a feed reads from.
type live struct {
	c *Conn
	s *Status
}

// watch is what a feed knows of its looks at an idle source.
type watch struct {
	last time.Time // of the look before
	more Position  // at which a group followed that had not come
}

// Check looks, over a connection of its own, whether the source still has
// what was read up to p, where no group is open, and whether it sends what it
// has. If not, the feed's connection ends, and the next one tells what is wrong:
// a server whose binlogs were reset may hold the old file open for a reader, and
// send it nothing but heartbeats. It returns at once; calls while one runs, or
// soon after it, do nothing.
func (f *Feed) Check(p *Position) {
	at := f.live.Load()
	if at == nil || p.FileMade == 0 || !f.checking.CompareAndSwap(false, true) {
		return
	}
	if time.Since(f.watch.last) < checkPeriod {
		f.checking.Store(false)
		return
	}
	q := Position{Flavor: p.Flavor, File: p.File, FileMade: p.FileMade, Pos: p.Pos, Last: p.Last}
	f.Go(func(ctx context.Context) {
		defer f.checking.Store(false)
		if reason := f.suspect(ctx, at, q); reason != "" && f.live.Load() == at && ctx.Err() == nil {
			f.log.Warn("the source is not as it was read, connecting anew", "source", f.o.Source.Address, "position", q.String(), "reason", reason)
			_ = at.c.Close()
		}
		f.watch.last = time.Now()
	})
}

// suspect returns what speaks against going on with the connection.
func (f *Feed) suspect(ctx context.Context, at *live, p Position) string {
	before := f.watch.more
	f.watch.more = Position{}
	replica := Unlogged{}
	d := placing{log: f.log, s: at.s, p: &p, dial: func(ctx context.Context) (c *Conn, err error) {
		if c, err = Dial(ctx, f.o.Source); err == nil && !at.s.LogsReplicated() {
			replica, _ = c.Unlogged(ctx, at.s) // a connection that has failed tells what follows
		}
		return c, err
	}}
	differs, more, err := d.compare(ctx)
	switch {
	case replica.Replica:
		return replica.Found
	case errors.Is(err, ErrPurged):
		return "file " + p.File + " is not there any more"
	case errors.Is(err, ErrNotReady):
		return err.Error()
	case err != nil: // whether the connection lives, its heartbeats tell
		f.log.Debug("could not look at the source", "source", f.o.Source.Address, "error", err)
		return ""
	case differs != "":
		return differs
	case more && before.File == p.File && before.Pos == p.Pos:
		return "what follows the position does not come"
	case more:
		f.watch.more = p
	}
	return ""
}

// Cut ends the connection: what came over it does not fit, which why tells.
func (f *Feed) Cut(why error) {
	if at := f.live.Load(); at != nil {
		f.why.Store(&why)
		_ = at.c.Close()
	}
}
