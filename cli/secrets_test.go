package cli_test

import (
	"strings"
	"testing"
)

// A secret that was given in a wrong place is not repeated: what is printed
// gets into the logs of schedulers and into tickets.
func TestErrorsHoldNoSecret(t *testing.T) {
	f := serveFake(t, nil)
	for _, args := range [][]string{
		{"group", "list", "--admin", "http://u:s3cret@127.0.0.1:1", "--token-file", f.tokenFile},
		{"group", "list", "--admin", "http://127.0.0.1:1/?token=s3cret", "--token-file", f.tokenFile},
		{"group", "list", "--admin", "http://127.0.0.1:1#s3cret", "--token-file", f.tokenFile},
		{"group", "list", "--admin", "http://u:s3cret%@127.0.0.1:x", "--token-file", f.tokenFile},
		{"task", "list", "--admin", f.url, "--token-file", "s3cret"},
		{"group", "set-password", "g", "--admin", f.url, "--token-file", f.tokenFile, "--password-file", "s3cret"},
		{"group", "set-password", "g", "--admin", f.url, "--token-file", f.tokenFile, "--password-env", "s3cret"},
		{"group", "set-password", "g", "s3cret"},
		{"group", "set-password", "g", "--password", "s3cret"},
		{"group", "set-password", "g", "--password=s3cret"},
	} {
		stdout, stderr, code := run(args...)
		if code == 0 || strings.Contains(stdout+stderr, "s3cret") {
			t.Errorf("%q: exit code %d, %s%s", args, code, stdout, stderr)
		}
	}
}
