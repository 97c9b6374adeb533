// Package harness runs the real daybook binary for end-to-end tests: it writes its configuration, starts it, waits until
// it serves, and kills, stops and restarts it.
//
// The main type is [Daybook]. Every function fails the test with what to do
// when something is missing; cleanup is the test's own. A Daybook belongs to
// one test and is used from one goroutine at a time.
package harness

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
)

// Account, Group and Password are what Config declares for its only group.
const (
	Account  = "app"
	Group    = "cache"
	Password = "Harness-1"
	// Topic is the task's name.
	Topic = "shop"
)

// Username is the SASL username of the group's consumers.
const Username = Account + "-" + Group

// Config says what the started daybook tracks. Zero values take the defaults
// of the configuration file.
type Config struct {
	Source         string   // host:port
	User, Pass     string   // default: repl/repl
	Password       string   // YAML key of where the password is, in place of Pass
	SourceKeys     string   // further YAML keys of the source, such as "tls: {…}"
	Start          string   // YAML of the start key
	Include        []string // objects.include
	SchemaChanges  string
	Groups         []string // further group IDs of Account
	GroupPassword  string   // of all groups; default: Password
	RetentionBytes int64
	Host           string   // where the listener is; default 127.0.0.1
	Retention      string   // further YAML keys of retention, such as "age: 5m"
	Kafka          string   // further YAML lines of kafka, indented by two
	Listener       string   // further YAML keys of the listener, such as "tls: {…}"
	Listeners      []string // further listeners: the YAML keys of each
	Admin          string   // further YAML keys of admin, such as "tokens: [{…}]"
	Extra          string   // further YAML lines of the task, indented by four
	// Mount is a shell script that runs in a mount namespace of the process's
	// own before it starts, and before each command that Run runs; $D is the data directory, which exists then.
	Mount string
}

// Daybook is one running (or stopped) daybook process and its data directory.
type Daybook struct {
	t      *testing.T
	binary string
	dir    string
	addr   string
	admin  string // host:port
	config Config
	env    []string

	mu  sync.Mutex
	log bytes.Buffer
	cmd *exec.Cmd
}

// Start builds and starts daybook and waits until it listens.
func Start(t *testing.T, c Config) *Daybook {
	t.Helper()
	d := New(t, c)
	d.Start()
	return d
}

// New prepares a daybook without starting it.
func New(t *testing.T, c Config) *Daybook {
	t.Helper()
	d := &Daybook{t: t, binary: Binary(t), dir: t.TempDir(), addr: FreeAddress(t), admin: FreeAddress(t), config: c}
	if c.Host != "" {
		d.addr = freeAddress(t, c.Host)
	}
	d.WriteConfig(c)
	t.Cleanup(func() {
		d.Kill()
		if t.Failed() {
			t.Logf("daybook's log:\n%s", d.Log())
		}
	})
	return d
}

// Config returns what the configuration file was made from.
func (d *Daybook) Config() Config { return d.config }

