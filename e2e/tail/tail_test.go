//go:build servers

// Package tail shows the changes of real servers with the real 'daybook tail'.
package tail

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"daybook/admin"
	"daybook/cli"
	"daybook/e2e/harness"
	"daybook/e2e/servers"
)

const patience = time.Minute

// statements make changes of every kind, and shown is what is to be seen of them.
var statements = []string{
	"CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(400) CHARACTER SET utf8mb4, price DECIMAL(9,2), due DATE, at DATETIME(3), bin VARBINARY(9))",
	"INSERT INTO t VALUES (1, 'Zoë 🎉', 9.90, '2026-01-31', '2026-01-31 12:00:00.120', x'00ff1b'), (2, '', NULL, NULL, NULL, '')",
	"UPDATE t SET price = 19.90, name = NULL WHERE id = 1",
	"UPDATE t SET id = 3 WHERE id = 2",
	"ALTER TABLE t MODIFY due DATETIME(6), DROP at",
	"INSERT INTO t (id, name, due) VALUES (4, 'NULL', '2026-02-01 01:02:03.000004')",
	"DELETE FROM t WHERE id > 2",
	"INSERT INTO t (id, name) VALUES (5, CONCAT(CHAR(27), '[2J', REPEAT('x', 300)))",
	"CREATE TABLE u (a INT)",
	"INSERT INTO u VALUES (1)",
	"UPDATE u SET a = 2",
}

var shown = []string{
	"ddl    DB  " + statements[0],
	"insert DB.t id=1  name='Zoë 🎉', price=9.90, due='2026-01-31', at='2026-01-31 12:00:00.120', bin=0x00ff1b",
	"insert DB.t id=2  name='', price=NULL, due=NULL, at=NULL, bin=0x",
	"update DB.t id=1  name: 'Zoë 🎉' → NULL, price: 9.90 → 19.90",
	"update DB.t id=2 → id=3",
	"ddl    DB  " + statements[4],
	"insert DB.t id=4  name='NULL', price=NULL, due='2026-02-01 01:02:03.000004', bin=NULL",
	"delete DB.t id=3  name='', price=NULL, due=NULL, bin=0x",
	"delete DB.t id=4  name='NULL', price=NULL, due='2026-02-01 01:02:03.000004', bin=NULL",
	`insert DB.t id=5  name='\u{1b}[2J` + strings.Repeat("x", 300) + `', price=NULL, due=NULL, bin=NULL`,
	"ddl    DB  CREATE TABLE u (a INT)",
	"insert DB.u (no key)  a=1",
	"update DB.u (no key)  a: 1 → 2",
}

