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

// commands returns the paths of all commands below that of path, as the help
// lists them.
func commands(t *testing.T, path string) []string {
	t.Helper()
	stdout, _, _ := run(append(strings.Fields(path), "--help")...)
	_, list, ok := strings.Cut(stdout, "\nAvailable Commands:\n")
	if !ok {
		return nil
	}
	list, _, _ = strings.Cut(list, "\n\n")
	var all []string
	for line := range strings.Lines(list) {
		below := strings.TrimSpace(path + " " + strings.Fields(line)[0])
		all = append(append(all, below), commands(t, below)...)
	}
	return all
}

// TestHelp wants help for people: every command has one, with an example.
func TestHelp(t *testing.T) {
	all := append(commands(t, ""), "")
	if len(all) < 20 {
		t.Fatalf("the help shows only %q", all)
	}
	for _, command := range all {
		for _, args := range [][]string{append(strings.Fields(command), "--help"), append([]string{"help"}, strings.Fields(command)...)} {
			stdout, stderr, code := run(args...)
			_, example, ok := strings.Cut(stdout, "\nExamples:\n")
			if code != 0 || stderr != "" || !ok || !strings.Contains(example, "daybook "+command) {
				t.Errorf("%q: exit code %d and\n%s%s", args, code, stdout, stderr)
			}
		}
	}
}

func TestUnknownCommand(t *testing.T) {
	for _, command := range append(commands(t, ""), "") {
		below := commands(t, command)
		if below == nil {
			continue
		}
		path, last := strings.Fields(command), strings.Fields(below[len(below)-1])
		for _, args := range [][]string{
			append(path, "srve"), append(path, "srve", "--help"), append(path, "--help", "srve"), append([]string{"help"}, append(path, "srve")...),
		} {
			stdout, stderr, code := run(args...)
			if code != 2 || stdout != "" || !strings.Contains(stderr, `unknown command "srve"`) || !strings.Contains(stderr, last[len(last)-1]) {
				t.Errorf("%q: exit code %d: %s%s", args, code, stdout, stderr)
			}
		}
	}
}

// An argument may come from a variable that is not set.
func TestNoName(t *testing.T) {
	f := serveFake(t, nil)
	for _, command := range []string{
		"task show", "task restart --from now", "task skip",
		"group show", "group create --task shop --account app --generate", "group set-password --generate", "group reset --to-earliest", "group delete",
	} {
		for _, name := range []string{"", ".", ".."} {
			args := append(strings.Fields(command), "--admin", f.url, "--token-file", f.tokenFile, name)
			if _, stderr, code := run(args...); code != 2 || !strings.Contains(stderr, "is no name") {
				t.Errorf("%q: exit code %d: %s", args, code, stderr)
			}
		}
	}
	if asked := f.asked(); asked != "" {
		t.Errorf("Daybook was asked %s", asked)
	}
}

func run(args ...string) (stdout, stderr string, code int) {
	return runFor(context.Background(), args...)
}

// runFor runs a command until ctx is done, as Ctrl-C ends it.
func runFor(ctx context.Context, args ...string) (stdout, stderr string, code int) {
	var out, errOut bytes.Buffer
	code = cli.Run(ctx, args, &out, &errOut)
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