// WriteConfig replaces the configuration file; the next Start reads it.
func (d *Daybook) WriteConfig(c Config) {
	d.t.Helper()
	d.config = c
	if err := os.WriteFile(d.ConfigPath(), []byte(d.yaml()), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

func (d *Daybook) yaml() string {
	c := d.config
	user, pass := c.User, c.Pass
	if user == "" {
		user, pass = "repl", "repl"
	}
	d.env = append(os.Environ(), "HARNESS_SOURCE_PASSWORD="+pass, "HARNESS_GROUP_PASSWORD="+cmp.Or(c.GroupPassword, Password), "D="+d.DataDir())
	var b strings.Builder
	fmt.Fprintf(&b, "data_dir: data\nretention: {max_bytes: %d, %s}\n", c.RetentionBytes, c.Retention)
	fmt.Fprintf(&b, "kafka:\n%s  max_groups_per_task: %d\n  listeners:\n", c.Kafka, 20+len(c.Groups))
	fmt.Fprintf(&b, "    - {name: local, address: %q, %s}\n", d.addr, c.Listener)
	for _, keys := range c.Listeners {
		fmt.Fprintf(&b, "    - {%s}\n", keys)
	}
	fmt.Fprintf(&b, "admin: {address: %q, %s}\n", d.admin, c.Admin)
	fmt.Fprintf(&b, "tasks:\n  - name: %s\n    source: {address: %q, user: %s, %s, %s}\n", Topic, c.Source, user,
		cmp.Or(c.Password, "password_env: HARNESS_SOURCE_PASSWORD"), c.SourceKeys)
	if c.Start != "" {
		fmt.Fprintf(&b, "    start: %s\n", c.Start)
	}
	if c.SchemaChanges != "" {
		fmt.Fprintf(&b, "    schema_changes: %s\n", c.SchemaChanges)
	}
	if len(c.Include) > 0 {
		fmt.Fprintf(&b, "    objects: {include: [\"%s\"]}\n", strings.Join(c.Include, `", "`))
	}
	b.WriteString(c.Extra)
	b.WriteString("    groups:\n")
	for _, g := range append([]string{Group}, c.Groups...) {
		fmt.Fprintf(&b, "      - {id: %s, account: %s, password_env: HARNESS_GROUP_PASSWORD}\n", g, Account)
	}
	return b.String()
}

// Start starts the process and waits until it accepts connections of clients
// and of the admin API.
func (d *Daybook) Start() {
	d.t.Helper()
	d.Launch()
	for deadline := time.Now().Add(30 * time.Second); !listens(d.addr) || !listens(d.admin); time.Sleep(20 * time.Millisecond) {
		if !d.Running() {
			d.t.Fatalf("daybook ended while it started:\n%s", d.Log())
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("daybook does not listen on %s and %s:\n%s", d.addr, d.admin, d.Log())
		}
	}
}

func listens(address string) bool {
	c, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// Launch starts the process and does not wait for anything.
func (d *Daybook) Launch() {
	d.t.Helper()
	cmd := d.command("serve", "-c", d.ConfigPath(), "--log-level", "debug")
	cmd.Env, cmd.Stdout, cmd.Stderr = d.env, d, d
	// The process must not outlive a test binary that is killed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.cmd = cmd
}

// WithoutSecrets has later commands run without the variables that the
// configuration's passwords are in.
func (d *Daybook) WithoutSecrets() {
	d.env = slices.DeleteFunc(slices.Clone(d.env), func(v string) bool { return strings.HasPrefix(v, "HARNESS_") })
}

// command is one of the binary's, in a mount namespace of its own if the
// configuration has mounts.
func (d *Daybook) command(args ...string) *exec.Cmd {
	if d.config.Mount == "" {
		return exec.Command(d.binary, args...)
	}
	if err := os.MkdirAll(d.DataDir(), 0o700); err != nil {
		d.t.Fatal(err)
	}
	// unshare is Debian's util-linux; every step is an exec, so the process ID stays.
	return exec.Command("unshare", append([]string{"--mount", "--map-root-user", "sh", "-ec", d.config.Mount + `; exec "$@"`, "sh", d.binary}, args...)...)
}

// Run runs another command of the binary, such as check, with the same
// configuration and environment.
func (d *Daybook) Run(args ...string) (stdout, stderr string, exit int) {
	d.t.Helper()
	cmd := d.command(append(args, "-c", d.ConfigPath())...)
	var out, errOut bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = d.env, &out, &errOut
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		d.t.Fatal(err)
	}
	return out.String(), errOut.String(), cmd.ProcessState.ExitCode()
}

// Write collects the process's output. It implements io.Writer.
func (d *Daybook) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.log.Write(p)
}

// Log returns what all processes of this Daybook have written so far.
func (d *Daybook) Log() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.log.String()
}

