package task

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
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

// TestWayToAnotherDefinition wants the refusal of a reconfiguration to name who declares the task, and what
// leads to another definition.
func TestWayToAnotherDefinition(t *testing.T) {
	const anew = "'daybook task delete shop --confirm shop', and create it anew"
	for _, test := range []struct {
		life life
		want []string
	}{
		{life{Owner: OwnerStore, Stage: unfit, State: Prechecking}, []string{"if its definition is wrong, " + anew}},
		{life{Owner: OwnerStore, Stage: ready, State: NotStarted}, []string{"'daybook task start shop' first, or " + anew}},
		{life{Owner: OwnerNone, Stage: abandoned, State: NotStarted}, []string{"not declared", "declare it in the configuration file again"}},
		{life{Owner: OwnerStore, Stage: started, State: Prechecking}, []string{"shop is Prechecking, started, which"}},
	} {
		err := test.life.allows("shop", OpReconfigure)
		for _, want := range test.want {
			if !errors.Is(err, ErrNotAllowed) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want one that says %q", test.life.Stage, err, want)
			}
		}
	}
}

// TestReasonOfAFailedPrecheck wants the way on from a definition that is wrong, and a task that nobody
// declares not to be called one of the file.
func TestReasonOfAFailedPrecheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t)
		if _, err := m.Create(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if st := m.status(); st.State != Prechecking || !strings.Contains(st.Reason, "if its definition is wrong, 'daybook task delete shop --confirm shop'") {
			t.Errorf("the reason is %q", st.Reason)
		}
		task, _ := m.Task("shop")
		err := task.alter(func(l *life) error { l.Owner, l.Stage, l.State = OwnerNone, abandoned, NotStarted; return nil })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Reconfigure(t.Context(), "shop", []byte("{}")); !errors.Is(err, ErrNotAllowed) || !strings.Contains(err.Error(), "declare it in the configuration file again") {
			t.Errorf("a task that nobody declares: %v", err)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
}
