//go:build servers

package tasks

import (
	"encoding/json"
	"fmt"
	"iter"
	"math/rand/v2"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"daybook/admin"
	"daybook/e2e/harness"
	"daybook/e2e/oracle"
	"daybook/e2e/servers"
)

// TestObjectsUnderLoad adds and removes objects of a task over and over while others change rows and tables,
// and Daybook is killed: the log has exactly the changes of what was selected at each place of the
// binlog, as the events tell it, by a second reading of the binlog.
func TestObjectsUnderLoad(t *testing.T) {
	t.Run("mysql-8.0", func(t *testing.T) { objectsUnderLoad(t, "mysql-8.0", 50) })
	t.Run("mariadb-10.11", func(t *testing.T) { objectsUnderLoad(t, "mariadb-10.11", 15) })
}

// selections are what a task was told to select, by number.
type selections struct {
	db  string
	rng *rand.Rand
	has []func(table string) bool
}

// next draws a selection in one of the forms that patterns have. Its number is in a
// pattern that matches nothing.
func (s *selections) next() (args []string) {
	chosen := map[string]bool{}
	var include, names []string
	for _, table := range loadTables {
		if s.rng.IntN(2) == 0 {
			chosen[table] = true
			names = append(names, regexp.QuoteMeta(table))
			include = append(include, s.db+"."+servers.QuoteName(table))
		}
	}
	exclude := []string{fmt.Sprintf("number.n%d", len(s.has))}
	has := func(table string) bool { return chosen[table] }
	switch form := s.rng.IntN(4); {
	case form == 1:
		exclude, include = append(exclude, include...), []string{s.db + ".*"}
		has = func(table string) bool { return !chosen[table] }
	case form == 2:
		include = []string{`/` + s.db + `\.(` + strings.Join(names, "|") + `|none)/`}
	case form == 3 || len(include) == 0:
		include = []string{s.db + ".t?"}
		has = func(table string) bool { return len(table) == 2 && table[0] == 't' }
	}
	s.has = append(s.has, has)
	for _, p := range include {
		args = append(args, "--include", p)
	}
	for _, p := range exclude {
		args = append(args, "--exclude", p)
	}
	return args
}

// stretch is a selection that holds from a place of the binlog on, as an event tells it.
type stretch struct {
	from   oracle.Position
	behind bool // the event group that begins there
	number int
}

// holds tells whether the selection holds for an event group.
func (s *stretch) holds(begin oracle.Position) bool {
	return before(s.from, begin) || s.from == begin && !s.behind
}

var eventNumber = regexp.MustCompile(`number\.n(\d+)`)

// told reads the events, in their order.
func (s *selections) told(t *testing.T, d *harness.Daybook) (list []stretch) {
	t.Helper()
	for line := range strings.Lines(command(t, d, 0, "events", "second", "-n", "1000", "-o", "json")) {
		var e admin.LogEvent
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if e.Kind != "objects" {
			continue
		}
		at := stretch{number: -1, behind: strings.Contains(e.Text, "behind the transaction at ")}
		if m := eventNumber.FindStringSubmatch(e.Text); m != nil {
			fmt.Sscan(m[1], &at.number)
		}
		file, pos, _ := strings.Cut(e.Place, ":")
		at.from.File = file
		if _, err := fmt.Sscan(pos, &at.from.Pos); err != nil || at.number < 0 {
			t.Fatalf("the event does not tell what is selected, or from where on: %+v", e)
		}
		list = append(list, at)
	}
	return list
}

// before tells whether a place is before another. Each server's files have numbers of six digits.
func before(a, b oracle.Position) bool { return a.File < b.File || a.File == b.File && a.Pos < b.Pos }

// expected filters the changes of the binlog by what was selected where their event groups begin.
func (s *selections) expected(changes iter.Seq[oracle.Change], told []stretch) iter.Seq[oracle.Change] {
	name := regexp.MustCompile("`" + s.db + "`\\.`((?:[^`]|``)+)`")
	return func(yield func(oracle.Change) bool) {
		next, has := 0, s.has[0]
		for c := range changes {
			for ; next < len(told) && told[next].holds(c.Begin); next++ {
				has = s.has[told[next].number]
			}
			wanted := c.Op != "ddl" && has(strings.TrimPrefix(c.Table, s.db+"."))
			if c.Op == "ddl" {
				for _, m := range name.FindAllStringSubmatch(c.DDL, -1) {
					wanted = wanted || has(strings.ReplaceAll(m[1], "``", "`"))
				}
			}
			if wanted && !yield(c) {
				return
			}
		}
	}
}

