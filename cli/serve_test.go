package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"daybook/auth"
	"daybook/cli"
	"daybook/store"
	"daybook/store/storetest"
)

// A group that was created while Daybook ran and is declared in the file too
// keeps it from starting, with a word on what to do.
func TestServeRefusesAGroupWithTwoOwners(t *testing.T) {
	dir := t.TempDir()
	s := storetest.OpenWith(t, store.Options{Dir: filepath.Join(dir, "data")})
	accounts := auth.New(auth.Options{Store: s})
	if err := accounts.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := accounts.Create(auth.Account{Account: "ops", Group: "cache", Topic: "shop", Password: "Stored-1"}); err != nil {
		t.Fatal(err)
	}
	storetest.Close(t, s)

	t.Setenv("CLI_TEST_PASSWORD", "Secret-123")
	path := filepath.Join(dir, "daybook.yaml")
	err := os.WriteFile(path, []byte(`data_dir: data
tasks:
  - name: shop
    source: {address: "127.0.0.1:1", user: u, password_env: CLI_TEST_PASSWORD}
    groups: [{id: cache, account: app, password_env: CLI_TEST_PASSWORD}]
`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	if code := cli.Run(t.Context(), []string{"serve", "-c", path}, &stdout, &stderr); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
	want := "daybook: set the accounts of the configuration file: the group has an account already: " +
		"group \"cache\" of task shop was created by `daybook group create`, and the configuration file declares it too: " +
		"take it out of the file, or start without it there, run `daybook group delete cache`, and put it in again"
	if got := lines[len(lines)-1]; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
