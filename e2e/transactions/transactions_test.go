//go:build servers

// Package transactions shows, on the real binary and real servers, that what
// sessions commit in the ways that binlogs find hardest is in the log once:
// XA transactions that others commit late, triggers, engines that cannot roll
// back, temporary tables and such that hide tracked ones, savepoints, statements
// beside rows, compressed transactions, MariaDB's ALTER in two phases.
//
// Nothing of the binlog is looked at. An independent consumer (franz-go) reads
// the log and builds a replica from it by primary key (model_test.go), strictly:
// a row that is inserted must be new, one that is updated or deleted must be
// there and look as the record says it did. In the end the replica must equal the
// source's tables, and no two records may have the same file, pos and row.
// Meanwhile Daybook is killed, its connections are cut, and the source is
// restarted.
//
//	go test -tags servers -run TestTransactions ./e2e/transactions
//	go test -tags servers,soak -run TestSoakTransactions/mariadb-11.8 ./e2e/transactions -seed 7 -long 20s
package transactions

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"daybook/e2e/harness"
	"daybook/e2e/oracle"
	"daybook/e2e/servers"
)

var (
	seedFlag = flag.Uint64("seed", 0, "seed of the workload and of what breaks; 0: a random one")
	longFlag = flag.Duration("long", 0, "how long the workload runs; 0: as the test says")
	onlyFlag = flag.String("only", "", "kinds of steps, comma-separated, that the workload is made of; none: all that the server has")
	calmFlag = flag.Bool("calm", false, "break nothing")
)

// db is tracked, other is not.
const (
	db    = "tx"
	other = "tx_other"
)

// source is a server with its options.
type source struct {
	name, version string
	options       []string
	without       []string // kinds of steps that it does not know
}

// A server that enforces GTID consistency refuses what cannot be rolled back
// within transactions: those without GTIDs are asked for all of it.
var sources = []source{
	{name: "mysql-5.5", version: "mysql-5.5", without: []string{"xa others", "two-phase alter"}},
	{name: "mysql-5.7", version: "mysql-5.7", options: []string{"--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"}, without: []string{"two-phase alter"}},
	{name: "mysql-8.0", version: "mysql-8.0", options: []string{"--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"}, without: []string{"two-phase alter"}},
	{name: "mysql-8.0-compressed", version: "mysql-8.0", options: []string{"--binlog-transaction-compression=ON"}, without: []string{"two-phase alter"}},
	{name: "mysql-9", version: "mysql-9", options: []string{"--binlog-transaction-compression=ON"}, without: []string{"two-phase alter"}},
	{name: "mariadb-10.5", version: "mariadb-10.5", without: []string{"two-phase alter"}},
	{name: "mariadb-10.11", version: "mariadb-10.11"},
	{name: "mariadb-11.8", version: "mariadb-11.8"},
}

// faults says how long the workload runs and how often what breaks.
type faults struct {
	long                  time.Duration
	kills, cuts, restarts int
}

// TestTransactions runs the short form.
func TestTransactions(t *testing.T) {
	for _, s := range sources {
		switch s.name {
		case "mysql-5.7", "mysql-8.0-compressed", "mariadb-10.11":
			t.Run(s.name, func(t *testing.T) { run(t, s, faults{15 * time.Second, 6, 4, 1}) })
		}
	}
}

func run(t *testing.T, s source, f faults) {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	if *longFlag > 0 {
		f.long = *longFlag
	}
	t.Logf("go test -tags servers,soak -run '%s' ./e2e/transactions -seed %d -long %s", t.Name(), seed, f.long)
	server := servers.Start(t, s.version, append(s.options, "--innodb-lock-wait-timeout=1")...)
	conn := server.Connect(t, "")
	conn.Exec(setup(server.MariaDB())...)
	from := oracle.End(conn)
	way := harness.NewProxy(t, server.Address)
	d := harness.Start(t, harness.Config{
		Source: way.Address(), Include: []string{db + ".*"}, SchemaChanges: "objects",
		Start: fmt.Sprintf("{file: %s, pos: %d}", from.File, from.Pos),
	})
	conn.Exec("INSERT INTO " + db + ".a VALUES (-1, 0, 'begin')")
	waitForRow(t, d, -1)

	w := newWorkload(t, s, server.Address, seed)
	working := w.start()
	c := chaos{t: t, rng: rand.New(rand.NewPCG(seed, 1)), daybook: d, server: server, way: way, workload: w}
	c.run(f)
	w.end(working)
	server.Connect(t, db).Exec("INSERT INTO a VALUES (-2, 0, 'end')")
	waitForRow(t, d, -2)

	m := newModel()
	for r := range oracle.Records(t, d, -1) {
		if err := m.apply(r.Value); err != nil {
			t.Fatalf("record %d: %v\n%s\nthe ten before were\n%s", r.Offset, err, r.Value, m.last())
		}
	}
	if len(m.same) > 0 {
		t.Errorf("%d times file, pos and row are those of another record too; first:\n%s", len(m.same), m.same[0])
	}
	m.compare(t, server.Connect(t, db))
	t.Logf("the replica has all %d rows, built from %d records; steps: %s", m.rows(), m.records, w.told())
}

