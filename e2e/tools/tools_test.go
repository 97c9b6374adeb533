//go:build servers

package tools

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"daybook/e2e/harness"
	"daybook/e2e/kafka"
	"daybook/e2e/oracle"
	"daybook/e2e/servers"
)

// release is one of the tools' releases, and what its options are called.
type release struct {
	number string
	tools  map[string]string // classes
	// servers is the option of the verifiable consumer for the addresses.
	servers string
	since   int // year and month, to tell what it can do
}

var (
	oldTools = map[string]string{
		"groups":       "kafka.admin.ConsumerGroupCommand",
		"api-versions": "kafka.admin.BrokerApiVersionsCommand",
		"consumer":     "org.apache.kafka.tools.VerifiableConsumer",
	}
	newTools = map[string]string{
		"groups":       "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
		"topics":       "org.apache.kafka.tools.TopicCommand",
		"offsets":      "org.apache.kafka.tools.GetOffsetShell",
		"log-dirs":     "org.apache.kafka.tools.LogDirsCommand",
		"api-versions": "kafka.admin.BrokerApiVersionsCommand",
		"consumer":     "org.apache.kafka.tools.VerifiableConsumer",
	}
	releases = []release{
		{"0.11.0.3", oldTools, "--broker-list", 201706},
		{"1.1.1", oldTools, "--broker-list", 201803},
		{"3.9.1", newTools, "--bootstrap-server", 202411},
		{"4.3.1", with(newTools, "api-versions", "org.apache.kafka.tools.BrokerApiVersionsCommand"), "--bootstrap-server", 202603},
	}
)

func with(tools map[string]string, name, class string) map[string]string {
	changed := map[string]string{name: class}
	for n, c := range tools {
		if n != name {
			changed[n] = c
		}
	}
	return changed
}

func (r release) group() string { return "tools" + strings.ReplaceAll(r.number, ".", "") }

const rows = 50

// broker is one of the two that are compared.
type broker struct {
	name, address string
}

func TestToolsPrintWhatTheyPrintAgainstKafka(t *testing.T) {
	both, times := start(t)
	atOnce := make(chan struct{}, 2) // Java processes
	t.Run("releases", func(t *testing.T) {
		for _, r := range releases {
			t.Run(r.number, func(t *testing.T) {
				t.Parallel()
				atOnce <- struct{}{}
				defer func() { <-atOnce }()
				s := session{t: t, release: r, jvm: StartJVM(t, r.number), both: both, times: times}
				s.ofGroup, s.ofCluster = Properties(t, r.group()), Properties(t, harness.Group)
				s.cluster()
				s.offsets()
				s.members()
				s.consume()
			})
		}
	})
	t.Run("kcat", func(t *testing.T) { compareKcat(t, both) })
}

// session runs one release's tools against both brokers.
type session struct {
	release
	t     *testing.T
	jvm   *JVM
	both  []broker
	times []int64 // of the records
	// Configuration files: of the group's user, and of the one who also sees Kafka's cluster.
	ofGroup, ofCluster string
}

// compare runs a tool against both and wants the same text, but for what the
// table of differences tells. It returns what it printed against Daybook.
func (s *session) compare(tool string, args ...string) string {
	s.t.Helper()
	class, ok := s.tools[tool]
	if !ok {
		s.t.Fatalf("release %s has no %s", s.number, tool)
	}
	var results []Printed
	for _, b := range s.both {
		address := []string{"--bootstrap-server", b.address, "--command-config", s.ofCluster}
		switch tool {
		case "groups":
			address[3] = s.ofGroup
		case "consumer":
			address = []string{s.servers, b.address, "--consumer.config", s.ofGroup}
		}
		run := s.jvm.Run
		if tool == "consumer" && s.since < 201803 { // which forgets to end
			run = func(class string, args ...string) Printed {
				return s.jvm.runAlone(`"offsets_committed"`, class, args...)
			}
		}
		p := run(class, append(address, args...)...)
		p.Out, p.Errors = masked(p.Out, b), masked(p.Errors, b)
		results = append(results, p)
	}
	command := tool + " " + strings.Join(args, " ")
	daybook, real := results[0], results[1]
	if daybook.Exit != real.Exit || common(command, daybook.Out) != common(command, real.Out) || common(command, daybook.Errors) != common(command, real.Errors) {
		s.t.Errorf("%s\n--- Daybook: exit code %d\n%s%s\n--- Kafka: exit code %d\n%s%s", command,
			daybook.Exit, daybook.Out, daybook.Errors, real.Exit, real.Out, real.Errors)
	}
	return daybook.Out + daybook.Errors
}

// want is compare, and the text that must be in it, so that two equal failures
// do not pass.
func (s *session) want(text, tool string, args ...string) {
	s.t.Helper()
	if got := s.compare(tool, args...); !strings.Contains(got, text) {
		s.t.Errorf("%s %q does not print %q but\n%s", tool, args, text, got)
	}
}

