package examples

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

var update = flag.Bool("update", false, "rewrite the programs that README.md and docs/clients.md show")

// shown is a code block that names a file of examples/, such as
// "```go go/franz/main.go".
var shown = regexp.MustCompile("(?ms)^```\\w+ (\\S+/\\S+)\n(.*?)^```$")

// What people copy is what the tests run.
func TestDocumentsShowTheProgramsThatRun(t *testing.T) {
	inClients := check(t, "../../docs/clients.md")
	wantMarked(t, "../../docs/clients.md")
	check(t, "../../README.md")
	for _, pattern := range []string{"*/*.*", "go/*/main.go"} {
		files, err := filepath.Glob("../../examples/" + pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no program %s: %v", pattern, err)
		}
		for _, file := range files {
			name := strings.TrimPrefix(file, "../../examples/")
			if !slices.Contains(inClients, name) && !strings.HasPrefix(name, "go/go.") {
				t.Errorf("docs/clients.md does not show %s", name)
			}
		}
	}
}

// check wants each program that the document shows to be that file's text, and
// returns the files.
func check(t *testing.T, path string) []string {
	t.Helper()
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	text := string(doc)
	for _, m := range shown.FindAllStringSubmatch(string(doc), -1) {
		program, err := os.ReadFile("../../examples/" + m[1])
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, m[1])
		if string(program) == m[2] {
			continue
		}
		if !*update {
			t.Errorf("%s shows another %s: go test ./e2e/examples -update", path, m[1])
		}
		first, _, _ := strings.Cut(m[0], "\n")
		text = strings.Replace(text, m[0], first+"\n"+string(program)+"```", 1)
	}
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// wantMarked checks that the document says of each program, by the heading that
// it stands under, whether the tests run it.
func wantMarked(t *testing.T, path string) {
	t.Helper()
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	run, notRun, ok := strings.Cut(string(doc), "\n## Examples that make test does not run\n")
	if !ok {
		t.Fatalf("%s has no heading for what is not run", path)
	}
	for _, m := range shown.FindAllStringSubmatch(run, -1) {
		if handRun.MatchString(m[1]) {
			t.Errorf("%s: %s is not run by the tests", path, m[1])
		}
	}
	for _, m := range shown.FindAllStringSubmatch(notRun, -1) {
		if !handRun.MatchString(m[1]) {
			t.Errorf("%s: %s is run by the tests", path, m[1])
		}
	}
}

// handRun are the programs whose clients no registry within reach has.
var handRun = regexp.MustCompile(`^(dotnet|erlang|ruby)/`)

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
