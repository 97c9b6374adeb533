// Package seal keeps secrets encrypted at rest: the passwords of sources whose
// tasks were created at run time.
//
// The main type is [Box], which seals with the newest key of a key file and opens
// with any key in it, so that a key can be replaced while secrets are sealed with
// the former one ([Box.Rotate], [Box.Retire]). A sealed secret is bound to the
// name of what it belongs to, and cannot be opened as another's.
//
// Guarantee: a secret is encrypted by AES-256 in GCM with a nonce of its own, 96
// random bits; the keys are random too, and only in the key file, which nobody but
// its owner may read.
//
// A Box may be used by any goroutine.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	"daybook/secretfile"
)

// What can be wrong.
var (
	// ErrKeyFile is wrapped by the error of a key file that cannot be used.
	ErrKeyFile = errors.New("the key file cannot be used")
	// ErrSealed is returned for a secret that none of the keys opens.
	ErrSealed = errors.New("the secret was sealed with another key: put back the key file that it was sealed with, or give the secret anew")
)

const (
	keySize = 32 // AES-256
	idSize  = 4
	format  = 1
)

// key is one of the key file.
type key struct {
	secret []byte
	id     [idSize]byte // tells it from others, and nothing of it
	aead   cipher.AEAD
}

func newKey(secret []byte) (*key, error) {
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(append([]byte("daybook key id\x00"), secret...))
	return &key{secret, [idSize]byte(sum[:idSize]), aead}, nil
}

// Box seals and opens secrets.
type Box struct {
	path string

	mu   sync.RWMutex
	keys []*key // of the file, the newest first
}

// Seal encrypts a secret for its owner. The result is a format byte, the key's ID
// (4 bytes), and the nonce, ciphertext and tag of GCM, whose additional data is the
// owner.
func (b *Box) Seal(owner string, secret []byte) []byte {
	b.mu.RLock()
	defer b.mu.RUnlock()
	k := b.keys[0]
	sealed := append([]byte{format}, k.id[:]...)
	return k.aead.Seal(sealed, nil, secret, []byte(owner))
}

// Open decrypts what Seal made for the same owner; if it cannot, that is ErrSealed.
func (b *Box) Open(owner string, sealed []byte) ([]byte, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if len(sealed) < 1+idSize || sealed[0] != format {
		return nil, ErrSealed
	}
	for _, k := range b.keys {
		if k.id != [idSize]byte(sealed[1:1+idSize]) {
			continue
		}
		if secret, err := k.aead.Open(nil, nil, sealed[1+idSize:], []byte(owner)); err == nil {
			return secret, nil
		}
	}
	return nil, ErrSealed
}

// Rotate makes a new key, by which Seal seals from now on. The former ones stay in the
// file until [Box.Retire].
func (b *Box) Rotate() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	k, err := randomKey()
	if err != nil {
		return err
	}
	return b.replace(append([]*key{k}, b.keys...))
}

// Retire forgets all keys but the newest. What is sealed with another cannot be opened
// any more.
func (b *Box) Retire() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.replace(b.keys[:1:1])
}

// replace writes the file, and then holds what is in it.
func (b *Box) replace(keys []*key) error {
	if err := secretfile.Replace(b.path, encode(keys)); err != nil {
		return fmt.Errorf("write key file %s: %w", b.path, err)
	}
	b.keys = keys
	return nil
}

func randomKey() (*key, error) {
	secret := make([]byte, keySize)
	if _, err := rand.Read(secret); err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return newKey(secret)
}
