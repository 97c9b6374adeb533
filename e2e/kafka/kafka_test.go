//go:build servers

package kafka

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/e2e/harness"
	"daybook/e2e/oracle"
	"daybook/e2e/servers"
)

// script asks for one API in one version, with whatever else it needs before.
type script struct {
	api kmsg.Key
	// ownGroup gives each version a group of its own, which starts unknown.
	ownGroup bool
	run      func(s *side, version int16)
}

func (s script) name() string { return kmsg.NameForKey(int16(s.api)) }

// group is the one that the script may use in a version.
func (s script) group(version int16) string {
	if !s.ownGroup {
		return harness.Group
	}
	return fmt.Sprintf("%s%d", strings.ToLower(s.name()), version)
}

// The topic that exists and is another principal's.
const foreignTopic = "bank"

func TestSideBySide(t *testing.T) {
	if sideBySide(t, Release) && !filtered() {
		for _, d := range differences {
			if !d.seen && d.only != Newest {
				t.Errorf("no longer seen, take it out of the table: %s %s (%s)", d.api, d.at, d.why)
			}
		}
	}
}

// sideBySide compares with a release of Kafka. It returns false if a comparison
// failed.
func sideBySide(t *testing.T, release string) bool {
	daybook, kafka := start(t, release)
	offered, real := versions(t, daybook), versions(t, kafka)
	complete := true
	for _, key := range slices.Sorted(maps.Keys(offered)) {
		both := offered[key]
		i := slices.IndexFunc(scripts, func(s script) bool { return int16(s.api) == key })
		name := kmsg.NameForKey(key)
		if i < 0 {
			t.Errorf("no script compares %s, which Daybook offers", name)
			continue
		}
		k, ok := real[key]
		if !ok {
			t.Errorf("Kafka has no %s", name)
			continue
		}
		for v := max(both.MinVersion, k.MinVersion); v <= min(both.MaxVersion, k.MaxVersion); v++ {
			complete = t.Run(fmt.Sprintf("%s/v%d", name, v), func(t *testing.T) {
				bothSides(t, release, daybook, kafka, scripts[i], v)
			}) && complete
		}
	}
	return complete
}

func bothSides(t *testing.T, release string, daybook, kafka side, s script, version int16) {
	group := s.group(version)
	user := harness.Account + "-" + group
	a, b := daybook.login(t, user, group), kafka.login(t, user, group)
	s.run(a, version)
	s.run(b, version)
	if len(a.transcript.answers) == 0 {
		t.Error("the script asked nothing")
	}
	for _, m := range compare(a, b) {
		if !intended(release, s.name(), version, m) {
			t.Error(m)
		}
	}
}

// start returns the two sides, which hold the same records.
func start(t *testing.T, release string) (daybook, kafka side) {
	t.Helper()
	source := servers.Get(t, "mysql-8.0")
	name, db := source.Database(t)
	config := harness.Config{Source: source.Address, Include: []string{name + ".*"}, SchemaChanges: "none"}
	for _, s := range scripts {
		const enough = 20
		for v := range int16(enough) {
			if g := s.group(v); s.ownGroup {
				config.Groups = append(config.Groups, g)
			}
		}
	}
	db.Exec("CREATE TABLE orders (id INT PRIMARY KEY, note VARCHAR(200))")
	d := harness.Start(t, config)
	d.WaitLog("state=Normal", time.Minute)
	for i := range 40 {
		db.Exec("BEGIN", fmt.Sprintf("INSERT INTO orders VALUES (%d, REPEAT('x', %d)), (%d, NULL)", 2*i, i, 2*i+1),
			fmt.Sprintf("UPDATE orders SET note = 'changed' WHERE id = %d", i), "COMMIT")
	}
	db.Exec("DELETE FROM orders")
	records := kept(t, d)
	b := Beside(t, release, d, append(config.Groups, harness.Group), foreignTopic)
	var times []int64
	for _, r := range records {
		times = append(times, r.Timestamp.UnixMilli())
	}
	daybook = side{t: t, broker: "Daybook", address: d.Address(), times: times, topicID: topicID(t, d.Client())}
	kafka = side{t: t, broker: "Kafka", address: b.Address(), times: times, topicID: topicID(t, b.Client())}
	return daybook, kafka
}

// kept waits for all records and returns them.
func kept(t *testing.T, d *harness.Daybook) []*kgo.Record {
	t.Helper()
	const changes = 40*3 + 80
	client := d.Client()
	for deadline := time.Now().Add(time.Minute); oracle.HighWatermark(t, client) < changes; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("Daybook has %d of %d records", oracle.HighWatermark(t, client), changes)
		}
	}
	return slices.Collect(oracle.Records(t, d, -1))
}

func topicID(t *testing.T, c *kgo.Client) [16]byte {
	t.Helper()
	req := kmsg.NewPtrMetadataRequest()
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = kmsg.StringPtr(harness.Topic)
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return resp.Topics[0].TopicID
}

// versions returns what a side advertises, by API key.
func versions(t *testing.T, s side) map[int16]kmsg.ApiVersionsResponseApiKey {
	t.Helper()
	l := s.login(t, harness.Username, harness.Group)
	keys := map[int16]kmsg.ApiVersionsResponseApiKey{}
	for _, k := range quietly[*kmsg.ApiVersionsResponse](l, 0, kmsg.NewPtrApiVersionsRequest()).ApiKeys {
		keys[k.ApiKey] = k
	}
	return keys
}
