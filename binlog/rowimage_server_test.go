//go:build servers

package binlog_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"daybook/binlog"
	"daybook/e2e/servers"
)

// TestRowImages reads rows of a session that leaves columns out of them: what does not
// tell is warned of once a table, and what cannot be told apart from other rows is an error.
func TestRowImages(t *testing.T) {
	for _, version := range []string{"mysql-5.7", "mysql-8.0", "mariadb-10.11"} {
		t.Run(version, func(t *testing.T) {
			s := servers.Get(t, version)
			name, db := s.Database(t)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY, a INT, b TEXT, c INT NOT NULL DEFAULT 5)", "CREATE TABLE other (id INT PRIMARY KEY, a INT)",
				"CREATE TABLE k (id INT DEFAULT 3 PRIMARY KEY, a INT)", "INSERT INTO t VALUES (1, 1, 'x', 1), (2, 2, 'y', 2)", "INSERT INTO other VALUES (1, 1)", "INSERT INTO k VALUES (1, 1)")
			var log bytes.Buffer
			o := options(s, name)
			o.Exclude = []string{name + ".other"}
			o.Logger = slog.New(slog.NewTextHandler(&log, nil))
			var notices []binlog.Notice
			o.Notify = func(n binlog.Notice) { notices = append(notices, n) }
			o.Told = binlog.Told{}
			r := open(t, o)
			warned := func(n int, words ...string) {
				t.Helper()
				if got := strings.Count(log.String(), "columns left out"); got != n {
					t.Errorf("%d warnings, want %d: %s", got, n, &log)
				}
				for _, w := range words {
					if !strings.Contains(log.String(), w) {
						t.Errorf("no %q in %s", w, &log)
					}
				}
			}
			db.Exec("SET SESSION binlog_row_image = NOBLOB", "UPDATE other SET a = 2", "UPDATE t SET a = 3 WHERE id = 1", "UPDATE t SET id = 7, b = 'z' WHERE id = 2")
			equal(t, r.take(2), []string{"update t 1 1 - 1 1 3 - 1", "update t 2 2 - 2 7 2 z 2"})
			if len(notices) != 1 || notices[0].Kind != binlog.PartialImages || notices[0].Table != name+".t" || notices[0].File == "" {
				t.Errorf("notices %+v", notices)
			}
			warned(1, "table="+name+".t", "columns=b", "binlog_row_image", "thread=")
			db.Exec("SET SESSION binlog_row_image = MINIMAL", "UPDATE t SET a = 4 WHERE id = 1", "UPDATE k SET a = 2", "DELETE FROM k")
			equal(t, r.take(3), []string{"update t 1 - - - 1 4 - -", "update k 1 - 1 2", "delete k 1 -"})
			warned(2, "table="+name+".k", "columns=a")
			r.save()
			r.reopen(r.last) // as after an error: what was told is not told again
			db.Exec("UPDATE t SET a = 5 WHERE id = 1")
			equal(t, r.take(1), []string{"update t 1 - - - 1 5 - -"})
			warned(2)
			r.save()
			for _, c := range []struct{ sql, want string }{
				{"UPDATE t SET id = 9 WHERE id = 1", "column a is not told"},
				{"INSERT INTO k (a) VALUES (3)", "without column id of their key"},
			} {
				db.Exec(c.sql)
				err := r.failure()
				var group *binlog.GroupError
				if !errors.As(err, &group) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "binlog_row_image") {
					t.Fatalf("%s: error %v", c.sql, err)
				}
				r.save()
				place := group.Place()
				r.options.Skip = &place
				r.reopen(r.last)
				r.nextChange() // the gap
				r.save()
			}
		})
	}
}

