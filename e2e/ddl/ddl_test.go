//go:build servers

// Package ddl shows that a Reader knows every table's definition at its place in
// the binlog: random DDL runs on real servers, and after each statement what the
// Reader saved equals what information_schema says, to the last key; then rows
// are written, and what it tells of them equals what SELECT gives, by hex.
//
// All goes through the real binlog, as the Reader sees it: sessions' character sets,
// sql_modes and other settings in the events' status variables, and statements as the
// server has rewritten them. A seed makes one history: it draws the server's own settings
// (character set, engine, row format, old_mode, explicit_defaults_for_timestamp, generated
// primary keys, checksums, compression, GTIDs), those of three sessions, and the statements:
//
//   - CREATE TABLE in every form: columns, LIKE (a temporary table too), SELECT with and without columns,
//     OR REPLACE, IF NOT EXISTS, TEMPORARY; all types with their other names, in sql_mode ORACLE and
//     with schema prefixes too; attributes in any order, generated columns, expressions
//     as defaults, CHECKs, hidden and INVISIBLE columns, keys over prefixes and expressions, foreign keys without actions,
//     partitions, periods, system versioning, versioned columns, engines, row formats, comments.
//   - ALTER TABLE with several clauses of every kind; partitions exchanged and converted to tables.
//   - RENAME and DROP of several tables, CREATE and DROP INDEX, TRUNCATE, databases, sequences of RENAME in circles.
//   - The same from stored procedures, events, prepared statements, several statements in one packet,
//     SET STATEMENT … FOR, and under LOCK TABLES; in default databases and in others.
//   - Names, labels, comments and defaults that are not ASCII, in every character set that a client
//     can speak; quotes of all kinds; comments between all words, versioned ones too.
//   - Rows in transactions with savepoints, in XA transactions, with defaults alone.
//   - Statements that fail, wholly or in part.
//
// Left out, with what shows it instead:
//
//   - sessions with binlog_format other than ROW or sql_log_bin=0, which docs/operations.md forbids;
//   - sessions with another old_mode than the server's (binlog.TestOldModeOfSessions), or that go on with a
//     database's old default character set (binlog.TestDatabaseDefaultChangedByAnother);
//   - foreign keys' actions (binlog.TestForeignKeyActionIsTold), and deletions from tables of generated columns
//     alone on MariaDB 11.8 (binlog.TestOnlyGeneratedColumns);
//   - SET STATEMENT sql_mode = 'ORACLE' FOR a DDL, whose types are read in the session's mode, and logged with the other
//     (the table maps of its rows tell it);
//   - CREATE … SELECT of MySQL 8.0 without an ENGINE, in sessions that do not speak UTF-8 and have set another
//     default_storage_engine: neither that nor the engine is logged, and so it is not known that the text is the server's own;
//   - tables versioned by transaction ID, which are written as statements; sequences;
//   - defaults of TIMESTAMP in sessions with another time_zone, which each session shows as its own.
//
// Left out, as servers log another thing than they do: before MySQL 5.7 the database of CREATE TABLE … LIKE a temporary table (binlog.TestLikeTemporaryElsewhere); PREPARE with names
// that are not ASCII, in other character sets than UTF-8.
//
// Left out, as MariaDB does another thing than it shows: RENAME as part of an ALTER TABLE whose table is not plainly
// named; WITH SYSTEM VERSIONING in CREATE … SELECT, which puts the implicit columns between the others: no statement and
// nothing in information_schema tells where, and the task stops at the table's first row; WITHOUT SYSTEM VERSIONING among the
// columns of a period, after which 10.5 forgets what those are.
//
// Not compared, as servers show another thing than they have: labels of which CONVERT TO CHARACTER SET
// has left bytes that are no text in the new character set, or a zero byte (such a table is dropped); defaults of
// MariaDB's TEXT and BLOB in ucs2, utf16 and utf32, and those with characters beyond the BMP.
//
// The text of an expression is not compared, as a definition does not have it.
//
//	go test -tags servers -run TestRandomDDL ./e2e/ddl
//	go test -tags servers,soak -run TestSoakRandomDDL/mariadb-11.8 ./e2e/ddl -seed 7 -statements 500 -show
package ddl

import (
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"daybook/e2e/servers"
)

var (
	seedFlag       = flag.Uint64("seed", 0, "seed; 0: as the test says")
	statementsFlag = flag.Int("statements", 0, "how many random statements; 0: as the test says")
	showFlag       = flag.Bool("show", false, "print each statement")
)

// line is a server with the options that its seed does not draw.
type line struct {
	name, version string
	options       []string
}

const (
	lower = "--lower-case-table-names=1"
	full  = "--binlog-row-metadata=FULL"
)

var lines = []line{
	{"mysql-5.5", "mysql-5.5", nil}, {"mysql-5.6", "mysql-5.6", nil}, {"mysql-5.6-lower", "mysql-5.6", []string{lower}},
	{"mysql-5.7", "mysql-5.7", nil}, {"mysql-8.0", "mysql-8.0", nil}, {"mysql-8.0-full-lower", "mysql-8.0", []string{full, lower}},
	{"mysql-9", "mysql-9", nil}, {"mysql-9-full", "mysql-9", []string{full}},
	{"mariadb-10.5", "mariadb-10.5", nil}, {"mariadb-10.11", "mariadb-10.11", nil}, {"mariadb-10.11-lower", "mariadb-10.11", []string{lower}},
	{"mariadb-11.8", "mariadb-11.8", nil}, {"mariadb-11.8-full", "mariadb-11.8", []string{full}},
}