// Running tells whether the process has not ended.
func (d *Daybook) Running() bool {
	return d.cmd != nil && d.cmd.Process.Signal(syscall.Signal(0)) == nil && !d.zombie()
}

// zombie tells whether the process has ended and nobody waited for it.
func (d *Daybook) zombie() bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", d.cmd.Process.Pid))
	if err != nil {
		return true
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return strings.HasPrefix(rest, "Z")
}

// Kill ends the process with SIGKILL, if it runs.
func (d *Daybook) Kill() { d.end(syscall.SIGKILL) }

// Stop ends the process with SIGTERM and returns its exit code.
func (d *Daybook) Stop() int { return d.end(syscall.SIGTERM) }

func (d *Daybook) end(sig syscall.Signal) int {
	if d.cmd == nil {
		return 0
	}
	_ = d.cmd.Process.Signal(sig) // it may have ended already
	return d.Wait()
}

// Wait waits for the process to end and returns its exit code.
func (d *Daybook) Wait() int {
	_ = d.cmd.Wait() // the exit code tells
	code := d.cmd.ProcessState.ExitCode()
	d.cmd = nil
	return code
}

// PID returns the running process's ID.
func (d *Daybook) PID() int { return d.cmd.Process.Pid }

// Address returns the listener's host:port; it stays over restarts.
func (d *Daybook) Address() string { return d.addr }

// AdminURL returns where the admin API is; it stays over restarts.
func (d *Daybook) AdminURL() string { return "http://" + d.admin }

// TokenFile returns the path of the admin API's token file.
func (d *Daybook) TokenFile() string { return filepath.Join(d.DataDir(), "admin.token") }

// ConfigPath returns the configuration file's path.
func (d *Daybook) ConfigPath() string { return filepath.Join(d.dir, "daybook.yaml") }

// DataDir returns the data directory's path.
func (d *Daybook) DataDir() string { return filepath.Join(d.dir, "data") }

// WaitLog waits until the log holds the text.
func (d *Daybook) WaitLog(text string, limit time.Duration) {
	d.t.Helper()
	for deadline := time.Now().Add(limit); !strings.Contains(d.Log(), text); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			d.t.Fatalf("daybook's log does not show %q", text)
		}
	}
}

// Client returns a franz-go client, logged in as Username, closed with the test.
func (d *Daybook) Client(opts ...kgo.Opt) *kgo.Client {
	d.t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(d.addr),
		kgo.SASL(plain.Auth{User: Username, Pass: cmp.Or(d.config.GroupPassword, Password)}.AsMechanism()),
	}, opts...)...)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(c.Close)
	return c
}

// FreeAddress returns a loopback address that nothing listens on.
func FreeAddress(t *testing.T) string {
	t.Helper()
	return freeAddress(t, "127.0.0.1")
}

// freeAddress finds a port that is none of those that outgoing connections are
// given: while a killed process is down, such a port may be taken, even by a
// client that tries to reach it and is connected to itself. Nor one that scripts/lib.sh
// gives to servers.
func freeAddress(t *testing.T, host string) string {
	t.Helper()
	const first, last = 26000, 32000 // Linux gives out ports from 32768 on
	for range 1000 {
		l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(first+rand.IntN(last-first))))
		if err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	t.Fatalf("no port of %s from %d to %d is free", host, first, last)
	return ""
}

// Binary returns the path of the daybook binary: that of DAYBOOK_BINARY, else
// one that is built now for this test.
func Binary(t *testing.T) string {
	t.Helper()
	if p := os.Getenv("DAYBOOK_BINARY"); p != "" {
		return p
	}
	p := filepath.Join(t.TempDir(), "daybook")
	if out, err := exec.Command("go", "build", "-o", p, "daybook").CombinedOutput(); err != nil {
		t.Fatalf("build daybook: %v\n%s", err, out)
	}
	return p
}
