package access_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"daybook/access"
	"daybook/store"
	"daybook/store/storetest"
)

// open opens a registry with one token file.
func open(t *testing.T, tokenFile string) error {
	t.Helper()
	st := storetest.OpenWith(t, store.Options{Dir: "data", FS: vfs.NewMem()})
	defer storetest.Close(t, st)
	return access.New(access.Options{Store: st, Files: []access.File{{Name: "admin", Role: access.Admin, Path: tokenFile}}}).Open(t.Context())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestTokenFileIsMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "admin.token")
	// What a crash has left must not be in the way.
	must(t, os.WriteFile(file+".new", []byte("half"), 0o644))
	must(t, open(t, file))
	info, err := os.Stat(file)
	must(t, err)
	if info.Mode() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	first, err := access.ReadToken(file)
	must(t, err)
	if len(first) != 43 { // 256 bits in base64
		t.Errorf("%d characters", len(first))
	}
	if _, err := os.Stat(file + ".new"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the temporary file: %v", err)
	}
	must(t, open(t, file))
	if again, _ := access.ReadToken(file); again != first {
		t.Error("the second start has made another token")
	}
	other := filepath.Join(t.TempDir(), "admin.token")
	must(t, open(t, other))
	if token, _ := access.ReadToken(other); token == first {
		t.Error("two directories have the same token")
	}
}

func TestTokenFilesThatAreRefused(t *testing.T) {
	good := strings.Repeat("t", 32)
	for _, test := range []struct {
		name, content string
		mode          os.FileMode
		err           error
	}{
		{"right", good + "\n", 0o600, nil},
		{"read-only", good, 0o400, nil},
		{"readable by all", good, 0o644, access.ErrTokenExposed},
		{"readable by the group", good, 0o640, access.ErrTokenExposed},
		{"writable by others", good, 0o602, access.ErrTokenExposed},
		{"empty", "", 0o600, access.ErrTokenShape},
		{"short", good[1:], 0o600, access.ErrTokenShape},
		{"two lines", good + "\n" + good, 0o600, access.ErrTokenShape},
		{"spaces", good + " " + good, 0o600, access.ErrTokenShape},
		{"not ASCII", good + "é", 0o600, access.ErrTokenShape},
		{"endless", strings.Repeat("t", 1<<20), 0o600, access.ErrTokenShape},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "admin.token")
			must(t, os.WriteFile(file, []byte(test.content), 0o600))
			must(t, os.Chmod(file, test.mode))
			err := open(t, file)
			if !errors.Is(err, test.err) || err != nil && !strings.Contains(err.Error(), file) {
				t.Errorf("got %v, want %v", err, test.err)
			}
			if err != nil && test.content != "" && strings.Contains(err.Error(), good) {
				t.Error("the error holds the token")
			}
		})
	}
}

func TestTokenFileWithoutDirectory(t *testing.T) {
	if err := open(t, filepath.Join(t.TempDir(), "none", "admin.token")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestTokenFileIsADirectory(t *testing.T) {
	if err := open(t, t.TempDir()); !errors.Is(err, access.ErrTokenShape) || !strings.Contains(err.Error(), "directory") {
		t.Errorf("got %v", err)
	}
}
