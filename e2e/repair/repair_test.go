//go:build servers

// Package repair shows, on the real binary and real servers, what becomes of a
// damaged data directory: what `daybook store` tells, what it mends through
// kills, and what stock clients read then.
package repair

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"daybook/e2e/harness"
	"daybook/e2e/oracle"
	"daybook/e2e/servers"
)

const patience = 30 * time.Second

// report is what `daybook store` prints as JSON.
type report struct {
	Damages []struct {
		Topic, What   string
		From, To      int64
		Before, After *struct {
			File string
			Pos  uint64
		}
	}
	Kept string
}

func (r *report) lost(offset int64) bool {
	for _, d := range r.Damages {
		if d.What == "records" && offset >= d.From && offset < d.To {
			return true
		}
	}
	return false
}

func (r *report) has(what string) bool {
	for _, d := range r.Damages {
		if d.What == what && d.Topic == harness.Topic {
			return true
		}
	}
	return false
}

// repaired is a Daybook with a log of several files, and who writes to it.
type repaired struct {
	t    *testing.T
	d    *harness.Daybook
	conn *servers.Conn
	end  int64 // of the log
}

// start fills the log in three lives of the process, and stops it: each start
// writes what was appended before to files of its own.
func start(t *testing.T, version, extra string) *repaired {
	s := servers.Get(t, version)
	db, conn := s.Database(t)
	conn.Exec("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v LONGTEXT)")
	t.Setenv("DAYBOOK_BINARY", harness.Binary(t)) // built once
	r := &repaired{t: t, conn: conn}
	r.d = harness.Start(t, harness.Config{Source: s.Address, Include: []string{db + ".*"}, Start: "now", SchemaChanges: "none", Extra: extra})
	r.d.WaitLog("state=Normal", patience)
	for range 3 {
		r.insert(5)
		r.d.Stop()
		r.d.Start()
	}
	r.d.Stop()
	return r
}

// insert adds rows and waits until they are in the log.
func (r *repaired) insert(n int) {
	r.t.Helper()
	for range n {
		v := make([]byte, 4000)
		for i := range v {
			v[i] = '0' + byte(rand.IntN(64)) // nothing to compress
		}
		r.conn.Exec("INSERT INTO t (v) VALUES ('" + strings.NewReplacer("\\", "-", "'", "-").Replace(string(v)) + "')")
	}
	client := r.d.Client()
	defer client.Close()
	want := r.end + int64(n)
	for deadline := time.Now().Add(patience); oracle.HighWatermark(r.t, client) < want; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("the log ends at %d, want %d", oracle.HighWatermark(r.t, client), want)
		}
	}
	r.end = oracle.HighWatermark(r.t, client)
}

