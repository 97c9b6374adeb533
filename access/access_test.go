package access_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"daybook/access"
	"daybook/store"
	"daybook/store/storetest"
)

// TestRoles has each cover those below it, and nothing cover what is none.
func TestRoles(t *testing.T) {
	for i, mine := range access.Roles() {
		for j, least := range access.Roles() {
			if got := mine.Covers(least); got != (i >= j) {
				t.Errorf("%s covers %s: %v", mine, least, got)
			}
		}
		if mine.Covers("") || access.Role("").Covers(mine) || access.Role("root").Covers(mine) || mine.Covers("root") {
			t.Errorf("%s and what is none cover each other", mine)
		}
	}
}

func TestNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"a": true, "ci.deploy_2-x": true, strings.Repeat("a", 64): true,
		"": false, ".": false, "..": false, "a b": false, "a/b": false, "é": false, "a\n": false, strings.Repeat("a", 65): false,
	} {
		if err := access.CheckName(name); (err == nil) != ok || err != nil && name != "" && name != "." && name != ".." && strings.Contains(err.Error(), name) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// fixture is a registry with files of two tokens, whose store is opened anew by reopen.
type fixture struct {
	*access.Registry
	t      *testing.T
	fs     vfs.FS
	store  *store.Store
	files  []access.File
	failed error // of the last open
}

func newFixture(t *testing.T) *fixture {
	dir := t.TempDir()
	f := &fixture{t: t, fs: vfs.NewMem(), files: []access.File{
		{Name: "admin", Role: access.Admin, Path: filepath.Join(dir, "admin.token")},
		{Name: "grafana", Role: access.Viewer, Path: filepath.Join(dir, "grafana.token")},
	}}
	f.open()
	return f
}

func (f *fixture) open() {
	f.store = storetest.OpenWith(f.t, store.Options{Dir: "data", FS: f.fs})
	f.Registry = access.New(access.Options{Store: f.store, Files: f.files})
	f.failed = f.Open(f.t.Context())
}

func (f *fixture) reopen() {
	storetest.Close(f.t, f.store)
	f.open()
}

// want wants a token to be one of a name and a role, or an error.
func (f *fixture) want(token, name string, role access.Role, fault error) {
	f.t.Helper()
	info, err := f.Check(token)
	if !errors.Is(err, fault) || fault == nil && (info.Name != name || info.Role != role) {
		f.t.Errorf("%+v, %v, want %s, %s, %v", info, err, name, role, fault)
	}
	if err != nil && token != "" && strings.Contains(err.Error(), token) {
		f.t.Errorf("the error holds the token: %v", err)
	}
}

// TestTokens are of files and of the store, over restarts, until they are deleted, expire, or their file goes.
func TestTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		must(t, f.failed)
		ofFile, err := access.ReadToken(f.files[1].Path)
		must(t, err)
		f.want(ofFile, "grafana", access.Viewer, nil)
		ops, made, err := f.Create("ops", access.Operator, time.Now().Add(time.Hour))
		must(t, err)
		if made.Owner != access.OwnerStore || made.Role != access.Operator || !made.Created.Equal(time.Now()) || len(ops) != 43 {
			t.Errorf("made %+v, a token of %d characters", made, len(ops))
		}
		ever, _, err := f.Create("ever", access.Viewer, time.Time{})
		must(t, err)
		for _, restarted := range []bool{false, true} {
			if restarted {
				f.reopen()
				must(t, f.failed)
			}
			f.want(ops, "ops", access.Operator, nil)
			f.want(ever, "ever", access.Viewer, nil)
			for _, wrong := range []string{"", "x", ops + "x", ops[:42], "ops", strings.Repeat("x", 1<<20)} {
				f.want(wrong, "", "", access.ErrUnknown)
			}
		}
		if got := fmt.Sprint(names(f.List())); got != "[admin ever grafana ops]" {
			t.Errorf("listed: %s", got)
		}

		time.Sleep(time.Hour)
		f.want(ops, "", "", access.ErrExpired)
		must(t, f.Delete("ops"))
		f.want(ops, "", "", access.ErrUnknown)
		f.reopen()
		f.want(ops, "", "", access.ErrUnknown)
		f.want(ever, "ever", access.Viewer, nil)

		// A file that cannot be used lets nobody in, and holds up no other token.
		must(t, os.Chmod(f.files[1].Path, 0o644))
		f.want(ofFile, "", "", access.ErrUnavailable)
		f.want(ever, "ever", access.Viewer, nil)
		if list := f.List(); list[2].Name != "grafana" || !strings.Contains(list[2].Problem, "chmod 600") || list[0].Problem != "" {
			t.Errorf("listed: %+v", list)
		}
		next := strings.Repeat("n", 40)
		must(t, errors.Join(os.WriteFile(f.files[1].Path, []byte(next), 0o600), os.Chmod(f.files[1].Path, 0o600)))
		f.want(ofFile, "", "", access.ErrUnknown)
		f.want(next, "grafana", access.Viewer, nil)
		storetest.Close(t, f.store)
	})
}

