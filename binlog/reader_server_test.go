//go:build servers

package binlog_test

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"daybook/binlog"
	"daybook/change"
	"daybook/e2e/servers"
)

// reading is a Reader of a test, with what it saved.
type reading struct {
	*binlog.Reader
	t       *testing.T
	options binlog.Options
	schema  map[string][]byte
	last    []byte
	checked *binlog.Check // that came with a checkpoint
}

func options(s *servers.Server, database string) binlog.Options {
	return binlog.Options{
		Source:  binlog.Source{Address: s.Address, User: servers.Repl, Password: servers.Repl},
		Include: []string{database + ".*"}, SchemaChanges: binlog.SchemaChangesObjects,
	}
}

// open opens a reader, which the test's end closes.
func open(t *testing.T, o binlog.Options) *reading {
	t.Helper()
	r := &reading{t: t, options: o, schema: map[string][]byte{}}
	r.reopen(nil)
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// save takes a checkpoint as a store would.
func (r *reading) save() {
	c := r.Checkpoint()
	r.last = c.Position
	if c.Check != nil {
		r.checked = c.Check
	}
	for _, e := range c.Schema {
		if e.Value == nil {
			delete(r.schema, string(e.Key))
		} else {
			r.schema[string(e.Key)] = e.Value
		}
	}
}

// reopen closes the reader and opens another at a saved position.
func (r *reading) reopen(position []byte) {
	r.t.Helper()
	if r.Reader != nil {
		if err := r.Close(); err != nil {
			r.t.Fatal(err)
		}
	}
	o := r.options
	o.Resume = position
	o.Schema = func(yield func(k, v []byte) bool) {
		for k, v := range r.schema {
			if !yield([]byte(k), v) {
				return
			}
		}
	}
	o.Load = func(key []byte) ([]byte, error) { return r.schema[string(key)], nil }
	r.Reader = binlog.New(o)
	ctx, cancel := context.WithTimeout(r.t.Context(), 30*time.Second)
	defer cancel()
	if err := r.Open(ctx); err != nil {
		r.t.Fatalf("open at %s: %v", position, err)
	}
	r.save()
}

// next waits for the next change, as text.
func (r *reading) next() string {
	r.t.Helper()
	return describe(r.nextChange())
}

func (r *reading) nextChange() *change.Change {
	r.t.Helper()
	late := time.After(30 * time.Second)
	for {
		c, err := r.Poll()
		if err != nil {
			r.t.Fatal(err)
		}
		if c != nil {
			if s := c.Source; s.File == "" || s.Pos == 0 || s.ServerID == 0 || s.CommitMicros == 0 {
				r.t.Errorf("%s lacks its place: %+v", describe(c), s)
			}
			return c
		}
		select {
		case <-r.Ready():
		case <-late:
			r.t.Fatalf("no change within 30 s; the position is %s", r.Checkpoint().Position)
		}
	}
}

func (r *reading) take(n int) []string {
	r.t.Helper()
	var all []string
	for range n {
		all = append(all, r.next())
	}
	return all
}

// failure waits for the reader's fatal error.
func (r *reading) failure() error {
	r.t.Helper()
	late := time.After(30 * time.Second)
	for {
		if _, err := r.Poll(); err != nil {
			return err
		}
		select {
		case <-r.Ready():
		case <-late:
			r.t.Fatal("no error within 30 s")
		}
	}
}

// describe gives a change as "insert t 1 'a'", with what a test can foretell.
func describe(c *change.Change) string {
	if c.Op == change.Schema {
		return "schema " + c.DDL.SQL
	}
	s := c.Op.String() + " " + c.Table.Name
	for _, image := range [][]change.Value{c.Before, c.After} {
		for i := range image {
			s += " " + text(&image[i])
		}
	}
	return s
}

func text(v *change.Value) string {
	switch v.Kind {
	case change.Null:
		return "NULL"
	case change.Absent:
		return "-"
	case change.Int64:
		return strconv.FormatInt(v.Int(), 10)
	case change.Uint64:
		return strconv.FormatUint(v.Num, 10)
	}
	return string(v.Bytes)
}

func equal(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// mixed runs a small workload and returns what is to be read of it.
func mixed(db *servers.Conn) []string {
	db.Exec(
		"CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20)) CHARSET utf8mb4",
		"CREATE TABLE u (id BIGINT UNSIGNED PRIMARY KEY)",
		"BEGIN",
		"INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, NULL)",
		"INSERT INTO u VALUES (18446744073709551615)",
		"UPDATE t SET v = 'c' WHERE id > 1",
		"DELETE FROM t WHERE id = 1",
		"COMMIT",
		"ALTER TABLE t ADD COLUMN n INT",
		"INSERT INTO t VALUES (4, 'd', 5)",
		"TRUNCATE TABLE u",
		"INSERT INTO u VALUES (7)",
	)
	return []string{
		"schema CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20)) CHARSET utf8mb4",
		"schema CREATE TABLE u (id BIGINT UNSIGNED PRIMARY KEY)",
		"insert t 1 a", "insert t 2 b", "insert t 3 NULL",
		"insert u 18446744073709551615",
		"update t 2 b 2 c", "update t 3 NULL 3 c",
		"delete t 1 a",
		"schema ALTER TABLE t ADD COLUMN n INT",
		"insert t 4 d 5",
		"schema TRUNCATE TABLE u",
		"insert u 7",
	}
}

func TestNow(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		db.Exec("CREATE TABLE before_start (id INT PRIMARY KEY)", "INSERT INTO before_start VALUES (1)")
		r := open(t, options(s, name))
		want := mixed(db)
		db.Exec("INSERT INTO before_start VALUES (2)")
		equal(t, r.take(len(want)+1), append(want, "insert before_start 2"))
	})
}

