// Package tools runs the command-line tools of Kafka releases old and new, and
// kcat, against Daybook and against a real Kafka broker with the same records,
// and compares what they print.
//
// For the tests of others it has [JVM], which runs a release's tools, and
// [Properties]. A JVM belongs to one test and its goroutine.
package tools

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"daybook/e2e/harness"
)

// JVM runs the tools of one release one after another in one Java process.
type JVM struct {
	t         *testing.T
	classpath string
	in        io.Writer
	out       *bufio.Reader
}

// StartJVM starts a JVM with the tools of a release that scripts/kafka.sh knows.
func StartJVM(t *testing.T, release string) *JVM {
	t.Helper()
	classpath := script(t, "kafka.sh", "tools", release)
	cmd := exec.Command("java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", classpath, "Tools")
	cmd.Env = append(os.Environ(), "TZ=UTC")
	cmd.Stderr = os.Stderr
	// It must not outlive a test binary that is killed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // the tools leave threads behind, which would keep it
		_ = cmd.Wait()
	})
	return &JVM{t, classpath, in, bufio.NewReader(out)}
}

// Printed is what a tool printed, and its exit code.
type Printed struct {
	Exit        int
	Out, Errors string
}

// Run runs the main method of a class.
func (j *JVM) Run(class string, args ...string) Printed {
	j.t.Helper()

	fmt.Fprintln(j.in, strings.Join(append([]string{class}, args...), "\t"))
	type read struct {
		line string
		err  error
	}
	lines := make(chan read, 1)
	go func() { // ends with the process at the latest
		line, err := j.out.ReadString('\n')
		lines <- read{line, err}
	}()
	var p Printed
	select {
	case r := <-lines:
		if r.err != nil {
			j.t.Fatalf("%s %q: %v", class, args, r.err)
		}
		var out, errors string
		if _, err := fmt.Sscan(r.line, &p.Exit, &out, &errors); err != nil {
			j.t.Fatalf("%s: line %q: %v", class, r.line, err)
		}
		p.Out, p.Errors = j.decode(out), j.decode(errors)
	case <-time.After(2 * time.Minute):
		j.t.Fatalf("%s %q does not end", class, args)
	}
	return p
}

// runAlone runs a tool that does not end by itself in a process of its own,
// until it has printed the text; then it is asked to end.
func (j *JVM) runAlone(until, class string, args ...string) Printed {
	j.t.Helper()
	ctx, cancel := context.WithTimeout(j.t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "java", append([]string{"-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", j.classpath, class}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		j.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		j.t.Fatal(err)
	}
	var p Printed
	for lines := bufio.NewScanner(out); lines.Scan(); {
		p.Out += lines.Text() + "\n"
		if strings.Contains(lines.Text(), until) {
			_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
		}
	}
	_ = cmd.Wait() // the exit code tells of the signal
	if ctx.Err() != nil {
		j.t.Fatalf("%s %q does not print %q but\n%s", class, args, until, p.Out)
	}
	return p
}

func (j *JVM) decode(text string) string {
	j.t.Helper()
	b, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "="))
	if err != nil {
		j.t.Fatal(err)
	}
	return string(b)
}

// script runs one of scripts/ and returns the line that it prints.
func script(t *testing.T, name string, args ...string) string {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	cmd := exec.Command(filepath.Join(filepath.Dir(file), "../../scripts", name), args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// Properties writes a client's configuration file and returns its path.
func Properties(t *testing.T, group string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "client.properties")
	text := fmt.Sprintf("security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\n"+
		"sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username=\"%s-%s\" password=%q;\n",
		harness.Account, group, harness.Password)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
