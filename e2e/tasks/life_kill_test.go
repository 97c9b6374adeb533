//go:build servers

package tasks

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"daybook/admin"
	"daybook/e2e/harness"
	"daybook/e2e/servers"
)

// The stages of the model, by what the API tells.
const (
	none    = "none"
	ready   = "ready"
	running = "running"
	paused  = "paused"
)

// moves are what may be asked for in each stage, and where it leads.
var moves = map[string][]struct{ to, op string }{
	none:    {{ready, "create"}},
	ready:   {{running, "start"}, {running, "start"}, {none, "delete"}},
	running: {{paused, "pause"}, {running, "reconfigure"}, {running, "reconfigure"}, {none, "delete"}},
	paused:  {{running, "resume"}, {running, "resume"}, {none, "delete"}, {paused, "reconfigure"}},
}

// stageOf tells the stage of a task that may be on its way; "": that is to be waited for.
func stageOf(t *admin.Task) string {
	switch {
	case t == nil:
		return none
	case slices.Contains(t.Allowed, "start"):
		return ready
	case t.State == "Not Started" && slices.Contains(t.Allowed, "resume"):
		return paused
	case t.State == "Normal":
		return running
	}
	return ""
}

// TestOperationsThroughKills kills Daybook at random moments of random operations: afterwards the task
// is where it was or where the operation leads, and its log has each row once.
func TestOperationsThroughKills(t *testing.T) { operationsThroughKills(t, 15) }

func operationsThroughKills(t *testing.T, kills int) {
	t.Setenv("SECOND_PASSWORD", servers.Repl)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 13))
	s := servers.Get(t, "mysql-8.0")
	db, conn := s.Database(t)
	conn.Exec("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT)")
	d := harness.Start(t, harness.Config{Source: s.Address, Include: []string{db + ".none"}, Start: "now", SchemaChanges: "none"})
	l := &life{t, d}
	stage, rows, seen := none, int64(0), map[string]int{}
	for n := range kills {
		move := moves[stage][rng.IntN(len(moves[stage]))]
		args := []string{"task", move.op, "second"}
		switch move.op {
		case "create":
			args = append(args, "--source", s.Address, "--user", servers.Repl, "--password-env", "SECOND_PASSWORD", "--include", db+".t", "--schema-changes", "none")
		case "reconfigure":
			args = append(args, "--patch", fmt.Sprintf(`{"tombstones": %t}`, n%2 == 0))
		case "delete":
			args = append(args, "--confirm", "second")
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			d.Run(args...)
		}()
		time.Sleep(time.Duration(rng.IntN(150)) * time.Millisecond) // the moment of the kill
		d.Kill()
		<-done
		d.Start()
		task := l.await("at rest", func(t *admin.Task) bool { return stageOf(t) != "" })
		is := stageOf(task)
		if is != stage && is != move.to {
			t.Fatalf("%s of a task that was %s: it is %s (%+v)", move.op, stage, is, task)
		}
		seen[move.op+" "+is]++
		if is == none || is == ready {
			rows = 0
		}
		stage = is
		conn.Exec("INSERT INTO t VALUES ()")
		if stage == running || stage == paused {
			rows++
		}
		if stage == running {
			l.has(rows)
		}
	}
	t.Logf("%v", seen)
}
