package cli_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"testing"
	"time"

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

// Whoever reads stderr may have stopped to: the command ends all the same.
func TestNobodyReadsStderr(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()                               // which ends the waiting write
	for full := make([]byte, 4096); err == nil; { // fill the pipe
		if err = w.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)); err == nil {
			_, err = w.Write(full)
		}
	}
	if err := w.SetWriteDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	ended := make(chan int, 1)
	go func() { ended <- cli.Run(t.Context(), []string{"serve", "--nonsense"}, io.Discard, w) }()
	select {
	case code := <-ended:
		if code != 2 {
			t.Errorf("exit code %d, want 2", code)
		}
	case <-time.After(30 * time.Second):
		t.Error("the command does not end")
	}
}
