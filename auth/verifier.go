package auth

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"fmt"
	"hash"
)

// iterations is the PBKDF2 count: the least that RFC 7677 allows, and that
// Kafka's clients accept. SCRAM tells it before the proof, so an account with
// another count would be told from a name that does not exist.
const iterations = 4096

// hashAlg is the hash of a SCRAM mechanism.
type hashAlg int

const (
	sha256Hash hashAlg = iota
	sha512Hash
	hashes // their number
)

func (h hashAlg) new() hash.Hash {
	if h == sha512Hash {
		return sha512.New()
	}
	return sha256.New()
}

func (h hashAlg) size() int {
	if h == sha512Hash {
		return sha512.Size
	}
	return sha256.Size
}

func (h hashAlg) mac(key []byte, message ...[]byte) []byte {
	m := hmac.New(h.new, key)
	for _, b := range message {
		m.Write(b)
	}
	return m.Sum(nil)
}

func (h hashAlg) sum(b []byte) []byte {
	s := h.new()
	s.Write(b)
	return s.Sum(nil)
}

// verifier is what a SCRAM server keeps instead of a password: RFC 5802,
// section 3. StoredKey checks a client's proof and cannot make one.
type verifier struct {
	iterations int
	salt       []byte
	storedKey  []byte
	serverKey  []byte
}

// verifiers of one password.
type verifiers [hashes]verifier

// newVerifiers derives those of a password. The salt is the one that the
// username had before it had an account.
func newVerifiers(password string, d decoys, username string) (vs verifiers, err error) {
	for h := range hashes {
		if vs[h], err = newVerifier(h, password, d.salt(h, username), iterations); err != nil {
			return vs, err
		}
	}
	return vs, nil
}

// newVerifier derives the keys. Passwords are taken as they are, without
// SASLprep, as Kafka's own server takes them; [CheckPassword] sees to it that
// this makes no difference.
func newVerifier(h hashAlg, password string, salt []byte, iterations int) (verifier, error) {
	salted, err := pbkdf2.Key(h.new, password, salt, iterations, h.size())
	if err != nil {
		return verifier{}, fmt.Errorf("derive key: %w", err)
	}
	return verifier{
		iterations: iterations,
		salt:       salt,
		storedKey:  h.sum(h.mac(salted, []byte("Client Key"))),
		serverKey:  h.mac(salted, []byte("Server Key")),
	}, nil
}

// matches tells in constant time whether password belongs to the verifier.
func (v *verifier) matches(h hashAlg, password string) bool {
	other, err := newVerifier(h, password, v.salt, v.iterations)
	return err == nil && subtle.ConstantTimeCompare(other.storedKey, v.storedKey) == 1
}

// checkPassword tells whether the password is right. One that was right before
// costs one MAC; any other, or one for an unknown username, costs the rounds.
func (e *entry) checkPassword(secret []byte, password string) bool {
	sum := sha256Hash.mac(secret, []byte(password))
	e.mu.Lock()
	proven := subtle.ConstantTimeCompare(e.proven, sum) == 1
	e.mu.Unlock()
	if proven {
		return true
	}
	if !e.verifiers[sha256Hash].matches(sha256Hash, password) {
		return false
	}
	e.mu.Lock()
	e.proven = sum
	e.mu.Unlock()
	return true
}

// decoys derives from a secret what stands for an unknown username, so that it
// is the same whenever the name is tried. Accounts take their salts from there
// too: a salt tells nothing about who exists.
type decoys struct{ secret []byte }

const (
	secretSize = 32
	saltSize   = 16
)

func (d decoys) salt(h hashAlg, username string) []byte {
	return h.mac(d.secret, []byte("salt "), []byte(username))[:saltSize]
}

func (d decoys) entry(username string) *entry {
	e := &entry{}
	for h := range hashes {
		e.verifiers[h] = verifier{
			iterations: iterations,
			salt:       d.salt(h, username),
			storedKey:  h.mac(d.secret, []byte("stored "), []byte(username)),
			serverKey:  h.mac(d.secret, []byte("server "), []byte(username)),
		}
	}
	return e
}
