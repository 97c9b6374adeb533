package access

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
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
	ErrTokenShape   = errors.New("a token is one line of 32 to 512 letters, digits and punctuation: write one there, or remove what is there and restart Daybook, which makes a new one")
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
	return secretfile.Create(path, newToken()+"\n")
}

// newToken makes one up. The source of randomness does not fail: crypto/rand ends the process then.
func newToken() string {
	secret := make([]byte, tokenBytes)
	_, _ = rand.Read(secret)
	return base64.RawURLEncoding.EncodeToString(secret)
}

// WriteToken writes a token into a file that is not there yet, for its owner alone.
func WriteToken(path, token string) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s is there already: %w", path, fs.ErrExist)
	}
	if err := secretfile.Create(path, token+"\n"); err != nil {
		return fmt.Errorf("write token file %s: %w", path, err)
	}
	return nil
}
