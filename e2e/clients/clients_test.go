//go:build servers

// Package clients holds stock Kafka consumers and shows that each reads what a
// real server's binlog holds: every record, in order, the same bytes, going on
// from its checkpoint after a restart of either side.
package clients

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"daybook/e2e/harness"
	"daybook/e2e/servers"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
)

// client is one stock consumer: read consumes count records from the checkpoint
// of the group (its own name) on, commits, and leaves.
type client struct {
	group string
	read  func(t *testing.T, d *harness.Daybook, group string, count int) []record
}

// record is one record in text form, so that two of them can be compared.
type record struct {
	offset, timestamp int64
	key, value        string // base64, "-" for null
}

var kcat = client{"kcat", readKcat}

var all = []client{
	{"java-0.10.0.1", readJava("0.10.0.1")},
	{"java-1.1.1", readJava("1.1.1")},
	{"java-4.4.0", readJava("4.4.0")},
	kcat,
	{"kafka-python", readPython},
	{"franz-go", readFranz},
}

func TestEveryClientReadsTheSameAndGoesOnFromItsCheckpoint(t *testing.T) {
	db, d := start(t, servers.Get(t, "mysql-8.0"), all)
	want := change(db, 0)

	first := make(map[string][]record)
	for _, c := range all {
		first[c.group] = c.read(t, d, c.group, len(want)/2)
	}
	for _, c := range all { // a new process of each client
		first[c.group] = append(first[c.group], c.read(t, d, c.group, len(want)/4)...)
	}
	if code := d.Stop(); code != 0 {
		t.Errorf("daybook ended with exit code %d", code)
	}
	want = append(want, change(db, 1)...) // while nobody looks
	d.Start()
	for _, c := range all {
		got := append(first[c.group], c.read(t, d, c.group, len(want)-len(first[c.group]))...)
		compare(t, c.group, got, want)
		first[c.group] = got
	}
	for _, c := range all[1:] {
		if !slices.Equal(first[c.group], first[all[0].group]) {
			t.Errorf("%s and %s read different offsets, timestamps or bytes", c.group, all[0].group)
		}
	}
}

func TestEveryServerIsReadThroughAKill(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		db, d := start(t, s, []client{kcat})
		want := change(db, 0)
		got := kcat.read(t, d, kcat.group, len(want)/3)
		d.Kill()
		want = append(want, change(db, 1)...)
		d.Start()
		got = append(got, kcat.read(t, d, kcat.group, len(want)-len(got))...)
		compare(t, kcat.group, got, want)
	})
}

func start(t *testing.T, s *servers.Server, clients []client) (*servers.Conn, *harness.Daybook) {
	t.Helper()
	name, db := s.Database(t)
	db.Exec("CREATE TABLE orders (id INT PRIMARY KEY, note VARCHAR(200) CHARACTER SET utf8mb4, amount DECIMAL(20,4), data BLOB)")
	config := harness.Config{Source: s.Address, Include: []string{name + ".*"}, SchemaChanges: "none"}
	for _, c := range clients {
		config.Groups = append(config.Groups, c.group)
	}
	d := harness.Start(t, config)
	d.WaitLog("state=Normal", time.Minute) // "now" has been fixed
	return db, d
}

// change makes a known sequence of row changes in transactions of differing
// sizes and returns it: the operation and the row's id, in order.
func change(db *servers.Conn, round int) []string {
	var want []string
	for i := range 60 {
		id := round*1000 + i*10
		db.Exec("BEGIN")
		for n := range i%4 + 1 {
			db.Exec(fmt.Sprintf("INSERT INTO orders VALUES (%d, 'Zoë 🙂 %d', -%d.5, x'00ff%02x')", id+n, n, id, n))
			want = append(want, fmt.Sprint("c ", id+n))
		}
		db.Exec("COMMIT", fmt.Sprintf("UPDATE orders SET note = NULL, data = REPEAT('x', %d) WHERE id = %d", i*100, id))
		want = append(want, fmt.Sprint("u ", id))
		if i%3 == 0 {
			db.Exec(fmt.Sprintf("DELETE FROM orders WHERE id = %d", id))
			want = append(want, fmt.Sprint("d ", id))
		}
	}
	return want
}

