//go:build servers

// Package memory measures on the real binary and real servers what large rows
// cost the process while they are under way, and what they leave behind.
package memory

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"daybook/e2e/harness"
	"daybook/e2e/oracle"
	"daybook/e2e/servers"
)

const (
	mb = 1_000_000
	// rested is what the process may have when nothing is under way.
	rested = 100 * mb
	// patience is how soon after a large row it has to be back there.
	patience = 90 * time.Second
	// factor bounds what a row of n bytes, all its images, costs at most.
	factor = 6
)

// step is one statement, or more with "; " between, the bytes of the rows event that
// it logs, and the records it makes.
type step struct {
	name    string
	sql     string
	bytes   int
	records int64
}

// TestLargeRows commits rows of 100 MB one after the other, and lets a consumer
// read them.
func TestLargeRows(t *testing.T) {
	source := servers.Start(t, "mysql-8.0", "--max-allowed-packet=1G", "--binlog-row-event-max-size=8192")
	conn := source.Connect(t, "")
	tables(conn)
	f := follow(t, source)
	f.run(t, conn, []step{
		{"prepare a BLOB, of which a plain row tells", "XA START 'a'; INSERT INTO blobs VALUES (1, " + noise(100) + "); XA END 'a'; XA PREPARE 'a'; INSERT INTO texts VALUES (0, 'prepared')", 100 * mb, 1},
		{"commit it", "XA COMMIT 'a'", 100 * mb, 1},
		{"prepare an update of it", "XA START 'a'; UPDATE blobs SET v = " + noise(100) + "; XA END 'a'; XA PREPARE 'a'; DELETE FROM texts", 200 * mb, 1},
		{"commit it", "XA COMMIT 'a'", 200 * mb, 1},
		{"delete it", "DELETE FROM blobs", 100 * mb, 1},
		{"insert a BLOB", "INSERT INTO blobs VALUES (1, " + noise(100) + ")", 100 * mb, 1},
		{"update it", "UPDATE blobs SET v = " + noise(100), 200 * mb, 1},
		{"delete it", "DELETE FROM blobs", 100 * mb, 1},
		{"insert a TEXT", "INSERT INTO texts VALUES (1, " + words(100) + ")", 100 * mb, 1},
		{"insert a latin1 TEXT", "INSERT INTO latins VALUES (1, " + accents(100) + ")", 100 * mb, 1},
		{"insert JSON", "INSERT INTO jsons VALUES (1, " + document(100) + ")", 100 * mb, 1},
	})
	f.consume(t)
}

// TestManyTablesWithLargeRows gives each of 24 tables one row of 10 MB.
func TestManyTablesWithLargeRows(t *testing.T) {
	source := servers.Start(t, "mysql-8.0", "--max-allowed-packet=1G")
	conn := source.Connect(t, "")
	tables(conn)
	const n = 24
	for i := range n {
		for _, table := range []string{"latins", "jsons"} {
			conn.Exec(fmt.Sprintf("CREATE TABLE %s%d LIKE %s", table, i, table))
		}
	}
	f := follow(t, source)
	var steps []step
	for i := range n {
		steps = append(steps,
			step{fmt.Sprintf("latin1 TEXT of table %d", i), fmt.Sprintf("INSERT INTO latins%d VALUES (1, %s)", i, accents(10)), 10 * mb, 1},
			step{fmt.Sprintf("JSON of table %d", i), fmt.Sprintf("INSERT INTO jsons%d VALUES (1, %s)", i, document(10)), 10 * mb, 1})
	}
	f.run(t, conn, steps)
	f.consume(t)
}

// tables makes the tables, and one of 1,000 and one of 1,000,000 numbers to
// make large values from.
func tables(conn *servers.Conn) {
	conn.Exec("CREATE DATABASE large", "USE large", "SET SESSION group_concat_max_len = 1 << 30",
		"CREATE TABLE blobs (id INT PRIMARY KEY, v LONGBLOB)", "CREATE TABLE texts (id INT PRIMARY KEY, v LONGTEXT)",
		"CREATE TABLE latins (id INT PRIMARY KEY, v LONGTEXT CHARACTER SET latin1)", "CREATE TABLE jsons (id INT PRIMARY KEY, v JSON)",
		"CREATE TABLE digits (d INT PRIMARY KEY)", "INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)",
		"CREATE TABLE numbers (n INT PRIMARY KEY)",
		"INSERT INTO numbers SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d FROM digits a, digits b, digits c, digits e, digits f")
}

// noise is an expression for that many megabytes of bytes that do not compress.
func noise(megabytes int) string { return of(megabytes, 1000, "RANDOM_BYTES(1000)") }

// words is one for ASCII text.
func words(megabytes int) string {
	return of(megabytes, 1000, "REPEAT(CONCAT(MD5(RAND()), ' word '), 1000 DIV 38 + 1)")
}