var stoppedLine = regexp.MustCompile(`level=ERROR msg="task stopped.*`)

// waitForRow waits until the log has table a's row of that ID, for as long as
// the log grows.
func waitForRow(t *testing.T, d *harness.Daybook, id int) {
	t.Helper()
	client := d.Client()
	since, last, read := time.Now(), int64(-1), int64(0)
	for {
		high := oracle.HighWatermark(t, client)
		if high > last {
			last, since = high, time.Now()
			for r := range oracle.Records(t, d, high) {
				if read++; strings.HasPrefix(string(r.Key), fmt.Sprintf(`{"id":%d}`, id)) {
					return
				}
			}
		}
		if time.Since(since) > oracle.Patience {
			stops := stoppedLine.FindAllString(d.Log(), -1)
			t.Fatalf("the log stands still at %d records and has not row %d of a; last Errors:\n%s",
				high, id, strings.Join(stops[max(0, len(stops)-3):], "\n"))
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// chaos breaks things at random moments. It runs on the test's goroutine.
type chaos struct {
	t        *testing.T
	rng      *rand.Rand
	daybook  *harness.Daybook
	server   *servers.Server
	way      *harness.Proxy
	workload *workload
}

func (c *chaos) run(f faults) {
	var plan []func()
	if !*calmFlag {
		for range f.kills {
			plan = append(plan, c.kill)
		}
		for range f.cuts {
			plan = append(plan, c.way.Cut)
		}
		for range f.restarts {
			plan = append(plan, c.restart)
		}
	}
	c.rng.Shuffle(len(plan), func(i, j int) { plan[i], plan[j] = plan[j], plan[i] })
	begun := time.Now()
	for i, fault := range plan {
		c.rest(begun.Add(f.long * time.Duration(i+1) / time.Duration(len(plan)+1)))
		fault()
	}
	c.rest(begun.Add(f.long))
}

// rest sleeps until about then.
func (c *chaos) rest(then time.Time) {
	time.Sleep(time.Until(then) + time.Duration(c.rng.IntN(400))*time.Millisecond)
}

func (c *chaos) kill() {
	if !c.daybook.Running() {
		c.t.Fatal("daybook ended by itself")
	}
	c.daybook.Kill()
	c.daybook.Launch()
}

// restart ends the source in order while no statement runs: a crash in the
// middle of an XA PREPARE leaves many servers with a binlog that they do not obey.
func (c *chaos) restart() {
	c.workload.pause.Lock()
	defer c.workload.pause.Unlock()
	c.server.Restart(c.t)
	openMemoryTable(c.server.Connect(c.t, db))
}

// openMemoryTable has the server log that its restart emptied the table. MySQL
// 5.7 does so in the transaction that opens it: where that is rolled
// back, or has changed the table, the binlog does not tell it, or too late.
func openMemoryTable(conn *servers.Conn) { conn.Exec("SELECT COUNT(*) FROM f_memory") }

// workload is what several sessions do, until end.
type workload struct {
	t       *testing.T
	source  source
	address string
	seed    uint64
	stop    chan struct{}
	pause   sync.RWMutex // held by each step; who locks it finds no statement under way

	mu       sync.Mutex
	prepared []prepared
	held     map[int]bool // rows of a that a prepared transaction has locked
	steps    map[string]int
	failed   map[string]int
}

func newWorkload(t *testing.T, s source, address string, seed uint64) *workload {
	return &workload{t: t, source: s, address: address, seed: seed, stop: make(chan struct{}),
		held: map[int]bool{}, steps: map[string]int{}, failed: map[string]int{}}
}

// sessions is how many work side by side.
const sessions = 4

func (w *workload) start() *sync.WaitGroup {
	var working sync.WaitGroup
	for i := range sessions {
		s := &session{workload: w, number: i, rng: rand.New(rand.NewPCG(w.seed, uint64(10+i)))}
		working.Go(s.run)
	}
	return &working
}

// end stops the sessions, and decides on every transaction that is left prepared.
func (w *workload) end(working *sync.WaitGroup) {
	close(w.stop)
	working.Wait()
	s := &session{workload: w, number: sessions, rng: rand.New(rand.NewPCG(w.seed, 9))}
	if err := s.connect(); err != nil {
		w.t.Fatal(err)
	}
	defer s.close()
	for len(w.prepared) > 0 {
		_ = s.decide() // the server may have lost it with its session (5.5)
	}
}

// told lists the steps and how many of each the server refused.
func (w *workload) told() string {
	var list []string
	for _, k := range kinds {
		list = append(list, fmt.Sprintf("%s %d (%d failed)", k.name, w.steps[k.name], w.failed[k.name]))
	}
	return strings.Join(list, ", ")
}
