// Package memtest runs a test in a process of its own, whose memory is the test's
// alone and not that of the tests beside it or of the race detector.
package memtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

const env = "DAYBOOK_TEST_ALONE"

// Alone is true in that process. Elsewhere it runs the test there, and returns false.
func Alone(t *testing.T) bool {
	t.Helper()
	if os.Getenv(env) == t.Name() {
		return true
	}
	cmd := exec.Command(binary(t), "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), env+"="+t.Name())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
		return false
	}
	t.Logf("%s", out)
	return false
}

// binary returns a test binary of the package that is tested, without the race detector.
func binary(t *testing.T) string {
	t.Helper()
	if !raceDetector {
		return os.Args[0]
	}
	name := filepath.Join(t.TempDir(), "alone.test")
	if out, err := exec.Command("go", "test", "-c", "-o", name, ".").CombinedOutput(); err != nil {
		t.Fatalf("go test -c: %v\n%s", err, out)
	}
	return name
}