var (
	uuid      = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
	topicID   = regexp.MustCompile(`TopicId: \S{22}`)
	timestamp = regexp.MustCompile(`"timestamp":\d+`)
	blanks    = regexp.MustCompile(`[ \t]+`)
)

// masked takes out what is one run's own: addresses, IDs, times, and the width
// of columns, which is that of the addresses.
func masked(text string, b broker) string {
	_, port, _ := strings.Cut(b.address, ":")
	text = strings.ReplaceAll(text, port, "PORT")
	text = uuid.ReplaceAllString(text, "UUID")
	text = topicID.ReplaceAllString(text, "TopicId: ID")
	text = timestamp.ReplaceAllString(text, `"timestamp":TIME`)
	return blanks.ReplaceAllString(text, " ")
}

// cluster runs the tools that look at the broker and its topics.
func (s *session) cluster() {
	s.want("Produce(0): ", "api-versions")
	if s.since >= 202411 { // before 2.5 it cannot log in
		s.want(`"partition":"`+harness.Topic+`-0"`, "log-dirs", "--describe")
		s.compare("log-dirs", "--describe", "--broker-list", "0", "--topic-list", harness.Topic)
	}
	if s.tools["topics"] == "" { // before 2.2 it asks ZooKeeper
		return
	}
	s.want(harness.Topic, "topics", "--list")
	s.want("PartitionCount: 1", "topics", "--describe")
	s.want("Leader: 0", "topics", "--describe", "--topic", harness.Topic)
	s.compare("topics", "--describe", "--topic", "absent")
	s.compare("topics", "--describe", "--unavailable-partitions")

	// Before 3.0 get-offsets cannot log in.
	s.want(fmt.Sprintf("%s:0:%d", harness.Topic, len(s.times)), "offsets")
	s.want(harness.Topic+":0:0", "offsets", "--topic", harness.Topic, "--time", "-2")
	for _, time := range []string{"latest", "earliest", "max-timestamp", fmt.Sprint(s.times[rows/2]), fmt.Sprint(s.times[rows-1] + 1)} {
		s.compare("offsets", "--topic-partitions", harness.Topic+":0", "--time", time)
	}
	s.compare("offsets", "--topic", "absent")
}

// offsets resets and deletes the checkpoint of a group without members.
func (s *session) offsets() {
	reset := func(how ...string) {
		s.t.Helper()
		args := append([]string{"--group", s.group(), "--reset-offsets", "--topic", harness.Topic}, how...)
		s.want(harness.Topic+" 0 ", "groups", append(args, "--execute")...)
	}
	s.compare("groups", "--list")
	s.compare("groups", "--describe", "--group", s.group()) // not there yet
	reset("--to-offset", "7")
	s.compare("groups", "--list") // of old releases only groups with members
	reset("--to-earliest")
	reset("--to-latest")
	reset("--shift-by", "-3")
	reset("--to-datetime", time.UnixMilli(s.times[rows/2]).UTC().Format("2006-01-02T15:04:05.000"))
	reset("--to-datetime", "2000-01-01T00:00:00.000")
	reset("--to-offset", "1000000")
	reset("--to-current")
	s.want(fmt.Sprint(harness.Topic, " 0 ", len(s.times)), "groups", "--describe", "--group", s.group())
	if s.since >= 201803 {
		s.want(harness.Topic+" 0 ", "groups", "--group", s.group(), "--reset-offsets", "--topic", harness.Topic, "--to-earliest", "--dry-run")
		reset("--by-duration", "P1D")
		s.want("Empty", "groups", "--describe", "--group", s.group(), "--state")
		s.compare("groups", "--describe", "--group", s.group(), "--members")
	}
	if s.since >= 202411 {
		s.compare("groups", "--group", s.group(), "--delete-offsets", "--topic", "absent")
		s.want("Successful", "groups", "--group", s.group(), "--delete-offsets", "--topic", harness.Topic)
		reset("--to-earliest") // Kafka has forgotten the group with its last checkpoint
		s.want("Empty", "groups", "--list", "--state")
		s.compare("groups", "--describe", "--all-groups")
		s.compare("groups", "--describe", "--group", s.group(), "--offsets", "--verbose")
	}
	if s.since >= 201803 {
		s.want("successful", "groups", "--group", s.group(), "--delete")
		s.compare("groups", "--group", s.group(), "--delete") // twice
		s.compare("groups", "--describe", "--group", s.group())
	}
}

