//go:build servers

package groups

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"daybook/e2e/harness"
	"daybook/e2e/oracle"
	"daybook/e2e/puppet"
	"daybook/e2e/servers"
)

var clients = []string{"java-1.1.1", "java-4.4.0", "librdkafka-2.15.1", "kafka-python-2.0.6", "kafka-python-3.0.12",
	"sarama-0.10.2.0", "sarama-newest", "franz-go", "kafkajs-2.2.4"}

// few is what the log holds where it does not matter.
const few = 20

// start starts Daybook with a short log.
func start(t *testing.T, groups ...string) *harness.Daybook {
	t.Helper()
	source := servers.Get(t, "mysql-8.0")
	name, db := source.Database(t)
	db.Exec("CREATE TABLE orders (id INT PRIMARY KEY)")
	d := harness.Start(t, harness.Config{Source: source.Address, Include: []string{name + ".*"}, SchemaChanges: "none", Groups: groups})
	d.WaitLog("state=Normal", time.Minute) // "now" has been fixed
	for i := range few {
		db.Exec(fmt.Sprintf("INSERT INTO orders VALUES (%d)", i))
	}
	await(t, d, few)
	return d
}

// await waits until the log has n records.
func await(t *testing.T, d *harness.Daybook, n int64) {
	t.Helper()
	client := d.Client()
	defer client.Close()
	for deadline := time.Now().Add(time.Minute); oracle.HighWatermark(t, client) < n; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("record %d does not come", n-1)
		}
	}
}

// Metadata is limited in bytes of UTF-8, and comes back byte for byte.
func TestMetadataIsKeptAsGiven(t *testing.T) {
	const most = 4096
	d := start(t, clients...)
	beyond := regexp.MustCompile(`(?i)metadata`) // what each client calls error 12
	for _, name := range clients {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ask := d.GroupClient(t, name)
			p := puppet.Start(t, d.Address(), name, puppet.Options{Group: name})
			if name == "kafkajs-2.2.4" { // it commits as a member only
				if err := p.Subscribe(); err != nil {
					t.Fatal(err)
				}
				next(t, p, 0)
			}
			for i, metadata := range []string{"", "plain", strings.Repeat("x", most), "Zoë 🙂 \u2028" + strings.Repeat("語", (most-16)/3), strings.Repeat("🙂", most/4)} {
				want := harness.Checkpoint{Offset: int64(i + 1), Metadata: metadata}
				if err := p.Commit(want.Offset, metadata); err != nil {
					t.Fatalf("commit with %d bytes: %v", len(metadata), err)
				}
				if got, err := harness.Committed(t.Context(), ask, name); err != nil || got != want {
					t.Fatalf("got %d, %.50q, want %d, %.50q: %v", got.Offset, got.Metadata, want.Offset, metadata, err)
				}
			}
			for _, metadata := range []string{strings.Repeat("x", most+1), strings.Repeat("🙂", most/4) + "x"} {
				said, refused := puppet.Refused(p.Commit(9, metadata))
				if !refused || !beyond.MatchString(said) {
					t.Errorf("a commit with %d bytes: refused %v: %.300s", len(metadata), refused, said)
				}
			}
			if got, err := harness.Committed(t.Context(), ask, name); err != nil || got.Offset != 5 {
				t.Errorf("after refused commits the checkpoint is %d: %v", got.Offset, err)
			}
		})
	}
}

// next wants the client's next record to be that one.
func next(t *testing.T, p *puppet.Puppet, want int64) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		records, err := p.Poll(time.Second, 1)
		if err != nil {
			t.Fatalf("%s: poll: %v", p.Name, err)
		}
		if len(records) == 0 {
			continue
		}
		if records[0].Offset != want {
			t.Fatalf("%s: the next record is %d, want %d", p.Name, records[0].Offset, want)
		}
		return
	}
	t.Fatalf("%s: record %d does not come", p.Name, want)
}

func TestCommitsAreFencedByGeneration(t *testing.T) {
	const group = "fenced"
	d := start(t, group)
	outside := d.GroupClient(t, group)
	commit := func(who string, member string, generation int32, offset int64, want error) {
		t.Helper()
		err := harness.CommitAs(t.Context(), outside, group, member, generation, harness.Checkpoint{Offset: offset})
		if !errors.Is(err, want) {
			t.Errorf("a commit by %s: %v, want %v", who, err, want)
		}
	}
	checkpoint := func(want int64) {
		t.Helper()
		if got, err := harness.Committed(t.Context(), outside, group); err != nil || got.Offset != want {
			t.Errorf("the checkpoint is %d, want %d: %v", got.Offset, want, err)
		}
	}
	commit("an admin tool, while nobody is there", "", -1, 1, nil)
	first, id, generation := member(t, d, group)
	commit("an admin tool, while there are members", "", -1, 2, kerr.UnknownMemberID)
	commit("a stranger", "stranger", generation, 2, kerr.UnknownMemberID)
	commit("the member, of a generation to come", id, generation+1, 2, kerr.IllegalGeneration)
	commit("the member, of a generation before", id, generation-1, 2, kerr.IllegalGeneration)
	commit("the member", id, generation, 3, nil)
	checkpoint(3)

	second, _, newer := member(t, d, group)
	if newer <= generation {
		t.Errorf("generation %d comes after %d", newer, generation)
	}
	commit("the first member, of the generation before the second came", id, generation, 4, kerr.IllegalGeneration)
	checkpoint(3)
	d.Kill()
	d.Start()
	commit("a member from before the kill", id, newer, 4, kerr.UnknownMemberID)
	first.Close()
	second.Close()
	_, id, newest := member(t, d, group)
	if newest <= newer {
		t.Errorf("after a kill, generation %d comes after %d", newest, newer)
	}
	commit("the member, of the generation before the kill", id, newer, 4, kerr.IllegalGeneration)
	commit("the member", id, newest, 5, nil)
	checkpoint(5)
}

// member joins a group and waits until its generation is complete.
func member(t *testing.T, d *harness.Daybook, group string) (c *kgo.Client, id string, generation int32) {
	t.Helper()
	joined := make(chan struct{}, 16)
	c = d.GroupClient(t, group, kgo.ConsumerGroup(group), kgo.ConsumeTopics(harness.Topic), kgo.DisableAutoCommit(), kgo.Balancers(kgo.RangeBalancer()),
		kgo.HeartbeatInterval(200*time.Millisecond), kgo.OnPartitionsAssigned(func(ctx context.Context, _ *kgo.Client, _ map[string][]int32) { joined <- struct{}{} }))
	select {
	case <-joined:
	case <-time.After(time.Minute):
		t.Fatal("a member does not join")
	}
	id, generation = c.GroupMetadata()
	return c, id, generation
}
