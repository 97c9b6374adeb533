package broker

import (
	"slices"
	"sync"

	"daybook/auth"
)

// budget is the memory for the records of all responses under way.
//
// No principal can take it from the others, however many of its clients do not
// read what they asked for: it may hold as much as it leaves free. One that
// takes all it can get holds a half, two hold a third each, and so on. A
// principal that holds nothing never waits; it gets half of what is free, be
// that nothing, and a response without memory can still have one batch.
type budget struct {
	now chan struct{} // closed

	mu      sync.Mutex
	free    int64
	shares  map[auth.Principal]*share
	waiting int // claims, of all shares
}

// share is what one principal holds.
type share struct {
	bytes   int64
	claims  int
	waiting []*claim
}

// claim is the memory of one response.
type claim struct {
	b         *budget
	principal auth.Principal
	// ready is closed when the claim has its bytes, which may be fewer than were
	// asked for.
	ready chan struct{}
	bytes int64
}

func newBudget(bytes int64) *budget {
	b := &budget{now: make(chan struct{}), free: bytes, shares: make(map[auth.Principal]*share)}
	close(b.now)
	return b
}

// claim asks for memory. It has to be given back by release, whether or not it
// was ready.
func (b *budget) claim(p auth.Principal, bytes int64) *claim {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := &claim{b: b, principal: p, ready: b.now, bytes: bytes}
	s := b.shares[p]
	if s == nil {
		s = &share{}
		b.shares[p] = s
	}
	if len(s.waiting) == 0 && b.grant(s, c) {
		return c
	}
	c.ready = make(chan struct{})
	s.waiting = append(s.waiting, c)
	b.waiting++
	return c
}

// grant gives a claim its bytes, if the principal would not hold more than it
// leaves.
func (b *budget) grant(s *share, c *claim) bool {
	if s.claims == 0 {
		c.bytes = min(c.bytes, b.free/2)
	}
	if s.bytes+c.bytes > b.free-c.bytes {
		return false
	}
	s.bytes += c.bytes
	s.claims++
	b.free -= c.bytes
	return true
}

// release gives the memory back, or takes back a claim that is still waiting.
func (c *claim) release() {
	b := c.b
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.shares[c.principal]
	if i := slices.Index(s.waiting, c); i >= 0 {
		s.waiting = slices.Delete(s.waiting, i, i+1)
		b.waiting--
	} else {
		s.bytes -= c.bytes
		s.claims--
		b.free += c.bytes
	}
	if b.waiting > 0 {
		for _, s := range b.shares {
			b.serve(s)
		}
	}
	if s.claims == 0 {
		delete(b.shares, c.principal)
	}
}

// serve grants the claims of a share that wait, the oldest first.
func (b *budget) serve(s *share) {
	for len(s.waiting) > 0 && b.grant(s, s.waiting[0]) {
		close(s.waiting[0].ready)
		s.waiting = s.waiting[1:]
		b.waiting--
	}
}
