//go:build servers

package binlog_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"daybook/binlog"
	"daybook/change"
	"daybook/e2e/servers"
)

// anonymous are the options of servers that write no MySQL GTIDs, which let
// transactions mix what can and what cannot be undone.
var anonymous = map[string][]string{
	"mysql-5.5":     nil,
	"mysql-5.7":     {"--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"},
	"mysql-8.0":     {"--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"},
	"mariadb-10.11": nil,
}

// eachAnonymous runs a test on a server of its own of each kind.
func eachAnonymous(t *testing.T, fn func(t *testing.T, s *servers.Server)) {
	for _, version := range slices.Sorted(maps.Keys(anonymous)) {
		t.Run(version, func(t *testing.T) { fn(t, servers.Start(t, version, anonymous[version]...)) })
	}
}

// eachOwn runs a test on a server of its own of each line that tests share else. Who reads a shared one beside it would be stopped by statements
// through functions and triggers that its account cannot see.
func eachOwn(t *testing.T, fn func(t *testing.T, s *servers.Server)) {
	for _, version := range servers.Names {
		t.Run(version, func(t *testing.T) { fn(t, own(t, version)) })
	}
}

// TestRolledBack wants of transactions that were rolled back, wholly or to a
// savepoint, just what the source could not undo. Servers log them because of
// temporary tables and of tables without transactions.
func TestRolledBack(t *testing.T) {
	t.Parallel()
	eachAnonymous(t, func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		db.Exec("CREATE TABLE t (id INT PRIMARY KEY, v LONGTEXT) ENGINE=InnoDB", "CREATE TABLE m (id INT PRIMARY KEY) ENGINE=MyISAM")
		o := options(s, name)
		o.SchemaChanges = binlog.SchemaChangesNone
		first := open(t, o)
		start, schema := first.last, maps.Clone(first.schema)
		temporary := []string{"CREATE TEMPORARY TABLE x (a INT)", "DROP TEMPORARY TABLE x"}
		db.Exec("BEGIN", "INSERT INTO t VALUES (1, '')")
		db.Exec(temporary...)
		db.Exec("ROLLBACK",
			"BEGIN", "INSERT INTO t VALUES (2, '')", "SAVEPOINT `a``b`", "INSERT INTO t VALUES (3, '')")
		db.Exec(temporary...)
		db.Exec("ROLLBACK TO `a``b`", "INSERT INTO t VALUES (4, '')", "COMMIT",
			"BEGIN", "INSERT INTO t VALUES (5, '')", "INSERT INTO m VALUES (5)", "ROLLBACK",
			"BEGIN", "INSERT INTO t VALUES (6, '')", "SAVEPOINT s", "INSERT INTO m VALUES (6)", "INSERT INTO t VALUES (7, '')", "ROLLBACK TO s", "COMMIT")
		// More than is read ahead, twice.
		for _, end := range []string{"ROLLBACK", "COMMIT"} {
			db.Exec("BEGIN")
			for i := range 24 {
				db.Exec(fmt.Sprintf("INSERT INTO t VALUES (%d, REPEAT('x', 500000))", 100+i))
			}
			db.Exec(temporary...)
			db.Exec(end)
		}
		db.Exec("INSERT INTO t VALUES (8, '')")
		want := []string{"insert t 2", "insert t 4", "insert m 5", "insert t 6", "insert m 6", "insert t 8"}
		for i := range 24 {
			want = append(want, fmt.Sprintf("insert t %d", 100+i))
		}
		for _, n := range []int{0, 1, 3, 10, len(want) - 1} {
			r := &reading{t: t, options: o, schema: maps.Clone(schema)}
			r.reopen(start)
			got := r.take(n)
			r.save()
			r.reopen(r.last)
			got = append(got, r.take(len(want)-n)...)
			_ = r.Close()
			for i := range got {
				got[i], _, _ = strings.Cut(got[i], " x")
				got[i] = strings.TrimRight(got[i], " ")
			}
			inOrder(t, got, want)
		}
	})
}

// inOrder compares what is to come in any order between the tables, as servers
// may log what cannot be undone first.
func inOrder(t *testing.T, got, want []string) {
	t.Helper()
	split := func(all []string) (byTable map[string][]string) {
		byTable = map[string][]string{}
		for _, c := range all {
			table := strings.Fields(c)[1]
			byTable[table] = append(byTable[table], c)
		}
		for _, list := range byTable {
			slices.Sort(list)
		}
		return byTable
	}
	g, w := split(got), split(want)
	for table := range w {
		equal(t, g[table], w[table])
	}
	if len(got) != len(want) {
		t.Errorf("%d changes in place of %d", len(got), len(want))
	}
}

