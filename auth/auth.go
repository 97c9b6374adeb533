// Package auth knows the accounts: who may use which consumer group, and with
// what password.
//
// An [Account] belongs to exactly one consumer group of one topic. Its SASL
// username is `<account>-<group ID>`, which [Username] builds. A [Registry]
// holds the accounts; an [Exchange] is one login under way, by PLAIN (RFC 4616)
// or SCRAM (RFC 5802, RFC 7677), which ends with a [Principal], the only thing
// that the rest of the system decides by.
//
// Passwords are kept as one salted SCRAM verifier for each hash, never as text;
// PLAIN is checked against the one of SHA-256. An unknown username costs as much
// work as a wrong password and gets the same answers, so that names cannot be
// probed; an address that fails again and again is slowed. A Registry may be
// used by any number of goroutines, an Exchange by one.
package auth

import (
	"errors"
	"fmt"
	"strings"
	"sync"
)

// What a login can fail with. Each may be told to the client: it says nothing
// about the accounts that exist.
var (
	// ErrUsernameShape is returned for a username that cannot be of the form
	// `<account>-<group ID>`.
	ErrUsernameShape = errors.New("the SASL username must have the form <account>-<group ID>")
	// ErrDenied is returned for an unknown username and for a wrong password alike.
	ErrDenied = errors.New("unknown username or wrong password")
	// ErrSlowed is returned if the password was not looked at, because too many
	// logins from the same address have failed.
	ErrSlowed = errors.New("too many logins from this address have failed: try again later")
	// ErrMessage is returned for a token that is not what the mechanism says.
	ErrMessage = errors.New("not a message of the SASL mechanism")
)

// Principal is who a connection acts as once it is authenticated: it may use
// Group and read Topic, and nothing else exists for it.
type Principal struct{ Account, Group, Topic string }

// Account is one account with its password in clear text, as configured.
type Account struct{ Account, Group, Topic, Password string }

// Username returns the SASL username of an account that belongs to a group.
func Username(account, group string) string { return account + "-" + group }

// Registry holds the accounts.
type Registry struct {
	decoys   decoys
	throttle *Throttle

	mu      sync.RWMutex
	entries map[string]*entry // by SASL username
}

// entry is an account. The one that stands for an unknown username has no
// principal, and no password fits it.
type entry struct {
	principal *Principal
	verifiers verifiers

	mu sync.Mutex
	// proven is the MAC of the password that passed last; it spares
	// reconnecting clients the PBKDF2 rounds.
	proven []byte
}

// NewRegistry returns a registry without accounts, which denies everyone.
func NewRegistry() *Registry {
	return &Registry{decoys: newDecoys(), throttle: NewThrottle()}
}

// Set replaces all accounts. It fails, and changes nothing, if a name is
// empty or two accounts would have the same username.
func (r *Registry) Set(accounts []Account) error {
	entries := make(map[string]*entry, len(accounts))
	for _, a := range accounts {
		if a.Account == "" || a.Group == "" {
			return fmt.Errorf("set accounts: account %q of group %q: neither name may be empty", a.Account, a.Group)
		}
		name := Username(a.Account, a.Group)
		if other, ok := entries[name]; ok {
			return fmt.Errorf("set accounts: account %q of group %q and account %q of group %q have the same username %q",
				other.principal.Account, other.principal.Group, a.Account, a.Group, name)
		}
		e := &entry{principal: &Principal{Account: a.Account, Group: a.Group, Topic: a.Topic}}
		for h := range hashes {
			v, err := newVerifier(h, a.Password, r.decoys.salt(h, name))
			if err != nil {
				return fmt.Errorf("set accounts: account %q of group %q: %w", a.Account, a.Group, err)
			}
			e.verifiers[h] = v
		}
		entries[name] = e
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries = entries
	return nil
}

// find returns the entry of a username, or one that no password fits; it takes
// the same steps for both.
func (r *Registry) find(username string) (*entry, error) {
	if i := strings.IndexByte(username, '-'); i <= 0 || strings.HasSuffix(username, "-") {
		return nil, ErrUsernameShape
	}
	decoy := r.decoys.entry(username)
	r.mu.RLock()
	defer r.mu.RUnlock()
	if e, ok := r.entries[username]; ok {
		return e, nil
	}
	return decoy, nil
}
