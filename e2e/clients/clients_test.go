//go:build servers

package clients

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"daybook/e2e/harness"
	"daybook/e2e/servers"
)

// atOnce is how many clients run at the same time: some are JVMs.
const atOnce = 2

var only = flag.String("only", "", "run only clients whose names contain this")

// client is one stock consumer. Its group ID is its name.
type client struct {
	name    string
	command []string
}

// record is one record as a client prints it.
type record struct {
	offset, timestamp int64
	key, value        string // "NULL" for null
}

func TestEveryClientReadsTheSameAndGoesOnFromItsCheckpoint(t *testing.T) {
	all := clients(t, slices.DeleteFunc(script(t, "list"), func(name string) bool { return !strings.Contains(name, *only) }))
	db, d := start(t, servers.Get(t, "mysql-8.0"), all)
	want := change(db, 0)
	first := readAll(t, d, all, count(len(want)/2))
	second := readAll(t, d, all, count(len(want)/4)) // a new process of each client
	if code := d.Stop(); code != 0 {
		t.Errorf("daybook ended with exit code %d", code)
	}
	d.Start()
	want = append(want, large(db)...)
	want = append(want, change(db, 1)...)
	third := readAll(t, d, all, count(len(want)-len(first[0])-len(second[0])))

	model := slices.Concat(first[0], second[0], third[0])
	compare(t, all[0].name, model, want)
	for i, c := range all {
		got := slices.Concat(first[i], second[i], third[i])
		if sum(got) != sum(model) {
			compare(t, c.name, got, want)
			t.Errorf("%s and %s read different keys or values", c.name, all[0].name)
		}
	}
	if t.Failed() {
		return
	}

	middle := len(model) / 3
	got := readAll(t, d, all, count(20), strconv.Itoa(middle))
	expect(t, all, got, model[middle:middle+20])

	// the first record of a transaction: those before are at least a millisecond older
	for middle = 2 * len(model) / 3; model[middle].timestamp <= model[middle-1].timestamp; middle++ {
	}
	timed := slices.DeleteFunc(slices.Clone(all), func(c client) bool { return c.name == "java-0.10.0.1" }) // cannot ask
	got = readAll(t, d, timed, count(20), fmt.Sprint("@", model[middle].timestamp))
	expect(t, timed, got, model[middle:middle+20])
}

func TestEveryServerIsReadThroughAKill(t *testing.T) {
	kcat := clients(t, []string{"kcat"})
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		db, d := start(t, s, kcat)
		want := change(db, 0)
		got := readAll(t, d, kcat, count(len(want)/3))[0]
		d.Kill()
		want = append(want, change(db, 1)...)
		d.Start()
		got = append(got, readAll(t, d, kcat, count(len(want)-len(got)))[0]...)
		compare(t, "kcat", got, want)
	})
}

func clients(t *testing.T, names []string) []client {
	t.Helper()
	var all []client
	for _, name := range names {
		all = append(all, client{name, script(t, "run", name)})
	}
	return all
}

func start(t *testing.T, s *servers.Server, clients []client) (*servers.Conn, *harness.Daybook) {
	t.Helper()
	name, db := s.Database(t)
	db.Exec("CREATE TABLE orders (id INT PRIMARY KEY, note VARCHAR(200) CHARACTER SET utf8mb4, amount DECIMAL(20,4), data LONGBLOB)")
	config := harness.Config{Source: s.Address, Include: []string{name + ".*"}, SchemaChanges: "none", Extra: "    tombstones: true\n"}
	for _, c := range clients {
		config.Groups = append(config.Groups, c.name)
	}
	d := harness.Start(t, config)
	d.WaitLog("state=Normal", time.Minute) // "now" has been fixed
	return db, d
}

// change makes a known sequence of row changes in transactions of differing
// sizes and returns what the records say: the operation and the row's id, in
// order, and "tombstone" after each delete.
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
			want = append(want, fmt.Sprint("d ", id), "tombstone")
		}
	}
	return want
}

// large makes records that fill a fetch: below 1 MiB each, which is what the
// oldest clients take at most.
func large(db *servers.Conn) []string {
	var want []string
	for i := range 4 {
		db.Exec(fmt.Sprintf("INSERT INTO orders VALUES (%d, NULL, 0, REPEAT('%d', 700000))", 500_000+i, i))
		want = append(want, fmt.Sprint("c ", 500_000+i))
	}
	return want
}

func count(n int) string { return strconv.Itoa(n) }

// readAll runs every client with those last arguments and returns what each
// printed.
func readAll(t *testing.T, d *harness.Daybook, all []client, args ...string) [][]record {
	t.Helper()
	began := time.Now()
	got := make([][]record, len(all))
	var g errgroup.Group
	g.SetLimit(atOnce)
	for i, c := range all {
		g.Go(func() error {
			began := time.Now()
			records, err := read(t.Context(), d.Address(), c, args)
			got[i] = records
			t.Logf("%v: %s read %d records in %v", args, c.name, len(records), time.Since(began).Round(10*time.Millisecond))
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%v: %d clients in %v", args, len(all), time.Since(began).Round(10*time.Millisecond))
	return got
}

func read(ctx context.Context, address string, c client, args []string) ([]record, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	words := append(slices.Clone(c.command), address, harness.Account+"-"+c.name, harness.Password, harness.Topic, c.name)
	words = append(words, args...)
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %v: %w, after %d bytes\n%s", c.name, args, err, len(out), stderr.Bytes())
	}
	var records []record
	for line := range strings.Lines(string(out)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) != 4 {
			return nil, fmt.Errorf("%s %v: line %.200q", c.name, args, line)
		}
		r := record{key: fields[2], value: fields[3]}
		if _, err := fmt.Sscan(fields[0]+" "+fields[1], &r.offset, &r.timestamp); err != nil {
			return nil, fmt.Errorf("%s %v: line %.200q: %w", c.name, args, line, err)
		}
		records = append(records, r)
	}
	if want, _ := strconv.Atoi(args[0]); len(records) != want {
		return nil, fmt.Errorf("%s %v: printed %d records", c.name, args, len(records))
	}
	return records, nil
}

// sum is the SHA-256 of offsets, timestamps, keys and values.
func sum(records []record) string {
	h := sha256.New()
	for _, r := range records {
		fmt.Fprintf(h, "%d %d %q %q\n", r.offset, r.timestamp, r.key, r.value)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func expect(t *testing.T, all []client, got [][]record, want []record) {
	t.Helper()
	for i, c := range all {
		if sum(got[i]) != sum(want) {
			t.Errorf("%s began at offset %d, want %d; or other records follow", c.name, got[i][0].offset, want[0].offset)
		}
	}
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
	if r.value == "NULL" {
		return "tombstone"
	}
	var v struct {
		Op            string
		Before, After *struct{ ID int }
	}
	if err := json.Unmarshal([]byte(r.value), &v); err != nil {
		t.Fatalf("record %d: %v\n%s", r.offset, err, r.value)
	}
	row := v.After
	if v.Op == "d" {
		row = v.Before
	}
	if row == nil {
		t.Fatalf("record %d has no row: %s", r.offset, r.value)
	}
	return fmt.Sprint(v.Op, " ", row.ID)
}
