package task

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"daybook/binlog"
	"daybook/journal"
	"daybook/store"
)

// tableName is the store table of the tasks' lives: the key is the name, the value a
// [life] as JSON.
const tableName = "tasks"

// stage is how far a task has come, by what it was told; [State] is how that is shown.
type stage string

const (
	checking  stage = "checking"  // the precheck is to run, or runs
	unfit     stage = "unfit"     // it failed
	ready     stage = "ready"     // it passed, and the task waits for its start
	started   stage = "started"   // the source is read, or is to be
	paused    stage = "paused"    // it was, and the position is kept
	abandoned stage = "abandoned" // the configuration file does not declare it any more
	deleting  stage = "deleting"  // what it has goes, and then it
)

// Owner is who declares a task.
type Owner string

// The owners.
const (
	OwnerFile  Owner = "file"  // the configuration file
	OwnerStore Owner = "store" // whoever created it at run time
	OwnerNone  Owner = "none"  // nobody any more
)

// life is what is durable of a task beside its log. It is changed in one place,
// [Task.alter].
type life struct {
	Owner   Owner     `json:"owner"`
	Created time.Time `json:"created"`
	Stage   stage     `json:"stage"`
	State   State     `json:"state"`
	Since   time.Time `json:"since"`            // of the state
	Reason  string    `json:"reason,omitempty"` // why it is in the state, and what to do
	// Failing is the first failure of those that have come since, one soon after the other.
	Failing time.Time `json:"failing,omitzero"`
	// Stuck tells that a task in Error does not try again by itself.
	Stuck bool `json:"stuck,omitempty"`
	// Group is the event group that cannot be read, if that is the error.
	Group *binlog.GroupPlace `json:"group,omitempty"`
	// Tried tells the Daybook and the definition that the task had last: another one
	// tries again what the former could not do.
	Tried string `json:"tried,omitempty"`

	// Definition and Secret are of a task that the store owns: the options as they were written, and the
	// source's password, sealed.
	Definition json.RawMessage `json:"definition,omitempty"`
	Secret     []byte          `json:"secret,omitempty"`
	// Checks are those of the precheck that it failed.
	Checks []Check `json:"checks,omitempty"`
}

// to brings the life to a state.
func (l *life) to(s State, reason string, now time.Time) {
	if l.State != s {
		l.State, l.Since = s, now
	}
	l.Reason = reason
	if s != Error {
		l.Stuck, l.Group = false, nil
	}
}

// failing tells whether a person should look.
func (l *life) failing() bool { return l.Stage == unfit || l.Stage == started && l.State == Error }

func decodeLife(name string, b []byte) (*life, error) {
	var l life
	if err := json.Unmarshal(b, &l); err != nil {
		return nil, fmt.Errorf("%w: what is saved of task %s: %w", store.ErrCorrupt, name, err)
	}
	return &l, nil
}

// alter changes the life, and returns when that is synced. One change follows
// the other, so that change sees the newest; its error ends the change.
func (t *Task) alter(change func(l *life) error) error {
	t.saving.Lock()
	defer t.saving.Unlock()
	before := t.current()
	next := before
	if err := change(&next); err != nil || reflect.DeepEqual(before, next) {
		return err
	}
	b, err := json.Marshal(&next)
	if err != nil {
		return fmt.Errorf("encode life of task %s: %w", t.name, err)
	}
	if err := t.store.Table(tableName).Put([]byte(t.name), b); err != nil {
		return fmt.Errorf("save life of task %s: %w", t.name, err)
	}
	t.mu.Lock()
	t.life = next
	t.mu.Unlock()
	if before.State != next.State {
		t.log.Info("task state", "state", string(next.State), "owner", string(next.Owner))
		text := string(next.State)
		if next.Reason != "" {
			text += ": " + next.Reason
		}
		t.record(journal.Event{Kind: "state", Text: text})
	}
	return nil
}

// record keeps an event of the task.
func (t *Task) record(e journal.Event) {
	if t.kept == nil {
		return
	}
	e.Task = t.name
	if err := t.kept.Add(e); err != nil && !errors.Is(err, store.ErrClosed) {
		t.log.Error("an event cannot be kept", "kind", e.Kind, "error", err)
	}
}

// asked keeps what somebody asked for.
func (t *Task) asked(ctx context.Context, kind, text string) {
	t.record(journal.Event{Kind: kind, Text: text, By: journal.Actor(ctx)})
}

// current returns the life as it is now.
func (t *Task) current() life {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.life
}
