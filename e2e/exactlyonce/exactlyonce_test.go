//go:build servers

// Package exactlyonce shows on the real binary and real servers that the log
// holds each change of the source once, in the binlog's order, and that an
// offset never changes its meaning, whatever is killed, restarted or cut.
package exactlyonce

import (
	"context"
	"flag"
	"fmt"
	"iter"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"daybook/e2e/harness"
	"daybook/e2e/oracle"
	"daybook/e2e/servers"
)

var seedFlag = flag.Uint64("seed", 0, "seed of the workload and of what breaks; 0: a random one")

// faults says how often what breaks.
type faults struct{ kills, restarts, cuts int }

// all is what the guarantee is measured by.
var all = faults{kills: 50, restarts: 5, cuts: 20}

func TestExactlyOnce(t *testing.T) {
	t.Run("mysql-8.0", func(t *testing.T) { run(t, "mysql-8.0", all) })
	t.Run("mariadb-10.11", func(t *testing.T) { run(t, "mariadb-10.11", faults{kills: 10, restarts: 1, cuts: 4}) })
}

// run lets a random workload run while daybook is killed, the source is
// restarted and connections are cut, and then compares log and binlog.
func run(t *testing.T, version string, f faults) {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("go test -tags servers,soak -run '%s' ./e2e/exactlyonce -seed %d", t.Name(), seed)
	source := servers.Start(t, version)
	const db = "exactly"
	conn := source.Connect(t, "")
	conn.Exec("CREATE DATABASE " + db + " CHARACTER SET utf8mb4")
	conn.Exec(setup(db)...)
	from := oracle.End(conn)

	way := harness.NewProxy(t, source.Address)
	d := harness.Start(t, harness.Config{
		Source: way.Address(), Include: []string{db + ".*"},
		Start: fmt.Sprintf("{file: %s, pos: %d}", from.File, from.Pos),
	})
	// A DDL before daybook knows the tables of the start position is an error,
	// and rightly so: wait until it does.
	conn.Exec("INSERT INTO " + db + ".orders (n) VALUES (1)")
	waitFor(t, d, 1)
	seen := watch(t, d, seed)
	working, stop := context.WithCancel(context.Background())
	defer stop()
	worked := make(chan struct{})
	go func() {
		defer close(worked)
		w := workload{rng: rand.New(rand.NewPCG(seed, 3)), address: source.Address, db: db}
		w.run(working)
	}()
	c := chaos{t: t, rng: rand.New(rand.NewPCG(seed, 4)), daybook: d, source: source, way: way}
	c.run(f)
	stop()
	<-worked

	to := oracle.End(source.Connect(t, ""))
	n, ops := int64(0), map[string]int{}
	for c := range oracle.Binlog(t, source, from, to, db) {
		n++
		ops[c.Op]++
	}
	if len(ops) != 4 { // c, u, d, ddl
		t.Errorf("the workload made only these changes: %v", ops)
	}
	waitFor(t, d, n)
	seen.end()
	log := checkSeen(t, seen, oracle.Records(t, d, -1))
	compared := oracle.Compare(t, oracle.Binlog(t, source, from, to, db), oracle.Log(t, log))
	t.Logf("%d changes %v are in the log once and in order; %d records were seen early and %d of them again",
		compared, ops, len(seen.seen), seen.again)
	if len(seen.seen) == 0 || seen.again == 0 {
		t.Errorf("the watcher saw too little: %d records, %d of them again", len(seen.seen), seen.again)
	}
}

// waitFor waits until the log has n records, as long as it grows.
func waitFor(t *testing.T, d *harness.Daybook, n int64) {
	t.Helper()
	client := d.Client()
	last, since := int64(-1), time.Now()
	for {
		high := oracle.HighWatermark(t, client)
		if high >= n {
			return
		}
		if high > last {
			last, since = high, time.Now()
		}
		if time.Since(since) > oracle.Patience {
			t.Fatalf("the log stands still at %d of %d changes", high, n)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// checkSeen passes the records on and compares them with what the watcher saw.
func checkSeen(t *testing.T, w *watcher, records iter.Seq[*kgo.Record]) iter.Seq[*kgo.Record] {
	return func(yield func(*kgo.Record) bool) {
		for r := range records {
			if r.Offset < int64(len(w.seen)) && w.seen[r.Offset] != sum(r) {
				t.Fatalf("offset %d was another record before: now key %s, value %s", r.Offset, r.Key, r.Value)
			}
			if !yield(r) {
				return
			}
		}
	}
}

// chaos breaks things at random moments. It runs on the test's goroutine.
type chaos struct {
	t       *testing.T
	rng     *rand.Rand
	daybook *harness.Daybook
	source  *servers.Server
	way     *harness.Proxy
}

func (c *chaos) run(f faults) {
	var plan []func()
	for range f.kills {
		plan = append(plan, c.kill)
	}
	for range f.restarts {
		plan = append(plan, c.restart)
	}
	for range f.cuts {
		plan = append(plan, c.cut)
	}
	c.rng.Shuffle(len(plan), func(i, j int) { plan[i], plan[j] = plan[j], plan[i] })
	for _, fault := range plan {
		c.pause(time.Second)
		fault()
	}
	c.pause(time.Second)
}

// pause waits for mean on average: often much less, so that faults meet while
// the one before is being dealt with.
func (c *chaos) pause(mean time.Duration) {
	time.Sleep(min(time.Duration(c.rng.ExpFloat64()*float64(mean)), 3*mean))
}

func (c *chaos) kill() {
	if !c.daybook.Running() {
		c.t.Fatal("daybook ended by itself")
	}
	c.daybook.Kill()
	c.daybook.Launch()
}

// restart ends the source in order, or as a crash does.
func (c *chaos) restart() {
	if c.rng.IntN(2) == 0 {
		c.source.Kill(c.t)
	}
	c.source.Restart(c.t)
}

// cut ends daybook's connections to the source, on the way or at the source.
func (c *chaos) cut() {
	if c.rng.IntN(2) == 0 {
		c.way.Cut()
		return
	}
	conn := c.source.Connect(c.t, "")
	for _, row := range conn.Query("SELECT id FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'") {
		_ = conn.Try("KILL " + row[0]) // it may have ended by itself
	}
}