func names(list []access.Info) (names []string) {
	for _, i := range list {
		names = append(names, i.Name)
	}
	return names
}

func TestTokensThatCannotBe(t *testing.T) {
	f := newFixture(t)
	must(t, f.failed)
	_, _, err := f.Create("ops", access.Viewer, time.Time{})
	must(t, err)
	for _, c := range []struct {
		name    string
		role    access.Role
		expires time.Time
		want    error
	}{
		{"ops", access.Viewer, time.Time{}, access.ErrExists},
		{"admin", access.Viewer, time.Time{}, access.ErrExists},
		{"a b", access.Viewer, time.Time{}, access.ErrInvalid},
		{"x", "root", time.Time{}, access.ErrInvalid},
		{"x", "", time.Time{}, access.ErrInvalid},
		{"x", access.Viewer, time.Now(), access.ErrInvalid},
		{"x", access.Viewer, time.Date(9999, 12, 31, 23, 0, 0, 0, time.FixedZone("", -12*3600)), access.ErrInvalid},
	} {
		if token, _, err := f.Create(c.name, c.role, c.expires); !errors.Is(err, c.want) || token != "" {
			t.Errorf("%+v: %v", c, err)
		}
	}
	for name, want := range map[string]error{"none": access.ErrNotFound, "admin": access.ErrOwnedByFile} {
		if err := f.Delete(name); !errors.Is(err, want) {
			t.Errorf("delete %s: %v", name, err)
		}
	}
	for i := range 99 {
		_, _, err := f.Create(fmt.Sprint("many-", i), access.Viewer, time.Time{})
		must(t, err)
	}
	if _, _, err := f.Create("more", access.Viewer, time.Time{}); !errors.Is(err, access.ErrTooMany) {
		t.Errorf("the hundred and first: %v", err)
	}
	// A name that the configuration takes is told at the start.
	f.files = append(f.files, access.File{Name: "ops", Role: access.Viewer, Path: f.files[0].Path + "2"})
	f.reopen()
	if !errors.Is(f.failed, access.ErrExists) || !strings.Contains(f.failed.Error(), "daybook token delete ops") {
		t.Errorf("open: %v", f.failed)
	}
	// So are two files with one token.
	token, err := access.ReadToken(f.files[0].Path)
	must(t, err)
	f.files = f.files[:2]
	must(t, os.WriteFile(f.files[1].Path, []byte(token), 0o600))
	f.reopen()
	if !errors.Is(f.failed, access.ErrInvalid) || strings.Contains(f.failed.Error(), token) {
		t.Errorf("open: %v", f.failed)
	}
	storetest.Close(t, f.store)
}

// TestLastUse is known over a restart, no more than a minute behind, and is not that of an earlier token of the name.
func TestLastUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		must(t, f.failed)
		used := func(name string) time.Time {
			for _, i := range f.List() {
				if i.Name == name {
					return i.Used
				}
			}
			return time.Time{}
		}
		token, _, err := f.Create("ops", access.Viewer, time.Time{})
		must(t, err)
		if !used("ops").IsZero() {
			t.Error("it was used before it was")
		}
		for range 10 {
			time.Sleep(25 * time.Second)
			f.want(token, "ops", access.Viewer, nil)
		}
		last := time.Now()
		if !used("ops").Equal(last) {
			t.Errorf("used %s, want %s", used("ops"), last)
		}
		f.reopen()
		if behind := last.Sub(used("ops")); behind > time.Minute {
			t.Errorf("after the restart it is %s behind", behind)
		}
		must(t, f.Delete("ops"))
		_, _, err = f.Create("ops", access.Viewer, time.Time{})
		must(t, err)
		if !used("ops").IsZero() {
			t.Error("it has the use of an earlier one")
		}
		storetest.Close(t, f.store)
	})
}

// TestStoreHoldsNoToken looks for one in all files of the store.
func TestStoreHoldsNoToken(t *testing.T) {
	dir := t.TempDir()
	st := storetest.OpenWith(t, store.Options{Dir: dir})
	r := access.New(access.Options{Store: st})
	must(t, r.Open(t.Context()))
	token, _, err := r.Create("ops", access.Viewer, time.Time{})
	must(t, err)
	storetest.Close(t, st)
	n := 0
	must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if n++; strings.Contains(string(b), token) {
			t.Errorf("%s holds the token", path)
		}
		return err
	}))
	if n == 0 {
		t.Error("there are no files")
	}
}
