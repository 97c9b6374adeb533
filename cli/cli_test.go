package cli_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"daybook/cli"
)

// TestHelpHasAnExample wants help for people: every command shows one.
func TestHelpHasAnExample(t *testing.T) {
	for _, command := range []string{"serve", "check", "store", "store check", "store repair", "group", "demo", "version"} {
		stdout, _, code := run(append(strings.Fields(command), "--help")...)
		if code != 0 || !strings.Contains(stdout, "Examples:") || !strings.Contains(stdout, "daybook "+command) {
			t.Errorf("%s --help: exit code %d and\n%s", command, code, stdout)
		}
	}
}

func TestUnknownCommand(t *testing.T) {
	_, stderr, code := run("srve")
	if code != 2 || !strings.Contains(stderr, `unknown command "srve"`) {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

func run(args ...string) (stdout, stderr string, code int) {
	var out, errOut bytes.Buffer
	code = cli.Run(context.Background(), args, &out, &errOut)
	return out.String(), errOut.String(), code
}