// TestTwoPhaseAlter swaps names of columns while rows come, in MariaDB's two phases.
func TestTwoPhaseAlter(t *testing.T) {
	for _, version := range []string{"mariadb-10.11", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) {
			s := servers.Get(t, version)
			name, db := s.Database(t)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY, a INT, b VARCHAR(9))", "CREATE TABLE u (id INT PRIMARY KEY)", "INSERT INTO t VALUES (0, 0, 'x'), (9, 1, 'x')")
			r := open(t, options(s, name))
			db.Exec("SET SESSION binlog_alter_two_phase = ON",
				"ALTER TABLE t RENAME COLUMN a TO b, RENAME COLUMN b TO a", "INSERT INTO t VALUES (1, 2, 'y')")
			if err := db.Try("ALTER TABLE t ADD UNIQUE KEY (a)"); err == nil {
				t.Fatal("a unique key over equal values was made")
			}
			db.Exec("INSERT INTO t VALUES (2, 3, 'z')", "ALTER TABLE t ADD COLUMN c INT", "INSERT INTO t VALUES (3, 4, 'z', 5)")
			equal(t, r.take(2), []string{"schema ALTER TABLE t RENAME COLUMN a TO b, RENAME COLUMN b TO a", "insert t 1 2 y"})
			if c := r.nextChange(); describe(c) != "insert t 2 3 z" || c.Table.Columns[1].Name != "b" || len(c.Table.UniqueKeys) > 0 {
				t.Errorf("got %s of %+v", describe(c), c.Table)
			}
			equal(t, r.take(2), []string{"schema ALTER TABLE t ADD COLUMN c INT", "insert t 3 4 z 5"})
		})
	}
}

// TestPreparedBeforeTheStart commits XA transactions that were prepared before
// the reader began, one of which holds more than a chunk, and one nothing selected.
func TestPreparedBeforeTheStart(t *testing.T) {
	for _, c := range [][]string{{"mysql-5.7"}, {"mysql-8.0"}, {"mysql-8.0", "--binlog-transaction-compression=ON"}, {"mariadb-10.11"}} {
		t.Run(strings.Join(c, " "), func(t *testing.T) {
			s := own(t, c[0], c[1:]...)
			name, db := s.Database(t)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY, v TEXT)", "CREATE TABLE other (id INT PRIMARY KEY)")
			prepare := func(xid string, statements ...string) {
				c := s.Connect(t, name)
				c.Exec("XA START '" + xid + "'")
				c.Exec(statements...)
				c.Exec("XA END '"+xid+"'", "XA PREPARE '"+xid+"'")
				c.Close() // so that another session may end it
			}
			var want []string
			var large []string
			for i := range 30 {
				large = append(large, fmt.Sprintf("INSERT INTO t VALUES (%d, REPEAT('x', 9000))", 100+i))
				want = append(want, fmt.Sprintf("insert t %d %s", 100+i, strings.Repeat("x", 9000)))
			}
			prepare("rolled back", "INSERT INTO t VALUES (1, '')")
			prepare("large", large...)
			db.Exec("FLUSH LOGS")
			prepare("other", "INSERT INTO other VALUES (1)")
			o := options(s, name)
			o.Include, o.SchemaChanges = []string{name + ".t"}, binlog.SchemaChangesNone
			r := open(t, o)
			commit := s.Connect(t, "")
			commit.Exec("XA ROLLBACK 'rolled back'", "XA COMMIT 'other'", "XA COMMIT 'large'")
			db.Exec("INSERT INTO t VALUES (2, '')")
			want = append(want, "insert t 2 ")
			got := r.take(10)
			r.save()
			r.reopen(r.last)
			equal(t, append(got, r.take(len(want)-10)...), want)
		})
	}
}

