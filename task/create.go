package task

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"daybook/journal"
)

// What a task can be refused for when it is created, changed or deleted.
var (
	// ErrExists is returned if there is a task of that name.
	ErrExists = errors.New("there is a task of this name")
	// ErrUnknown is returned if there is none.
	ErrUnknown = errors.New("there is no such task")
	// ErrInvalid is wrapped by the error of a definition that cannot be.
	ErrInvalid = errors.New("the definition is wrong")
	// ErrOwnedByFile is returned if the configuration file declares the task.
	ErrOwnedByFile = errors.New("the configuration file declares this task")
	// ErrDefinition is the error of a task whose definition was taken, and cannot be carried out by this
	// Daybook: the key of its password is missing, or it was written by a newer one.
	ErrDefinition = errors.New("the task's definition cannot be carried out; mend that and start Daybook anew, or give the definition once more")
	// ErrTooMany is returned if there are as many tasks as there may be.
	ErrTooMany = errors.New("there are too many tasks")
)

var errNoKey = errors.New("the key of stored passwords is missing: put back the file that admin.secret_key_file names")

// maxTasks bounds the tasks of a process.
const maxTasks = 1000

// Create makes a task that the store owns, of a definition as JSON. When it returns, the
// task is durable, and its precheck runs.
func (m *Manager) Create(ctx context.Context, definition json.RawMessage) (*Task, error) {
	o, password, err := m.o.Compile(definition, "")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	m.changes.Lock()
	defer m.changes.Unlock()
	if err := m.mayCreate(o.Name); err != nil {
		return nil, err
	}
	now := time.Now().UTC()
	t := newTask(o.Name, m.o.Store, m.o.Journal, m.o.Logger)
	t.opts = o
	err = t.alter(func(l *life) error {
		*l = life{Owner: OwnerStore, Created: now, Stage: checking, Tried: fingerprint(&o), Definition: o.Definition, Secret: m.o.Sealed.Seal(o.Name, []byte(password))}
		l.to(Prechecking, "", now)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := t.keepLog(); err != nil {
		return nil, err
	}
	t.asked(ctx, "create", "created: "+string(o.Definition))
	m.mu.Lock()
	m.tasks = append(m.tasks, t)
	m.mu.Unlock()
	m.start(t)
	return t, nil
}

// mayCreate tells whether a task of that name may come; m.changes is held.
func (m *Manager) mayCreate(name string) error {
	if t, ok := m.Task(name); ok {
		return fmt.Errorf("%w: task %s, which %s owns", ErrExists, name, ownerOf(t.current().Owner))
	}
	if len(m.all()) >= maxTasks {
		return fmt.Errorf("%w: %d; delete one", ErrTooMany, maxTasks)
	}
	if m.o.Sealed == nil {
		return errNoKey
	}
	return m.ctx.Err()
}

// ownerOf names an owner for people.
func ownerOf(o Owner) string {
	switch o {
	case OwnerFile:
		return "the configuration file"
	case OwnerNone:
		return "nobody any more"
	}
	return "the store"
}

// goOn compiles what was saved of a task that the store owns.
func (m *Manager) goOn(t *Task) error {
	l := t.current()
	if l.Stage == deleting {
		return nil
	}
	o, err := m.optionsOf(t.name, &l, l.Definition)
	tried := "" // so that it is tried again as soon as it can be
	if t.opts = o; err != nil {
		t.broken = fmt.Errorf("%w: %w", ErrDefinition, err)
	} else {
		tried = fingerprint(&o)
	}
	t.save(func(l *life) {
		if l.Tried != tried {
			l.Tried, l.Stuck, l.Failing = tried, false, time.Time{}
		}
		if l.Stage == started && l.State == Normal {
			l.to(Initial, "", time.Now().UTC())
		}
	})
	if t.broken != nil { // its log is kept as it was said before
		return nil
	}
	return t.keepLog()
}

// optionsOf compiles a definition with the password that is saved.
func (m *Manager) optionsOf(name string, l *life, definition json.RawMessage) (Options, error) {
	if m.o.Sealed == nil {
		return Options{}, errNoKey
	}
	password, err := m.o.Sealed.Open(name, l.Secret)
	if err != nil {
		return Options{}, fmt.Errorf("the source's password: %w", err)
	}
	o, _, err := m.o.Compile(definition, string(password))
	return o, err
}

// RotateKey makes a new key, seals all passwords anew with it, and forgets the former
// one; it returns how many that were. A crash in between leaves both keys, and done once more it ends.
func (m *Manager) RotateKey(ctx context.Context) (sealed int, err error) {
	m.changes.Lock() // no task comes meanwhile
	defer m.changes.Unlock()
	if m.o.Sealed == nil {
		return 0, errNoKey
	}
	if err := m.o.Sealed.Rotate(); err != nil {
		return 0, err
	}
	for _, t := range m.all() {
		err := t.alter(func(l *life) error {
			if l.Secret == nil {
				return nil
			}
			sealed++
			secret, err := m.o.Sealed.Open(t.name, l.Secret)
			if err == nil {
				l.Secret = m.o.Sealed.Seal(t.name, secret)
			}
			return err
		})
		if err != nil {
			return 0, fmt.Errorf("seal the password of task %s anew: %w", t.name, err)
		}
	}
	m.o.Logger.Info("key of stored passwords changed", "tasks", sealed)
	if m.o.Journal != nil {
		err = m.o.Journal.Add(journal.Event{Kind: "rotate-key", Text: fmt.Sprintf("the key of stored passwords was changed; sealed anew: %d", sealed), By: journal.Actor(ctx)})
	}
	return sealed, errors.Join(err, m.o.Sealed.Retire())
}
