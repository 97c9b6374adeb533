package task

import (
	"encoding/json"
	"errors"
	"maps"
	"time"

	"daybook/binlog"
	"daybook/store"
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
	Name string
	// Definition is the task as it was written, as JSON without secrets; nil: not known.
	Definition json.RawMessage
	Checks     []Check // of the last precheck
	Owner      Owner
	State      State
	Phase      Phase     // the state, told further, with what it allows
	Since      time.Time // of the state
	Failing    bool      // it is in Error, or has failed its precheck
	// Reason says why the task is in its state and what to do; "": it is as it should be.
	Reason string
	// Retry is when a task in Error tries again by itself; zero: it does not.
	Retry time.Time
	// Group is the one event group that cannot be read, where that is the error.
	Group *binlog.GroupPlace
	// Position is where reading goes on, as it is saved; zero: nowhere yet.
	Position binlog.Place
	// Command is one that was given and is not done yet; "": none.
	Command string
	// Notices counts by kind what was noticed since Daybook started and stopped nothing; the journal has it.
	Notices map[string]uint64
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
	l := &t.life
	st := Status{Name: t.name, Definition: t.opts.Definition, Checks: t.opts.Shown(t.checks), Owner: l.Owner, State: l.State, Phase: l.phase(), Since: l.Since, Failing: l.failing(), Reason: l.Reason, Group: l.Group}
	if l.State == Error {
		st.Retry = t.retry
	}
	st.Notices = maps.Clone(t.notices)
	st.Definitions = Definitions{Checked: t.found.SameAt, Failed: t.found.Last.Error, Differ: t.found.Differ, More: t.found.More}
	t.mu.Unlock()
	if d := st.Definitions.Differ; len(d) > 0 {
		st.Definitions.WayOn = adoptWay(t.name, &d[0])
	}
	p, ok := t.store.Partition(t.name)
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

func (t *Task) state() State { return t.current().State }

// set brings a started task to a state without a reason.
func (t *Task) set(s State) { t.setOf(t.definitions.Load(), s) }

// setOf is set by a run of a definition, unless another has taken its place: what the run
// has read says nothing of that.
func (t *Task) setOf(definition int64, s State) {
	if l := t.current(); l.State == s && l.Reason == "" {
		return // as it is nearly always
	}
	t.save(func(l *life) {
		if l.Stage == started && t.definitions.Load() == definition { // else it was told something else meanwhile
			l.to(s, "", time.Now().UTC())
		}
	})
}

// save changes the life. Where that cannot be saved, the store has failed, and
// with it everything.
func (t *Task) save(change func(l *life)) {
	err := t.alter(func(l *life) error { change(l); return nil })
	if err != nil && !errors.Is(err, store.ErrClosed) {
		t.log.Error("the task's state cannot be saved", "error", err)
	}
}