// members looks at a group while it has a member.
func (s *session) members() {
	s.compare("groups", "--group", s.group(), "--reset-offsets", "--topic", harness.Topic, "--to-earliest", "--execute")
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	var clients []*kgo.Client
	for _, b := range s.both {
		c, err := kgo.NewClient(kgo.SeedBrokers(b.address), kgo.ClientID("watcher"),
			kgo.SASL(plain.Auth{User: harness.Account + "-" + s.group(), Pass: harness.Password}.AsMechanism()),
			kgo.ConsumerGroup(s.group()), kgo.ConsumeTopics(harness.Topic), kgo.DisableAutoCommit(), kgo.Balancers(kgo.RangeBalancer()))
		if err != nil {
			s.t.Fatal(err)
		}
		defer c.Close()
		clients = append(clients, c)
	}
	for i, c := range clients {
		fetched := c.PollRecords(ctx, 10)
		if err := c.CommitRecords(ctx, fetched.Records()...); err != nil || fetched.Err() != nil {
			s.t.Fatalf("%s: consume: %v, commit: %v", s.both[i].name, fetched.Err(), err)
		}
	}
	s.want(harness.Topic+" 0 10", "groups", "--describe", "--group", s.group())
	s.compare("groups", "--group", s.group(), "--reset-offsets", "--topic", harness.Topic, "--to-earliest", "--execute")
	if s.since >= 201803 {
		s.want("Stable", "groups", "--describe", "--group", s.group(), "--state")
		s.want("watcher", "groups", "--describe", "--group", s.group(), "--members")
		s.want("ASSIGNMENT", "groups", "--describe", "--group", s.group(), "--members", "--verbose")
		s.compare("groups", "--group", s.group(), "--delete")
	}
	if s.since >= 202411 {
		s.compare("groups", "--group", s.group(), "--delete-offsets", "--topic", harness.Topic)
		s.compare("groups", "--list", "--state", "Stable")
	}
}

// consume reads everything with the verifiable consumer.
func (s *session) consume() {
	s.compare("groups", "--group", s.group(), "--reset-offsets", "--topic", harness.Topic, "--to-earliest", "--execute")
	s.want(fmt.Sprintf(`"count":%d`, len(s.times)), "consumer", "--topic", harness.Topic, "--group-id", s.group(),
		"--max-messages", fmt.Sprint(len(s.times)), "--reset-policy", "earliest")
	s.want(fmt.Sprint(harness.Topic, " 0 ", len(s.times)), "groups", "--describe", "--group", s.group())
}

func compareKcat(t *testing.T, both []broker) {
	kcat := script(t, "clients.sh", "kcat")
	var results []string
	for _, b := range both {
		out, err := exec.Command(kcat, "-L", "-b", b.address, "-X", "security.protocol=SASL_PLAINTEXT", "-X", "sasl.mechanism=PLAIN",
			"-X", "sasl.username="+harness.Username, "-X", "sasl.password="+harness.Password).CombinedOutput()
		if err != nil {
			t.Fatalf("kcat -L against %s: %v\n%s", b.name, err, out)
		}
		results = append(results, masked(string(out), b))
	}
	if results[0] != results[1] || !strings.Contains(results[0], `topic "`+harness.Topic+`" with 1 partitions`) {
		t.Errorf("kcat -L\n--- Daybook\n%s\n--- Kafka\n%s", results[0], results[1])
	}
}

func start(t *testing.T) (both []broker, times []int64) {
	t.Helper()
	source := servers.Get(t, "mysql-8.0")
	name, db := source.Database(t)
	config := harness.Config{Source: source.Address, Include: []string{name + ".*"}, SchemaChanges: "none"}
	for _, r := range releases {
		config.Groups = append(config.Groups, r.group())
	}
	db.Exec("CREATE TABLE orders (id INT PRIMARY KEY)")
	d := harness.Start(t, config)
	d.WaitLog("state=Normal", time.Minute) // "now" has been fixed
	for i := range rows {
		db.Exec(fmt.Sprintf("INSERT INTO orders VALUES (%d)", i))
	}
	for deadline := time.Now().Add(time.Minute); oracle.HighWatermark(t, d.Client()) < rows; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the records do not come")
		}
	}
	for r := range oracle.Records(t, d, rows) {
		times = append(times, r.Timestamp.UnixMilli())
	}
	b := kafka.Beside(t, kafka.Release, d, append(slices.Clone(config.Groups), harness.Group))
	awaitCheckpoints(t, b)
	return []broker{{"Daybook", d.Address()}, {"Kafka", b.Address()}}, times
}

// awaitCheckpoints has Kafka make the topic that it keeps checkpoints in.
func awaitCheckpoints(t *testing.T, b *kafka.Broker) {
	t.Helper()
	client := b.Client()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		req := kmsg.NewPtrFindCoordinatorRequest()
		req.CoordinatorKey, req.CoordinatorKeys = "any", []string{"any"}
		resp, err := req.RequestWith(t.Context(), client)
		if err == nil && resp.Coordinators[0].ErrorCode == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("Kafka has no coordinator: %v", err)
		}
	}
}