func TestResumeAfterEachChange(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		first := open(t, options(s, name))
		start, schema := first.last, maps.Clone(first.schema)
		want := mixed(db)
		for n := range want {
			r := &reading{t: t, options: first.options, schema: maps.Clone(schema)}
			r.reopen(start)
			got := r.take(n)
			r.save()
			r.reopen(r.last)
			got = append(got, r.take(len(want)-n)...)
			_ = r.Close()
			if !slices.Equal(got, want) {
				t.Errorf("reopened after %d changes:", n)
				equal(t, got, want)
			}
		}
	})
}

func TestXA(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		other := s.Connect(t, name)
		db.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
		first := open(t, options(s, name))
		start, schema := first.last, maps.Clone(first.schema)
		xid := "'" + name + "'"
		for _, step := range []string{"XA START ", "", "XA END ", "XA PREPARE "} {
			if step == "" {
				db.Exec("INSERT INTO t VALUES (1),(2)", "INSERT INTO t VALUES (3)")
				continue
			}
			db.Exec(step + xid)
		}
		other.Exec("INSERT INTO t VALUES (10)")
		db.Exec("XA COMMIT "+xid,
			"XA START "+xid, "INSERT INTO t VALUES (4)", "XA END "+xid, "XA PREPARE "+xid, "XA ROLLBACK "+xid,
			"XA START "+xid, "INSERT INTO t VALUES (5)", "XA END "+xid, "XA COMMIT "+xid+" ONE PHASE",
			"INSERT INTO t VALUES (11)")
		want := []string{"insert t 10", "insert t 1", "insert t 2", "insert t 3", "insert t 5", "insert t 11"}
		for n := range want {
			r := &reading{t: t, options: first.options, schema: maps.Clone(schema)}
			r.reopen(start)
			got := r.take(n)
			r.save()
			r.reopen(r.last)
			equal(t, append(got, r.take(len(want)-n)...), want)
			_ = r.Close()
		}
	})
}

// TestUndone wants no row that the source has undone, and every one that it
// could not undo, as the table has no transactions.
func TestUndone(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		db.Exec("CREATE TABLE t (id INT PRIMARY KEY) ENGINE=InnoDB", "CREATE TABLE m (id INT PRIMARY KEY) ENGINE=MyISAM")
		o := options(s, name)
		o.SchemaChanges = binlog.SchemaChangesNone
		r := open(t, o)
		db.Exec("BEGIN", "INSERT INTO t VALUES (1)", "SAVEPOINT s", "INSERT INTO t VALUES (2)", "ROLLBACK TO s", "INSERT INTO t VALUES (3)", "COMMIT",
			"BEGIN", "INSERT INTO t VALUES (4)", "ROLLBACK", "INSERT INTO m VALUES (1)")
		equal(t, r.take(3), []string{"insert t 1", "insert t 3", "insert m 1"})
		if !s.MariaDB() {
			return // the test servers run with enforce_gtid_consistency, which refuses the mix
		}
		db.Exec("BEGIN", "INSERT INTO t VALUES (5)", "INSERT INTO m VALUES (2)", "ROLLBACK")
		equal(t, r.take(1), []string{"insert m 2"})
		db.Exec("BEGIN", "INSERT INTO t VALUES (6)", "SAVEPOINT s", "INSERT INTO m VALUES (3)", "INSERT INTO t VALUES (7)", "ROLLBACK TO s", "COMMIT")
		equal(t, r.take(2), []string{"insert m 3", "insert t 6"}) // the binlog has what cannot be undone first
	})
}
