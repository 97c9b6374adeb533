package group

import (
	"context"
	"time"
)

// sweepInterval is how often groups are looked at, as Kafka's
// offsets.retention.check.interval.ms.
const sweepInterval = 10 * time.Minute

// sweep deletes groups that have expired until ctx ends.
func (c *Coordinator) sweep(ctx context.Context) {
	t := time.NewTicker(min(sweepInterval, c.opts.Retention))
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			for _, g := range c.all() {
				g.deleteIfExpired(now.Add(-c.opts.Retention))
			}
		}
	}
}

// deleteIfExpired locks the group.
func (g *group) deleteIfExpired(cutoff time.Time) {
	g.lockSettled()
	if !g.expired(cutoff) {
		g.mu.Unlock()
		return
	}
	// An error has been logged by the saver, and the next sweep tries again.
	w := g.startDelete()
	g.mu.Unlock()
	if g.awaitDelete(w) == nil {
		g.log.Info("group expired: it had no members and no commits", "for", g.opts.Retention)
	}
}

// expired tells a group that has been without members since before cutoff, and
// was neither read nor committed to since then.
func (g *group) expired(cutoff time.Time) bool {
	if g.state != empty || len(g.pending) > 0 || !g.emptySince.Before(cutoff) {
		return false
	}
	if g.lease.active != nil || !g.lastRead.Before(cutoff) {
		return false
	}
	for _, cp := range g.checkpoints {
		if cp.timestamp >= cutoff.UnixMilli() {
			return false
		}
	}
	return true
}

// countLost begins the time without members of a group whose members were lost
// with the process: they may come back. It locks the group.
func (g *group) countLost(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.hadMembers {
		g.hadMembers = false
		g.emptySince = now
		g.saveGeneration()
	}
}
