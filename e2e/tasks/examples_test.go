//go:build servers

package tasks

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daybook/admin"
	"daybook/e2e/harness"
	"daybook/e2e/servers"
)

// examples are those of the help, run by a shell as they are printed.
type examples struct {
	t       *testing.T
	d       *harness.Daybook
	dir     string
	printed *strings.Replacer // what stands for the reader's own: servers and accounts
	ran     int
}

// codes are the exit codes of examples that Daybook refuses here, by how they begin: nothing is wrong with the task, or
// the source lacks what they name.
var codes = map[string]int{
	"daybook task objects shop crm": 5, "daybook task restart shop --from earliest": 6, "daybook task restart shop --from 2026": 6, "daybook task restart shop --from binlog": 6,
	"daybook task skip": 6,
}

// run runs the examples of a command, but for what goes on for ever.
func (e *examples) run(command string, only ...string) {
	e.t.Helper()
	help, _, code := e.d.Run("task", command, "--help")
	_, text, ok := strings.Cut(help, "Examples:\n")
	if code != 0 || !ok {
		e.t.Fatalf("%s has no examples: %s", command, help)
	}
	text, _, _ = strings.Cut(text, "\n\n")
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.Contains(line, "--follow") || len(only) > 0 && !strings.Contains(line, only[0]) {
			continue
		}
		want := 0
		for begin, code := range codes {
			if strings.HasPrefix(line, begin) {
				want = code
			}
		}
		e.shell(e.printed.Replace(line), want)
		e.ran++
	}
}

func (e *examples) shell(line string, want int) {
	e.t.Helper()
	cmd := exec.Command("sh", "-c", line)
	cmd.Dir = e.dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(e.dir, "bin")+":"+os.Getenv("PATH"))
	if out, _ := cmd.CombinedOutput(); cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != want {
		e.t.Errorf("%s: %v, want exit code %d: %s", line, cmd.ProcessState, want, out)
	}
}

func (e *examples) shown(name string) (task admin.Task) {
	e.t.Helper()
	out, text, code := e.d.Run("task", "show", name, "-o", "json")
	if err := json.Unmarshal([]byte(out), &task); code != 0 || err != nil {
		e.t.Fatalf("show %s: exit code %d, %v: %s", name, code, err, text)
	}
	return task
}

func (e *examples) normal(name string) admin.Task {
	e.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		task := e.shown(name)
		if task.State == "Normal" {
			return task
		}
		if time.Now().After(deadline) {
			e.t.Fatalf("the task is %+v", task)
		}
	}
}

// configure writes a configuration with these tasks, as YAML.
func (e *examples) configure(tasks string) {
	e.t.Helper()
	_, address, _ := strings.Cut(e.d.AdminURL(), "://")
	text := fmt.Sprintf("data_dir: data\nkafka: {listeners: [{name: local, address: %q}]}\nadmin: {address: %q}\ntasks: %s\n", e.d.Address(), address, tasks)
	if err := os.WriteFile(e.d.ConfigPath(), []byte(text), 0o600); err != nil {
		e.t.Fatal(err)
	}
}

// TestExamplesOfTheHelp runs what the help of each command about tasks shows, as it is printed, and puts the task
// that was exported into the configuration file.
func TestExamplesOfTheHelp(t *testing.T) {
	t.Setenv("SHOP_PASSWORD", "repl")
	s := servers.Get(t, "mysql-8.0")
	d := harness.New(t, harness.Config{})
	e := &examples{t: t, d: d, dir: filepath.Dir(d.ConfigPath()), printed: strings.NewReplacer("SHOP_PASSWORD=… ", "",
		"db.example.com:3306", s.Address, "db2.example.com:3306", s.Address, "127.0.0.1:3306", s.Address, "--user daybook", "--user repl")}
	if err := os.Mkdir(filepath.Join(e.dir, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	binary, err := filepath.Abs(harness.Binary(t))
	if err == nil {
		err = os.Symlink(binary, filepath.Join(e.dir, "bin", "daybook"))
	}
	if err != nil {
		t.Fatal(err)
	}
	e.configure("[]")
	d.WithoutSecrets()
	d.Start()

	e.run("create", "--auto-start")
	e.normal("shop")
	for _, command := range []string{"list", "show", "objects", "events", "export", "apply"} {
		e.run(command)
	}
	if task := e.normal("copy"); len(task.Objects.Include) != 1 || task.Objects.Include[0] != "shop.*" || !task.AutoStart {
		t.Errorf("the copy is %+v", task)
	}
	for _, command := range []string{"reconfigure", "check", "restart"} {
		e.run(command)
		e.normal("shop")
	}
	for _, command := range []string{"skip", "pause", "resume", "delete"} {
		e.run(command)
	}
	e.run("create", "earliest")
	for _, command := range []string{"precheck", "start", "delete"} {
		e.run(command)
	}
	if e.ran < 28 {
		t.Errorf("only %d examples were run", e.ran)
	}

	text, err := os.ReadFile(filepath.Join(e.dir, "shop.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	d.Stop()
	e.configure("\n  - " + strings.ReplaceAll(strings.TrimSpace(string(text)), "\n", "\n    "))
	d.Start()
	if task := e.normal("shop"); task.Owner != "file" || len(task.Objects.Include) != 1 || task.Objects.Include[0] != "shop.*" {
		t.Errorf("in the file, the task is %+v", task)
	}
	e.shell("daybook task apply -f shop.yaml", 6)
	e.shell("daybook task reconfigure shop --include '*.*'", 6)
}