// files returns the paths of the database's files with that ending, in order.
func (r *repaired) files(ext string) []string {
	r.t.Helper()
	all, err := filepath.Glob(filepath.Join(r.d.DataDir(), "*"+ext))
	if err != nil {
		r.t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

func (r *repaired) remove(path string) {
	r.t.Helper()
	if err := os.Remove(path); err != nil {
		r.t.Fatal(err)
	}
}

// store runs `daybook store`, and wants its exit code.
func (r *repaired) store(exit int, args ...string) *report {
	r.t.Helper()
	stdout, stderr, code := r.d.Run(append([]string{"store", "-o", "json"}, args...)...)
	if code != exit {
		r.t.Fatalf("daybook store %q: exit code %d, want %d\n%s%s", args, code, exit, stdout, stderr)
	}
	var rep report
	if err := json.Unmarshal([]byte(stdout), &rep); stdout != "" && err != nil {
		r.t.Fatalf("%v in %s", err, stdout)
	}
	return &rep
}

// repairThroughKills kills the repair at random moments, and lets it end at last.
func (r *repaired) repairThroughKills() {
	r.t.Helper()
	for range 15 {
		cmd := exec.Command(harness.Binary(r.t), "store", "repair", "--yes", "-c", r.d.ConfigPath())
		cmd.Env = append(os.Environ(), "HARNESS_SOURCE_PASSWORD=repl", "HARNESS_GROUP_PASSWORD="+harness.Password)
		if err := cmd.Start(); err != nil {
			r.t.Fatal(err)
		}
		time.Sleep(time.Duration(rand.IntN(400)) * time.Millisecond)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	r.store(0, "repair", "--yes")
	if rep := r.store(0, "check"); len(rep.Damages) > 0 {
		r.t.Errorf("after the repair: %+v", rep)
	}
}

// wanted returns the offsets that are not lost.
func (r *repaired) wanted(rep *report) (offsets []int64) {
	for offset := int64(0); offset < r.end; offset++ {
		if offset < 100 || offset > r.end-100 { // between them are more than are counted one by one
			if !rep.lost(offset) {
				offsets = append(offsets, offset)
			}
		}
	}
	return offsets
}

// wantAll wants each client, old and new, to read these offsets.
func (r *repaired) wantAll(want []int64) {
	r.t.Helper()
	for name, got := range map[string][]int64{
		"franz-go":                  r.franz(len(want)),
		"franz-go as of Kafka 0.10": r.franz(len(want), kgo.MaxVersions(kversion.V0_10_0())),
		"kcat":                      r.kcat("-c", strconv.Itoa(len(want))),
		"kcat as of Kafka 0.10":     r.kcat("-c", strconv.Itoa(len(want)), "-X", "api.version.request=false", "-X", "broker.version.fallback=0.10.0"),
	} {
		if !slices.Equal(got, want) {
			r.t.Errorf("%s reads %v, want %v", name, got, want)
		}
	}
}

func (r *repaired) franz(n int, opts ...kgo.Opt) (offsets []int64) {
	r.t.Helper()
	client := r.d.Client(append(opts, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{harness.Topic: {0: kgo.NewOffset().At(0)}}))...)
	defer client.Close()
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	for len(offsets) < n {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			r.t.Errorf("franz-go has read %v: %v", offsets, err)
			return offsets
		}
		for _, rec := range fetches.Records() {
			offsets = append(offsets, rec.Offset)
		}
	}
	return offsets
}

// wantToldOnce asks for a record that cannot be read, as a consumer does again and again.
func (r *repaired) wantToldOnce(offset int64) {
	r.t.Helper()
	client := r.d.Client(kgo.MaxVersions(kversion.V1_1_0()))
	defer client.Close()
	req := kmsg.NewPtrFetchRequest()
	req.MinBytes, req.MaxBytes = 1, 1<<20
	topic, partition := kmsg.NewFetchRequestTopic(), kmsg.NewFetchRequestTopicPartition()
	partition.FetchOffset, partition.PartitionMaxBytes = offset, 1<<20
	topic.Topic, topic.Partitions = harness.Topic, []kmsg.FetchRequestTopicPartition{partition}
	req.Topics = []kmsg.FetchRequestTopic{topic}
	broker := client.SeedBrokers()[0]
	for range 10 {
		resp, err := broker.Request(r.t.Context(), req)
		if err != nil {
			r.t.Fatal(err)
		}
		if code := resp.(*kmsg.FetchResponse).Topics[0].Partitions[0].ErrorCode; code != kerr.KafkaStorageError.Code {
			r.t.Fatalf("error %d", code)
		}
	}
	if n := strings.Count(r.d.Log(), "cannot read records"); n != 1 {
		r.t.Errorf("the damage is told %d times", n)
	}
}

func (r *repaired) kcat(args ...string) (offsets []int64) {
	r.t.Helper()
	_, file, _, _ := runtime.Caller(0)
	path, err := exec.Command(filepath.Join(filepath.Dir(file), "../../scripts/clients.sh"), "kcat").Output()
	if err != nil {
		r.t.Fatalf("get kcat: %v", err)
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, strings.TrimSpace(string(path)), append([]string{"-b", r.d.Address(),
		"-X", "security.protocol=SASL_PLAINTEXT", "-X", "sasl.mechanism=PLAIN", "-X", "sasl.username=" + harness.Username, "-X", "sasl.password=" + harness.Password,
		"-C", "-q", "-t", harness.Topic, "-p", "0", "-o", "0", "-f", `%o\n`}, args...)...).Output()
	if err != nil {
		r.t.Errorf("kcat %q: %v", args, err)
	}
	for _, line := range strings.Fields(string(out)) {
		offset, err := strconv.ParseInt(line, 10, 64)
		if err != nil {
			r.t.Fatal(err)
		}
		offsets = append(offsets, offset)
	}
	return offsets
}

// TestLostRecordsAreSteppedOver loses the values of records in the middle and
// at the end of the log.
func TestLostRecordsAreSteppedOver(t *testing.T) {
	for version, compression := range map[string]string{"mysql-8.0": "none", "mariadb-10.11": "gzip"} {
		t.Run(version, func(t *testing.T) {
			r := start(t, version, "    wire_compression: "+compression+"\n")
			values := r.files(".blob")
			if len(values) < 3 {
				t.Fatalf("the log has only %v", values)
			}
			r.remove(values[len(values)-1])
			r.remove(values[len(values)-2])

			r.d.Start()
			r.store(1, "check") // it is in use
			r.d.WaitLog("state=Normal", patience)
			r.wantToldOnce(r.end - 1)
			r.d.Stop()

			rep := r.store(1, "check")
			middle := rep.Damages[0]
			if !rep.has("records") || rep.has("state") || !rep.lost(r.end-1) || rep.lost(0) || middle.Topic != harness.Topic || middle.Before == nil || middle.Before.File == "" {
				t.Fatalf("check tells %+v, the log ends at %d", rep, r.end)
			}
			r.store(0, "repair", "--dry-run")
			r.store(2, "repair")
			r.repairThroughKills()

			r.d.Start()
			if got := r.kcat("-e"); !slices.Equal(got, r.wanted(rep)) { // it ends at the log's end only
				t.Errorf("kcat reads %v, want %v", got, r.wanted(rep))
			}
			r.insert(2)
			r.wantAll(r.wanted(rep))
		})
	}
}

var named = regexp.MustCompile(`'daybook (task restart [^']+)'`)

// TestLostState loses the task's position, and follows what the error names.
func TestLostState(t *testing.T) {
	r := start(t, "mysql-8.0", "")
	tables := r.files(".sst")
	if err := os.WriteFile(tables[len(tables)-1], make([]byte, 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	rep := r.store(1, "check")
	if !rep.has("state") {
		t.Fatalf("check tells %+v", rep)
	}
	r.repairThroughKills()
	r.d.Start()
	r.d.WaitLog("task stopped", patience)
	r.restart(r.show())
	r.insert(2)
	r.wantAll(r.wanted(rep))
	t.Logf("%+v", rep)
}

// TestDamagedSchema flips a bit in the block that has the end of the schema, and all before it
// can be read: neither must the task go on with a part of it, nor say `daybook store` anything else.
func TestDamagedSchema(t *testing.T) {
	r := start(t, "mysql-8.0", "")
	for i := range 40 {
		columns := make([]string, 30)
		for c := range columns {
			columns[c] = fmt.Sprintf("zebra%d_of_%d INT", c, i)
		}
		r.conn.Exec(fmt.Sprintf("CREATE TABLE t%02d (%s)", i, strings.Join(columns, ", ")))
	}
	r.d.Start()
	r.insert(2)
	r.d.Stop()
	r.d.Start() // and what was appended is in tables
	r.d.Stop()
	r.flip("zebra")

	r.d.Start()
	r.d.WaitLog("task stopped", patience)
	if shown := r.show(); !strings.Contains(shown, "daybook store check") {
		t.Errorf("the task shows %s", shown)
	}
	r.d.Stop()
	if rep := r.store(1, "check"); !rep.has("state") || rep.has("records") {
		t.Fatalf("check tells %+v", rep)
	}
	told, _, _ := r.d.Run("store", "check")
	r.store(0, "repair", "--yes")
	r.d.Start()
	r.d.WaitLog("task stopped", patience)
	r.restart(told)
	r.insert(2)
}

// flip changes a bit of a text in each table, where a quarter of its places follow.
func (r *repaired) flip(text string) {
	r.t.Helper()
	found := false
	for _, path := range r.files(".sst") {
		b, err := os.ReadFile(path)
		if err != nil {
			r.t.Fatal(err)
		}
		at := -1
		for range bytes.Count(b, []byte(text)) * 3 / 4 {
			at += 1 + bytes.Index(b[at+1:], []byte(text))
		}
		if at < 0 {
			continue
		}
		found = true
		b[at] ^= 1
		if err := os.WriteFile(path, b, 0o600); err != nil {
			r.t.Fatal(err)
		}
	}
	if !found {
		r.t.Fatalf("no table has %q", text)
	}
}

func (r *repaired) show() string {
	r.t.Helper()
	stdout, _, _ := r.d.Run("task", "show", harness.Topic)
	return stdout
}

// restart does the command that a text names.
func (r *repaired) restart(text string) {
	r.t.Helper()
	m := named.FindStringSubmatch(strings.Join(strings.Fields(text), " "))
	if m == nil {
		r.t.Fatalf("no command is named by %s", text)
	}
	client := r.d.Client()
	defer client.Close()
	r.end = oracle.HighWatermark(r.t, client)
	if stdout, stderr, code := r.d.Run(strings.Fields(m[1])...); code != 0 {
		r.t.Fatalf("%s: exit code %d\n%s%s", m[1], code, stdout, stderr)
	}
	r.end++ // the gap record
}
