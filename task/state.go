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
	// Definitions is what the checks of the tables' definitions found.
	Definitions Definitions
}

// Definitions tells of the tables' definitions beside those of the source.
type Definitions struct {
	Checked time.Time    // when all were the same, but for those that differ; zero: not known
	Failed  string       // why the last check ended early
	Differ  []Difference // the tables that are not as at the source
	More    int          // others
	WayOn   string       // where some differ
}

// Status returns what is known of the task now.
func (t *Task) Status() Status {
	t.mu.Lock()
	st := t.status
	st.Events, st.EventCounts = slices.Clone(t.events.newest), maps.Clone(t.events.counts)
	st.Definitions = Definitions{Checked: t.found.SameAt, Failed: t.found.Last.Error, Differ: t.found.Differ, More: t.found.More}
	t.mu.Unlock()
	if d := st.Definitions.Differ; len(d) > 0 {
		st.Definitions.WayOn = adoptWay(t.opts.Name, &d[0])
	}
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