// TestStatementPreparedBeforeTheStart commits what was prepared, before the
// start, as a statement instead of rows.
func TestStatementPreparedBeforeTheStart(t *testing.T) {
	for _, version := range []string{"mysql-5.7", "mysql-8.0", "mariadb-10.11"} {
		t.Run(version, func(t *testing.T) {
			s := own(t, version)
			name, db := s.Database(t)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY)", "CREATE TABLE other (id INT PRIMARY KEY)")
			for xid, table := range map[string]string{"one": "t", "another": "t", "untracked": "other"} {
				c := s.Connect(t, name)
				c.Exec("SET SESSION binlog_format = STATEMENT", "XA START '"+xid+"'", fmt.Sprintf("INSERT INTO %s VALUES (%d)", table, len(xid)),
					"XA END '"+xid+"'", "XA PREPARE '"+xid+"'")
				c.Close()
			}
			o := options(s, name)
			o.Include, o.SchemaChanges = []string{name + ".t"}, binlog.SchemaChangesNone
			r := open(t, o)
			s.Connect(t, "").Exec("XA ROLLBACK 'another'", "XA COMMIT 'untracked'")
			db.Exec("INSERT INTO t VALUES (1)")
			equal(t, r.take(1), []string{"insert t 1"})
			s.Connect(t, "").Exec("XA COMMIT 'one'")
			if err := r.failure(); !errors.Is(err, binlog.ErrStatement) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestPreparedLong keeps more prepared rows than memory does, over a restart of
// source and reader.
func TestPreparedLong(t *testing.T) {
	t.Parallel() // its servers are its own, and mostly start
	for _, version := range []string{"mysql-8.0", "mariadb-10.11"} {
		t.Run(version, func(t *testing.T) {
			s := own(t, version)
			name, db := s.Database(t)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY, v MEDIUMTEXT)")
			o := options(s, name)
			o.SchemaChanges = binlog.SchemaChangesNone
			r := open(t, o)
			const transactions, rows = 8, 20
			for x := range transactions {
				c := s.Connect(t, name)
				size := 150_000
				if x < 2 {
					size = 5 // in the transaction's own entry
				}
				c.Exec(fmt.Sprintf("XA START 'x%d'", x))
				for i := range rows {
					c.Exec(fmt.Sprintf("INSERT INTO t VALUES (%d, REPEAT('y', %d))", 100*x+i, size))
				}
				c.Exec(fmt.Sprintf("XA END 'x%d'", x), fmt.Sprintf("XA PREPARE 'x%d'", x))
				db.Exec(fmt.Sprintf("INSERT INTO t VALUES (%d, '')", 1000+x))
				equal(t, r.take(1), []string{fmt.Sprintf("insert t %d ", 1000+x)})
				r.save()
			}
			r.reopen(r.last)
			s.Restart(t)
			db = s.Connect(t, name)
			for x := range transactions {
				db.Exec(fmt.Sprintf("XA COMMIT 'x%d'", x))
			}
			for x := range transactions {
				for i := range rows {
					if got, want := r.next(), fmt.Sprintf("insert t %d y", 100*x+i); !strings.HasPrefix(got, want) {
						t.Fatalf("got %.30s, want %s", got, want)
					}
					if i == rows/2 {
						r.save()
						r.reopen(r.last)
					}
				}
			}
			db.Exec("INSERT INTO t VALUES (2000, '')")
			equal(t, r.take(1), []string{"insert t 2000 "})
			r.save()
			for key := range r.schema {
				if strings.HasPrefix(key, "x\x00") || strings.HasPrefix(key, "y\x00") {
					t.Errorf("entry %q is left", key)
				}
			}
		})
	}
}

// TestStatementThroughTrigger changes a selected table by a statement on
// another, whose trigger does it.
func TestStatementThroughTrigger(t *testing.T) {
	t.Parallel()
	eachOwn(t, func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		db.Exec("CREATE TABLE s (id INT PRIMARY KEY)", "CREATE TABLE u (id INT PRIMARY KEY, n INT)", "CREATE TABLE plain (id INT PRIMARY KEY, n INT)",
			"CREATE TRIGGER trg AFTER INSERT ON u FOR EACH ROW INSERT INTO s VALUES (NEW.id)")
		o := options(s, name)
		o.Include, o.SchemaChanges = []string{name + ".s"}, binlog.SchemaChangesNone
		r := open(t, o)
		statement := s.Connect(t, name)
		statement.Exec("SET SESSION binlog_format = STATEMENT",
			"INSERT INTO plain VALUES (1, 1)", "UPDATE plain SET n = 2 WHERE id = 1", "DELETE FROM plain")
		db.Exec("INSERT INTO s VALUES (1)")
		equal(t, r.take(1), []string{"insert s 1"})
		statement.Exec("INSERT INTO u VALUES (2, 2)")
		err := r.failure()
		var group *binlog.GroupError
		if !errors.Is(err, binlog.ErrStatement) || !errors.As(err, &group) || !strings.Contains(err.Error(), "trg") {
			t.Fatalf("error %v", err)
		}
		// And past it.
		db.Exec("INSERT INTO s VALUES (3)")
		place := group.Place()
		r.save()
		r.options.Skip = &place
		r.reopen(r.last)
		if c := r.nextChange(); c.Op != change.Gap || c.Gap.From != place.String() {
			t.Errorf("got %+v", c)
		}
		equal(t, r.take(1), []string{"insert s 3"})
	})
}

// TestMemoryTableEmptied restarts a server with a MEMORY table.
func TestMemoryTableEmptied(t *testing.T) {
	t.Parallel() // its servers are its own, and mostly start
	for _, version := range []string{"mysql-5.5", "mysql-5.7", "mysql-8.0", "mariadb-10.5", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) {
			s := own(t, version)
			name, db := s.Database(t)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY) ENGINE=MEMORY", "INSERT INTO t VALUES (1)")
			r := open(t, options(s, name))
			s.Restart(t)
			db = s.Connect(t, name)
			db.Exec("INSERT INTO t VALUES (2)")
			c := r.nextChange()
			if c.Op != change.Schema || len(c.DDL.Tables) != 1 || c.DDL.Tables[0].Type != change.Truncated || c.DDL.Tables[0].Name != "t" {
				t.Errorf("got %s", describe(c))
			}
			equal(t, r.take(1), []string{"insert t 2"})
		})
	}
}

