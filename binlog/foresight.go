package binlog

import (
	"context"

	"daybook/binlog/dump"
)

// foresight holds back the events of a group until it is known what of the
// group was undone. As long as the group fits into the feed's buffers this
// costs nothing; the end of a larger one is looked for over a second
// connection, which the group passes once more without its rows.
type foresight struct {
	feed *dump.Feed
	// seek finds the fate of the group that begins with e, which comes next.
	seek func(ctx context.Context, begin dump.Position) (*fate, error)

	held    []dump.Event // retained; those before head were handed out
	head    int
	current bool // the event at head-1 is still in use

	group bool // held and what follows is such a group, up to fate.n events
	fate  fate
	index int             // in the group, of the event that is handed out next
	begin dump.Position   // of the group
	asked chan soughtFate // open: the end is being looked for
}

type soughtFate struct {
	fate *fate
	err  error
}

// maxHeld bounds the events held back, however small they are.
const maxHeld = 64 << 10

// next returns the next event and whether what it changed was undone. ok is
// false if there is none yet. open: the consumer is within a group; place
// tells where an event that comes next stands.
func (f *foresight) next(open bool, place func(dump.Event) dump.Position) (e dump.Event, undone, ok bool, c *dump.Connection, err error) {
	f.release()
	for {
		if wait, err := f.await(); wait || err != nil {
			return e, false, false, nil, err
		}
		if e, undone, ok = f.handOut(); ok {
			return e, undone, true, nil, nil
		}
		e, ok, c, err = f.feed.Next()
		switch {
		case err != nil || c != nil:
			return e, false, false, c, err
		case !ok && f.waits() && f.feed.Starved():
			f.lookAhead()
		case !ok:
			return e, false, false, nil, nil
		case f.group && f.fate.known: // of a group that was too large to be held
			return e, f.pass(&e), true, nil, nil
		case !f.group && (open || !e.InGroup() || !mayBeUndone(&e)):
			return e, false, true, nil, nil
		default:
			if !f.group {
				f.group, f.fate, f.index, f.begin = true, fate{}, 0, place(e)
			}
			if err := f.hold(&e); err != nil {
				return e, false, false, nil, err
			}
		}
	}
}

// waits tells whether the end of the group was not seen yet.
func (f *foresight) waits() bool { return f.group && !f.fate.known && f.asked == nil }

func (f *foresight) hold(e *dump.Event) error {
	e.Retain()
	f.held = append(f.held, *e)
	if _, err := f.fate.add(e); err != nil {
		return err
	}
	if f.waits() && len(f.held) >= maxHeld {
		f.lookAhead()
	}
	return nil
}

// handOut takes the next of the events held whose fate is known.
func (f *foresight) handOut() (e dump.Event, undone, ok bool) {
	if f.head == len(f.held) || f.group && !f.fate.known {
		return dump.Event{}, false, false
	}
	e = f.held[f.head]
	f.head, f.current = f.head+1, true
	return e, f.pass(&e), true
}

// pass counts an event of the group and tells whether it was undone.
func (f *foresight) pass(e *dump.Event) (undone bool) {
	if !f.group || !e.InGroup() {
		return false
	}
	undone = f.fate.isUndone(f.index)
	f.index++
	f.group = f.index < f.fate.n
	return undone
}

// release gives up the event handed out last.
func (f *foresight) release() {
	if !f.current {
		return
	}
	f.current = false
	f.held[f.head-1].Release()
	f.held[f.head-1] = dump.Event{}
	if f.head == len(f.held) {
		f.held, f.head = f.held[:0], 0
		if cap(f.held) > 1<<10 {
			f.held = nil
		}
	}
}

// reset gives up everything; the stream begins anew.
func (f *foresight) reset() {
	for i := range f.held {
		f.held[i].Release()
	}
	f.held, f.head, f.current, f.group, f.asked = nil, 0, false, false, nil
}

// lookAhead has the group's end looked for.
func (f *foresight) lookAhead() {
	asked, begin := make(chan soughtFate, 1), f.begin
	f.asked = asked
	f.feed.Go(func(ctx context.Context) {
		found, err := f.seek(ctx, begin)
		asked <- soughtFate{found, err}
		f.feed.Wake()
	})
}

// await takes the answer of lookAhead, if one was asked for. wait: it is not
// there yet.
func (f *foresight) await() (wait bool, err error) {
	if f.asked == nil {
		return false, nil
	}
	select {
	case s := <-f.asked:
		f.asked = nil
		if s.err == nil {
			f.fate = *s.fate
		}
		return false, s.err
	default:
		return true, nil
	}
}
