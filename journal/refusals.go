package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode"

	"daybook/store"
)

const (
	// refusalWindow is how long refusals of one kind and origin are counted before the sum is told.
	refusalWindow = time.Minute
	// refusalsApart is how many origins are counted apart in that time.
	refusalsApart = 50
	// refusalsAtOnce is how many events may come one after another; behind these one comes in each
	// window. So strangers fill no more than about a tenth of what is kept, however they knock.
	refusalsAtOnce = 60
	// othersNamed is how many origins are named of those that are not told apart.
	othersNamed = 3
	maxOrigin   = 160 // characters
	maxReason   = 300
)

// Refusals makes events of what strangers were refused: the first time at once, and then one a minute for
// each kind and origin, with a count. What goes beyond a bound for all of them is summed up. Its memory is
// bounded. It may be used by any goroutine.
type Refusals struct {
	kept *Log
	log  *slog.Logger

	mu     sync.Mutex // guards the fields below
	window *time.Timer
	apart  map[origin]*refused
	others map[string]*others // by kind
	left   int                // events that may come
	grown  time.Time          // when left was right
}

type origin struct{ kind, by string }

// refused are those that are not told yet.
type refused struct {
	count  int
	reason string // of the last
}

type others struct {
	refused
	named []string
}

// NewRefusals returns one that writes into a log.
func NewRefusals(l *Log, log *slog.Logger) *Refusals {
	return &Refusals{kept: l, log: log, apart: map[origin]*refused{}, others: map[string]*others{}, left: refusalsAtOnce, grown: time.Now()}
}

// Add tells of a refusal, by whom or from where it was asked for, and why. Both may hold what a stranger says.
func (r *Refusals) Add(kind, by, reason string) {
	if e := r.count(origin{kind, harmless(by, maxOrigin)}, harmless(reason, maxReason)); e != nil {
		r.write(e)
	}
}

// count returns the event that is to be written now, if any.
func (r *Refusals) count(from origin, reason string) *Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.window == nil {
		r.window = time.AfterFunc(refusalWindow, r.tell)
	}
	known := r.apart[from]
	switch {
	case known != nil:
		known.add(1, reason)
		return nil
	case len(r.apart) >= refusalsApart:
		r.other(from, 1, reason)
		return nil
	}
	known = &refused{}
	r.apart[from] = known
	if !r.spend() {
		known.add(1, reason)
		return nil
	}
	return &Event{Kind: from.kind, By: from.by, Text: reason}
}

func (c *refused) add(n int, reason string) { c.count, c.reason = c.count+n, reason }

// other counts what is not told apart; r.mu is held.
func (r *Refusals) other(from origin, n int, reason string) {
	o := r.others[from.kind]
	if o == nil {
		o = &others{}
		r.others[from.kind] = o
	}
	o.add(n, reason)
	switch {
	case len(o.named) < othersNamed:
		o.named = append(o.named, from.by)
	case len(o.named) == othersNamed:
		o.named = append(o.named, "others")
	}
}

// spend tells whether an event may come; r.mu is held.
func (r *Refusals) spend() bool {
	windows := time.Since(r.grown) / refusalWindow
	r.grown = r.grown.Add(windows * refusalWindow)
	r.left = min(r.left+int(windows), refusalsAtOnce)
	if r.left == 0 {
		return false
	}
	r.left--
	return true
}

// tell ends the window and writes what was counted.
func (r *Refusals) tell() {
	for _, e := range r.sums() {
		r.write(&e)
	}
}

func (r *Refusals) sums() (told []Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	sum := func(kind, by string, c *refused) {
		told = append(told, Event{Kind: kind, By: by, Text: fmt.Sprintf("%d times more within a minute, the last time: %s", c.count, c.reason)})
	}
	for from, c := range r.apart {
		switch {
		case c.count == 0: // it has ended
			delete(r.apart, from)
			continue
		case len(r.others) == 0 && r.spend():
			sum(from.kind, from.by, c)
		default:
			r.other(from, c.count, c.reason)
		}
		*c = refused{} // it is counted from here on
	}
	for kind, o := range r.others {
		if r.spend() {
			sum(kind, strings.Join(o.named, "; "), &o.refused)
			delete(r.others, kind)
		}
	}
	r.window = nil
	if len(r.apart)+len(r.others) > 0 {
		r.window = time.AfterFunc(refusalWindow, r.tell)
	}
	return told
}

// Close writes what was counted and not told, as far as it may be.
func (r *Refusals) Close() error {
	r.mu.Lock()
	waits := r.window != nil && r.window.Stop()
	r.mu.Unlock()
	if !waits {
		return nil
	}
	r.tell()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.window != nil {
		r.window.Stop()
	}
	return nil
}

func (r *Refusals) write(e *Event) {
	if err := r.kept.Add(*e); err != nil && !errors.Is(err, store.ErrClosed) {
		r.log.Error("an event cannot be kept", "kind", e.Kind, "error", err)
	}
}

// harmless is a text without what commands a terminal, and of a bounded length.
func harmless(s string, most int) string {
	n := 0
	s = strings.Map(func(c rune) rune {
		switch n++; {
		case n > most:
			return -1
		case !unicode.IsPrint(c) || c == unicode.ReplacementChar:
			return '?'
		}
		return c
	}, s[:min(len(s), 4*most)])
	if n > most {
		s += "…"
	}
	return s
}
