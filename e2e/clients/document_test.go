package clients

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// A document that promises a version that nobody runs is worse than none.
func TestDocumentNamesEveryClientThatRuns(t *testing.T) {
	doc, err := os.ReadFile("../../docs/clients.md")
	if err != nil {
		t.Fatal(err)
	}
	tested, _, _ := strings.Cut(string(doc), "## Run by hand")
	versioned := regexp.MustCompile(`-(\d[\d.]*)$`)
	names := script(t, "list")
	for _, name := range names {
		if m := versioned.FindStringSubmatch(name); m != nil && !strings.Contains(tested, m[1]) {
			t.Errorf("docs/clients.md lists no version of %s", name)
		}
	}
	if len(names) < 20 {
		t.Errorf("scripts/clients.sh lists only %d clients", len(names))
	}
}

// script runs scripts/clients.sh and returns the lines it prints.
func script(t *testing.T, args ...string) []string {
	t.Helper()
	cmd := exec.Command("../../scripts/clients.sh", args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, stderr.Bytes())
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}