var moment = regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z `)

// tail runs the command to its end, and returns its lines without their times.
func tail(t *testing.T, d *harness.Daybook, args ...string) []string {
	t.Helper()
	out, text, code := d.Run(append([]string{"tail", harness.Topic, "--no-follow"}, args...)...)
	if code != 0 {
		t.Fatalf("daybook tail %v: exit code %d: %s", args, code, text)
	}
	if out == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(moment.ReplaceAllString(out, ""), "\n"), "\n")
}

func wantLines(t *testing.T, what, db string, got []string, want ...string) {
	t.Helper()
	all := strings.ReplaceAll(strings.Join(want, "\n"), "DB", db)
	if strings.Join(got, "\n") != all {
		t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(got, "\n"), all)
	}
}

func start(t *testing.T, s *servers.Server, more ...func(*harness.Config)) (*harness.Daybook, string, *servers.Conn) {
	t.Helper()
	db, conn := s.Database(t)
	c := harness.Config{Source: s.Address, Include: []string{db + ".*"}, Start: "now", SchemaChanges: "objects"}
	for _, f := range more {
		f(&c)
	}
	d := harness.Start(t, c)
	d.WaitLog("state=Normal", patience)
	return d, db, conn
}

// has waits until the log has so many records.
func has(t *testing.T, d *harness.Daybook, records int64) {
	t.Helper()
	for deadline := time.Now().Add(patience); d.Show(t, harness.Group).HighWatermark < records; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the log has %d records, want %d", d.Show(t, harness.Group).HighWatermark, records)
		}
	}
}

// records is how many the statements make: the update of the key makes two.
const records = 14

// TestTail wants of each server every kind of change to be shown right, before and after the table was altered, with
// and without schema changes in the log, and after a restart.
func TestTail(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		d, db, conn := start(t, s)
		conn.Exec(statements...)
		has(t, d, records)
		wantLines(t, "all", db, tail(t, d), shown...)
		d.Kill()
		d.Start()
		wantLines(t, "after a kill", db, tail(t, d, "--full"), shown...)

		for _, test := range []struct {
			args []string
			want []string
		}{
			{[]string{"--op", "ddl", "--table", "t"}, []string{shown[0], shown[5]}},
			{[]string{"--op", "delete,update", "--table", db + ".?", "--key", "id=3"}, []string{shown[4], shown[7]}},
			{[]string{"--key", "5"}, shown[9:10]},
			{[]string{"--table", "nothing.*"}, nil},
			{[]string{"--from", "12"}, shown[11:]},
			{[]string{"--from", "6", "-n", "1"}, shown[5:6]},
			{[]string{"--from", "latest"}, nil},
			{[]string{"--from", "1h"}, shown},
			{[]string{"--from", "2020-01-31T12:00:00Z", "-n", "2"}, shown[:2]},
		} {
			wantLines(t, fmt.Sprint(test.args), db, tail(t, d, test.args...), test.want...)
		}
		gtids(t, d, db)
		if _, text, code := d.Run("tail", "none"); code != 5 || !strings.Contains(text, "none") {
			t.Errorf("a task that is not there: exit code %d: %s", code, text)
		}
		if _, text, code := d.Run("tail", harness.Topic, "--from", "99999"); code != 1 || !strings.Contains(text, "not in the log") {
			t.Errorf("an offset that is not there: exit code %d: %s", code, text)
		}
	})
}

// gtids begins at the GTID of each change.
func gtids(t *testing.T, d *harness.Daybook, db string) {
	t.Helper()
	out, _, _ := d.Run("tail", harness.Topic, "--no-follow", "-o", "json")
	var last string
	for i, line := range strings.Split(strings.TrimSpace(out), "\n") {
		var c admin.Change
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if c.GTID == "" || c.GTID == last {
			continue
		}
		last = c.GTID
		wantLines(t, "from "+c.GTID, db, tail(t, d, "--from", c.GTID), shown[i:]...)
	}
	if last == "" {
		return
	}
	cut := strings.LastIndexAny(last, ":-") + 1
	n, _ := strconv.Atoi(last[cut:])
	if _, text, code := d.Run("tail", harness.Topic, "--from", last[:cut]+strconv.Itoa(n+1000)); code != 1 || !strings.Contains(text, "not in the log") {
		t.Errorf("a GTID that is not there: exit code %d: %s", code, text)
	}
}

// TestTailWithoutSchemaChanges alters a table of which the log does not tell.
func TestTailWithoutSchemaChanges(t *testing.T) {
	s := servers.Get(t, "mariadb-10.11")
	d, db, conn := start(t, s, func(c *harness.Config) { c.SchemaChanges = "none" })
	conn.Exec("CREATE TABLE t (id INT PRIMARY KEY, x DATE)", "INSERT INTO t VALUES (1, '2026-01-31')")
	has(t, d, 1)
	conn.Exec("ALTER TABLE t MODIFY x DATETIME(6)", "INSERT INTO t VALUES (2, '2026-01-31 01:02:03.4')")
	has(t, d, 2)
	wantLines(t, "all", db, tail(t, d), "insert DB.t id=1  x='2026-01-31'", "insert DB.t id=2  x='2026-01-31 01:02:03.400000'")
}

// lines collects what a tail shows.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *lines) await(t *testing.T, text string) {
	t.Helper()
	for deadline := time.Now().Add(patience); !strings.Contains(l.String(), text); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no %q is shown:\n%s", text, l)
		}
	}
}

// follow runs a tail in the background, until end is called.
func follow(t *testing.T, d *harness.Daybook, args ...string) (out *lines, end func() int) {
	ctx, cancel := context.WithCancel(t.Context())
	out = &lines{}
	code := make(chan int, 1)
	go func() {
		code <- cli.Run(ctx, append([]string{"tail", harness.Topic, "-c", d.ConfigPath()}, args...), out, &lines{})
	}()
	return out, func() int { cancel(); return <-code }
}

// TestTailOverKills kills Daybook under a tail: each row is shown, once, in order.
func TestTailOverKills(t *testing.T) {
	d, _, conn := start(t, servers.Get(t, "mariadb-10.11"))
	conn.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
	out, end := follow(t, d, "--from", "earliest", "--op", "insert")
	id := 0
	for range 3 {
		for range 50 {
			id++
			conn.Exec(fmt.Sprintf("INSERT INTO t VALUES (%d)", id))
		}
		out.await(t, "id=1\n") // a tail that finds no Daybook at first ends
		d.Kill()
		conn.Exec(fmt.Sprintf("INSERT INTO t VALUES (%d)", id+1))
		id++
		d.Start()
	}
	out.await(t, fmt.Sprintf("id=%d\n", id))
	if code := end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	for i, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		if !strings.HasSuffix(line, fmt.Sprintf(" id=%d", i+1)) {
			t.Fatalf("line %d is %s", i+1, line)
		}
	}
}

// TestTailDisturbsNoGroup reads beside a consumer, whose group stays as it is.
func TestTailDisturbsNoGroup(t *testing.T) {
	d, _, conn := start(t, servers.Get(t, "mariadb-10.11"))
	conn.Exec("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1), (2)")
	c := d.Client(kgo.ConsumerGroup(harness.Group), kgo.ConsumeTopics(harness.Topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit())
	for n := 0; n < 3; n += c.PollFetches(t.Context()).NumRecords() {
	}
	if err := c.CommitUncommittedOffsets(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := d.Show(t, harness.Group)
	out, end := follow(t, d, "--from", "earliest")
	out.await(t, "id=2")
	conn.Exec("INSERT INTO t VALUES (3)")
	out.await(t, "id=3")
	after := d.Show(t, harness.Group)
	end()
	if len(after.Consumers) != 1 || after.Consumers[0] != before.Consumers[0] || after.Generation != before.Generation || after.Checkpoint.Offset != before.Checkpoint.Offset || after.Checkpoint.LagRecords != 1 {
		t.Errorf("the group was %+v, and is %+v", before, after)
	}
	if n := c.PollFetches(t.Context()).NumRecords(); n != 1 {
		t.Errorf("the consumer got %d records, want 1", n)
	}
}

// TestTailOfHugeRows shows rows of 12 MB, in several tails at a time: the process stays small.
func TestTailOfHugeRows(t *testing.T) {
	d, _, conn := start(t, servers.Get(t, "mariadb-10.11"))
	conn.Exec("CREATE TABLE t (id INT PRIMARY KEY, b LONGBLOB, x LONGTEXT)")
	const rows, size = 8, 6 << 20
	for id := range rows {
		conn.Exec(fmt.Sprintf("INSERT INTO t VALUES (%d, REPEAT(x'01', %d), REPEAT('y', %d))", id, size, size))
	}
	has(t, d, rows+1)
	time.Sleep(5 * time.Second) // what the rows needed is given back
	before := resident(t, d)
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			if got := tail(t, d, "--op", "insert"); len(got) != rows || !strings.Contains(got[0], "bytes more]") || len(got[0]) > 4<<20 {
				t.Errorf("%d lines of %d rows", len(got), rows)
			}
		})
	}
	most := before
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true
		case <-time.After(10 * time.Millisecond):
			most = max(most, resident(t, d))
		}
	}
	t.Logf("%d MB before, %d MB at most", before>>20, most>>20)
	if most > before+200<<20 {
		t.Errorf("%d MB before, %d MB at most", before>>20, most>>20)
	}
}

func resident(t *testing.T, d *harness.Daybook) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", d.PID()))
	if err != nil {
		t.Fatal(err)
	}
	pages, _ := strconv.Atoi(strings.Fields(string(b))[1])
	return pages * os.Getpagesize()
}
