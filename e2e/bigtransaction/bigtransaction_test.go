//go:build servers

// Package bigtransaction shows on the real binary and a real server that a
// transaction far larger than the memory allowed passes, and may be
// interrupted anywhere.
package bigtransaction

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"daybook/e2e/harness"
	"daybook/e2e/oracle"
	"daybook/e2e/servers"
)

// maxRSS is what the process may need at its peak, in bytes.
const maxRSS = 300e6

// perStatement is the rows that one statement of the transaction inserts.
const perStatement = 100_000

var seedFlag = flag.Uint64("seed", 0, "seed of where daybook is killed; 0: a random one")

func TestBigTransaction(t *testing.T) { run(t, 200_000, 2) }

// run commits one transaction of that many rows of about 500 bytes, kills
// daybook several times while it takes it over, and compares log and binlog.
func run(t *testing.T, rows int64, kills int) {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("go test -tags servers,soak -run '%s' ./e2e/bigtransaction -seed %d", t.Name(), seed)
	source := servers.Start(t, "mysql-8.0")
	const db = "big"
	conn := source.Connect(t, "")
	conn.Exec("CREATE DATABASE "+db, "USE "+db, "CREATE TABLE rows_of_it (id BIGINT PRIMARY KEY, payload VARCHAR(600))",
		"CREATE TABLE digits (d INT PRIMARY KEY)", "INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)")
	from := oracle.End(conn)
	d := harness.Start(t, harness.Config{
		Source: source.Address, Include: []string{db + ".*"},
		Start: fmt.Sprintf("{file: %s, pos: %d}", from.File, from.Pos),
	})

	conn.Exec("BEGIN")
	for base := int64(0); base < rows; base += perStatement {
		conn.Exec(fmt.Sprintf(`INSERT INTO rows_of_it
			SELECT %d + a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d, REPEAT(MD5(a.d + 10 * b.d + %d), 15)
			FROM digits a, digits b, digits c, digits e, digits f`, base, base))
	}
	conn.Exec("COMMIT")
	committed := time.Now()

	rng := rand.New(rand.NewPCG(seed, 1))
	points := make([]int64, kills)
	for i := range points {
		points[i] = rng.Int64N(rows)
	}
	slices.Sort(points)
	client := d.Client()
	peak := 0
	for i := 0; ; time.Sleep(5 * time.Millisecond) {
		high := oracle.HighWatermark(t, client)
		peak = max(peak, residentPeak(t, d.PID()))
		if i < kills && high >= points[i] {
			t.Logf("killed at offset %d", high)
			d.Kill()
			d.Start()
			i++
		}
		if high >= rows {
			break
		}
		if time.Since(committed) > 10*time.Minute {
			t.Fatalf("after %v the log holds %d of %d rows", time.Since(committed), high, rows)
		}
	}
	took := time.Since(committed)

	n := oracle.Compare(t, oracle.Binlog(t, source, from, oracle.End(conn), db), oracle.Log(t, oracle.Records(t, d, -1)))
	peak = max(peak, residentPeak(t, d.PID()))
	t.Logf("%d rows were in the log %v after their commit; peak RSS %d MB", n, took.Round(time.Millisecond), peak/1e6)
	if peak > maxRSS {
		t.Errorf("peak RSS is %d MB, over %d", peak/1e6, int(maxRSS/1e6))
	}
	if int64(n) != rows {
		t.Errorf("%d records, want %d", n, rows)
	}
}

// residentPeak returns the largest resident set that a process has had, in bytes.
func residentPeak(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		var kilobytes int
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kilobytes); n == 1 {
			return kilobytes << 10
		}
	}
	t.Fatalf("/proc/%d/status has no VmHWM", pid)
	return 0
}
