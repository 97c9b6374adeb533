//go:build servers

package examples

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"daybook/e2e/harness"
	"daybook/e2e/oracle"
	"daybook/e2e/servers"
	"daybook/servertls/certtest"
)

// atOnce is how many programs run at the same time: most of a run is waiting.
const atOnce = 4

var only = flag.String("only", "", "run only the program of this name")

// program is one example. Its group is named after it.
type program struct {
	name    string
	command []string
}

// daybook is a running one with two listeners, of which one has TLS.
type daybook struct {
	*harness.Daybook
	tls, ca string // address, file
}

func TestEveryExampleProcessesAndGoesOnWhereItEnded(t *testing.T) {
	all := programs(t)
	db, d := start(t, all)
	n := change(db, 0)
	first := readAll(t, d, all, n, false)
	more := change(db, 1)
	second := readAll(t, d, all, more, true)
	want := model(t, d, n+more)
	for i, p := range all {
		if got := slices.Concat(first[i], second[i]); !slices.Equal(got, want) {
			t.Errorf("%s: processed %d records that are not the %d of the log, each once", p.name, len(got), len(want))
		}
	}
	wrongPassword(t, d, all)
}

func programs(t *testing.T) []program {
	t.Helper()
	var all []program
	for _, name := range script(t, "examples") {
		if *only == "" || name == *only {
			all = append(all, program{name, script(t, "example", name)})
		}
	}
	return all
}

func start(t *testing.T, all []program) (*servers.Conn, *daybook) {
	t.Helper()
	ca, dir := certtest.NewCA(t, "Daybook's tests"), t.TempDir()
	ca.Issue("server").Write(t, dir, "server")
	d := &daybook{tls: harness.FreeAddress(t), ca: certtest.File(t, dir, "ca.pem", ca.PEM())}
	name, db := servers.Get(t, "mysql-8.0").Database(t)
	db.Exec("CREATE TABLE orders (id INT PRIMARY KEY, note VARCHAR(200) CHARACTER SET utf8mb4)")
	config := harness.Config{
		Source: servers.Get(t, "mysql-8.0").Address, Include: []string{name + ".*"}, SchemaChanges: "none",
		Extra: "    tombstones: true\n",
		Listeners: []string{fmt.Sprintf("name: network, address: %q, tls: {cert_file: %q, key_file: %q}",
			d.tls, dir+"/server.pem", dir+"/server.key")},
	}
	for _, p := range all {
		config.Groups = append(config.Groups, p.name)
	}
	d.Daybook = harness.Start(t, config)
	d.WaitLog("state=Normal", time.Minute) // "now" has been fixed
	return db, d
}

// change makes row changes and returns how many records they are.
func change(db *servers.Conn, round int) int {
	n := 0
	for i := range 100 {
		id := round*100 + i
		db.Exec(fmt.Sprintf("INSERT INTO orders VALUES (%d, 'Zoë 🙂')", id), fmt.Sprintf("UPDATE orders SET note = NULL WHERE id = %d", id))
		n += 2
		if i%3 == 0 {
			db.Exec(fmt.Sprintf("DELETE FROM orders WHERE id = %d", id))
			n += 2 // and a tombstone
		}
	}
	return n
}

// model reads n records of the log with a client of the test's own and returns what an
// example has to print.
func model(t *testing.T, d *daybook, n int) []string {
	t.Helper()
	var lines []string
	for r := range oracle.Records(t, d.Daybook, int64(n)) {
		lines = append(lines, fmt.Sprintf("%d\t%s\t%s", r.Offset, r.Key, r.Value))
	}
	return lines
}

// readAll runs every program until it has printed that many records, and returns
// them.
func readAll(t *testing.T, d *daybook, all []program, count int, tls bool) [][]string {
	t.Helper()
	began := time.Now()
	got := make([][]string, len(all))
	var g errgroup.Group
	g.SetLimit(atOnce)
	for i, p := range all {
		g.Go(func() error {
			began := time.Now()
			lines, err := read(t.Context(), p, p.env(d, tls), count)
			got[i] = lines
			t.Logf("%s processed %d records in %v", p.name, len(lines), time.Since(began).Round(10*time.Millisecond))
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d programs in %v", len(all), time.Since(began).Round(10*time.Millisecond))
	return got
}

// env is what the examples are told by.
func (p program) env(d *daybook, tls bool) []string {
	env := append(os.Environ(), "TOPIC="+harness.Topic, "ACCOUNT="+harness.Account, "GROUP="+p.name, "PASSWORD="+harness.Password)
	if tls {
		return append(env, "BROKERS="+d.tls, "CA="+d.ca)
	}
	return append(env, "BROKERS="+d.Address())
}

// read runs a program, asks it to end with SIGTERM once it has printed count
// lines, and wants it to end in order, with no line more.
func read(ctx context.Context, p program, env []string, count int) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.command[0], p.command[1:]...)
	var stderr bytes.Buffer
	cmd.Env, cmd.Stderr = env, &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	var lines []string
	for s := bufio.NewScanner(stdout); s.Scan(); {
		lines = append(lines, s.Text())
		if len(lines) == count {
			_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
		}
	}
	err = cmd.Wait()
	if exit := new(exec.ExitError); errors.As(err, &exit) && exit.ExitCode() == 143 && strings.HasPrefix(p.name, "java") {
		err = nil // what a JVM says after SIGTERM
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w, after %d records\n%s", p.name, err, len(lines), stderr.Bytes())
	}
	if len(lines) != count {
		return nil, fmt.Errorf("%s: %d records, want %d\n%s", p.name, len(lines), count, stderr.Bytes())
	}
	return lines, nil
}

// refused is how clients say it: some leave out what the broker tells.
var refused = regexp.MustCompile(`(?i)unknown username or wrong password|authentication failed`)

// A wrong password ends each program with an error that tells it.
func wrongPassword(t *testing.T, d *daybook, all []program) {
	t.Helper()
	var g errgroup.Group
	g.SetLimit(atOnce)
	for _, p := range all {
		g.Go(func() error {
			began := time.Now()
			_, err := read(t.Context(), p, append(p.env(d, false), "PASSWORD=Wrong-1234"), 1)
			exit := new(exec.ExitError)
			if !errors.As(err, &exit) || exit.ExitCode() <= 0 {
				t.Errorf("%s with a wrong password: %v", p.name, err)
			} else if !refused.MatchString(err.Error()) {
				t.Errorf("%s does not tell that the password is wrong: %v", p.name, err)
			}
			t.Logf("%s ended in %v", p.name, time.Since(began).Round(10*time.Millisecond))
			return nil
		})
	}
	_ = g.Wait() // it reports by itself
}
