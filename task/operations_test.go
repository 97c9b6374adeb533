package task

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the table of docs/operations.md")

// TestPhasesAreDocumented wants the table of what states allow to stand in the documentation.
func TestPhasesAreDocumented(t *testing.T) {
	const file, begin, end = "../docs/operations.md", "<!-- phases -->\n", "<!-- end of phases -->"
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), begin)
	got, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no %s", file, begin)
	}
	var table strings.Builder
	table.WriteString("\n| state | when | allows |\n|---|---|---|\n")
	for _, p := range Phases() {
		allowed := make([]string, len(p.Allowed))
		for i, op := range p.Allowed {
			allowed[i] = "`" + string(op) + "`"
		}
		fmt.Fprintf(&table, "| %s | %s | %s |\n", p.Name, p.Why, strings.Join(allowed, ", "))
	}
	table.WriteString("\n")
	if got == table.String() {
		return
	}
	if !*update {
		t.Errorf("%s has the table\n%s\nwant\n%s\n(go test ./task -run TestPhasesAreDocumented -update)", file, got, table.String())
		return
	}
	if err := os.WriteFile(file, []byte(before+begin+table.String()+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestEachPhaseIsReached wants each stage and state that a life can have to be in the table.
func TestEachPhaseIsReached(t *testing.T) {
	reached := map[string]bool{}
	for _, s := range []stage{checking, unfit, ready, started, paused, abandoned, deleting} {
		for _, state := range []State{Prechecking, NotStarted, Initial, Normal, Error} {
			if s == started && state == NotStarted {
				continue // it is to be at work
			}
			p := (&life{Stage: s, State: state}).phase()
			reached[p.Name] = true
			if s == started && p.State != state {
				t.Errorf("a started task in %s is in the phase of %s", state, p.State)
			}
		}
	}
	for _, p := range Phases() {
		if !reached[p.Name] {
			t.Errorf("nothing leads to %q", p.Name)
		}
	}
}
