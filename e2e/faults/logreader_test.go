//go:build servers

package faults

import (
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"daybook/e2e/harness"
	"daybook/e2e/oracle"
)

// TestLogReaderGoesAway closes the pipe that the log is written to: the process
// serves on.
func TestLogReaderGoesAway(t *testing.T) {
	d := harness.New(t, harness.Config{Source: "127.0.0.1:1"})
	t.Setenv("HARNESS_SOURCE_PASSWORD", "x")
	t.Setenv("HARNESS_GROUP_PASSWORD", harness.Password)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(harness.Binary(t), "serve", "-c", d.ConfigPath(), "--log-level", "debug")
	cmd.Stdout, cmd.Stderr = w, w
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	w.Close()
	if _, err := r.Read(make([]byte, 1)); err != nil {
		t.Fatalf("read the log: %v", err)
	}
	r.Close()

	for strangers := 0; strangers < 5; time.Sleep(50 * time.Millisecond) {
		c, err := net.Dial("tcp", d.Address())
		if err == nil {
			strangers++ // each is told in the log
			_, _ = c.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
			_, _ = c.Read(make([]byte, 1))
			c.Close()
		}
		select {
		case err := <-ended:
			t.Fatalf("the process ended: %v", err)
		default:
		}
	}
	if high := oracle.HighWatermark(t, d.Client()); high != 0 {
		t.Errorf("the log ends at %d", high)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("asked to end, it ended with %v", err)
	}
}
