package auth

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

const (
	// freeFailures may happen in a row before an address is slowed.
	freeFailures = 10
	// failureInterval is how long one failure counts, and so the time between
	// the attempts of an address that is slowed.
	failureInterval = 2 * time.Second
	// patience is how long an attempt waits for its turn before it is refused.
	patience = 10 * time.Second
	// maxSources bounds the memory for addresses that nobody waits for.
	maxSources = 16384
)

// Throttle slows those who guess. Ten failures of an address (IPv6: of a /64)
// are free; after that one attempt in two seconds is looked at, one at a time.
// Who has logged in from an address before is counted apart from what others do
// there, so that one misconfigured client of a host does not hold up the rest. Its memory is bounded. It may be used by any number of goroutines.
type Throttle struct {
	mu      sync.Mutex
	sources map[source]*history
}

// source is who is counted together: an address, and a username if it has
// logged in from there.
type source struct{ address, username string }

type history struct {
	users int // attempts under way; guarded by Throttle.mu
	known bool

	mu   sync.Mutex // held while a password is checked, so that guesses do not overlap
	paid time.Time  // when the failures so far no longer count
}

// NewThrottle returns a Throttle that has seen no failure.
func NewThrottle() *Throttle { return &Throttle{sources: make(map[source]*history)} }

// Attempt runs check when it is the turn of the client. It returns ErrDenied
// if check is false, and ErrSlowed if its turn did not come in time.
func (t *Throttle) Attempt(ctx context.Context, address, username string, check func() bool) error {
	address = network(address)
	h := t.enter(address, username)
	defer t.leave(h)
	limit := time.Now().Add(patience)
	for {
		ok, wait := h.try(check)
		switch {
		case ok:
			t.know(address, username)
			return nil
		case wait == 0:
			return ErrDenied
		case time.Now().Add(wait).After(limit):
			return ErrSlowed
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ErrSlowed
		}
	}
}

// try runs check unless the source has to wait.
func (h *history) try(check func() bool) (ok bool, wait time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	if turn := h.paid.Add(-(freeFailures - 1) * failureInterval); turn.After(now) {
		return false, turn.Sub(now)
	}
	if check() {
		return true, 0
	}
	if h.paid.Before(now) {
		h.paid = now
	}
	h.paid = h.paid.Add(failureInterval)
	return false, 0
}

// enter returns the history to count an attempt in.
func (t *Throttle) enter(address, username string) *history {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.sources[source{address, username}]
	if h == nil || !h.known {
		h = t.source(source{address: address})
	}
	h.users++
	return h
}

func (t *Throttle) leave(h *history) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h.users--
}

// know counts the user apart from now on.
func (t *Throttle) know(address, username string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.source(source{address, username}).known = true
}

// source returns a history, and makes room for it if there are too many.
func (t *Throttle) source(s source) *history {
	if h := t.sources[s]; h != nil {
		return h
	}
	if len(t.sources) >= maxSources {
		t.sweep()
	}
	h := &history{}
	t.sources[s] = h
	return h
}

// sweep forgets everyone who owes nothing and is not trying now.
func (t *Throttle) sweep() {
	now := time.Now()
	for s, h := range t.sources {
		if h.users == 0 && h.paid.Before(now) {
			delete(t.sources, s)
		}
	}
}

// network is what one client can be expected to hold of addresses: an IPv4
// address, or a /64 of IPv6.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if ip = ip.Unmap().WithZone(""); ip.Is4() {
		return ip.String()
	}
	p, err := ip.Prefix(64)
	if err != nil {
		return address
	}
	return p.String()
}
