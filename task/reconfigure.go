package task

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	jsonpatch "github.com/evanphx/json-patch/v5"
)

// reconfigureLimit bounds the precheck of a definition that is to take another's place.
const reconfigureLimit = 25 * time.Second

// Reconfigure changes the definition of a task that the store owns by a merge
// patch (RFC 7396). The new definition is prechecked first, and is in force, durably,
// when Reconfigure returns; if it is refused, the old one goes on. What does not concern the reading
// of the source is in force without a precheck, and the reading goes on.
func (m *Manager) Reconfigure(ctx context.Context, name string, patch json.RawMessage) ([]Check, error) {
	t, ok := m.Task(name)
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrUnknown, name)
	}
	before := t.current()
	if before.Owner == OwnerFile {
		return nil, fmt.Errorf("%w: change it there, and start Daybook anew", ErrOwnedByFile)
	}
	if err := before.allows(name, OpReconfigure); err != nil {
		return nil, err
	}
	c, err := m.changeTo(t, &before, patch)
	if err != nil {
		return nil, err
	}
	var checks []Check
	if !c.aside {
		checks = precheckSoon(ctx, c.opts)
		if err := Failed(checks); err != nil {
			return checks, err
		}
	}
	m.changes.Lock() // or another definition might be in force than the one that is saved last
	defer m.changes.Unlock()
	err = t.alter(func(l *life) error {
		if string(l.Definition) != string(before.Definition) || string(l.Secret) != string(before.Secret) {
			return ErrReplaced
		}
		if err := l.allows(name, OpReconfigure); err != nil {
			return err
		}
		l.Definition, l.Tried = c.opts.Definition, fingerprint(&c.opts)
		if !c.aside {
			l.Secret = m.o.Sealed.Seal(name, []byte(c.password))
			l.Stuck, l.Failing = false, time.Time{}
			t.definitions.Add(1)
			if l.Stage == started && l.State == Normal { // it connects anew
				l.to(Initial, "", time.Now().UTC())
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	t.asked(ctx, string(OpReconfigure), "reconfigured: "+string(c.patch))
	t.mu.Lock()
	t.opts, t.broken = c.opts, nil
	t.mu.Unlock()
	if !c.aside {
		t.nudge()
	}
	return checks, t.keepLog()
}

// precheckSoon checks as long as somebody may wait for an answer.
func precheckSoon(ctx context.Context, o Options) []Check {
	ctx, cancel := context.WithTimeout(ctx, reconfigureLimit)
	defer cancel()
	return Precheck(ctx, o)
}

// reconfiguration is a definition that is to take another's place.
type reconfiguration struct {
	opts     Options
	password string
	patch    json.RawMessage // from the former definition, without secrets
	aside    bool            // the reading of the source is as it was
}

// besideReading are the keys of a definition that the reading of the source knows nothing of.
var besideReading = []string{"wire_compression", "retention", "skip_checks", "auto_start"}

// changeTo returns what a patch leads to, unless a key changes that stays.
func (m *Manager) changeTo(t *Task, l *life, patch json.RawMessage) (*reconfiguration, error) {
	definition, err := jsonpatch.MergePatch(l.Definition, patch)
	if err != nil {
		return nil, fmt.Errorf("%w: it is no JSON object", ErrInvalid) // without what the library shows of it
	}
	former, err := m.o.Sealed.Open(t.name, l.Secret)
	if err != nil {
		former = nil // which the patch may give
	}
	c := &reconfiguration{}
	if c.opts, c.password, err = m.o.Compile(definition, string(former)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if c.opts.Name != t.name {
		return nil, fmt.Errorf("%w: name: a task's name stays what it is: delete it and create another", ErrInvalid)
	}
	if c.patch, err = jsonpatch.CreateMergePatch(l.Definition, c.opts.Definition); err != nil {
		return nil, err
	}
	var changed map[string]json.RawMessage
	if err := json.Unmarshal(c.patch, &changed); err != nil {
		return nil, err
	}
	if _, ok := changed["start"]; ok && t.begun() {
		return nil, fmt.Errorf("%w: start: the task has begun, and goes on from its position; 'daybook task restart %s --from …' goes on elsewhere", ErrInvalid, t.name)
	}
	for _, key := range besideReading {
		delete(changed, key)
	}
	c.aside = len(changed) == 0 && c.password == string(former) && t.unusable() == nil
	return c, nil
}

// begun tells whether the task has a position, so that its start is of no use any more.
func (t *Task) begun() bool {
	p, ok := t.store.Partition(t.name)
	if !ok {
		return false
	}
	_, ok, err := p.Position()
	return ok || err != nil
}
