package access

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"daybook/store"
)

// File is a token of the configuration.
type File struct {
	Name string
	Role Role
	Path string
}

// Options of a [Registry].
type Options struct {
	Store  *store.Store // open
	Files  []File       // their names differ
	Logger *slog.Logger // default: none
}

// Registry holds the tokens.
type Registry struct {
	o      Options
	tokens *store.Table // by name, a [stored] as JSON
	uses   *store.Table // by name, a [use] as JSON

	changes sync.Mutex // held while tokens are created and deleted, over the sync

	mu     sync.Mutex // guards the fields below
	stored map[string]*stored
	used   map[string]*use
}

// New returns a registry without tokens.
func New(o Options) *Registry {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Registry{o: o, stored: map[string]*stored{}, used: map[string]*use{}}
}

// Open makes the token files that are not there, with a token each, and loads the
// stored ones. Nothing else may be called before it returned.
func (r *Registry) Open(context.Context) error {
	seen := map[string]string{}
	for _, f := range r.o.Files {
		made, err := ensureToken(f.Path)
		if err != nil {
			return err
		}
		if made {
			r.o.Logger.Info("token of the admin API made", "name", f.Name, "role", string(f.Role), "file", f.Path)
		}
		token, err := ReadToken(f.Path)
		if err != nil {
			return err
		}
		if other := seen[token]; other != "" {
			return fmt.Errorf("%w: %s and %s hold the same token: remove one and start Daybook, which makes another", ErrInvalid, other, f.Path)
		}
		seen[token] = f.Path
	}
	r.tokens, r.uses = r.o.Store.Table("tokens"), r.o.Store.Table("token_uses")
	if err := r.load(); err != nil {
		return fmt.Errorf("read the admin API's tokens: %w", err)
	}
	return r.loadUses()
}

// Check returns whose token it is, by which somebody asks now. The files are read each time, so that a
// new token is in force, and the old one is not, from the moment it is written.
func (r *Registry) Check(given string) (Info, error) {
	sum, now := sha256.Sum256([]byte(given)), time.Now()
	var found *Info
	var broken error
	for _, f := range r.o.Files {
		right, err := ReadToken(f.Path)
		if err != nil {
			broken = errors.Join(broken, err)
			continue
		}
		if s := sha256.Sum256([]byte(right)); same(sum[:], s[:]) && found == nil {
			found = f.info()
		}
	}
	r.mu.Lock()
	for _, s := range r.stored {
		if same(sum[:], s.Hash) && found == nil {
			found = s.info()
		}
	}
	r.mu.Unlock()
	switch {
	case found != nil && found.expired(now):
		return *found, fmt.Errorf("%w, at %s", ErrExpired, found.Expires.Format(time.RFC3339))
	case found != nil:
		r.use(found.Name, now)
		return *found, nil
	case broken != nil:
		return Info{}, fmt.Errorf("%w: %w", ErrUnavailable, broken)
	}
	return Info{}, ErrUnknown
}

// same compares two sums in a time that tells nothing of them.
func same(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

func (f *File) info() *Info { return &Info{Name: f.Name, Role: f.Role, Owner: OwnerFile} }

// List tells about all tokens, in the order of their names.
func (r *Registry) List() []Info {
	var list []Info
	for _, f := range r.o.Files {
		i := f.info()
		if _, err := ReadToken(f.Path); err != nil {
			i.Problem = err.Error()
		}
		list = append(list, *i)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.stored {
		list = append(list, *s.info())
	}
	for i := range list {
		if u := r.used[list[i].Name]; u != nil {
			list[i].Used = u.Last
		}
	}
	slices.SortFunc(list, func(a, b Info) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// file returns the token of that name of the configuration, nil if there is none.
func (r *Registry) file(name string) *File {
	i := slices.IndexFunc(r.o.Files, func(f File) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return &r.o.Files[i]
}
