package task

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ChecksThatWarn are the checks that can warn, so that they may be skipped. One of them that fails does so
// all the same.
func ChecksThatWarn() []string {
	return []string{
		"GTID", "binlog filters", "binlog retention", "binlog sync", "connections", "encryption", "engines", "foreign key actions", "password",
		"prepared XA", "privilege SELECT", "privilege TRIGGER", "replica's binlog", "row metadata", "server ID", "session formats",
	}
}

var errNoWarning = errors.New("is no check that warns: those that do, and may be skipped, are " + strings.Join(ChecksThatWarn(), ", ") + "; one that fails cannot be skipped")

// CheckSkippable tells whether a check may be skipped. The error does not repeat the name.
func CheckSkippable(name string) error {
	if slices.Contains(ChecksThatWarn(), name) {
		return nil
	}
	return errNoWarning
}

// Shown returns the checks with those skipped that are not to be told.
func (o *Options) Shown(checks []Check) []Check {
	if len(o.SkipChecks) == 0 {
		return checks
	}
	shown := slices.Clone(checks)
	for i := range shown {
		if c := &shown[i]; c.Status == Warn && slices.Contains(o.SkipChecks, c.Name) {
			c.Status = Skipped
		}
	}
	return shown
}

// Precheck runs the precheck of a task again that is not started. The warnings of the checks named
// are not told any more, which is kept with its definition.
func (m *Manager) Precheck(ctx context.Context, name string, skip []string) error {
	t, ok := m.Task(name)
	if !ok {
		return fmt.Errorf("%w: %q", ErrUnknown, name)
	}
	m.changes.Lock()
	defer m.changes.Unlock()
	before := t.current()
	if err := before.allows(name, OpPrecheck); err != nil { // before what is wrong in the names
		return err
	}
	o := t.options()
	said := string(OpPrecheck)
	if len(skip) > 0 {
		c, err := m.skipping(t, &before, skip)
		if err != nil {
			return err
		}
		o = c.opts
		said += ", skipping the warnings of " + strings.Join(skip, ", ")
	}
	err := t.alter(func(l *life) error {
		if err := l.allows(name, OpPrecheck); err != nil {
			return err
		}
		if len(skip) > 0 {
			l.Definition, l.Tried = o.Definition, fingerprint(&o)
		}
		l.Stage = checking
		l.to(Prechecking, "", time.Now().UTC())
		return nil
	})
	if err != nil {
		return err
	}
	t.mu.Lock()
	t.opts = o
	t.mu.Unlock()
	t.asked(ctx, string(OpPrecheck), said)
	t.nudge()
	return nil
}

// skipping returns the definition that skips further checks.
func (m *Manager) skipping(t *Task, l *life, skip []string) (*reconfiguration, error) {
	for i, name := range skip {
		if err := CheckSkippable(name); err != nil {
			return nil, fmt.Errorf("%w: skip[%d]: %w", ErrInvalid, i, err)
		}
		for _, c := range l.Checks {
			if c.Name == name && c.Status == Fail {
				return nil, fmt.Errorf("%w: skip[%d]: %s fails, and only a warning can be skipped; to mend it: %s", ErrInvalid, i, name, c.Fix)
			}
		}
	}
	all := slices.Concat(t.options().SkipChecks, skip)
	slices.Sort(all)
	patch, err := json.Marshal(map[string][]string{"skip_checks": slices.Compact(all)})
	if err != nil {
		return nil, err
	}
	return m.changeTo(t, l, patch)
}
