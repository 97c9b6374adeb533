package task

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Operation is something that a person may do with a task.
type Operation string

// The operations, but for looking at it, which is always allowed.
const (
	OpPrecheck    Operation = "precheck"
	OpStart       Operation = "start"
	OpPause       Operation = "pause"
	OpResume      Operation = "resume"
	OpReconfigure Operation = "reconfigure"
	OpRestart     Operation = "restart"
	OpSkip        Operation = "skip"
	OpCheck       Operation = "check"
	OpDelete      Operation = "delete"
)

// ErrNotAllowed is wrapped by the refusal of an operation that the task's state does
// not allow. The error says what is allowed.
var ErrNotAllowed = errors.New("the task's state does not allow it")

// Phase is a state, told further where what it allows differs.
type Phase struct {
	Name    string
	State   State // "": any
	Allowed []Operation
	Why     string
}

// Phases are all that a task can be in, with what each allows. This table decides.
func Phases() []Phase {
	watched := []Operation{OpReconfigure, OpPause, OpRestart}
	return []Phase{
		{"Prechecking", Prechecking, []Operation{OpDelete}, "the precheck runs"},
		{"Prechecking, precheck failed", Prechecking, []Operation{OpPrecheck, OpDelete}, "a check failed; its fix is told"},
		{"Prechecking, started", Prechecking, []Operation{OpRestart, OpDelete}, "of the configuration file, or told to start: the precheck runs, and is tried again"},
		{"Not Started", NotStarted, []Operation{OpPrecheck, OpStart, OpDelete}, "the precheck passed"},
		{"Not Started, paused", NotStarted, []Operation{OpResume, OpReconfigure, OpDelete}, "the position is kept"},
		{"Not Started, not declared", NotStarted, []Operation{OpDelete}, "the configuration file does not declare it any more, its log is kept"},
		{"Performing Initial Change Tracking", Initial, []Operation{OpRestart, OpCheck, OpDelete}, "it connects, and reads what came meanwhile"},
		{"Normal", Normal, append(slices.Clone(watched), OpCheck, OpDelete), "changes are read as they are committed"},
		{"Error", Error, append(slices.Clone(watched), OpSkip, OpResume, OpDelete), "its reason says what is wrong and what leads on"},
		{"being deleted", "", []Operation{OpDelete}, "its log, groups and checkpoints go"},
	}
}

// phase returns what the life is in.
func (l *life) phase() Phase {
	name := string(l.State)
	switch l.Stage {
	case started:
		if l.State == Prechecking {
			name = "Prechecking, started"
		}
	case unfit:
		name = "Prechecking, precheck failed"
	case paused:
		name = "Not Started, paused"
	case abandoned:
		name = "Not Started, not declared"
	case deleting:
		name = "being deleted"
	}
	phases := Phases()
	p := phases[slices.IndexFunc(phases, func(p Phase) bool { return p.Name == name })]
	if l.Owner == OwnerFile { // which is to be changed there
		p.Allowed = slices.DeleteFunc(p.Allowed, func(op Operation) bool { return op == OpReconfigure || op == OpDelete })
	}
	return p
}

// allows returns nil if the life's phase allows an operation.
func (l *life) allows(name string, op Operation) error {
	p := l.phase()
	if slices.Contains(p.Allowed, op) {
		return nil
	}
	list := make([]string, len(p.Allowed))
	for i, o := range p.Allowed {
		list[i] = string(o)
	}
	err := fmt.Errorf("%w: task %s is %s, which allows %s; not %s", ErrNotAllowed, name, p.Name, strings.Join(list, ", "), op)
	if way := l.wayToChange(name); op == OpReconfigure && way != "" {
		err = fmt.Errorf("%w: %s", err, way)
	}
	return err
}

// wayToChange says how a definition changes of a task that cannot be reconfigured; "": by waiting, or as is
// said elsewhere.
func (l *life) wayToChange(name string) string {
	switch l.Stage {
	case unfit:
		return "if its definition is wrong, " + anew(name)
	case ready:
		return fmt.Sprintf("'daybook task start %s' first, or %s", name, anew(name))
	case abandoned:
		return fmt.Sprintf("declare it in the configuration file again, or 'daybook task delete %s --confirm %[1]s' deletes it with its log", name)
	}
	return ""
}

// anew says how a task that has read nothing yet gets another definition.
func anew(name string) string {
	return fmt.Sprintf("'daybook task delete %s --confirm %[1]s', and create it anew", name)
}
