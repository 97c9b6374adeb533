package task

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"daybook/store"
)

// Manager owns all tasks of a process.
type Manager struct {
	tasks  []*Task
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// NewManager returns a manager of the given tasks, all stopped.
func NewManager(opts []Options, s *store.Store, log *slog.Logger) *Manager {
	m := &Manager{cancel: func() {}}
	for _, o := range opts {
		m.tasks = append(m.tasks, newTask(o, s, log))
	}
	return m
}

// Open creates each task's partition, so that its consumers find their topic
// at once, and starts the tasks. A task that fails does not end the others.
func (m *Manager) Open(ctx context.Context) error {
	for _, t := range m.tasks {
		if _, err := t.store.EnsurePartition(t.opts.Name); err != nil {
			return fmt.Errorf("create partition %s: %w", t.opts.Name, err)
		}
	}
	ctx, m.cancel = context.WithCancel(ctx)
	for _, t := range m.tasks {
		m.wg.Go(func() { t.run(ctx) })
	}
	return nil
}

// Has tells whether there is a task of that name.
func (m *Manager) Has(name string) bool {
	_, ok := m.Task(name)
	return ok
}

// Task returns the task of that name.
func (m *Manager) Task(name string) (*Task, bool) {
	for _, t := range m.tasks {
		if t.opts.Name == name {
			return t, true
		}
	}
	return nil, false
}

// Statuses returns what is known of each task, in the order of the options.
func (m *Manager) Statuses() []Status {
	statuses := make([]Status, len(m.tasks))
	for i, t := range m.tasks {
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
