package group

import (
	"slices"
	"time"
)

// The lease decides which reader is the active one. All of it happens in
// arbitrate, which is called with the group locked after everything that could
// change the decision, and by a timer when time could.
//
// While nobody has been assigned the partition (assign mode), the lease goes to
// the reader that has waited longest, and stays there until its connection ends
// or it is silent for ReaderTimeout. Once the group is Stable (subscribe mode),
// only a connection of the member that was assigned the partition may read;
// over the next rebalance it goes on, as in Kafka, until the new assignment is
// known or it is no member any more. Mode and reader change under one lock, so
// there are never two that may read.

// memberGrace is how long an assigned member may take until its first Fetch
// before a connection that is less surely its own is taken for it.
const memberGrace = 3 * time.Second

// lease is the right to read a group's partition. The group's mu guards it.
type lease struct {
	readers   []*Reader // of open connections, the longest-waiting first
	active    *Reader
	subscribe bool
	claimants []*member // in subscribe mode, who was assigned the partition: one if the assignment is as it should be

	// last tells who was active last, for the log.
	last    Client
	lostWhy string

	alarm   *time.Timer
	alarmAt time.Time // zero if it is not set
}

// arbitrate makes the right reader the active one.
func (g *group) arbitrate() {
	if g.state == dead {
		return
	}
	now := time.Now()
	l := &g.lease
	if r := l.active; r != nil {
		switch {
		case l.subscribe && !slices.Contains(l.claimants, r.home):
			g.release("the partition was assigned to another", true)
		case !r.alive(now):
			g.release("it was silent for too long", false)
		case r.guessed && now.Sub(r.since) >= g.opts.ReaderTimeout:
			r.guessed = !r.like(r.home) || r.outsider == r.home // no better one has come
		}
	}
	next, home, guessed := g.successor(now)
	if next != nil && next != l.active {
		if l.active != nil {
			wrong := l.active
			g.release("the member's own connection came", true)
			wrong.outsider = home // but remembered for when its member is gone
		}
		g.grant(next, home, guessed, now)
	}
	g.setAlarm(now)
}

// successor returns the reader whose turn it is if it is not the active one's,
// and the member that it reads for.
func (g *group) successor(now time.Time) (next *Reader, home *member, guessed bool) {
	l := &g.lease
	if l.active != nil && !l.active.guessed {
		return nil, nil, false
	}
	if !l.subscribe {
		for _, r := range l.readers {
			if l.active == nil && r.alive(now) && !r.barred(now) {
				return r, nil, false
			}
		}
		return nil, nil, false
	}
	for _, r := range l.readers {
		for _, m := range l.claimants {
			is, guess := r.eligible(m, now)
			if is && !guess {
				return r, m, false
			}
			if is && next == nil && l.active == nil {
				next, home, guessed = r, m, true
			}
		}
	}
	return next, home, guessed
}

// eligible says if the reader may be a connection of member m, which was
// assigned the partition. Nothing in the protocol connects the two: all that a
// Fetch shows is address and client.id, and several consumers of one host often
// have the same.
//
// The connection that m joined by is m's (some clients use one for everything),
// and one that was m's before. So is one of m's address and client.id that
// fetches after the assignment, and did not between m's join and it: a member
// fetches nothing then, but an assign-mode consumer of the same name does. If m
// has had no such connection for memberGrace, any with its address and client.id
// is taken for it, and after ReaderTimeout any with its client.id (several
// addresses behind NAT): a guess, and given up when a better one comes. So
// is, at once, that of a member that was evicted before m joined, for m may be
// the same client. Some clients, such as brod, fetch by another client.id than
// they join by: if m has never had a connection, after memberGrace one of its
// address that came after m or was a former member's, and is not like another
// member's, is taken for it too, and its client.id for m's.
func (r *Reader) eligible(m *member, now time.Time) (is, guess bool) {
	switch {
	case !r.inFlight:
		return false, false
	case r.client.Address == m.client.Address:
		return true, false
	case r.home == m && r.outsider != m:
		return true, r.guessed
	}
	sameHost := r.client.Host == m.client.Host
	sent := sameHost && r.outsider != m && r.home == nil && !r.begun.Before(m.assignedAt)
	waited := now.Sub(m.readerlessSince)
	if r.client.ID != m.client.ID && (!m.hasRead || r.client.ID != m.readsAs) {
		cameAfter := !r.opened.Before(m.joinedAt) && !r.barred(now)
		orphan := !r.orphaned.IsZero() && m.joinedAt.After(r.orphaned)
		is = sent && !m.hasRead && (cameAfter || orphan) && waited >= memberGrace && !slices.ContainsFunc(r.g.members, r.like)
		return is, is
	}
	switch {
	case sent && !r.barred(now):
		return true, false
	case sent && m.joinedAt.After(r.orphaned):
		return true, true
	case r.outsider == m && r.barred(now):
		return false, false
	case sameHost && waited >= memberGrace, waited >= r.c.opts.ReaderTimeout:
		return true, true
	}
	return false, false
}

