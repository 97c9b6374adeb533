//go:build servers

package tls

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"daybook/e2e/harness"
	"daybook/servertls/certtest"
)

// Accounts that were created while Daybook ran log in with every mechanism
// after a kill -9; their passwords are nowhere in clear text.
func TestStoredAccounts(t *testing.T) {
	const first, group = "Vorläufig, 1. Wort", "stored"
	d := start(t, serverTLS)
	d.create(t, group, first)
	for _, c := range clients {
		for _, m := range mechanisms {
			d.create(t, groupOf(c.name, m), password)
		}
	}
	d.restart()
	want := readFranz(t, d, true, "PLAIN", harness.Group)
	for _, c := range clients {
		for _, m := range mechanisms {
			if got := c.read(t, d, true, m, groupOf(c.name, m)); !slices.Equal(got, want) {
				t.Errorf("%s with %s: read %d records that are not the %d that franz-go read", c.name, m, len(got), len(want))
			}
		}
	}
	d.wantLogins(t, group, first, "")
	d.manage(t, "set-password", group, "--password-file", certtest.File(t, d.dir, "password", []byte(password)))
	d.restart()
	d.wantLogins(t, group, first, "unknown username or wrong password")
	d.wantLogins(t, group, password, "")
	d.manage(t, "delete", group)
	d.restart()
	d.wantLogins(t, group, password, "unknown username or wrong password")
	d.wantNoPassword(t, first, password)
}

func (d *daybook) restart() {
	d.Kill()
	d.Start()
}

// manage runs `daybook group`.
func (d *daybook) manage(t *testing.T, args ...string) {
	t.Helper()
	if stdout, stderr, exit := d.Run(append([]string{"group"}, args...)...); exit != 0 {
		t.Fatalf("daybook group %s: exit %d\n%s%s", strings.Join(args, " "), exit, stdout, stderr)
	}
}

func (d *daybook) create(t *testing.T, group, password string) {
	t.Helper()
	d.manage(t, "create", group, "--task", harness.Topic, "--account", harness.Account,
		"--password-file", certtest.File(t, d.dir, "password", []byte(password)))
}

// wantLogins logs in by each mechanism, and wants this to go wrong with a
// message, or to succeed if that is empty.
func (d *daybook) wantLogins(t *testing.T, group, password, message string) {
	t.Helper()
	for _, m := range mechanisms {
		settings := []string{"-X", "sasl.password=" + password}
		if message == "" {
			settings = append(settings, "-L") // which would try again and again, if it failed
		}
		_, err := kcat(t, d, true, m, group, settings...)
		if (err == nil) != (message == "") || err != nil && !strings.Contains(err.Error(), message) {
			t.Errorf("%s login of %s: %v, want %q", m, group, err, message)
		}
	}
}

// wantNoPassword looks for passwords in the data directory and the log.
func (d *daybook) wantNoPassword(t *testing.T, passwords ...string) {
	t.Helper()
	look := func(where string, content []byte) {
		for _, p := range passwords {
			if bytes.Contains(content, []byte(p)) {
				t.Errorf("%s holds the password %q", where, p)
			}
		}
	}
	look("the log", []byte(d.Log()))
	files := 0
	err := filepath.WalkDir(d.DataDir(), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		look(path, content)
		files++
		return err
	})
	if err != nil || files < 3 {
		t.Errorf("%d files in the data directory: %v", files, err)
	}
}
