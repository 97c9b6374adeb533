package clients

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the examples of docs/clients.md")

// example is a code block that names a file of this folder, such as
// "```go go/franz/main.go".
var example = regexp.MustCompile("(?ms)^```\\w+ (\\S+/\\S+)\n(.*?)^```$")

// The examples that people copy are the programs that the tests run.
func TestExamplesOfTheDocumentAreTheProgramsThatRun(t *testing.T) {
	const path = "../../docs/clients.md"
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var shown []string
	text := string(doc)
	for _, m := range example.FindAllStringSubmatch(string(doc), -1) {
		program, err := os.ReadFile(m[1])
		if err != nil {
			t.Fatal(err)
		}
		shown = append(shown, m[1])
		if string(program) == m[2] {
			continue
		}
		if !*update {
			t.Errorf("%s shows another %s: go test ./e2e/clients -update", path, m[1])
		}
		first, _, _ := strings.Cut(m[0], "\n")
		text = strings.Replace(text, m[0], first+"\n"+string(program)+"```", 1)
	}
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, pattern := range []string{"java/*.java", "c/*.c", "kcat/*.sh", "python/*.py", "go/*/*.go", "node/*.js"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no program %s: %v", pattern, err)
		}
		for _, file := range files {
			if !slices.Contains(shown, file) {
				t.Errorf("%s does not show %s", path, file)
			}
		}
	}
}

// A document that promises a version that nobody runs is worse than none.
func TestDocumentNamesEveryClientThatRuns(t *testing.T) {
	doc, err := os.ReadFile("../../docs/clients.md")
	if err != nil {
		t.Fatal(err)
	}
	tested, _, _ := strings.Cut(string(doc), "## Not run")
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
