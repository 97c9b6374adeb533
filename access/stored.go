package access

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"daybook/store"
)

const (
	maxStored = 100  // tokens that may be created
	maxYear   = 9999 // that can be written
)

// stored is a token that was created at run time.
type stored struct {
	Role    Role      `json:"role"`
	Hash    []byte    `json:"hash"` // SHA-256
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"`

	name string
}

func (s *stored) info() *Info {
	return &Info{Name: s.name, Role: s.Role, Owner: OwnerStore, Created: s.Created, Expires: s.Expires}
}

func (r *Registry) load() error {
	for kv, err := range r.tokens.Scan(nil) {
		if err != nil {
			return err
		}
		s := &stored{name: string(kv.Key)}
		if err := json.Unmarshal(kv.Value, s); err != nil || len(s.Hash) != sha256.Size {
			return fmt.Errorf("%w: token %q: %w", store.ErrCorrupt, kv.Key, err)
		}
		if f := r.file(s.name); f != nil {
			return fmt.Errorf("%w: %q is a token that was created at run time, and one of the configuration file: give that another name, or take it out, start Daybook, and run 'daybook token delete %s'", ErrExists, f.Name, s.name)
		}
		r.stored[s.name] = s
	}
	return nil
}

// Create makes a token up, which nobody can be told again. It ends to be one at the
// time expires, unless that is zero.
func (r *Registry) Create(name string, role Role, expires time.Time) (token string, info Info, err error) {
	if err := CheckName(name); err != nil {
		return "", Info{}, err
	}
	if err := CheckRole(string(role)); err != nil {
		return "", Info{}, err
	}
	now := time.Now()
	if !expires.IsZero() && !expires.After(now) {
		return "", Info{}, fmt.Errorf("%w: it would have expired before it is created", ErrInvalid)
	}
	if expires.UTC().Year() > maxYear {
		return "", Info{}, fmt.Errorf("%w: it would expire after the year %d: leave that out, and it does not", ErrInvalid, maxYear)
	}
	r.changes.Lock()
	defer r.changes.Unlock()
	r.mu.Lock()
	there, n := r.stored[name] != nil, len(r.stored)
	r.mu.Unlock()
	switch {
	case there || r.file(name) != nil:
		return "", Info{}, fmt.Errorf("%w: %q", ErrExists, name)
	case n >= maxStored:
		return "", Info{}, fmt.Errorf("%w: %d; 'daybook token delete' takes one away", ErrTooMany, n)
	}
	token = newToken()
	sum := sha256.Sum256([]byte(token))
	s := &stored{name: name, Role: role, Hash: sum[:], Created: now.UTC().Truncate(time.Millisecond), Expires: expires.UTC()}
	value, err := json.Marshal(s)
	if err != nil {
		return "", Info{}, fmt.Errorf("encode token: %w", err)
	}
	if err := r.tokens.Put([]byte(name), value); err != nil {
		return "", Info{}, fmt.Errorf("save token: %w", err)
	}
	r.mu.Lock()
	r.stored[name] = s
	r.mu.Unlock()
	return token, *s.info(), nil
}

// Delete takes a token away: nobody gets in by it from then on.
func (r *Registry) Delete(name string) error {
	if f := r.file(name); f != nil {
		return fmt.Errorf("%w: %q", ErrOwnedByFile, f.Name)
	}
	r.changes.Lock()
	defer r.changes.Unlock()
	r.mu.Lock()
	there := r.stored[name] != nil
	r.mu.Unlock()
	if !there {
		return ErrNotFound
	}
	if err := r.tokens.Delete([]byte(name)); err != nil {
		return fmt.Errorf("delete token: %w", err)
	}
	r.mu.Lock()
	delete(r.stored, name)
	r.mu.Unlock()
	return r.forget(name)
}
