package seal

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"daybook/secretfile"
)

// maxKeyFile bounds a key file, in bytes: some keys.
const maxKeyFile = 16 * 64

var errExposed = errors.New("others than its owner may read or write it: chmod 600 it, and rotate the key if somebody may have read it")

// Open reads the keys of a key file, and makes the file if it is not there and may
// be made. One that others may read or write is refused. Errors wrap ErrKeyFile.
func Open(path string, make bool) (*Box, error) {
	keys, err := readKeys(path)
	if errors.Is(err, fs.ErrNotExist) && make {
		var k *key
		if k, err = randomKey(); err == nil {
			keys, err = []*key{k}, secretfile.Replace(path, encode([]*key{k}))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrKeyFile, path, err)
	}
	return &Box{path: path, keys: keys}, nil
}

// readKeys reads lines of base64, the newest key first.
func readKeys(path string) ([]*key, error) {
	content, err := secretfile.Read(path, maxKeyFile, errExposed)
	if err != nil {
		return nil, err
	}
	if len(content) > maxKeyFile {
		return nil, errors.New("it is no key file: it is too long")
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

// encode is what a key file holds.
func encode(keys []*key) string {
	var b strings.Builder
	for _, k := range keys {
		b.WriteString(base64.StdEncoding.EncodeToString(k.secret) + "\n")
	}
	return b.String()
}
