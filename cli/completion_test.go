package cli_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"daybook/admin"
)

// completed returns what a real bash completes of a line, with daybook built as it is and the script that it prints.
func completed(t *testing.T, dir, line string) []string {
	t.Helper()
	script := `
source "$1/daybook.bash" || exit 1
complete -p daybook > /dev/null || exit 1
eval "COMP_WORDS=($2)"
case "$2" in *' ') COMP_WORDS+=('') ;; esac
COMP_LINE=$2 COMP_POINT=${#2} COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_TYPE=9
__start_daybook
printf '%s\n' "${COMPREPLY[@]}"
`
	cmd := exec.Command("bash", "--norc", "-c", script, "bash", dir, line)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
	out, err := cmd.Output() // compopt complains, as nobody has pressed Tab
	if err != nil {
		t.Fatalf("%q: %v\n%s", line, err, out)
	}
	var all []string
	for _, word := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		name, _, _ := strings.Cut(word, " ")
		if name != "" {
			all = append(all, name)
		}
	}
	return all
}

// TestCompletion runs the script in a real bash: commands, flags and their values, names of the running Daybook, and nothing
// where that is away.
func TestCompletion(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("there is no bash")
	}
	dir := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "daybook"), "daybook").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	script, stderr, code := run("completion", "bash")
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	if err := os.WriteFile(filepath.Join(dir, "daybook.bash"), []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	f := serveFake(t, map[string]any{
		"GET /api/v1/tasks": admin.TaskList{Tasks: tasks}, "GET /api/v1/groups": admin.GroupList{Groups: groups},
		"GET /api/v1/tokens": admin.TokenList{Tokens: []admin.Token{{Name: "grafana", Role: "viewer"}}},
	})
	there := " --admin " + f.url + " --token-file " + f.tokenFile + " "
	for _, test := range []struct {
		line string
		want []string
	}{
		{"daybook sta", []string{"status"}},
		{"daybook task pre", []string{"precheck"}},
		{"daybook completion ", []string{"bash", "fish", "zsh"}},
		{"daybook task show" + there, []string{"books", "drift", "new", "shop"}},
		{"daybook task pause" + there + "s", []string{"shop"}},
		{"daybook task show" + there + "shop ", nil},
		{"daybook task create" + there, nil},
		{"daybook task delete" + there + "shop --confirm ", []string{"shop"}},
		{"daybook group show" + there, []string{"cache", "ledger", "new", "old"}},
		{"daybook group create x" + there + "--task b", []string{"books"}},
		{"daybook token delete" + there, []string{"grafana"}},
		{"daybook task list -o ", []string{"json", "table", "yaml"}},
		{"daybook task create x --tls verify-", []string{"verify-ca", "verify-identity"}},
		{"daybook task precheck x --skip eng", []string{"engines"}},
		{"daybook serve --log-l", []string{"--log-level"}},
		{"daybook task show --admin http://127.0.0.1:1 --token-file " + f.tokenFile + " ", nil},
		{"daybook task show ", nil}, // there is no configuration
	} {
		got := completed(t, dir, test.line)
		slices.Sort(got)
		if !slices.Equal(got, test.want) {
			t.Errorf("%q is completed by %q, want %q", test.line, got, test.want)
		}
	}
	if f.asked() == "" {
		t.Error("nobody was asked")
	}
	for _, shell := range []string{"zsh", "fish"} {
		script, stderr, code := run("completion", shell)
		if code != 0 || stderr != "" || !strings.Contains(script, "daybook") {
			t.Errorf("%s: exit code %d: %s", shell, code, stderr)
		}
		if path, err := exec.LookPath(shell); err == nil {
			cmd := exec.Command(path, "-n")
			cmd.Stdin = strings.NewReader(script)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", shell, err, out)
			}
		}
	}
	if _, stderr, code := run("completion", "csh"); code != 2 || !strings.Contains(stderr, "csh") {
		t.Errorf("csh: exit code %d: %s", code, stderr)
	}
}

// TestCompletionDoesNotWait asks a Daybook that does not answer.
func TestCompletionDoesNotWait(t *testing.T) {
	l, token := silentListener(t), serveFake(t, nil).tokenFile
	began := time.Now()
	stdout, stderr, code := run("__complete", "task", "show", "--admin", "http://"+l, "--token-file", token, "")
	if took := time.Since(began); took > 5*time.Second || code != 0 || strings.TrimSpace(stdout) != ":4" {
		t.Errorf("it took %v; exit code %d, %q, %q", took, code, stdout, stderr)
	}
}

// silentListener takes connections and answers nothing.
func silentListener(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}