// TestRandomDDL runs the short form, with one seed: what a new one meets is for a
// developer to see.
func TestRandomDDL(t *testing.T) {
	for _, l := range lines {
		switch l.name {
		case "mysql-5.6", "mysql-5.7", "mysql-8.0", "mariadb-10.11", "mariadb-11.8-full":
			t.Run(l.name, func(t *testing.T) { run(t, l, cmp.Or(*seedFlag, 22), 200) })
		}
	}
}

// workload is a server, who writes to it, and who follows it.
type workload struct {
	t        *testing.T
	server   *servers.Server
	rng      random
	maria    bool
	version  int // 50722, 80031, 101100
	settings []string
	look     *servers.Conn
	writer   *session
	sessions []*session
	follower *follower
	tables   []*definition // of the source, at the last comparison
	recent   []string      // statements that ran
	vague    bool          // the last statement may have been logged without a table's character set
	found    int
	count    struct{ statements, accepted, definitions, proofs, rows int }
}

// maxFound is how many findings end a run.
const maxFound = 8

func run(t *testing.T, l line, seed uint64, statements int) {
	if seed == 0 {
		seed = rand.Uint64()
	}
	statements = cmp.Or(*statementsFlag, statements)
	rng := random{rand.New(rand.NewPCG(seed, 11))}
	settings := drawServer(rng, l)
	t.Logf("go test -tags servers,soak -run '%s' ./e2e/ddl -seed %d -statements %d\nthe server's settings: %s", t.Name(), seed, statements, strings.Join(settings, " "))
	w := &workload{t: t, rng: rng, settings: settings, server: servers.Start(t, l.version, settings...)}
	w.prepare()
	begun := time.Now()
	for range statements {
		w.step()
		if w.found >= maxFound {
			t.Fatal("too much was found")
		}
	}
	t.Logf("%s: %+v", time.Since(begun).Round(time.Second), w.count)
	if w.count.accepted < statements/6 || w.count.rows < statements/4 {
		t.Error("the workload proves little")
	}
}

// prepare connects everyone.
func (w *workload) prepare() {
	w.maria = w.server.MariaDB()
	w.look = w.server.Connect(w.t, "")
	var a, b, c int
	_, _ = fmt.Sscanf(w.look.Query("SELECT VERSION()")[0][0], "%d.%d.%d", &a, &b, &c)
	w.version = a*10000 + b*100 + c
	for _, sql := range []string{"SET SESSION show_gipk_in_create_table_and_information_schema = 1", "SET SESSION information_schema_stats_expiry = 0"} {
		_ = w.look.Try(sql)
	}
	w.look.Exec("SET time_zone = '+00:00'", "SET sql_mode = ''", "CREATE DATABASE ddl_mark", "CREATE TABLE ddl_mark.mark (n INT PRIMARY KEY) ENGINE=InnoDB")
	if w.rng.chance(50) {
		w.look.Exec("SET GLOBAL sql_mode = '" + w.rng.pick("", "ANSI_QUOTES", "STRICT_ALL_TABLES", "NO_BACKSLASH_ESCAPES", "ANSI", "NO_ENGINE_SUBSTITUTION") + "'")
	}
	w.writer = newSession(w)
	for _, sql := range []string{"SET SESSION sql_mode = ''", "SET SESSION foreign_key_checks = 0"} {
		if err := w.writer.send(sql); err != nil {
			w.t.Fatal(err)
		}
	}
	w.follower = newFollower(w)
	for range 3 {
		w.sessions = append(w.sessions, newSession(w))
	}
	for _, db := range databases {
		_ = w.sessions[0].define("CREATE DATABASE " + w.sessions[0].quoteName(db))
	}
	for _, s := range w.sessions {
		s.use(w.rng.pick(databases...))
	}
}

// step takes one step: another setting, or a statement and its proof.
func (w *workload) step() {
	s := w.sessions[w.rng.IntN(len(w.sessions))]
	for w.rng.chance(15) {
		s.change()
	}
	w.count.statements++
	w.vague = s.foreign()
	if s.random() {
		w.count.accepted++
	} else if !w.rng.chance(10) { // it may have done a part
		return
	}
	if w.rng.chance(1) {
		w.follower.restart()
	}
	w.follower.read(nil)
	changed := w.compare()
	if n := len(w.tables); n > 0 && w.rng.chance(50) {
		changed = append(changed, w.tables[w.rng.IntN(n)])
	}
	w.prove(changed)
}

// report tells of a finding.
func (w *workload) report(format string, args ...any) {
	w.t.Helper()
	w.found++
	w.t.Errorf("%s\nafter\n  %s", fmt.Sprintf(format, args...), strings.Join(w.recent[max(0, len(w.recent)-6):], "\n  "))
}

func (w *workload) mysqlFrom(version int) bool   { return !w.maria && w.version >= version }
func (w *workload) mariadbFrom(version int) bool { return w.maria && w.version >= version }
