package auth

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"

	"daybook/store"
)

// defaultMaxGroups is for each task.
const defaultMaxGroups = 20

// Options of a [Registry].
type Options struct {
	Store     *store.Store // open
	Logger    *slog.Logger // default: the process's
	MaxGroups int          // of a task, which Create keeps to; default 20
}

// Registry holds the accounts.
type Registry struct {
	o        Options
	table    *store.Table
	decoys   decoys
	throttle *Throttle

	// changes is held by one who changes accounts, while he derives keys and
	// syncs; logins need mu only.
	changes sync.Mutex
	mu      sync.RWMutex
	entries map[string]*entry // by group ID
}

// entry is an account. The one that stands for an unknown username has no
// principal, and no password fits it. It is not changed but for proven: another
// password makes another entry.
type entry struct {
	Info
	principal *Principal
	verifiers verifiers
	logins    *logins

	mu sync.Mutex
	// proven is the MAC of the password that passed last; it spares
	// reconnecting clients the PBKDF2 rounds.
	proven []byte
}

// logins stands for those of an account that end together.
type logins struct {
	context.Context
	end context.CancelCauseFunc
}

func newLogins() *logins {
	ctx, end := context.WithCancelCause(context.Background())
	return &logins{ctx, end}
}

// New returns a registry without accounts.
func New(o Options) *Registry {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	o.MaxGroups = cmp.Or(o.MaxGroups, defaultMaxGroups)
	return &Registry{o: o, throttle: NewThrottle(), entries: make(map[string]*entry)}
}

// Open loads the stored accounts. Nothing else may be called before it returned.
func (r *Registry) Open(ctx context.Context) error {
	r.table = r.o.Store.Table(tableName)
	if err := r.loadSecret(); err != nil {
		return err
	}
	return r.load(ctx)
}

// find returns the entry of a username, or one that no password fits; it takes
// the same steps for both.
func (r *Registry) find(username string) (*entry, error) {
	account, group, _ := strings.Cut(username, "-")
	if CheckAccount(account) != nil || CheckGroup(group) != nil {
		return nil, ErrUsernameShape
	}
	decoy := r.decoys.entry(username)
	r.mu.RLock()
	defer r.mu.RUnlock()
	if e, ok := r.entries[group]; ok && e.Account == account {
		return e, nil
	}
	return decoy, nil
}

// current tells whether e still is the account: a login may have waited for
// its turn while its password changed.
func (r *Registry) current(e *entry) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return e.principal != nil && r.entries[e.Group] == e
}

// Info tells about the account of a group.
func (r *Registry) Info(group string) (Info, bool) {
	if e := r.entry(group); e != nil {
		return e.Info, true
	}
	return Info{}, false
}

// List tells about all accounts, in order of topic and group. A stored account
// may be of a topic that no task feeds any more.
func (r *Registry) List() []Info {
	var list []Info
	for _, e := range r.snapshot() {
		list = append(list, e.Info)
	}
	slices.SortFunc(list, func(a, b Info) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Group, b.Group))
	})
	return list
}

// entry returns nil if the group has no account.
func (r *Registry) entry(group string) *entry {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.entries[group]
}

func (r *Registry) snapshot() map[string]*entry {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return maps.Clone(r.entries)
}

func (r *Registry) put(e *entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries[e.Group] = e
}

// newEntry derives the verifiers, which takes some milliseconds.
func (r *Registry) newEntry(i Info, password string, l *logins) (*entry, error) {
	v, err := newVerifiers(password, r.decoys, Username(i.Account, i.Group))
	if err != nil {
		return nil, fmt.Errorf("group %q: %w", i.Group, err)
	}
	return entryOf(i, v, l), nil
}

func entryOf(i Info, v verifiers, l *logins) *entry {
	return &entry{
		Info:      i,
		principal: &Principal{Account: i.Account, Group: i.Group, Topic: i.Topic},
		verifiers: v,
		logins:    l,
	}
}
