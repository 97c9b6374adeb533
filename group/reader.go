package group

import (
	"slices"
	"strings"
	"time"
)

// Turn is what a Reader may do now.
type Turn int

const (
	// Standby: another reader is the active one, or none may be. A Fetch gets
	// no records.
	Standby Turn = iota
	// Active: records may be served.
	Active
	// Lost: the reader was active, and another one took its place. It is said
	// once; then the reader stands by.
	Lost
)

// Reader is a connection that fetches its group's partition. Its methods, but
// for Changed's channel, belong to one goroutine.
type Reader struct {
	c      *Coordinator
	client Client
	topic  string
	g      *group // replaced when the group was deleted: see enter

	// What follows is guarded by g.mu.

	opened   time.Time
	inFlight bool      // a Fetch is being answered
	begun    time.Time // when the last Fetch came
	heard    time.Time // when the last Fetch came or was answered
	offset   int64     // up to which the client may have consumed
	since    time.Time // when it began to wait for its turn, or got it
	served   bool      // it is active and knows it
	fell     bool      // it was served, and nobody has been active since
	lost     bool      // it was served, another one has been active since, and it was not told
	held     bool      // it was served before
	commits  string    // the address that its client's commits come from, if that is known
	changed  chan struct{}

	// In a group with members a reader reads for one of them.
	home     *member
	guessed  bool    // it may as well be no connection of home's: see eligible
	outsider *member // it fetched between this member's join and its assignment

	// After its member has left the group or was put out of it.
	orphaned time.Time // zero if it has not been a member's
	evicted  bool
	back     time.Time // its first Fetch since then
}

// OpenReader tells of a connection that fetches the group's partition, which
// is that of topic, for the first time. Close must follow.
func (c *Coordinator) OpenReader(id, topic string, client Client) *Reader {
	r := &Reader{c: c, client: client.clone(), topic: strings.Clone(topic)}
	if r.g = c.lookup(id, true); r.g == nil { // closed
		r.g = newGroup(c, strings.Clone(id))
		r.g.state = dead
	}
	r.changed = make(chan struct{})
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	if r.g.state != dead {
		r.g.addReader(r)
	}
	return r
}

// Begin tells that a Fetch from offset has come, and returns what may be
// answered now. End must follow.
func (r *Reader) Begin(offset int64) Turn {
	g := r.enter()
	if g == nil {
		return Standby
	}
	defer g.mu.Unlock()
	now := time.Now()
	if !r.alive(now) {
		r.since = now // who was silent is the last in the queue
		g.toTheEnd(r)
	}
	if r.back.IsZero() && !r.orphaned.IsZero() {
		r.back = now
	}
	r.inFlight, r.begun, r.heard, r.offset = true, now, now, offset
	g.arbitrate()
	return r.turn()
}

// Turn returns what may be answered now to the Fetch under way.
func (r *Reader) Turn() Turn {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	return r.turn()
}

func (r *Reader) turn() Turn {
	switch {
	case r.g.state == dead:
		return Standby
	case r.g.lease.active == r:
		r.served = true
		return Active
	case r.lost:
		r.lost = false
		return Lost
	}
	return Standby
}

// Changed returns a channel that is closed when the turn may have changed since
// this call.
func (r *Reader) Changed() <-chan struct{} {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	return r.changed
}

// End tells that the Fetch is answered, with records up to next, its own offset
// if there were none.
func (r *Reader) End(next int64) {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	r.inFlight, r.heard = false, time.Now()
	r.offset = max(r.offset, next)
	r.g.arbitrate()
}

// Close tells that the connection is gone. The next one's turn comes at once.
func (r *Reader) Close() {
	r.g.mu.Lock()
	defer r.g.mu.Unlock()
	r.g.removeReader(r)
}

// enter locks the reader's group. If that was deleted, it is made anew: readers
// live on. It returns nil while there is no group to be had.
func (r *Reader) enter() *group {
	r.g.mu.Lock()
	if r.g.state != dead {
		return r.g
	}
	id := r.g.id
	r.g.mu.Unlock()
	g := r.c.lookup(id, true)
	if g == nil || g == r.g {
		return nil
	}
	g.mu.Lock()
	if g.state == dead {
		g.mu.Unlock()
		return nil
	}
	r.g = g
	r.home, r.outsider, r.lost, r.fell = nil, nil, false, false
	r.orphaned, r.evicted, r.back = time.Time{}, false, time.Time{}
	g.addReader(r)
	return g
}

// alive says if the reader was heard of lately. One whose Fetch is being
// answered waits for us, not we for it.
func (r *Reader) alive(now time.Time) bool {
	return r.inFlight || now.Sub(r.heard) < r.c.opts.ReaderTimeout
}

// wake ends the reader's waiting.
func (r *Reader) wake() {
	close(r.changed)
	r.changed = make(chan struct{})
}

func (g *group) addReader(r *Reader) {
	l := &g.lease
	r.since = time.Now()
	r.opened = r.since
	l.readers = append(l.readers, r)
	if g.topic == "" {
		g.topic = r.topic
		if g.state == stable {
			g.settleAssignment()
		}
	}
}

func (g *group) removeReader(r *Reader) {
	l := &g.lease
	if l.active == r {
		g.release("its connection ended", false)
	}
	l.readers = slices.DeleteFunc(l.readers, func(o *Reader) bool { return o == r })
	g.arbitrate()
}

// toTheEnd makes the reader the last in the queue.
func (g *group) toTheEnd(r *Reader) {
	l := &g.lease
	l.readers = slices.DeleteFunc(l.readers, func(o *Reader) bool { return o == r })
	l.readers = append(l.readers, r)
}