// like says if the reader has the address and the client.id of the member.
func (r *Reader) like(m *member) bool {
	return r.client.ID == m.client.ID && r.client.Host == m.client.Host
}

// barred says that the reader may not read in its own right, because it was
// seen to be the connection of a member that has left, until it fetches again,
// or was evicted. The client of such a one may be frozen or cut off, and must
// not consume on when it comes back before it has learned that it is out; a
// heartbeat tells it, long before ReaderTimeout is over.
func (r *Reader) barred(now time.Time) bool {
	switch {
	case r.orphaned.IsZero():
		return false
	case r.back.IsZero():
		return true
	}
	return r.evicted && now.Sub(r.back) < r.c.opts.ReaderTimeout
}

// grant makes the reader the active one. There is none.
func (g *group) grant(r *Reader, home *member, guessed bool, now time.Time) {
	l := &g.lease
	l.active = r
	r.since, r.home, r.guessed = now, home, guessed
	r.orphaned, r.evicted, r.back = time.Time{}, false, time.Time{}
	for _, o := range l.readers {
		o.lost, o.fell = o.lost || o.fell, false
	}
	r.wake()
	attrs := []any{"mode", "assign", "client_id", r.client.ID, "address", r.client.Address, "offset", r.offset}
	if home != nil {
		home.hasRead, home.readsAs = true, r.client.ID
		attrs[1] = "subscribe"
		attrs = append(attrs, "member", home.id, "generation", g.generation)
	}
	if l.lostWhy == "" {
		g.log.Info("a consumer is active", attrs...)
	} else if l.last != r.client {
		g.log.Info("a consumer took over", append(attrs, "from_client_id", l.last.ID, "from_address", l.last.Address, "because", l.lostWhy)...)
	}
	l.last = r.client
}

// release takes the turn from the active reader. Lost says that it has lost it
// for good; else it has if another one gets it.
func (g *group) release(why string, lost bool) {
	l := &g.lease
	r, now := l.active, time.Now()
	l.active, l.lostWhy = nil, why
	r.fell, r.lost, r.held = r.served && !lost, r.served && lost, r.held || r.served
	r.served, r.since = false, now
	if r.home != nil {
		r.home.readerlessSince = now
	}
	g.lastRead = now
	r.wake()
	g.toTheEnd(r)
	g.log.Debug("a consumer is not active any more", "client_id", r.client.ID, "address", r.client.Address, "because", why)
}

// setAlarm has arbitrate called when the passing of time may change the
// decision.
func (g *group) setAlarm(now time.Time) {
	at := g.nextChange(now)
	l := &g.lease
	if at.IsZero() || !l.alarmAt.IsZero() && !at.Before(l.alarmAt) {
		return // an alarm that comes too early sets the next one
	}
	l.alarmAt = at
	if l.alarm == nil {
		l.alarm = time.AfterFunc(at.Sub(now), g.ring)
	} else {
		l.alarm.Reset(at.Sub(now))
	}
}

// ring is the alarm. It locks the group.
func (g *group) ring() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lease.alarmAt = time.Time{}
	g.arbitrate()
}

// nextChange returns the next time at which arbitrate may decide otherwise
// though nothing happens; zero if there is none.
func (g *group) nextChange(now time.Time) time.Time {
	l := &g.lease
	timeout := g.opts.ReaderTimeout
	var next time.Time
	at := func(t time.Time) {
		if t.After(now) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	if r := l.active; r != nil {
		if !r.inFlight {
			at(r.heard.Add(timeout))
		}
		return next
	}
	for _, m := range l.claimants {
		at(m.readerlessSince.Add(memberGrace))
		at(m.readerlessSince.Add(timeout))
	}
	for _, r := range l.readers {
		if r.evicted && !r.back.IsZero() {
			at(r.back.Add(timeout))
		}
	}
	return next
}

// endLease ends it with the group.
func (g *group) endLease() {
	l := &g.lease
	l.active, l.claimants = nil, nil
	if l.alarm != nil {
		l.alarm.Stop()
	}
	for _, r := range l.readers {
		r.wake()
	}
	l.readers = nil
}
