package seal

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// maxKeys bounds the key file.
const maxKeys = 16

// Open reads the keys of a key file, and makes the file if it is not there and may
// be made. As ssh does with private keys, it refuses a file that others may read or
// write. Errors wrap ErrKeyFile.
func Open(path string, make bool) (*Box, error) {
	keys, err := readKeys(path)
	if errors.Is(err, fs.ErrNotExist) && make {
		var k *key
		if k, err = randomKey(); err == nil {
			keys, err = []*key{k}, writeKeys(path, []*key{k})
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrKeyFile, path, err)
	}
	return &Box{path: path, keys: keys}, nil
}

// readKeys reads lines of base64, the newest key first.
func readKeys(path string) ([]*key, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, cause(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, cause(err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxKeys*64 {
		return nil, errors.New("it is no key file")
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) == os.Geteuid() && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("mode %04o: others than its owner may read or write it: chmod 600 it, and rotate the key if somebody may have read it", info.Mode().Perm())
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, cause(err)
	}
	var keys []*key
	for i, line := range strings.Fields(string(content)) {
		secret, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(secret) != keySize {
			return nil, fmt.Errorf("line %d is not a key: 32 bytes in base64 ('openssl rand -base64 32' makes one)", i+1)
		}
		k, err := newKey(secret)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, errors.New("it holds no key: 32 bytes in base64 on a line ('openssl rand -base64 32' makes one)")
	}
	return keys, nil
}

// writeKeys replaces the file in one synced step.
func writeKeys(path string, keys []*key) error {
	var b strings.Builder
	for _, k := range keys {
		b.WriteString(base64.StdEncoding.EncodeToString(k.secret) + "\n")
	}
	next := path + ".new"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return cause(err)
	}
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return cause(err)
	}
	_, err = f.WriteString(b.String())
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(next, path); err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return cause(err)
	}
	return errors.Join(d.Sync(), d.Close())
}

// cause leaves out the path, which the caller names.
func cause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
