package seal_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"daybook/seal"
)

func open(t *testing.T, path string) *seal.Box {
	t.Helper()
	b, err := seal.Open(path, true)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestSeal has a secret opened by its owner alone, with the key of the file, and after the
// process started anew.
func TestSeal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret.key")
	b := open(t, path)
	secret := []byte("the source's password")
	sealed := b.Seal("shop", secret)
	if bytes.Contains(sealed, secret) || bytes.Equal(sealed, b.Seal("shop", secret)) {
		t.Error("it is not encrypted, or the same each time")
	}
	for name, box := range map[string]*seal.Box{"the same": b, "opened anew": open(t, path)} {
		if got, err := box.Open("shop", sealed); err != nil || !bytes.Equal(got, secret) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := b.Open("other", sealed); !errors.Is(err, seal.ErrSealed) {
		t.Errorf("as another's: %v", err)
	}
	if _, err := open(t, filepath.Join(t.TempDir(), "k")).Open("shop", sealed); !errors.Is(err, seal.ErrSealed) {
		t.Errorf("with another key: %v", err)
	}
	for i := range sealed {
		damaged := bytes.Clone(sealed)
		damaged[i] ^= 4
		if _, err := b.Open("shop", damaged); !errors.Is(err, seal.ErrSealed) {
			t.Errorf("with byte %d damaged: %v", i, err)
		}
		if _, err := b.Open("shop", sealed[:i]); !errors.Is(err, seal.ErrSealed) {
			t.Errorf("cut at %d: %v", i, err)
		}
	}
}

// TestRotate seals anew with a new key, after which the former opens nothing.
func TestRotate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret.key")
	b := open(t, path)
	before, _ := os.ReadFile(path)
	old := b.Seal("shop", []byte("first"))
	if err := b.Rotate(); err != nil {
		t.Fatal(err)
	}
	b = open(t, path) // a crash, between the two steps
	if got, err := b.Open("shop", old); err != nil || string(got) != "first" {
		t.Errorf("before the old key is retired: %q, %v", got, err)
	}
	sealed := b.Seal("shop", []byte("first"))
	if err := b.Retire(); err != nil {
		t.Fatal(err)
	}
	after, _ := os.ReadFile(path)
	if bytes.Contains(after, bytes.TrimSpace(before)) {
		t.Error("the old key is in the file still")
	}
	b = open(t, path)
	if _, err := b.Open("shop", old); !errors.Is(err, seal.ErrSealed) {
		t.Errorf("with the retired key: %v", err)
	}
	if got, err := b.Open("shop", sealed); err != nil || string(got) != "first" {
		t.Errorf("with the new one: %q, %v", got, err)
	}
}

// TestKeyFiles has files that are none told, without what is in them.
func TestKeyFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := strings.Repeat("A", 43) + "=\n"
	for path, says := range map[string]string{
		write("exposed", good, 0o644):                   "chmod 600",
		write("short", "QUJD\n", 0o600):                 "line 1 is not a key",
		write("text", good+"hunter2!\n", 0o600):         "line 2 is not a key",
		write("empty", "", 0o600):                       "holds no key",
		write("large", strings.Repeat(good, 30), 0o600): "no key file",
		dir:                              "directory",
		filepath.Join(dir, "no", "such"): "no such file",
	} {
		_, err := seal.Open(path, true)
		if !errors.Is(err, seal.ErrKeyFile) || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want one that says %q", path, err, says)
		}
	}
	if _, err := seal.Open(filepath.Join(dir, "missing"), false); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not to be made: %v", err)
	}
	open(t, filepath.Join(dir, "made"))
	if info, err := os.Stat(filepath.Join(dir, "made")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file that was made: %v, %v", info, err)
	}
}
