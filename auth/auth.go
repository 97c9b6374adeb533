// Package auth knows the accounts: who may use which consumer group, and with
// what password.
//
// An [Account] belongs to exactly one consumer group of one topic. Its SASL
// username is `<account>-<group ID>`, which [Username] builds. A [Registry]
// holds the accounts and turns a username and password into a [Principal],
// the only thing that the rest of the system decides by.
//
// Passwords are kept as salted SCRAM-SHA-256 verifiers (RFC 5802), never as
// text. An unknown username costs as much work as a wrong password and gives
// the same error, so that names cannot be probed. A Registry may be used by
// any number of goroutines.
package auth

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// ErrUsernameShape is returned for a username that cannot be of the form
// `<account>-<group ID>`; it can be told to the client, since it says nothing
// about the accounts that exist.
var ErrUsernameShape = errors.New("the SASL username must have the form <account>-<group ID>")

// ErrDenied is returned for an unknown username and for a wrong password alike.
var ErrDenied = errors.New("unknown username or wrong password")

// iterations is the PBKDF2 count that RFC 7677 asks for at least.
const iterations = 4096

// Principal is who a connection acts as once it is authenticated: it may use
// Group and read Topic, and nothing else exists for it.
type Principal struct{ Account, Group, Topic string }

// Account is one account with its password in clear text, as configured.
type Account struct{ Account, Group, Topic, Password string }

// Username returns the SASL username of an account that belongs to a group.
func Username(account, group string) string { return account + "-" + group }

// Registry holds the accounts.
type Registry struct {
	cacheKey [sha256.Size]byte // keys the MACs of passwords seen to be right
	decoy    verifier          // checked for unknown usernames

	mu      sync.RWMutex
	entries map[string]*entry // by SASL username
}

type entry struct {
	principal Principal
	verifier  verifier

	mu sync.Mutex
	// proven is the MAC, under the registry's cacheKey, of the password that
	// passed last; it spares reconnecting clients the PBKDF2 rounds.
	proven []byte
}

// verifier is what a SCRAM-SHA-256 server keeps instead of the password: the
// salt and the StoredKey of RFC 5802, section 3.
type verifier struct {
	salt      [16]byte
	storedKey [sha256.Size]byte
}

// NewRegistry returns a registry without accounts, which denies everyone.
func NewRegistry() *Registry {
	r := &Registry{}
	rand.Read(r.cacheKey[:])
	rand.Read(r.decoy.salt[:])
	rand.Read(r.decoy.storedKey[:])
	return r
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
		v, err := newVerifier(a.Password)
		if err != nil {
			return fmt.Errorf("set accounts: account %q of group %q: %w", a.Account, a.Group, err)
		}
		entries[name] = &entry{principal: Principal{Account: a.Account, Group: a.Group, Topic: a.Topic}, verifier: v}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries = entries
	return nil
}

// Authenticate returns the principal of username if the password is right,
// else [ErrUsernameShape] or [ErrDenied].
func (r *Registry) Authenticate(username, password string) (Principal, error) {
	if i := strings.IndexByte(username, '-'); i <= 0 || strings.HasSuffix(username, "-") {
		return Principal{}, ErrUsernameShape
	}
	r.mu.RLock()
	e, ok := r.entries[username]
	r.mu.RUnlock()
	if !ok {
		r.decoy.matches(password)
		return Principal{}, ErrDenied
	}
	mac := hmac.New(sha256.New, r.cacheKey[:])
	mac.Write([]byte(password))
	sum := mac.Sum(nil)
	if e.provenBy(sum) {
		return e.principal, nil
	}
	if !e.verifier.matches(password) {
		return Principal{}, ErrDenied
	}
	e.mu.Lock()
	e.proven = sum
	e.mu.Unlock()
	return e.principal, nil
}

func (e *entry) provenBy(sum []byte) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.proven != nil && subtle.ConstantTimeCompare(e.proven, sum) == 1
}

func newVerifier(password string) (verifier, error) {
	var v verifier
	rand.Read(v.salt[:])
	key, err := storedKey(password, v.salt[:])
	v.storedKey = key
	return v, err
}

// matches tells in constant time whether password belongs to the verifier.
func (v *verifier) matches(password string) bool {
	key, err := storedKey(password, v.salt[:])
	return err == nil && subtle.ConstantTimeCompare(key[:], v.storedKey[:]) == 1
}

// storedKey returns H(HMAC(SaltedPassword, "Client Key")). Passwords are taken
// as they are, without SASLprep, as Kafka's own server takes them.
func storedKey(password string, salt []byte) ([sha256.Size]byte, error) {
	salted, err := pbkdf2.Key(sha256.New, password, salt, iterations, sha256.Size)
	if err != nil {
		return [sha256.Size]byte{}, fmt.Errorf("derive key: %w", err)
	}
	mac := hmac.New(sha256.New, salted)
	mac.Write([]byte("Client Key"))
	return sha256.Sum256(mac.Sum(nil)), nil
}
