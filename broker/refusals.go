package broker

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

const (
	// refusalWindow is how long lines are counted before the sum is told.
	refusalWindow = 10 * time.Second
	// refusalAddresses is how many addresses are counted apart in that time, and
	// how many times the lines of one there may be in all.
	refusalAddresses = 20
	// maxLogName and maxLogError bound what a client can put into one line.
	maxLogName, maxLogError = 128, 1 << 10
)

// refusals lets a few lines about refused connections, failed logins and the
// like into the log and counts the others, so that nobody can fill the disk by
// knocking. Its memory, and the lines it lets pass in a time, are bounded for
// any number of addresses.
type refusals struct {
	log   *slog.Logger
	lines int // of one address

	mu      sync.Mutex
	window  *time.Timer // nil while nothing is counted
	counts  map[string]*refusalCount
	leftOut int // of addresses that are not counted apart
}

type refusalCount struct{ passed, leftOut int }

// pass tells if a line about an address may be written.
func (r *refusals) pass(address string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.window == nil {
		r.counts = make(map[string]*refusalCount)
		r.window = time.AfterFunc(refusalWindow, r.tell)
	}
	n := r.counts[address]
	if n == nil && len(r.counts) == refusalAddresses {
		r.leftOut++
		return false
	}
	if n == nil {
		n = &refusalCount{}
		r.counts[address] = n
	}
	if n.passed == r.lines {
		n.leftOut++
		return false
	}
	n.passed++
	return true
}

// tell ends the window and logs what was left out.
func (r *refusals) tell() {
	r.mu.Lock()
	counts, others := r.counts, r.leftOut
	r.window, r.counts, r.leftOut = nil, nil, 0
	r.mu.Unlock()
	const message = "more refused connections, failed logins and the like"
	for _, address := range slices.Sorted(maps.Keys(counts)) {
		if n := counts[address].leftOut; n > 0 {
			r.log.Warn(message, "address", address, "count", n, "within", refusalWindow)
		}
	}
	if others > 0 {
		r.log.Warn(message, "address", "others", "count", others, "within", refusalWindow)
	}
}

// close tells what is left to tell.
func (r *refusals) close() {
	r.mu.Lock()
	stopped := r.window != nil && r.window.Stop()
	r.mu.Unlock()
	if stopped {
		r.tell()
	}
}

// complain logs what a client did or was refused, if there was not too much of
// that from its address already.
func (c *conn) complain(level slog.Level, message string, args ...any) {
	if !c.log.Enabled(context.Background(), level) || !c.s.refusals.pass(c.host) {
		return
	}
	for i, a := range args {
		switch a := a.(type) {
		case string:
			args[i] = clip(a, maxLogName)
		case error:
			args[i] = clip(a.Error(), maxLogError)
		}
	}
	c.log.Log(context.Background(), level, message, args...)
}

func clip(s string, n int) string { return s[:min(len(s), n)] }
