//go:build servers

package tasks

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"daybook/admin"
	"daybook/e2e/harness"
	"daybook/e2e/servers"
)

// TestRetentionOfATask gives a task a retention of its own while it is read and changes it: records go at once, and come
// to stay, while the reading goes on and another task keeps all.
func TestRetentionOfATask(t *testing.T) {
	t.Setenv("SECOND_PASSWORD", "repl")
	t.Setenv("GROUP_PASSWORD", harness.Password)
	s := servers.Get(t, "mysql-8.0")
	db, conn := s.Database(t)
	conn.Exec("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v MEDIUMTEXT)")
	d := harness.Start(t, harness.Config{Source: s.Address, Include: []string{db + ".t"}, Start: "now", SchemaChanges: "none"})
	d.WaitLog("state=Normal", patience)
	l := &life{t, d}
	command(t, d, 0, "create", "second", "--source", s.Address, "--user", "repl", "--password-env", "SECOND_PASSWORD", "--include", db+".t", "--schema-changes", "none", "--auto-start", "--retention-age", "72h")
	l.state("Normal")
	if out, text, code := d.Run("group", "create", "slow", "--task", "second", "--account", harness.Account, "--password-env", "GROUP_PASSWORD"); code != 0 {
		t.Fatalf("group create: %s%s", out, text)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	rows := int64(0)
	insert := func(n int) {
		for range n {
			var v strings.Builder
			for v.Len() < 20_000 { // which is hardly compressed
				fmt.Fprintf(&v, "%x", rng.Uint64())
			}
			conn.Exec(fmt.Sprintf("INSERT INTO t (v) VALUES ('%s')", v.String()))
		}
		rows += int64(n)
		l.has(rows)
	}
	insert(100)
	before := l.state("Normal")
	if g := before.Log; g.Age != "72h0m0s" || g.MaxBytes != 0 || g.Bytes < 800_000 || g.Oldest.IsZero() || time.Since(g.Oldest) > time.Minute || before.LogStartOffset != 0 {
		t.Errorf("the log is %+v", g)
	}
	if out := command(t, d, 0, "show", "second"); !strings.Contains(out, "kept for 72h\n") {
		t.Errorf("shown is\n%s", out)
	}

	for args, want := range map[string]string{
		"--retention-age 10s":                         "retention.age: 10s is less than a minute",
		"--retention-bytes -1":                        "retention.max_bytes: is negative",
		`--patch {"retention":{"hours":1}}`:           "hours",
		`--patch {"start":"earliest"}`:                "daybook task restart second --from",
		`--patch {"name":"third"} --retention-age 2h`: "a task's name stays what it is",
	} {
		if out := command(t, d, 1, append([]string{"reconfigure", "second"}, strings.Fields(args)...)...); !strings.Contains(out, want) {
			t.Errorf("%s: %s", args, out)
		}
	}

	command(t, d, 0, "reconfigure", "second", "--retention-bytes", "600000")
	shrunk := l.await("with a log that is cut", func(task *admin.Task) bool { return task.LogStartOffset > 5 })
	if shrunk.Log.Bytes > 600_000 || shrunk.LogStartOffset == rows || !shrunk.Since.Equal(before.Since) || shrunk.Log.MaxBytes != 600_000 {
		t.Errorf("the task is %+v", shrunk)
	}
	at := func(reset kgo.Offset) *kgo.Client {
		return d.GroupClient(t, "slow", kgo.ConsumeResetOffset(reset), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{"second": {0: kgo.NewOffset().At(5)}}))
	}
	behind := at(kgo.NoResetOffset())
	if err := behind.PollFetches(t.Context()).Err(); !errors.Is(err, kerr.OffsetOutOfRange) {
		t.Errorf("a consumer that the log's start has passed: %v", err)
	}
	behind.Close()
	behind = at(kgo.NewOffset().AtStart())
	if got := behind.PollFetches(t.Context()).Records(); len(got) == 0 || got[0].Offset != shrunk.LogStartOffset {
		t.Errorf("a consumer that begins at the start gets %d records, want them from %d on", len(got), shrunk.LogStartOffset)
	}
	behind.Close()

	l.crash()
	l.state("Normal")
	insert(10)
	command(t, d, 0, "reconfigure", "second", "--retention-bytes", "0", "--retention-age", "2m")
	start := l.state("Normal").LogStartOffset
	insert(60)
	if task := l.shown(); task.LogStartOffset != start || task.Log.Bytes < 800_000 || task.Log.Age != "2m0s" {
		t.Errorf("the log that may grow is %+v from %d on, it began at %d", task.Log, task.LogStartOffset, start)
	}
	if other := show(t, d); other.LogStartOffset != 0 || other.HighWatermark != rows || other.Log.Age != "24h0m0s" {
		t.Errorf("the other task is %+v", other)
	}
	command(t, d, 0, "reconfigure", "second", "--patch", `{"retention":null}`)
	if task := l.shown(); task.Log.Age != "24h0m0s" || task.Log.MaxBytes != 0 {
		t.Errorf("the log is kept as %+v", task.Log)
	}
}
