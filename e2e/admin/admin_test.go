//go:build servers

// Package admin manages a real Daybook as an operator would: with its command
// line, while stock clients consume, and while it is killed.
package admin

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"daybook/admin"
	"daybook/e2e/harness"
	"daybook/e2e/oracle"
	"daybook/e2e/servers"
)

// records in the log of each Daybook.
const records = 30

// start starts a Daybook whose log has records.
func start(t *testing.T, extra ...func(*harness.Config)) *harness.Daybook {
	t.Helper()
	source := servers.Get(t, "mysql-8.0")
	name, db := source.Database(t)
	db.Exec("CREATE TABLE orders (id INT PRIMARY KEY)")
	c := harness.Config{Source: source.Address, Include: []string{name + ".*"}, SchemaChanges: "none"}
	for _, f := range extra {
		f(&c)
	}
	d := harness.Start(t, c)
	d.WaitLog("state=Normal", time.Minute) // "now" has been fixed
	for i := range records {
		db.Exec(fmt.Sprintf("INSERT INTO orders VALUES (%d)", i))
	}
	client := d.Client()
	defer client.Close()
	eventually(t, "the log is full", func() bool { return oracle.HighWatermark(t, client) == records })
	return d
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

// command runs `daybook group` and wants its exit code; it returns what it printed.
func command(t *testing.T, d *harness.Daybook, exit int, args string) string {
	t.Helper()
	stdout, stderr, code := d.Run(append([]string{"group"}, strings.Fields(args)...)...)
	if code != exit {
		t.Fatalf("daybook group %s: exit code %d, want %d\n%s%s", args, code, exit, stdout, stderr)
	}
	return stdout + stderr
}

// create creates a group of harness.Account, with harness.Password.
func create(t *testing.T, d *harness.Daybook, group string) {
	t.Helper()
	command(t, d, 0, "create "+group+" --task shop --account "+harness.Account+" --password-env HARNESS_GROUP_PASSWORD")
}

func show(t *testing.T, d *harness.Daybook, group string) (g admin.Group) {
	t.Helper()
	if err := json.Unmarshal([]byte(command(t, d, 0, "show "+group+" -o json")), &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// roles lists a group's consumers as "role mode client-id".
func roles(g admin.Group) string {
	var list []string
	for _, c := range g.Consumers {
		list = append(list, c.Role+" "+c.Mode+" "+c.ClientID)
	}
	return strings.Join(list, ", ")
}

// kcat is a running kcat that consumes as a member of a group.
type kcat struct {
	t       *testing.T
	cmd     *exec.Cmd
	offsets chan string // closed at its end
	errors  strings.Builder
}

func startKcat(t *testing.T, d *harness.Daybook, group, password, clientID string) *kcat {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	path, err := exec.Command(filepath.Join(filepath.Dir(file), "../../scripts/clients.sh"), "kcat").Output()
	if err != nil {
		t.Fatalf("get kcat: %v", err)
	}
	k := &kcat{t: t, offsets: make(chan string, 1000)}
	k.cmd = exec.Command(strings.TrimSpace(string(path)), "-b", d.Address(), "-X", "security.protocol=SASL_PLAINTEXT", "-X", "sasl.mechanism=PLAIN",
		"-X", "sasl.username="+harness.Account+"-"+group, "-X", "sasl.password="+password, "-X", "client.id="+clientID,
		"-X", "auto.offset.reset=earliest", "-X", "session.timeout.ms=6000", "-X", "auto.commit.interval.ms=200",
		"-u", "-f", `%o\n`, "-G", group, harness.Topic)
	k.cmd.Stderr = &k.errors
	out, err := k.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	k.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := k.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(k.offsets)
		for s := bufio.NewScanner(out); s.Scan(); {
			k.offsets <- s.Text()
		}
	}()
	t.Cleanup(func() {
		_ = k.cmd.Process.Kill()
		for range k.offsets {
		}
		_ = k.cmd.Wait()
	})
	return k
}

// reads wants the record at offset to come next.
func (k *kcat) reads(offset int64) {
	k.t.Helper()
	select {
	case got, ok := <-k.offsets:
		if !ok || got != fmt.Sprint(offset) {
			k.t.Fatalf("kcat reads %q, want %d\n%s", got, offset, k.errors.String())
		}
	case <-time.After(time.Minute):
		k.t.Fatalf("kcat does not read %d\n%s", offset, k.errors.String())
	}
}

// stop ends kcat in order: it commits and leaves its group.
func (k *kcat) stop() {
	k.t.Helper()
	_ = k.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-drained(k.offsets):
	case <-time.After(time.Minute):
		k.t.Fatal("kcat does not end")
	}
}

func drained(c <-chan string) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range c {
		}
	}()
	return done
}

func tokenFile(t *testing.T, d *harness.Daybook) (os.FileInfo, string) {
	t.Helper()
	info, err := os.Stat(d.TokenFile())
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(d.TokenFile())
	if err != nil {
		t.Fatal(err)
	}
	return info, strings.TrimSpace(string(b))
}

// client returns a client of the admin API.
func client(t *testing.T, d *harness.Daybook) *admin.Client {
	t.Helper()
	_, token := tokenFile(t, d)
	c, err := admin.NewClient(admin.ClientOptions{URL: d.AdminURL(), Token: token})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}
