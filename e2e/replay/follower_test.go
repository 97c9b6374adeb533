//go:build servers

package replay

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"daybook/binlog"
	"daybook/change"
	"daybook/e2e/servers"
)

// follower is a reader with what it saved.
type follower struct {
	*binlog.Reader
	t       *testing.T
	options binlog.Options
	saved   map[string][]byte
}

func newFollower(t *testing.T, s *servers.Server, include string) *follower {
	f := &follower{t: t, saved: map[string][]byte{}, options: binlog.Options{
		Source:  binlog.Source{Address: s.Address, User: servers.Repl, Password: servers.Repl},
		Include: []string{include}, SchemaChanges: binlog.SchemaChangesObjects,
	}}
	f.options.Schema = func(yield func(k, v []byte) bool) {
		for k, v := range f.saved {
			if !yield([]byte(k), v) {
				return
			}
		}
	}
	f.Reader = binlog.New(f.options)
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func open(t *testing.T, s *servers.Server, include string) *follower {
	t.Helper()
	f := newFollower(t, s, include)
	f.open()
	return f
}

func (f *follower) open() {
	f.t.Helper()
	if err := f.tryOpen(); err != nil {
		f.t.Fatal(err)
	}
}

func (f *follower) tryOpen() error {
	f.Reader = binlog.New(f.options)
	ctx, cancel := context.WithTimeout(f.t.Context(), 30*time.Second)
	defer cancel()
	return f.Open(ctx)
}

// reopen goes on with another reader where this one is.
func (f *follower) reopen() {
	f.t.Helper()
	if err := f.tryReopen(); err != nil {
		f.t.Fatal(err)
	}
}

func (f *follower) tryReopen() error {
	f.options.Resume = f.save().Position
	_ = f.Close()
	return f.tryOpen()
}

// save takes a checkpoint as a store would.
func (f *follower) save() binlog.Checkpoint {
	c := f.Checkpoint()
	for _, e := range c.Schema {
		if e.Value == nil {
			delete(f.saved, string(e.Key))
		} else {
			f.saved[string(e.Key)] = e.Value
		}
	}
	return c
}

func (f *follower) next() *change.Change {
	f.t.Helper()
	c, err := f.tryNext()
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

var errNothing = errors.New("no change within 30 s")

func (f *follower) tryNext() (*change.Change, error) {
	late := time.After(30 * time.Second)
	for {
		c, err := f.Poll()
		if err != nil || c != nil {
			return c, err
		}
		select {
		case <-f.Ready():
		case <-late:
			return nil, errNothing
		}
	}
}

// modelFollower is a follower of one database that keeps what it reads.
type modelFollower struct {
	*follower
	model *model
	defs  map[string]*change.Table // by name
	rows  int
}

// follow keeps one change.
func (f *modelFollower) follow(c *change.Change) error {
	if err := f.model.apply(c); err != nil {
		return fmt.Errorf("at %s:%d: %w", c.File, c.Pos, err)
	}
	if c.Op != change.Schema {
		f.defs[f.model.key(c.Table.Name)] = c.Table
		f.rows++
		return nil
	}
	for _, tc := range c.DDL.Tables {
		if tc.Table != nil && tc.Database == f.model.database {
			f.defs[f.model.key(tc.Name)] = tc.Table
		}
	}
	return nil
}

// until reads up to the row of the table the_end that has the value; "": nothing.
func (f *modelFollower) until(value string) error {
	for value != "" {
		c, err := f.tryNext()
		if err != nil {
			return err
		}
		if err := f.follow(c); err != nil {
			return err
		}
		if c.Op == change.Insert && c.Table.Name == "the_end" && fmt.Sprint(c.After[0].Int()) == value {
			return nil
		}
	}
	return nil
}

// check compares the definitions with the source's.
func (f *modelFollower) check() error {
	if _, err := f.Check(binlog.CheckOptions{}); err != nil {
		return err
	}
	late := time.After(time.Minute)
	for {
		c, err := f.Poll()
		if err != nil {
			return err
		}
		if c != nil {
			if err := f.follow(c); err != nil {
				return err
			}
			continue
		}
		if found := f.save().Check; found != nil {
			if found.Err != nil || len(found.Differ) > 0 || found.Undecided > 0 {
				return fmt.Errorf("the check of the definitions found %+v: %w", found, found.Err)
			}
			return nil
		}
		select {
		case <-f.Ready():
		case <-late:
			return errors.New("no check within a minute")
		}
	}
}
