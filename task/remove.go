package task

import (
	"context"
	"fmt"
	"slices"
	"time"

	"daybook/journal"
)

const (
	firstRemoval = time.Second
	lastRemoval  = time.Minute
)

// Delete ends a task for good: when it returns, that is saved, and what the task has goes:
// its groups with their accounts and checkpoints, its log with everything that is saved
// of its source, and then itself. [Manager.Removed] waits for the end of that.
func (m *Manager) Delete(ctx context.Context, name string) error {
	t, ok := m.Task(name)
	if !ok {
		return fmt.Errorf("%w: %q", ErrUnknown, name)
	}
	err := t.alter(func(l *life) error {
		if l.Owner == OwnerFile {
			return fmt.Errorf("%w: remove it there and start Daybook anew, and then delete what it has left", ErrOwnedByFile)
		}
		if err := l.allows(name, OpDelete); err != nil {
			return err
		}
		l.Stage, l.Reason = deleting, "it is being deleted"
		return nil
	})
	if err != nil {
		return err
	}
	t.asked(ctx, string(OpDelete), "it is being deleted")
	t.nudge()
	return nil
}

// Removed waits until there is no task of that name that is being deleted.
func (m *Manager) Removed(ctx context.Context, name string) error {
	t, ok := m.Task(name)
	if !ok || t.current().Stage != deleting {
		return nil
	}
	select {
	case <-t.gone:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// remove deletes what a task has, in an order in which a crash leaves a task that goes on
// being deleted.
func (m *Manager) remove(t *Task) {
	for pause := firstRemoval; m.ctx.Err() == nil; pause = min(2*pause, lastRemoval) {
		err := m.removeOnce(t)
		if err == nil {
			return
		}
		t.log.Error("the task cannot be deleted yet; it is tried again", "error", err, "in", pause)
		select {
		case <-m.ctx.Done():
		case <-time.After(pause):
		}
	}
}

func (m *Manager) removeOnce(t *Task) error {
	if m.o.Release != nil {
		if err := m.o.Release(m.ctx, t.name); err != nil {
			return fmt.Errorf("delete groups: %w", err)
		}
	}
	if err := m.o.Store.DeletePartition(t.name); err != nil {
		return fmt.Errorf("delete log: %w", err)
	}
	m.changes.Lock()
	defer m.changes.Unlock()
	if err := m.o.Store.Table(tableName).Delete([]byte(t.name)); err != nil {
		return fmt.Errorf("delete task: %w", err)
	}
	t.record(journal.Event{Kind: "deleted", Text: "deleted with all that it had"}) // before anybody learns that it is
	m.mu.Lock()
	m.tasks = slices.DeleteFunc(m.tasks, func(other *Task) bool { return other == t })
	m.mu.Unlock()
	close(t.gone)
	t.log.Info("task deleted")
	return nil
}
