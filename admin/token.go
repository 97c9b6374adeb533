package admin

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"daybook/secretfile"
)

const (
	tokenBytes     = 32 // of randomness in a token that is made here
	minTokenLength = 32
	maxTokenLength = 512
)

// What can be wrong with a token file.
var (
	ErrTokenExposed = errors.New("others than its owner may read or write it: chmod 600 it, and change the token if somebody may have read it")
	ErrTokenShape   = errors.New("a token is one line of 32 to 512 letters, digits and punctuation: remove what is there and restart Daybook, which makes a new one")
)

// ReadToken reads the token of a token file. As ssh does with private keys, it
// refuses a file of the process's own user that others may read or write.
func ReadToken(path string) (string, error) {
	token, err := readToken(path)
	if err != nil {
		return "", fmt.Errorf("read token file %s: %w", path, err)
	}
	return token, nil
}

func readToken(path string) (string, error) {
	b, err := secretfile.Read(path, maxTokenLength+2, ErrTokenExposed)
	if errors.Is(err, secretfile.ErrDirectory) {
		err = fmt.Errorf("%w: %w", err, ErrTokenShape)
	}
	if err != nil {
		return "", err
	}
	token := strings.TrimRight(string(b), "\r\n")
	if len(token) < minTokenLength || len(token) > maxTokenLength || strings.ContainsFunc(token, notPrintable) {
		return "", ErrTokenShape
	}
	return token, nil
}

// notPrintable tells what cannot stand in a header.
func notPrintable(r rune) bool { return r <= ' ' || r > '~' }

// ensureToken checks the token file, or makes one with a token of 256 bits.
func ensureToken(path string) (made bool, err error) {
	_, err = ReadToken(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if err := makeToken(path); err != nil {
		return false, fmt.Errorf("make token file: %w", err)
	}
	_, err = ReadToken(path) // which is another process's, if that was faster
	return true, err
}

func makeToken(path string) error {
	secret := make([]byte, tokenBytes)
	if _, err := rand.Read(secret); err != nil {
		return err
	}
	return secretfile.Create(path, base64.RawURLEncoding.EncodeToString(secret)+"\n")
}

// sameToken compares in a time that tells nothing about the right one, its
// length included.
func sameToken(given, right string) bool {
	g, r := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(right))
	return subtle.ConstantTimeCompare(g[:], r[:]) == 1
}
