package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"daybook/auth"
	"daybook/broker"
	"daybook/config"
	"daybook/group"
	"daybook/seal"
	"daybook/task"
)

// holdings are what others than package task keep for a task.
type holdings struct {
	accounts *auth.Registry
	groups   *group.Coordinator
	awaitEnd func(ctx context.Context, group string) error
}

// release deletes the groups of a task, with their checkpoints and accounts, and ends
// their connections. Of an account that the file declares, only the file can be rid.
func (h *holdings) release(ctx context.Context, name string) error {
	for _, id := range h.of(name) {
		if err := h.groups.Delete(id); err != nil {
			return err
		}
		switch err := h.accounts.Delete(id); {
		case errors.Is(err, auth.ErrNotFound), errors.Is(err, auth.ErrOwnedByFile):
			continue
		case err != nil:
			return fmt.Errorf("delete account of group %s: %w", id, err)
		}
		if err := h.awaitEnd(ctx, id); err != nil {
			return err
		}
		if err := h.groups.Delete(id); err != nil { // what was committed meanwhile
			return err
		}
	}
	return nil
}

// of returns the groups of a task: those that have an account for it, and those that
// have a checkpoint in it and no account.
func (h *holdings) of(name string) (ids []string) {
	for _, a := range h.accounts.List() {
		if a.Topic == name {
			ids = append(ids, a.Group)
		}
	}
	for _, v := range h.groups.Views() {
		_, taken := h.accounts.Info(v.Group)
		if !taken && slices.ContainsFunc(v.Checkpoints, func(c group.Checkpoint) bool { return c.Topic == name }) {
			ids = append(ids, v.Group)
		}
	}
	return ids
}

// openSeal opens the key of stored passwords. Without an admin API no task can be created,
// and it is not made.
func openSeal(c *config.Config) (*seal.Box, error) {
	box, err := seal.Open(c.Admin.SecretKeyFile, !c.Admin.Off())
	if c.Admin.Off() && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open the key of stored passwords: %w", err)
	}
	return box, nil
}

// compressionOf tells how the records of a task are packed for its consumers.
func compressionOf(tasks *task.Manager) func(topic string) broker.Compression {
	return func(topic string) broker.Compression {
		t, ok := tasks.Task(topic)
		if !ok {
			return ""
		}
		return broker.Compression(t.WireCompression())
	}
}