// compare checks that the records hold exactly those changes and dense offsets.
func compare(t *testing.T, name string, got []record, want []string) {
	t.Helper()
	for i, r := range got {
		if i >= len(want) {
			break
		}
		if r.offset != int64(i) {
			t.Fatalf("%s: record %d has offset %d", name, i, r.offset)
		}
		if text := describe(t, r); text != want[i] {
			t.Fatalf("%s: record %d is %q, want %q", name, i, text, want[i])
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%s: read %d records, want %d", name, len(got), len(want))
	}
}

func describe(t *testing.T, r record) string {
	t.Helper()
	value, err := base64.StdEncoding.DecodeString(r.value)
	if err != nil {
		t.Fatalf("record %d: value %q: %v", r.offset, r.value, err)
	}
	var v struct {
		Op            string
		Before, After *struct{ ID int }
	}
	if err := json.Unmarshal(value, &v); err != nil {
		t.Fatalf("record %d: %v\n%s", r.offset, err, value)
	}
	row := v.After
	if v.Op == "d" {
		row = v.Before
	}
	if row == nil {
		t.Fatalf("record %d has no row: %s", r.offset, value)
	}
	return fmt.Sprint(v.Op, " ", row.ID)
}

// run runs a program and returns the lines it prints.
func run(t *testing.T, program string, args ...string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, stderr.String())
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// found returns how to run a client, as scripts/clients.sh tells.
func found(t *testing.T, args ...string) string {
	t.Helper()
	return run(t, "../../scripts/clients.sh", args...)[0]
}

func readJava(version string) func(*testing.T, *harness.Daybook, string, int) []record {
	return func(t *testing.T, d *harness.Daybook, group string, count int) []record {
		t.Helper()
		return parse(t, run(t, "java", "-cp", found(t, "java", version), "Consume", d.Address(),
			harness.Account+"-"+group, harness.Password, harness.Topic, group, strconv.Itoa(count), "subscribe"))
	}
}

func readPython(t *testing.T, d *harness.Daybook, group string, count int) []record {
	t.Helper()
	return parse(t, run(t, found(t, "python"), "python/consume.py", d.Address(),
		harness.Account+"-"+group, harness.Password, harness.Topic, group, strconv.Itoa(count), "subscribe"))
}

func parse(t *testing.T, lines []string) []record {
	t.Helper()
	var records []record
	for _, line := range lines {
		var r record
		if _, err := fmt.Sscan(line, &r.offset, &r.timestamp, &r.key, &r.value); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		records = append(records, r)
	}
	return records
}

// readKcat has kcat commit when it leaves, which is its only way.
func readKcat(t *testing.T, d *harness.Daybook, group string, count int) []record {
	t.Helper()
	lines := run(t, found(t, "kcat"), "-b", d.Address(), "-X", "security.protocol=SASL_PLAINTEXT",
		"-X", "sasl.mechanism=PLAIN", "-X", "sasl.username="+harness.Account+"-"+group,
		"-X", "sasl.password="+harness.Password, "-X", "auto.offset.reset=earliest",
		"-J", "-c", strconv.Itoa(count), "-G", group, harness.Topic)
	var records []record
	for _, line := range lines {
		var v struct {
			Offset, TS   int64
			Key, Payload *string
		}
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		records = append(records, record{v.Offset, v.TS, encoded(v.Key), encoded(v.Payload)})
	}
	return records
}

func encoded[T string | []byte](b *T) string {
	if b == nil {
		return "-"
	}
	return base64.StdEncoding.EncodeToString([]byte(*b))
}

func readFranz(t *testing.T, d *harness.Daybook, group string, count int) []record {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(d.Address()),
		kgo.SASL(plain.Auth{User: harness.Account + "-" + group, Pass: harness.Password}.AsMechanism()),
		kgo.ConsumeTopics(harness.Topic), kgo.ConsumerGroup(group), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var records []record
	for len(records) < count {
		fetched := c.PollRecords(ctx, count-len(records))
		if err := fetched.Err(); err != nil {
			t.Fatalf("franz-go: %v, after %d records of %d", err, len(records), count)
		}
		for _, r := range fetched.Records() {
			records = append(records, record{r.Offset, r.Timestamp.UnixMilli(), nullable(r.Key), nullable(r.Value)})
		}
		if err := c.CommitRecords(ctx, fetched.Records()...); err != nil {
			t.Fatalf("franz-go: commit: %v", err)
		}
	}
	return records
}

func nullable(b []byte) string {
	if b == nil {
		return "-"
	}
	return encoded(&b)
}