func objectsUnderLoad(t *testing.T, version string, changes int) {
	t.Setenv("SECOND_PASSWORD", servers.Repl)
	t.Setenv("GROUP_PASSWORD", harness.Password)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	source := servers.Get(t, version)
	db, conn := source.Database(t)
	w := newLoad(source, db, seed)
	conn.Exec(w.setup()...)
	from := oracle.End(conn)
	d := harness.Start(t, harness.Config{Source: source.Address, Include: []string{db + ".none"}, Start: "now", SchemaChanges: "none"})
	l := &life{t, d}
	s := &selections{db: db, rng: rand.New(rand.NewPCG(seed, 1))}
	command(t, d, 0, append([]string{"create", "second", "--source", source.Address, "--user", servers.Repl, "--password-env", "SECOND_PASSWORD", "--schema-changes", "objects",
		"--start", fmt.Sprintf("%s:%d", from.File, from.Pos), "--auto-start"}, s.next()...)...)
	l.state("Normal")
	ended := w.run(t)
	kills := s.change(l, changes)
	ended()

	to := oracle.End(conn)
	l.await("at the end", func(task *admin.Task) bool {
		return task.State == "Normal" && task.Position != nil && !before(oracle.Position{File: task.Position.File, Pos: task.Position.Pos}, to)
	})
	told := s.told(t, d)
	if len(told) < changes*2/3 || kills == 0 {
		t.Errorf("only %d selections were in force, with %d kills", len(told), kills)
	}
	if out, text, code := d.Run("group", "create", "secondgroup", "--task", "second", "--account", harness.Account, "--password-env", "GROUP_PASSWORD"); code != 0 {
		t.Fatalf("group create: %s%s", out, text)
	}
	records := withNames(t, oracle.RecordsOf(t, d.GroupClient(t, "secondgroup"), "second", l.shown().HighWatermark))
	n := oracle.Compare(t, s.expected(oracle.Binlog(t, source, from, to, db), told), oracle.Log(t, records))
	t.Logf("%d selections, %d kills, %d records", len(told), kills, n)
	if n < 20*changes {
		t.Errorf("only %d records", n)
	}
}

// change selects other objects so many times, and kills Daybook at random moments of that.
func (s *selections) change(l *life, times int) (kills int) {
	for range times {
		l.state("Normal")
		args := append([]string{"task", "reconfigure", "second"}, s.next()...)
		if s.rng.IntN(3) > 0 {
			if out, text, code := l.d.Run(args...); code != 0 {
				l.t.Fatalf("%q: exit code %d: %s%s", args, code, out, text)
			}
			time.Sleep(time.Duration(s.rng.IntN(500)) * time.Millisecond)
			continue
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			l.d.Run(args...)
		}()
		time.Sleep(time.Duration(s.rng.IntN(600)) * time.Millisecond) // the moment of the kill
		l.d.Kill()
		kills++
		<-done
		l.d.Start()
	}
	return kills
}

// withNames passes the records on, and wants each column c7 to have a value that begins with its name.
func withNames(t *testing.T, records iter.Seq[*kgo.Record]) iter.Seq[*kgo.Record] {
	return func(yield func(*kgo.Record) bool) {
		for r := range records {
			var row struct{ Before, After map[string]any }
			if err := json.Unmarshal(r.Value, &row); err != nil {
				t.Fatal(err)
			}
			for _, image := range []map[string]any{row.Before, row.After} {
				for name, value := range image {
					if text, is := value.(string); name[0] == 'c' && (!is || !strings.HasPrefix(text, name+"=")) {
						t.Errorf("offset %d: column %s is %v", r.Offset, name, value)
					}
				}
			}
			if !yield(r) {
				return
			}
		}
	}
}

// loadTables are those that a load changes.
var loadTables = []string{"t1", "t2", "t3", "t4", "odd.name", "back`quote", "größe", "t1_new"}

