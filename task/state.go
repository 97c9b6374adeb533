package task

import (
	"maps"
	"slices"
	"time"

	"daybook/binlog"
)

// State is where a task is in its life.
type State string

// The states.
const (
	Prechecking State = "Prechecking"
	NotStarted  State = "Not Started"
	Initial     State = "Performing Initial Change Tracking"
	Normal      State = "Normal"
	Error       State = "Error"
)

// Status is what is known of a task at a moment.
type Status struct {
	Name   string
	Source string // host:port
	State  State
	Since  time.Time // of the state
	// Error says why a task is in Error and what to do, Retry when it tries
	// again by itself; zero: it does not.
	Error string
	Retry time.Time
	// Group is the one event group that cannot be read, where that is the error.
	Group *binlog.GroupPlace
	// Position is where reading goes on, as it is saved; zero: nowhere yet.
	Position binlog.Place
	// Command is one that was given and is not done yet; "": none.
	Command string
	// Events are the newest that there were since Daybook started, the oldest first,
	// and EventCounts all of them, by kind.
	Events      []Event
	EventCounts map[string]uint64
}

// Status returns what is known of the task now.
func (t *Task) Status() Status {
	t.mu.Lock()
	st := t.status
	st.Events, st.EventCounts = slices.Clone(t.events.newest), maps.Clone(t.events.counts)
	t.mu.Unlock()
	p, ok := t.store.Partition(t.opts.Name)
	if !ok {
		return st
	}
	if b, ok, err := p.Position(); err == nil && ok {
		st.Position, _ = binlog.PlaceOf(b) // one that cannot be read is the task's error
	}
	if s, err := openSaved(p); err == nil {
		if c, err := s.command(); err == nil && c != nil {
			st.Command = c.String()
		}
	}
	return st
}

func (t *Task) state() State {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.status.State
}

func (t *Task) set(s State) {
	t.mu.Lock()
	changed := t.status.State != s
	if changed {
		t.status.State, t.status.Since = s, time.Now()
	}
	if s != Error {
		t.status.Error, t.status.Retry, t.status.Group = "", time.Time{}, nil
	}
	t.mu.Unlock()
	if changed {
		t.log.Info("task state", "state", string(s))
	}
}

// fail puts the task into Error; wait is how long until it tries again, 0 for
// never.
func (t *Task) fail(err error, wait time.Duration) {
	err = withWayOn(t.opts.Name, err)
	t.mu.Lock()
	t.status.Error, t.status.Retry, t.status.Group = err.Error(), time.Time{}, skippable(err)
	if wait > 0 {
		t.status.Retry = time.Now().Add(wait)
	}
	t.mu.Unlock()
	if wait > 0 {
		t.log.Error("task stopped; it resumes by itself", "error", err, "in", wait.Round(time.Millisecond))
	} else {
		t.log.Error("task stopped", "error", err)
	}
	t.set(Error)
}
