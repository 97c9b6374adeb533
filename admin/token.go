package admin

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
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
	f, err := os.Open(path)
	if err != nil {
		return "", cause(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", cause(err)
	}
	if info.IsDir() {
		return "", fmt.Errorf("it is a directory: %w", ErrTokenShape)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) == os.Geteuid() && info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("mode %04o: %w", info.Mode().Perm(), ErrTokenExposed)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxTokenLength+3))
	if err != nil {
		return "", cause(err)
	}
	token := strings.TrimRight(string(b), "\r\n")
	if len(token) < minTokenLength || len(token) > maxTokenLength || strings.ContainsFunc(token, notPrintable) {
		return "", ErrTokenShape
	}
	return token, nil
}

// notPrintable tells what cannot stand in a header.
func notPrintable(r rune) bool { return r <= ' ' || r > '~' }

// cause leaves out the path, which the caller names.
func cause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

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

// makeToken writes the file under another name first: it is there whole, or
// not at all.
func makeToken(path string) error {
	secret := make([]byte, tokenBytes)
	if _, err := rand.Read(secret); err != nil {
		return err
	}
	next := path + ".new"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(next)
	_, err = f.WriteString(base64.RawURLEncoding.EncodeToString(secret) + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(next, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// sameToken compares in a time that tells nothing about the right one, its
// length included.
func sameToken(given, right string) bool {
	g, r := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(right))
	return subtle.ConstantTimeCompare(g[:], r[:]) == 1
}