// TestPlacesInCompressedTransaction wants each change of a compressed
// transaction at a place of its own.
func TestPlacesInCompressedTransaction(t *testing.T) {
	for _, version := range []string{"mysql-8.0", "mysql-9"} {
		t.Run(version, func(t *testing.T) {
			s := own(t, version, "--binlog-transaction-compression=ON")
			name, db := s.Database(t)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY, v TEXT)", "CREATE TABLE u (id INT PRIMARY KEY)")
			o := options(s, name)
			o.SchemaChanges = binlog.SchemaChangesNone
			o.Exclude = []string{name + ".u"}
			r := open(t, o)
			db.Exec("BEGIN")
			for i := range 40 {
				db.Exec(fmt.Sprintf("INSERT INTO t VALUES (%d, REPEAT('x', 3000)), (%d, '')", 2*i, 2*i+1), fmt.Sprintf("INSERT INTO u VALUES (%d)", i))
			}
			db.Exec("COMMIT")
			places := map[string]bool{}
			for i := range 80 {
				if i == 33 {
					r.save()
					r.reopen(r.last)
				}
				c := r.nextChange()
				place := fmt.Sprint(c.File, c.Pos, " ", c.Row)
				if places[place] {
					t.Fatalf("two changes at %s", place)
				}
				places[place] = true
			}
		})
	}
}

// TestDefinitionTakenInTheMiddle needs a table's definition from the source in
// a transaction that has changed something already.
func TestDefinitionTakenInTheMiddle(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		db.Exec("CREATE TABLE a (id INT PRIMARY KEY)", "CREATE TABLE b (id INT PRIMARY KEY)")
		o := options(s, name)
		o.SchemaChanges = binlog.SchemaChangesNone
		first := open(t, o)
		for key := range first.schema { // as if a DDL could not be read
			if strings.Contains(key, name) && strings.HasSuffix(key, "b") {
				delete(first.schema, key)
			}
		}
		r := &reading{t: t, options: o, schema: first.schema}
		r.reopen(first.last)
		defer r.Close()
		db.Exec("BEGIN", "INSERT INTO a VALUES (1),(2)", "INSERT INTO b VALUES (3)", "COMMIT")
		equal(t, r.take(3), []string{"insert a 1", "insert a 2", "insert b 3"})
	})
}

// TestRowsWithoutBegin writes to a MEMORY table for the first time after a
// restart: MySQL 5.6 logs the statement that empties it, and the rows behind it
// without BEGIN and COMMIT.
func TestRowsWithoutBegin(t *testing.T) {
	t.Parallel()
	for _, line := range [][]string{{"mysql-5.6"}, {"mysql-5.6", "--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"}} {
		t.Run(strings.Join(line, " "), func(t *testing.T) {
			s := own(t, line[0], line[1:]...)
			name, db := s.Database(t)
			db.Exec("CREATE TABLE m (id INT PRIMARY KEY, v INT) ENGINE=MEMORY", "CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO m VALUES (1, 1)")
			r := open(t, options(s, name))
			for i := range 3 {
				s.Restart(t)
				c := s.Connect(t, name)
				c.Exec(fmt.Sprintf("INSERT INTO m VALUES (%d, 2), (%d, 2)", i+10, i+20))
				if i < 2 {
					c.Exec(fmt.Sprintf("INSERT INTO t VALUES (%d)", i))
				}
				c.Exec("FLUSH LOGS")
				want := []string{"", fmt.Sprintf("insert m %d 2", i+10), fmt.Sprintf("insert m %d 2", i+20), fmt.Sprintf("insert t %d", i)}
				got := r.take(3)
				want[0] = got[0] // how the server tells that it is empty
				if i < 2 {
					got = append(got, r.next())
				} else {
					want = want[:3]
				}
				equal(t, got, want)
				if !strings.HasPrefix(got[0], "schema ") {
					t.Errorf("first comes %s", got[0])
				}
				r.save()
				r.reopen(r.last)
			}
			s.Connect(t, name).Exec("INSERT INTO t VALUES (9)")
			equal(t, r.take(1), []string{"insert t 9"})
		})
	}
}