// accents is one for text of which every byte is two in UTF-8.
func accents(megabytes int) string {
	return of(megabytes, 1000, "REPEAT(CONVERT(X'E9E8FCF6E4' USING latin1), 200)")
}

// document is one for an array of objects of short strings and numbers.
func document(megabytes int) string {
	names := strings.Repeat("MD5(n), ", 26) + "n"
	return fmt.Sprintf("(SELECT JSON_ARRAYAGG(JSON_OBJECT('n', n, 'half', n / 2, 'names', JSON_ARRAY(%s))) FROM numbers WHERE n < %d)", names, megabytes*mb/1000)
}

func of(megabytes, each int, piece string) string {
	return fmt.Sprintf("(SELECT GROUP_CONCAT(%s SEPARATOR '') FROM numbers WHERE n < %d)", piece, megabytes*mb/each)
}

// follower is a daybook that follows the source.
type follower struct {
	*harness.Daybook
	client *kgo.Client
	next   int64
}

func follow(t *testing.T, source *servers.Server) *follower {
	t.Setenv("CGO_ENABLED", "0") // as it is released: with C, memory is not counted by the runtime
	d := harness.Start(t, harness.Config{Source: source.Address, Include: []string{"large.*"}, SchemaChanges: "none"})
	d.WaitLog(`state=Normal`, patience)
	return &follower{Daybook: d, client: d.Client()}
}

// run executes the steps and judges what each cost.
func (f *follower) run(t *testing.T, conn *servers.Conn, steps []step) {
	for _, s := range steps {
		f.judge(t, s.name, func() int {
			conn.Exec(strings.Split(s.sql, "; ")...)
			f.next += s.records
			for oracle.HighWatermark(t, f.client) < f.next {
				time.Sleep(10 * time.Millisecond)
			}
			return s.bytes
		})
	}
}

// consume reads the log with one consumer, which gets the largest record alone.
func (f *follower) consume(t *testing.T) {
	f.judge(t, "consume, the largest record", func() (largest int) {
		for r := range f.records(t, 0) {
			largest = max(largest, len(r.Value))
		}
		return largest
	})
}

// records reads the log from offset on.
func (f *follower) records(t *testing.T, offset int64) func(func(*kgo.Record) bool) {
	return func(yield func(*kgo.Record) bool) {
		client := f.Client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{harness.Topic: {0: kgo.NewOffset().At(offset)}}),
			kgo.BrokerMaxReadBytes(1<<30), kgo.FetchMaxBytes(1<<20), kgo.FetchMaxPartitionBytes(1<<20))
		defer client.Close()
		for offset < f.next {
			ctx, cancel := context.WithTimeout(context.Background(), oracle.Patience)
			fetches := client.PollFetches(ctx)
			cancel()
			if err := fetches.Err(); err != nil {
				t.Fatal(err)
			}
			for _, r := range fetches.Records() {
				offset = r.Offset + 1
				if !yield(r) {
					return
				}
			}
		}
	}
}

// judge runs do, which returns the bytes of the row that it handles, and checks
// the memory that it needs and that it leaves.
func (f *follower) judge(t *testing.T, name string, do func() int) {
	t.Helper()
	before := status(t, f.PID(), "VmRSS")
	// Makes VmHWM count anew (proc(5)).
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", f.PID()), []byte("5"), 0); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	n := do()
	done := time.Now()
	peak := status(t, f.PID(), "VmHWM")
	after := status(t, f.PID(), "VmRSS")
	for after > rested && time.Since(done) < patience {
		time.Sleep(100 * time.Millisecond)
		after = status(t, f.PID(), "VmRSS")
	}
	peak = max(peak, status(t, f.PID(), "VmHWM"))
	t.Logf("%-40s %4d MB: %4d MB before, %4d MB at the peak (%.1f times), %4d MB after %v; took %v", name, n/mb, before/mb, peak/mb,
		float64(peak-before)/float64(n), after/mb, time.Since(done).Round(100*time.Millisecond), done.Sub(began).Round(time.Millisecond))
	if limit := before + factor*n; peak > limit {
		t.Errorf("%s: the peak is %d MB, over %d", name, peak/mb, limit/mb)
	}
	if after > rested {
		t.Errorf("%s: %v later the process has %d MB, over %d", name, patience, after/mb, rested/mb)
	}
}

// status returns a field of a process's status that is told in kB, in bytes.
func status(t *testing.T, pid int, field string) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var kilobytes int
		if n, _ := fmt.Sscanf(line, field+": %d kB", &kilobytes); n == 1 {
			return kilobytes << 10
		}
	}
	t.Fatalf("/proc/%d/status has no %s", pid, field)
	return 0
}
