package auth

import (
	"fmt"
	"time"
)

// SetFile makes accounts those that the configuration file declares, in place
// of the ones before. It changes nothing if one of them cannot be, if two have
// the same group, or if the group has a stored account. Logins of an account
// that is gone, or whose name or topic has changed, end.
func (r *Registry) SetFile(accounts []Account) error {
	r.changes.Lock()
	defer r.changes.Unlock()
	before := r.snapshot()
	next := make(map[string]*entry, len(before)+len(accounts))
	for group, e := range before {
		if e.Owner == OwnerStore {
			next[group] = e
		}
	}
	for _, a := range accounts {
		if err := a.check(); err != nil {
			return err
		}
		if other, ok := next[a.Group]; ok {
			return taken(a, other)
		}
		e, err := r.fileEntry(a, before[a.Group])
		if err != nil {
			return err
		}
		next[a.Group] = e
	}
	r.mu.Lock()
	r.entries = next
	r.mu.Unlock()
	for group, e := range before {
		if now, ok := next[group]; !ok || now.logins != e.logins {
			e.logins.end(ErrDeleted)
		}
	}
	return nil
}

func taken(a Account, other *entry) error {
	if other.Owner == OwnerFile {
		return fmt.Errorf("%w: group %q is declared twice in the configuration file, for tasks %s and %s",
			ErrExists, a.Group, other.Topic, a.Topic)
	}
	return fmt.Errorf("%w: group %q of task %s was created by `daybook group create`, and the configuration file declares it too: "+
		"take it out of the file, or start without it there, run `daybook group delete %s`, and put it in again",
		ErrExists, a.Group, other.Topic, a.Group)
}

// fileEntry returns the entry before, if a is the same account and password.
func (r *Registry) fileEntry(a Account, before *entry) (*entry, error) {
	l := newLogins()
	if before != nil && *before.principal == (Principal{a.Account, a.Group, a.Topic}) {
		if before.checkPassword(r.decoys.secret, a.Password) {
			return before, nil
		}
		l = before.logins
	}
	return r.newEntry(Info{Account: a.Account, Group: a.Group, Topic: a.Topic, Owner: OwnerFile}, a.Password, l)
}

// Create adds a stored account. It fails with [ErrInvalid], [ErrExists] or
// [ErrTooMany], or if it cannot be stored.
func (r *Registry) Create(a Account) (Info, error) {
	if err := a.check(); err != nil {
		return Info{}, err
	}
	r.changes.Lock()
	defer r.changes.Unlock()
	all := r.snapshot()
	if other, ok := all[a.Group]; ok {
		return Info{}, fmt.Errorf("%w: group %q belongs to task %s", ErrExists, a.Group, other.Topic)
	}
	groups := 0
	for _, e := range all {
		if e.Topic == a.Topic {
			groups++
		}
	}
	if groups >= r.o.MaxGroups {
		return Info{}, fmt.Errorf("%w: task %s has %d, and kafka.max_groups_per_task allows %d", ErrTooMany, a.Topic, groups, r.o.MaxGroups)
	}
	now := now()
	i := Info{Account: a.Account, Group: a.Group, Topic: a.Topic, Owner: OwnerStore, Created: now, PasswordChanged: now}
	e, err := r.newEntry(i, a.Password, newLogins())
	if err == nil {
		err = r.save(e)
	}
	if err != nil {
		return Info{}, fmt.Errorf("create account: %w", err)
	}
	r.put(e)
	r.o.Logger.Info("account created", "account", a.Account, "group", a.Group, "task", a.Topic)
	return i, nil
}

// now is the time as it is stored.
func now() time.Time { return time.UnixMilli(time.Now().UnixMilli()) }

// SetPassword changes the password of a stored account. Logins that have begun
// before go on, unless endConnections ends them. It fails with [ErrNotFound],
// [ErrOwnedByFile] or [ErrInvalid], or if it cannot be stored.
func (r *Registry) SetPassword(group, password string, endConnections bool) error {
	if err := CheckPassword(password); err != nil {
		return fmt.Errorf("%w: group %q: %w", ErrInvalid, group, err)
	}
	r.changes.Lock()
	defer r.changes.Unlock()
	before, err := r.stored(group)
	if err != nil {
		return err
	}
	i, l := before.Info, before.logins
	i.PasswordChanged = now()
	if endConnections {
		l = newLogins()
	}
	e, err := r.newEntry(i, password, l)
	if err == nil {
		err = r.save(e)
	}
	if err != nil {
		return fmt.Errorf("set password: %w", err)
	}
	r.put(e)
	if endConnections {
		before.logins.end(ErrPasswordChanged)
	}
	r.o.Logger.Info("password changed", "account", i.Account, "group", group, "end_connections", endConnections)
	return nil
}

// Delete removes a stored account and ends its logins. It fails with
// [ErrNotFound] or [ErrOwnedByFile], or if that cannot be stored.
func (r *Registry) Delete(group string) error {
	r.changes.Lock()
	defer r.changes.Unlock()
	e, err := r.stored(group)
	if err != nil {
		return err
	}
	if err := r.table.Delete(accountKey(group)); err != nil {
		return fmt.Errorf("delete account: %w", err)
	}
	r.mu.Lock()
	delete(r.entries, group)
	r.mu.Unlock()
	e.logins.end(ErrDeleted)
	r.o.Logger.Info("account deleted", "account", e.Account, "group", group)
	return nil
}

// stored returns the account of a group that may be changed here.
func (r *Registry) stored(group string) (*entry, error) {
	e := r.entry(group)
	switch {
	case e == nil:
		return nil, fmt.Errorf("%w: %q", ErrNotFound, group)
	case e.Owner == OwnerFile:
		return nil, fmt.Errorf("%w: %q", ErrOwnedByFile, group)
	}
	return e, nil
}
