//go:build servers

package faults

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/e2e/harness"
	"daybook/e2e/oracle"
	"daybook/e2e/servers"
)

// piped is a daybook whose log goes through a pipe that the test reads.
type piped struct {
	t       *testing.T
	process *os.Process
	log     *os.File
	ended   chan error
}

func startPiped(t *testing.T, d *harness.Daybook, pass string) *piped {
	t.Helper()
	t.Setenv("HARNESS_SOURCE_PASSWORD", pass)
	t.Setenv("HARNESS_GROUP_PASSWORD", harness.Password)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	const pageSize, setPipeSize = 4096, 1031 // F_SETPIPE_SZ; package syscall has no name for it
	if _, _, errno := syscall.Syscall(syscall.SYS_FCNTL, w.Fd(), setPipeSize, pageSize); errno != 0 {
		t.Fatalf("make the pipe small: %v", errno)
	}
	cmd := exec.Command(harness.Binary(t), "serve", "-c", d.ConfigPath(), "--log-level", "debug")
	cmd.Stdout, cmd.Stderr = w, w
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	p := &piped{t: t, process: cmd.Process, log: r, ended: make(chan error, 1)}
	go func() { p.ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return p
}

// terminate sends SIGTERM and wants an end in order, in time.
func (p *piped) terminate() {
	p.t.Helper()
	if err := p.process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	select {
	case err := <-p.ended:
		if err != nil {
			p.t.Errorf("asked to end, it ended with %v", err)
		}
	case <-time.After(12 * time.Second):
		p.t.Fatal("12 seconds after SIGTERM it has not ended")
	}
}

// readUntil reads the log until it tells the text, and returns that line.
func (p *piped) readUntil(text string) string {
	p.t.Helper()
	if err := p.log.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		p.t.Fatal(err)
	}
	for r := bufio.NewReader(p.log); ; {
		line, err := r.ReadString('\n')
		if err != nil {
			p.t.Fatalf("%q does not come: %v", text, err)
		}
		if strings.Contains(line, text) {
			return line
		}
	}
}

// TestLogReaderGoesAway closes the pipe that the log is written to: the process
// serves on.
func TestLogReaderGoesAway(t *testing.T) {
	d := harness.New(t, harness.Config{Source: "127.0.0.1:1"})
	p := startPiped(t, d, "x")
	if _, err := p.log.Read(make([]byte, 1)); err != nil {
		t.Fatalf("read the log: %v", err)
	}
	p.log.Close()

	for strangers := 0; strangers < 5; time.Sleep(50 * time.Millisecond) {
		c, err := net.Dial("tcp", d.Address())
		if err == nil {
			strangers++ // each is told in the log
			_, _ = c.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
			_, _ = c.Read(make([]byte, 1))
			c.Close()
		}
		select {
		case err := <-p.ended:
			t.Fatalf("the process ended: %v", err)
		default:
		}
	}
	if high := oracle.HighWatermark(t, d.Client()); high != 0 {
		t.Errorf("the log ends at %d", high)
	}
	p.terminate()
}

// TestLogReaderStops leaves the pipe open and does not read from it, until more
// has been logged than the pipe and the queue before it hold: consumers are
// served, the task goes on, and the process ends when asked to.
func TestLogReaderStops(t *testing.T) {
	s := servers.Get(t, "mysql-8.0")
	database, conn := s.Database(t)
	conn.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
	d := harness.New(t, harness.Config{Source: s.Address, Include: []string{database + ".*"}})
	p := startPiped(t, d, servers.Repl)
	p.readUntil("state=Normal")

	client, rows := d.Client(), 0
	unread := func() {
		t.Helper()
		for range 60 { // 7 KB each; the pipe and the queue hold 260 KB
			before := oracle.HighWatermark(t, client)
			login(t, d.Address(), strings.Repeat("x", 7_000))
			rows++
			conn.Exec(fmt.Sprintf("INSERT INTO t VALUES (%d)", rows))
			for deadline := time.Now().Add(oracle.Patience); oracle.HighWatermark(t, client) == before; time.Sleep(10 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("the log stands still at %d", before)
				}
			}
		}
	}
	unread()
	line := p.readUntil("log lines were lost")
	if !regexp.MustCompile(`level=WARN msg="log lines were lost, as nobody read the log" lines=[1-9]\d* since=`).MatchString(line) {
		t.Errorf("lost lines are told so: %s", line)
	}
	login(t, d.Address(), "afterwards")
	p.readUntil("client_id=afterwards")

	unread()
	p.terminate()
}

// login logs in as a client of that ID, which the log tells then.
func login(t *testing.T, address, clientID string) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(oracle.Patience)); err != nil {
		t.Fatal(err)
	}
	handshake := kmsg.NewPtrSASLHandshakeRequest()
	handshake.Version, handshake.Mechanism = 1, "PLAIN"
	authenticate := kmsg.NewPtrSASLAuthenticateRequest()
	authenticate.SASLAuthBytes = []byte("\x00" + harness.Username + "\x00" + harness.Password)
	format := kmsg.NewRequestFormatter(kmsg.FormatterClientID(clientID))
	for _, req := range []kmsg.Request{handshake, authenticate} {
		if _, err := c.Write(format.AppendRequest(nil, req, 1)); err != nil {
			t.Fatalf("log in: %v", err)
		}
		var length [4]byte
		if _, err := io.ReadFull(c, length[:]); err != nil {
			t.Fatalf("log in: %v", err)
		}
		if _, err := io.CopyN(io.Discard, c, int64(binary.BigEndian.Uint32(length[:]))); err != nil {
			t.Fatalf("log in: %v", err)
		}
	}
}