// TestStopAtPartialImages stops at such rows, and not at those of a table that is
// not selected or of which the row has all columns.
func TestStopAtPartialImages(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		db.Exec("CREATE TABLE t (id INT PRIMARY KEY, a INT, b TEXT)", "CREATE TABLE other LIKE t", "INSERT INTO t VALUES (1, 1, 'x')", "INSERT INTO other VALUES (1, 1, 'x')")
		o := options(s, name)
		o.Exclude = []string{name + ".other"}
		o.StopAtPartialImages = true
		r := open(t, o)
		db.Exec("SET SESSION binlog_row_image = MINIMAL", "UPDATE other SET a = 2", "INSERT INTO t VALUES (2, 2, 'y')", "UPDATE t SET a = 3 WHERE id = 1")
		equal(t, r.take(1), []string{"insert t 2 2 y"})
		err := r.failure()
		var group *binlog.GroupError
		if !errors.Is(err, binlog.ErrPartialImage) || !errors.As(err, &group) || !strings.Contains(err.Error(), name+".t without a,b") && !strings.Contains(err.Error(), name+".t without b") {
			t.Fatalf("error %v", err)
		}
	})
}

// TestGeneratedInRowImages has generated columns in rows of which unchanged columns
// are left out: they have their new values, or none.
func TestGeneratedInRowImages(t *testing.T) {
	for _, version := range []string{"mysql-5.7", "mysql-8.0", "mariadb-10.11"} {
		t.Run(version, func(t *testing.T) {
			s := servers.Get(t, version)
			name, db := s.Database(t)
			const columns = "a INT, n INT, s INT AS (a + 1) STORED, v INT AS (a * 2) VIRTUAL, u TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6))"
			db.Exec("CREATE TABLE g (id INT PRIMARY KEY, "+columns, "CREATE TABLE h (id INT, "+columns,
				"INSERT INTO g (id, a) VALUES (1, 1)", "INSERT INTO h (id, a) VALUES (1, 1)",
				"CREATE TRIGGER trg BEFORE UPDATE ON h FOR EACH ROW SET NEW.n = NEW.a + 100")
			r := open(t, options(s, name))
			for i, image := range []string{"NOBLOB", "MINIMAL"} {
				for _, table := range []string{"g", "h"} {
					db.Exec("SET SESSION binlog_row_image = "+image, fmt.Sprintf("UPDATE %s SET a = %d", table, 5+i))
					now := db.Query("SELECT id, a, n, s, v, UNIX_TIMESTAMP(u) * 1000000 DIV 1 FROM " + table)[0]
					c := r.nextChange()
					for j := range c.After {
						if got := text(&c.After[j]); got != "-" && got != now[j] && c.Table.Columns[j].Name != "u" ||
							c.Table.Columns[j].Name == "u" && got != "-" && fmt.Sprint(c.After[j].Int()) != now[j] {
							t.Errorf("%s %s: column %s is %s, want %s", image, table, c.Table.Columns[j].Name, got, now[j])
						}
					}
				}
			}
		})
	}
}

// TestFullNoDup reads a session of MariaDB that leaves out of an update's new row
// what did not change: the rows are whole, but for generated columns, which it leaves
// out of both rows.
func TestFullNoDup(t *testing.T) {
	s := servers.Get(t, "mariadb-11.8")
	name, db := s.Database(t)
	db.Exec("CREATE TABLE t (id INT PRIMARY KEY, a INT, b TEXT)", "INSERT INTO t VALUES (1, 1, 'x')",
		"CREATE TABLE g (id INT PRIMARY KEY, a INT, s INT AS (a + 1) STORED)", "INSERT INTO g (id, a) VALUES (1, 1)")
	var log bytes.Buffer
	o := options(s, name)
	o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	r := open(t, o)
	db.Exec("SET SESSION binlog_row_image = FULL_NODUP", "UPDATE t SET b = 'y'", "UPDATE t SET id = 2", "INSERT INTO t (id) VALUES (3)", "DELETE FROM t WHERE id = 2")
	equal(t, r.take(4), []string{"update t 1 1 x 1 1 y", "update t 1 1 y 2 1 y", "insert t 3 NULL NULL", "delete t 2 1 y"})
	if strings.Contains(log.String(), "left out") {
		t.Errorf("log %s", &log)
	}
	db.Exec("UPDATE g SET a = 2")
	equal(t, r.take(1), []string{"update g 1 1 - 1 2 -"})
	if !strings.Contains(log.String(), "columns=s") {
		t.Errorf("log %s", &log)
	}
}
