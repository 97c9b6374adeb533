package store_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"daybook/store"
	"daybook/store/storetest"
)

// TestKillWhileDeleting kills a process with SIGKILL while it makes a topic, appends to it and
// deletes it, over and over, in a real directory, beside one that stays. The next one finds no
// damage, and the topic as it was told to be last, or as what came next was to leave it.
func TestKillWhileDeleting(t *testing.T) {
	if dir := os.Getenv(deletedEnv); dir != "" {
		deleteUntilKilled(t, dir)
		return
	}
	t.Parallel()
	testKillsWhileDeleting(t, 3)
}

const deletedEnv = "DAYBOOK_TEST_DELETED"

func testKillsWhileDeleting(t *testing.T, kills int) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 13))
	dir := t.TempDir()
	for life := range kills {
		wantTold(t, dir, killDeleting(t, dir, rnd))
		if t.Failed() {
			t.Fatalf("life %d", life)
		}
	}
}

// killDeleting starts a process that deletes and returns what it told last.
func killDeleting(t *testing.T, dir string, rnd *rand.Rand) (told string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestKillWhileDeleting$")
	cmd.Env, cmd.Stderr = append(os.Environ(), deletedEnv+"="+dir), os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	steps, pause := 1+rnd.IntN(200), time.Duration(rnd.IntN(10_000))*time.Microsecond
	for n := 0; lines.Scan(); n++ {
		told = lines.Text()
		if n == steps { // it goes on, also within a write
			time.AfterFunc(pause, func() {
				if err := cmd.Process.Kill(); err != nil {
					t.Error(err)
				}
			})
		}
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != -1 {
		t.Fatalf("the process ended by itself: %v", err)
	}
	return told
}

// deleteUntilKilled tells each step: the topic's ID and how many records it has, or "deleted".
func deleteUntilKilled(t *testing.T, dir string) {
	s := store.New(store.Options{Dir: dir})
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	deletePartition(t, s, "shop")
	other := partition(t, s, "bank")
	for n := 0; ; n++ {
		p := partition(t, s, "shop")
		for range n % 4 {
			value := fmt.Sprintf("%x %d %s", p.TopicID(), p.HighWatermark(), strings.Repeat("x", 100<<(n%12)))
			appendBatch(t, p, storetest.Batch(0, value), store.State{Position: fmt.Append(nil, p.HighWatermark()+1)})
			fmt.Printf("%x %d\n", p.TopicID(), p.HighWatermark())
		}
		appendBatch(t, other, storetest.Batch(0, "kept"), store.State{})
		deletePartition(t, s, "shop")
		fmt.Println("deleted")
	}
}

// wantTold opens the directory and compares it with what the process told last.
func wantTold(t *testing.T, dir, told string) {
	t.Helper()
	o := store.Options{Dir: dir, RetentionBytes: 64 << 20}
	wantWhole(t, o)
	s := storetest.OpenWith(t, o)
	defer storetest.Close(t, s)
	p, ok := s.Partition("shop")
	if !ok { // it was being deleted, or was not made again yet
		return
	}
	got := values(t, p, 0)
	position, _, err := p.Position()
	if p.Damaged() != nil || err != nil || len(got) > 0 && string(position) != fmt.Sprint(len(got)) {
		t.Errorf("the topic has %d records, its position is %q, %v; damaged: %v", len(got), position, err, p.Damaged())
	}
	id := fmt.Sprintf("%x", p.TopicID())
	for offset, value := range got {
		if !strings.HasPrefix(value, fmt.Sprint(id, " ", offset, " ")) {
			t.Errorf("offset %d of %s is %.50q", offset, id, value)
		}
	}
	var before string
	var records int
	if n, _ := fmt.Sscanf(told, "%s %d", &before, &records); n == 2 && (before != id || len(got) < records) {
		t.Errorf("%s is there with %d records, it was told: %s", id, len(got), told)
	}
	if told == "deleted" && len(got) > 1 {
		t.Errorf("%s has %d records; it was told to be deleted", id, len(got))
	}
}
