// Package puppet runs stock Kafka clients as processes of their own that do, step by step, what a test tells them:
// subscribe, assign, poll, seek, commit, close. So a test decides when a real client does what, and knows which commits
// were acknowledged to it.
//
// The main type is [Puppet]. Its programs, one for each client, are in the
// folders beside; each reads one command a line from standard input, and answers
// with the records that it read, one a line, and one last line: "ok", or "error"
// and what its client said. A Puppet is used from one goroutine at a time, which
// need not be the test's; it is killed with its test at the latest.
package puppet

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"daybook/e2e/harness"
)

// patience is how long a step may take: clients try for a minute to commit while
// the broker is away.
const patience = 3 * time.Minute

// Options says how a client is set up. Zero values take those of the client.
type Options struct {
	Group    string // its consumer group, and with [harness.Account] its login
	Reset    string // where to begin without a checkpoint, or below the log's start: earliest (the default), latest or none
	ClientID string
	Session  time.Duration // session timeout; heartbeats are sent six times as often
	Prefix   []string      // words before the command, such as those of unshare
}

// Record is one record as the client gave it.
type Record struct {
	Offset     int64
	Key, Value string // "NULL" for null
}

// Error is what a client reported instead of doing what it was told.
type Error struct{ Text string }

func (e *Error) Error() string { return e.Text }

// Puppet is one running client.
type Puppet struct {
	Name    string
	cmd     *exec.Cmd
	in      io.Writer
	lines   chan string // closed when the process ends
	errors  *tail
	release func()
}

// Commands returns how to run each client; names are those of scripts/clients.sh,
// which gets what is missing.
func Commands(t *testing.T, names ...string) map[string][]string {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	commands := make(map[string][]string)
	for _, name := range names {
		cmd := exec.Command(filepath.Join(filepath.Dir(file), "../../scripts/clients.sh"), "puppet", name)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v\n%s", cmd, err, stderr.String())
		}
		commands[name] = strings.Split(strings.TrimSpace(string(out)), "\n")
	}
	return commands
}

// Start starts a client of that name against a broker's address.
func Start(t *testing.T, address, name string, o Options) *Puppet {
	t.Helper()
	p, err := Run(t, address, name, Commands(t, name)[name], o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Run is Start with a command of [Commands], for any goroutine.
func Run(t *testing.T, address, name string, command []string, o Options) (*Puppet, error) {
	if o.Reset == "" {
		o.Reset = "earliest"
	}
	if o.ClientID == "" {
		o.ClientID = name
	}
	if o.Session == 0 {
		o.Session = 10 * time.Second
	}
	words := slices.Concat(o.Prefix, command, []string{address, harness.Account + "-" + o.Group, harness.Password, harness.Topic, o.Group,
		o.Reset, o.ClientID, strconv.FormatInt(o.Session.Milliseconds(), 10)})
	cmd := exec.Command(words[0], words[1:]...)
	p := &Puppet{Name: name, cmd: cmd, lines: make(chan string), errors: &tail{}}
	cmd.Stderr = p.errors
	// It must not outlive a test binary that is killed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.start(out); err != nil {
		return nil, err
	}
	p.in = in
	t.Cleanup(p.Kill)
	return p, nil
}

// start starts the process and the goroutine that reads what it prints; both
// are over when release returns.
func (p *Puppet) start(out io.Reader) error {
	if err := p.cmd.Start(); err != nil {
		return err
	}
	over := make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(p.lines)
		for r := bufio.NewReader(out); ; {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			select {
			case p.lines <- strings.TrimSuffix(line, "\n"):
			case <-over:
			}
		}
	})
	p.release = sync.OnceFunc(func() {
		close(over)
		reading.Wait()
		_ = p.cmd.Wait() // how it ended is no matter
	})
	return nil
}

// Subscribe makes the client a member of its group.
func (p *Puppet) Subscribe() error { _, err := p.do("subscribe"); return err }

// Assign gives the client the partition from the offset on, or from the group's
// checkpoint if the offset is below 0.
func (p *Puppet) Assign(offset int64) error {
	command := "assign"
	if offset >= 0 {
		command += fmt.Sprint("\t", offset)
	}
	_, err := p.do(command)
	return err
}

// Poll returns the records that come within the time, at most limit.
func (p *Puppet) Poll(wait time.Duration, limit int) ([]Record, error) {
	lines, err := p.do(fmt.Sprintf("poll\t%d\t%d", wait.Milliseconds(), limit))
	var records []Record
	for _, line := range lines {
		fields := strings.SplitN(line, "\t", 4)
		if len(fields) != 4 || fields[0] != "record" {
			return nil, fmt.Errorf("%s: line %.200q", p.Name, line)
		}
		offset, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: line %.200q: %w", p.Name, line, err)
		}
		records = append(records, Record{offset, fields[2], fields[3]})
	}
	return records, err
}

// SeekTo moves the client to an offset.
func (p *Puppet) SeekTo(offset int64) error { _, err := p.do(fmt.Sprint("seek\t", offset)); return err }

// Commit commits and waits for the answer. A client that has neither subscribed
// nor assigned can do so too, but for kafkajs.
func (p *Puppet) Commit(offset int64, metadata string) error {
	_, err := p.do(fmt.Sprintf("commit\t%d\t%s", offset, metadata))
	return err
}

// SetOffsets moves the group's checkpoint by the admin client of kafkajs.
func (p *Puppet) SetOffsets(offset int64) error {
	_, err := p.do(fmt.Sprint("admin\t", offset))
	return err
}

// Close has the client leave in order and ends the process.
func (p *Puppet) Close() error {
	_, err := p.do("close")
	if err != nil {
		return err
	}
	p.release()
	return nil
}

// Signal sends a signal to the process.
func (p *Puppet) Signal(s syscall.Signal) error { return p.cmd.Process.Signal(s) }

// Kill ends the process with SIGKILL, if it runs.
func (p *Puppet) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended already
	p.release()
}

// do sends a command and returns the lines of the answer before the last.
func (p *Puppet) do(command string) (lines []string, err error) {
	fmt.Fprintln(p.in, command)
	step, _, _ := strings.Cut(command, "\t")
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		select {
		case line, ok := <-p.lines:
			switch text, failed := strings.CutPrefix(line, "error\t"); {
			case !ok:
				return nil, fmt.Errorf("%s ended at %s:\n%s", p.Name, step, p.errors)
			case line == "ok":
				return lines, nil
			case failed:
				return lines, &Error{text}
			}
			lines = append(lines, line)
		case <-timeout.C:
			return nil, fmt.Errorf("%s: %s does not end:\n%s", p.Name, step, p.errors)
		}
	}
}

// Refused returns what the client said if it refused to do something.
func Refused(err error) (text string, ok bool) {
	var e *Error
	if errors.As(err, &e) {
		return e.Text, true
	}
	return "", false
}

// tail keeps the end of what is written to it. It implements io.Writer.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(b []byte) (int, error) {
	const most = 4 << 10
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	t.text = t.text[max(0, len(t.text)-most):]
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