// load changes rows and definitions of all tables, by statements that name each with its database.
type load struct {
	source  *servers.Server
	db      string
	seed    uint64
	mu      sync.Mutex
	columns int
}

func newLoad(source *servers.Server, db string, seed uint64) *load {
	return &load{source: source, db: db, seed: seed}
}

func (w *load) name(table string) string {
	return servers.QuoteName(w.db) + "." + servers.QuoteName(table)
}

func (w *load) setup() (statements []string) {
	for _, table := range loadTables {
		statements = append(statements, w.create(table, true))
	}
	return statements
}

// column is the definition of a new one, whose values begin with its name.
func (w *load) column() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.columns++
	return fmt.Sprintf("c%d VARCHAR(40) NOT NULL DEFAULT 'c%d=x'", w.columns, w.columns)
}

func (w *load) create(table string, idFirst bool) string {
	columns := []string{"id BIGINT PRIMARY KEY AUTO_INCREMENT", w.column(), "n INT"}
	if !idFirst {
		columns[1], columns[2] = columns[2], columns[1]
	}
	return "CREATE TABLE " + w.name(table) + " (" + strings.Join(columns, ", ") + ")"
}

// run lets two sessions work until ended is called, which waits for them.
func (w *load) run(t *testing.T) (ended func()) {
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for i := range uint64(2) {
		conn := w.source.Connect(t, "")
		conn.Exec("SET NAMES utf8mb4", "SET SESSION lock_wait_timeout = 2")
		rng := rand.New(rand.NewPCG(w.seed, 2+i))
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Duration(rng.IntN(20)) * time.Millisecond):
				}
				for _, sql := range w.step(rng) {
					_ = conn.Try(sql) // the other session may have taken the table away; what is done the binlog tells
				}
			}
		})
	}
	return func() { close(stop); wg.Wait() }
}

// step returns the statements of a transaction, or one that changes a table.
func (w *load) step(rng *rand.Rand) []string {
	table := func() string { return loadTables[rng.IntN(len(loadTables))] }
	switch n := rng.IntN(100); {
	case n < 10:
		return []string{w.definition(rng, table(), table())}
	case n == 10:
		return []string{"FLUSH BINARY LOGS"}
	case n < 14: // one that is half read when something happens
		big := "INSERT INTO %s (n) SELECT a.ORDINAL_POSITION FROM information_schema.COLUMNS a LIMIT 2000"
		return []string{"BEGIN", fmt.Sprintf(big, w.name(table())), fmt.Sprintf(big, w.name(table())), fmt.Sprintf("DELETE FROM %s LIMIT 3000", w.name(table())), "COMMIT"}
	}
	statements := []string{"BEGIN"}
	for range 1 + rng.IntN(4) {
		name := w.name(table())
		statements = append(statements, []string{
			fmt.Sprintf("INSERT INTO %s (n) VALUES (%d), (%d)", name, rng.IntN(1000), rng.IntN(1000)),
			fmt.Sprintf("UPDATE %s SET n = n + 1 ORDER BY id DESC LIMIT 3", name),
			fmt.Sprintf("DELETE FROM %s ORDER BY id LIMIT 2", name),
		}[rng.IntN(3)])
	}
	if rng.IntN(10) == 0 {
		return append(statements, "ROLLBACK")
	}
	return append(statements, "COMMIT")
}

// definition is a statement that changes a table's definition or name.
func (w *load) definition(rng *rand.Rand, table, other string) string {
	name := w.name(table)
	switch rng.IntN(6) {
	case 0:
		return "ALTER TABLE " + name + " ADD COLUMN " + w.column() + " FIRST"
	case 1:
		return "ALTER TABLE " + name + " ADD COLUMN " + w.column() + " AFTER id"
	case 2:
		return "RENAME TABLE " + name + " TO " + w.name("between") + ", " + w.name(other) + " TO " + name + ", " + w.name("between") + " TO " + w.name(other)
	case 3:
		return "DROP TABLE " + name
	case 4:
		return "RENAME TABLE " + name + " TO " + w.name(other)
	}
	return w.create(table, rng.IntN(2) == 0)
}
