//go:build servers

// Package groups shows on the real binary, with a real server and stock clients,
// that each group reads the whole log at its own speed, that its checkpoint is
// kept as given and survives whatever happens once it is acknowledged, and what
// becomes of one that has fallen behind the log's start.
package groups

import (
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"daybook/e2e/harness"
	"daybook/e2e/oracle"
	"daybook/e2e/servers"
)

var seedFlag = flag.Uint64("seed", 0, "seed of what is random; 0: a random one")

// random tells its seed, so that a run can be had again.
func random(t *testing.T) *rand.Rand {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("go test -tags servers,soak -run '^%s$' ./e2e/groups -seed %d", t.Name(), seed)
	return rand.New(rand.NewPCG(seed, 1))
}

func TestThreeGroupsReadTheWholeSequence(t *testing.T) {
	threeGroups(t, 20*time.Second, 4)
}

// threeGroups has three groups read while a server is written to and Daybook is
// killed, until each has read everything.
func threeGroups(t *testing.T, writing time.Duration, kills int) {
	rng := random(t)
	source := servers.Get(t, "mysql-8.0")
	name, db := source.Database(t)
	db.Exec("CREATE TABLE orders (id INT PRIMARY KEY AUTO_INCREMENT, n INT, note VARCHAR(300) CHARACTER SET utf8mb4)")
	fast := &reader{group: "fast", client: "librdkafka-2.15.1", assign: true, batch: 500, commitEvery: 1}
	slow := &reader{group: "slow", client: "kafka-python-3.0.12", batch: 25, commitEvery: 1000, pause: 100 * time.Millisecond}
	often := &reader{group: "interrupted", client: "java-4.4.0", batch: 100, commitEvery: 300, interrupt: writing / 8}
	readers := []*reader{fast, slow, often}
	d := harness.Start(t, harness.Config{Source: source.Address, Include: []string{name + ".*"}, SchemaChanges: "none",
		Groups: []string{fast.group, slow.group, often.group}})
	d.WaitLog("state=Normal", time.Minute) // "now" has been fixed
	from := oracle.End(db)

	total := new(atomic.Int64)
	total.Store(-1)
	ctx, cancel := context.WithTimeout(t.Context(), writing+4*time.Minute)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	for _, r := range readers {
		r.prepare(t, d, total, rng)
		g.Go(func() error { return r.run(ctx) })
	}
	written := make(chan struct{})
	writer, random := source.Connect(t, name), rand.New(rand.NewPCG(rng.Uint64(), 0))
	g.Go(func() error {
		defer close(written)
		return write(ctx, writer, random, writing)
	})
	behind := killWhile(ctx, t, d, rng, writing, kills, readers)
	<-written
	to := oracle.End(db)
	total.Store(int64(count(changes(oracle.Binlog(t, source, from, to, name)))))
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}

	compareAll(t, d, readers)
	oracle.Compare(t, changes(oracle.Binlog(t, source, from, to, name)), oracle.Log(t, oracle.Records(t, d, -1)))
	if often.kills < 1 || often.starts < 3 {
		t.Errorf("the interrupted group was not interrupted: %d processes, %d killed", often.starts, often.kills)
	}
	if behind < 500 {
		t.Errorf("the slow group was never more than %d records behind", behind)
	}
}

// killWhile kills Daybook again and again, and returns how far the second reader
// was behind the first at most.
func killWhile(ctx context.Context, t *testing.T, d *harness.Daybook, rng *rand.Rand, writing time.Duration, kills int, readers []*reader) (behind int64) {
	t.Helper()
	between := writing / time.Duration(kills)
	for i := range kills {
		sleep(ctx, between/2+time.Duration(rng.Int64N(int64(between/2))))
		if ctx.Err() != nil {
			break // a reader has failed
		}
		d.Kill()
		d.Start()
		behind = max(behind, readers[0].next.Load()-readers[1].next.Load())
		t.Logf("kill %d: %s", i+1, progress(readers))
	}
	return behind
}

// compareAll compares what each reader has processed with the log.
func compareAll(t *testing.T, d *harness.Daybook, readers []*reader) {
	t.Helper()
	var hashes [][sha256.Size]byte
	for r := range oracle.Records(t, d, -1) {
		hashes = append(hashes, hash(orNull(r.Key), orNull(r.Value)))
	}
	for _, r := range readers {
		r.compare(t, hashes)
		cp, err := harness.Committed(t.Context(), d.GroupClient(t, r.group), r.group)
		if err != nil || cp.Offset != int64(len(hashes)) {
			t.Errorf("%s: the checkpoint is %d, want %d: %v", r.group, cp.Offset, len(hashes), err)
		}
		t.Logf("%s: %d records and %d doubles, in %d processes, of which %d were killed", r.group, len(r.processed), r.doubles, r.starts, r.kills)
	}
}

func count(all iter.Seq[oracle.Change]) (n int) {
	for range all {
		n++
	}
	return n
}

// changes leaves out DDL: the server is shared, and its DDL is of other tests.
func changes(all iter.Seq[oracle.Change]) iter.Seq[oracle.Change] {
	return func(yield func(oracle.Change) bool) {
		for c := range all {
			if c.Op != "ddl" && !yield(c) {
				return
			}
		}
	}
}

// write inserts, updates and deletes in transactions of differing sizes.
func write(ctx context.Context, db *servers.Conn, rng *rand.Rand, writing time.Duration) error {
	for end := time.Now().Add(writing); time.Now().Before(end) && ctx.Err() == nil; {
		values := make([]string, 1+rng.IntN(20))
		for i := range values {
			values[i] = fmt.Sprintf("(%d, '%x%s')", rng.Int32(), rng.Uint64(), strings.Repeat("ä", rng.IntN(60)))
		}
		for _, sql := range []string{"BEGIN", "INSERT INTO orders (n, note) VALUES " + strings.Join(values, ", "),
			fmt.Sprintf("UPDATE orders SET note = NULL WHERE n %% 7 = %d ORDER BY id DESC LIMIT 2", rng.IntN(7)),
			fmt.Sprintf("DELETE FROM orders WHERE n %% 11 = %d LIMIT 1", rng.IntN(11)), "COMMIT"} {
			if err := db.Try(sql); err != nil {
				return err
			}
		}
		sleep(ctx, time.Duration(rng.IntN(25))*time.Millisecond)
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
