//go:build servers

package groups

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/e2e/harness"
	"daybook/e2e/oracle"
	"daybook/e2e/puppet"
	"daybook/e2e/servers"
)

// lost is where the checkpoints are that fall behind the log's start.
const lost = 5

// policies are the values of auto.offset.reset; kafkajs and sarama say it in
// their own way, and kafkajs has no "none".
var policies = []string{"earliest", "latest", "none"}

// outOfRange is what the clients say that were told not to begin elsewhere.
var outOfRange = regexp.MustCompile(`(?i)out.?of.?range|outside the range|AUTO_OFFSET_RESET`)

func TestLostCheckpoints(t *testing.T) {
	var groups []string
	for _, name := range clients {
		for _, policy := range policies {
			groups = append(groups, name+"-"+policy)
		}
	}
	l := loseCheckpoints(t, append(groups, "shown"))
	l.show(t, "shown")
	t.Run("clients", func(t *testing.T) {
		for _, name := range clients {
			for _, policy := range policies {
				if policy == "none" && strings.HasPrefix(name, "kafkajs") {
					continue
				}
				t.Run(name+"/"+policy, func(t *testing.T) {
					t.Parallel()
					group := name + "-" + policy
					p := puppet.Start(t, l.Address(), name, puppet.Options{Group: group, Reset: policy})
					if err := p.Subscribe(); err != nil {
						t.Fatal(err)
					}
					l.follow(t, p, policy)
				})
			}
		}
	})
}

// log is a Daybook whose log does not begin at 0 any more.
type log struct {
	*harness.Daybook
	client *kgo.Client
	insert func() // one more record; from any goroutine
}

// loseCheckpoints commits in each group and lets the log outgrow its size limit,
// which drops what the checkpoints are at.
func loseCheckpoints(t *testing.T, groups []string) *log {
	t.Helper()
	source := servers.Get(t, "mysql-8.0")
	name, db := source.Database(t)
	db.Exec("CREATE TABLE orders (id INT PRIMARY KEY AUTO_INCREMENT, data MEDIUMTEXT)")
	d := harness.Start(t, harness.Config{Source: source.Address, Include: []string{name + ".*"}, SchemaChanges: "none", Groups: groups,
		RetentionBytes: 300_000, Retention: "age: 2m"}) // a tenth of it is how often retention looks
	d.WaitLog("state=Normal", time.Minute) // "now" has been fixed
	rng := rand.New(rand.NewPCG(1, 1))
	insert := func(bytes int) {
		var s strings.Builder
		for s.Len() < bytes { // so that compressing it does not help
			fmt.Fprintf(&s, "%x", rng.Uint64())
		}
		db.Exec(fmt.Sprintf("INSERT INTO orders (data) VALUES ('%s')", s.String()))
	}
	for range few {
		insert(1000)
	}
	await(t, d, few)
	for _, group := range groups {
		client := d.GroupClient(t, group)
		if err := harness.Commit(t.Context(), client, group, harness.Checkpoint{Offset: lost}); err != nil {
			t.Fatal(err)
		}
		client.Close()
	}
	for range 40 {
		insert(20_000)
	}
	l := &log{Daybook: d, client: d.Client()}
	var one sync.Mutex
	l.insert = func() {
		one.Lock()
		defer one.Unlock()
		if err := db.Try("INSERT INTO orders (data) VALUES ('more')"); err != nil {
			t.Error(err)
		}
	}
	for deadline := time.Now().Add(time.Minute); l.start(t) <= lost; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nothing is dropped")
		}
	}
	return l
}

// show wants what is lost to be shown, and to be gone once the checkpoint is
// moved.
func (l *log) show(t *testing.T, group string) {
	t.Helper()
	client := l.GroupClient(t, group, kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{harness.Topic: {0: kgo.NewOffset().At(lost)}}))
	if err := client.PollFetches(t.Context()).Err(); !errors.Is(err, kerr.OffsetOutOfRange) {
		t.Errorf("a fetch from the checkpoint: %v", err)
	}
	client.Close()
	start, end := l.start(t), oracle.HighWatermark(t, l.client)
	cp := l.Show(t, group).Checkpoint
	if cp == nil || cp.Offset != lost || cp.LostRecords != start-lost || cp.LagRecords != end-lost {
		t.Errorf("shown is %+v; the log has %d to %d", cp, start, end)
	}
	text, _, _ := l.Run("group", "show", group)
	if want := fmt.Sprintf("%d records after the checkpoint were removed by retention", start-lost); !strings.Contains(text, want) {
		t.Errorf("daybook group show does not print %q but\n%s", want, text)
	}
	if _, errors, exit := l.Run("group", "reset", group, "--to-earliest"); exit != 0 {
		t.Fatalf("daybook group reset: exit code %d\n%s", exit, errors)
	}
	if cp := l.Show(t, group).Checkpoint; cp.Offset != start || cp.LostRecords != 0 {
		t.Errorf("after the reset, shown is %+v; the log begins at %d", cp, start)
	}
}

// start returns the log start offset.
func (l *log) start(t *testing.T) int64 {
	t.Helper()
	topic, partition := kmsg.NewListOffsetsRequestTopic(), kmsg.NewListOffsetsRequestTopicPartition()
	topic.Topic, partition.Timestamp = harness.Topic, -2
	topic.Partitions = append(topic.Partitions, partition)
	req := kmsg.NewPtrListOffsetsRequest()
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(t.Context(), l.client)
	if err != nil || resp.Topics[0].Partitions[0].ErrorCode != 0 {
		t.Fatalf("ask for the log's start: %v, %+v", err, resp)
	}
	return resp.Topics[0].Partitions[0].Offset
}

// follow wants the client to do what its policy says.
func (l *log) follow(t *testing.T, p *puppet.Puppet, policy string) {
	t.Helper()
	from, end := l.start(t), oracle.HighWatermark(t, l.client)
	for deadline := time.Now().Add(time.Minute); ; {
		if policy == "latest" {
			l.insert() // what came before the client was there it does not see
		}
		records, err := p.Poll(time.Second, 1)
		said, refused := puppet.Refused(err)
		switch {
		case err != nil && !refused:
			t.Fatal(err)
		case policy == "none" && refused && outOfRange.MatchString(said):
			return
		case refused:
			t.Fatalf("says %.300s", said)
		case len(records) == 0 && time.Now().Before(deadline):
			continue
		case len(records) == 0:
			t.Fatal("nothing comes")
		}
		got := records[0].Offset
		switch {
		case policy == "none":
			t.Errorf("reads record %d", got)
		case policy == "earliest" && (got < from || got > l.start(t)):
			t.Errorf("begins with record %d, want the log's start, %d", got, from)
		case policy == "latest" && got < end:
			t.Errorf("begins with record %d, want one from %d on", got, end)
		}
		return
	}
}
