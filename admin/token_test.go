package admin_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"daybook/admin"
)

// open starts and ends a server with a token file, without all that it needs.
func open(t *testing.T, tokenFile string) error {
	t.Helper()
	s := admin.New(admin.Options{Address: "127.0.0.1:0", TokenFile: tokenFile})
	if err := s.Open(t.Context()); err != nil {
		return err
	}
	return s.Close()
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
	first, err := admin.ReadToken(file)
	must(t, err)
	if len(first) != 43 { // 256 bits in base64
		t.Errorf("%d characters", len(first))
	}
	if _, err := os.Stat(file + ".new"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the temporary file: %v", err)
	}
	must(t, open(t, file))
	if again, _ := admin.ReadToken(file); again != first {
		t.Error("the second start has made another token")
	}
	other := filepath.Join(t.TempDir(), "admin.token")
	must(t, open(t, other))
	if token, _ := admin.ReadToken(other); token == first {
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
		{"readable by all", good, 0o644, admin.ErrTokenExposed},
		{"readable by the group", good, 0o640, admin.ErrTokenExposed},
		{"writable by others", good, 0o602, admin.ErrTokenExposed},
		{"empty", "", 0o600, admin.ErrTokenShape},
		{"short", good[1:], 0o600, admin.ErrTokenShape},
		{"two lines", good + "\n" + good, 0o600, admin.ErrTokenShape},
		{"spaces", good + " " + good, 0o600, admin.ErrTokenShape},
		{"not ASCII", good + "é", 0o600, admin.ErrTokenShape},
		{"endless", strings.Repeat("t", 1<<20), 0o600, admin.ErrTokenShape},
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
	if err := open(t, t.TempDir()); !errors.Is(err, admin.ErrTokenShape) || !strings.Contains(err.Error(), "directory") {
		t.Errorf("got %v", err)
	}
}
