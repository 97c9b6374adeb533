package task

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"daybook/journal"
	"daybook/seal"
	"daybook/store"
)

// ManagerOptions say what a Manager works with.
type ManagerOptions struct {
	Store  *store.Store
	Logger *slog.Logger
	// Journal has what happens; nil: nobody wants to know.
	Journal *journal.Log
	// Declared are the tasks of the configuration file.
	Declared []Options
	// Compile reads a definition, which is JSON with the keys of a task in the configuration
	// file. password is the source's if the definition holds none. It returns the
	// options, whose Definition has every key and no secret, and the password.
	Compile func(definition json.RawMessage, password string) (Options, string, error)
	// Sealed keeps the passwords of the definitions; nil: no task can be created.
	Sealed *seal.Box
	// Release deletes what others keep for a task: its groups, with their accounts,
	// checkpoints and connections. Done twice, it does the rest.
	Release func(ctx context.Context, name string) error
}

// Manager owns all tasks of a process.
type Manager struct {
	o      ManagerOptions
	ctx    context.Context // of the tasks
	cancel context.CancelFunc
	wg     sync.WaitGroup

	// changes is held while a task comes, goes or gets another definition, which takes synced writes.
	changes sync.Mutex

	mu    sync.RWMutex // guards tasks; not held across I/O, as consumers' fetches look here
	tasks []*Task      // in the order of the file, then of their names
}

// NewManager returns a manager that does nothing until Open.
func NewManager(o ManagerOptions) *Manager {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Manager{o: o, cancel: func() {}}
}

// Open takes up the lives of all tasks, creates the partition of each, so that
// its consumers find their topic at once, and starts those that were started. A
// task that fails does not end the others.
func (m *Manager) Open(ctx context.Context) error {
	m.ctx, m.cancel = context.WithCancel(ctx)
	saved, err := m.lives()
	if err != nil {
		return err
	}
	for _, o := range m.o.Declared {
		if l := saved[o.Name]; l != nil && l.Stage == deleting { // it is another one that is declared
			if err := m.removeOnce(newTask(o.Name, m.o.Store, m.o.Journal, m.o.Logger)); err != nil {
				return err
			}
			delete(saved, o.Name)
		}
		t, err := m.declare(o, saved[o.Name])
		if err != nil {
			return err
		}
		m.tasks = append(m.tasks, t)
	}
	rest, err := m.others(saved)
	if err != nil {
		return err
	}
	m.tasks = append(m.tasks, rest...)
	for _, t := range m.tasks {
		m.start(t)
	}
	return nil
}

// start has a task do what its stage asks for, until it is deleted or the manager ends.
func (m *Manager) start(t *Task) {
	m.wg.Go(func() {
		t.run(m.ctx)
		if t.current().Stage == deleting {
			m.remove(t)
		}
	})
}

// lives reads those that are saved, and gives one to each log that has none.
func (m *Manager) lives() (map[string]*life, error) {
	saved := map[string]*life{}
	for kv, err := range m.o.Store.Table(tableName).Scan(nil) {
		if err != nil {
			return nil, fmt.Errorf("read the tasks: %w", err)
		}
		l, err := decodeLife(string(kv.Key), kv.Value)
		if err != nil {
			return nil, err
		}
		saved[string(kv.Key)] = l
	}
	for _, p := range m.o.Store.Partitions() { // a Daybook that saved no lives has left it
		if saved[p.Topic()] == nil {
			saved[p.Topic()] = &life{Owner: OwnerFile, Stage: started, State: Initial, Since: time.Now().UTC()}
		}
	}
	return saved, nil
}

// declare takes up a task of the configuration file. One that was created at run
// time is the file's from here on: its log, position and groups stay.
func (m *Manager) declare(o Options, l *life) (*Task, error) {
	now := time.Now().UTC()
	if l == nil {
		l = &life{Created: now, State: Prechecking, Since: now}
	}
	t, err := m.take(o.Name, l)
	if err != nil {
		return nil, err
	}
	t.opts = o
	if err := t.keepLog(); err != nil {
		return nil, err
	}
	tried := fingerprint(&o)
	err = t.alter(func(l *life) error {
		l.Owner = OwnerFile
		l.Definition, l.Secret = nil, nil
		if l.Stage != paused {
			l.Stage = started
		}
		if l.State == Normal || l.State == NotStarted && l.Stage == started {
			l.to(Initial, "", now)
		}
		if l.Tried != tried {
			l.Tried, l.Stuck, l.Failing = tried, false, time.Time{}
		}
		return nil
	})
	return t, err
}

// others takes up the tasks that the configuration file does not declare.
func (m *Manager) others(saved map[string]*life) ([]*Task, error) {
	var list []*Task
	for name, l := range saved {
		if slices.ContainsFunc(m.tasks, func(t *Task) bool { return t.name == name }) {
			continue
		}
		t, err := m.take(name, l)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
		if l.Owner == OwnerStore || l.Stage == deleting {
			if err := m.goOn(t); err != nil {
				return nil, err
			}
			continue
		}
		err = t.alter(func(l *life) error {
			l.Owner, l.Stage = OwnerNone, abandoned
			l.to(NotStarted, "the configuration file does not declare it any more; its log is kept, and goes on if it is declared again", time.Now().UTC())
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, func(a, b *Task) int { return cmp.Compare(a.name, b.name) })
	return list, nil
}

// take makes a task of a life.
func (m *Manager) take(name string, l *life) (*Task, error) {
	if _, err := m.o.Store.EnsurePartition(name); err != nil {
		return nil, fmt.Errorf("create partition %s: %w", name, err)
	}
	t := newTask(name, m.o.Store, m.o.Journal, m.o.Logger)
	t.life, t.checks = *l, l.Checks
	return t, nil
}

// fingerprint tells a definition, and who is to carry it out.
func fingerprint(o *Options) string {
	sum := sha256.Sum256(append([]byte(o.Version+"\x00"), o.Definition...))
	return hex.EncodeToString(sum[:8])
}

// all returns the tasks that there are now.
func (m *Manager) all() []*Task {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.Clone(m.tasks)
}

// Has tells whether there is a task of that name.
func (m *Manager) Has(name string) bool {
	_, ok := m.Task(name)
	return ok
}

// Task returns the task of that name.
func (m *Manager) Task(name string) (*Task, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	i := slices.IndexFunc(m.tasks, func(t *Task) bool { return t.name == name })
	if i < 0 {
		return nil, false
	}
	return m.tasks[i], true
}

// Statuses returns what is known of each task, in the order of the file and then of
// their names.
func (m *Manager) Statuses() []Status {
	tasks := m.all()
	statuses := make([]Status, len(tasks))
	for i, t := range tasks {
		statuses[i] = t.Status()
	}
	return statuses
}

// Close stops the tasks and waits for them.
func (m *Manager) Close() error {
	m.cancel()
	m.wg.Wait()
	return nil
}
