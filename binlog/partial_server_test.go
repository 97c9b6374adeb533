//go:build servers

package binlog_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"daybook/change"
	"daybook/e2e/servers"
)

// TestPartialImagesConverge has a consumer apply the changes of a session that
// leaves columns out of its rows to tables of its own, by key, with no more than
// what the records hold: they end as the source's.
func TestPartialImagesConverge(t *testing.T) {
	servers.Each(t, partialImagesConverge)
}

// TestPartialImagesConvergeElsewhere does so on the servers that are not shared.
func TestPartialImagesConvergeElsewhere(t *testing.T) {
	for _, version := range []string{"mysql-9", "mariadb-10.5", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) { partialImagesConverge(t, servers.Get(t, version)) })
	}
}

// partialTables have keys of all kinds; id and k are not changed, as an update of a key of which not all is told is an error.
var partialTables = []string{
	"CREATE TABLE p (id INT PRIMARY KEY, k INT NOT NULL, a INT DEFAULT 5, b TEXT, c INT NOT NULL DEFAULT 7) ENGINE=InnoDB",
	"CREATE TABLE q (a INT, id INT, b TEXT, k INT, c INT DEFAULT 8, PRIMARY KEY (k, id), KEY (a)) ENGINE=InnoDB",
	"CREATE TABLE u (a INT DEFAULT 3, b TEXT, k INT NOT NULL, id INT NOT NULL, c INT, UNIQUE (id), KEY (a)) ENGINE=InnoDB",
	"CREATE TABLE m (id INT PRIMARY KEY, k INT NOT NULL, a INT DEFAULT 5, b TEXT, c INT) ENGINE=MyISAM",
}

func partialImagesConverge(t *testing.T, s *servers.Server) {
	for _, image := range []string{"MINIMAL", "NOBLOB"} {
		t.Run(image, func(t *testing.T) {
			name, db := s.Database(t)
			copied, consumer := s.Database(t)
			db.Exec(partialTables...)
			consumer.Exec(partialTables...)
			db.Exec("CREATE TRIGGER b BEFORE UPDATE ON u FOR EACH ROW SET NEW.c = NEW.a + 1", "CREATE TABLE the_end (id INT PRIMARY KEY)")
			r := open(t, options(s, name))
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			random := rand.New(rand.NewPCG(seed, 0))
			db.Exec("SET SESSION binlog_row_image = " + image)
			for range 300 {
				sql := partialStatement(random, s.MariaDB())
				_ = db.Try(sql) // a unique key may forbid it
			}
			db.Exec("INSERT INTO the_end VALUES (1)")
			for c := r.nextChange(); c.Table.Name != "the_end"; c = r.nextChange() {
				consumer.Exec(applying(c))
			}
			for _, table := range []string{"p", "q", "u", "m"} {
				const from = "SELECT id, k, a, b, c FROM %s.%s ORDER BY id, k"
				want, got := db.Query(fmt.Sprintf(from, name, table)), db.Query(fmt.Sprintf(from, copied, table))
				if len(want) == 0 || !slices.EqualFunc(want, got, func(a, b []string) bool { return slices.Equal(a, b) }) {
					t.Errorf("table %s:\n%q\nwant\n%q", table, got, want)
				}
			}
		})
	}
}

// partialStatement returns a random statement, on MariaDB none of which it leaves
// out what changes: see TestPartialImagesOfMariaDB.
func partialStatement(random *rand.Rand, mariaDB bool) string {
	table := []string{"p", "q", "u", "m"}[random.IntN(4)]
	n := func() int { return random.IntN(12) }
	value := func(column string) string {
		switch {
		case column == "b" && n() > 2:
			return fmt.Sprintf("'%d'", random.IntN(1000))
		case (column == "a" || column == "b") && n() < 2:
			return "NULL"
		}
		return fmt.Sprint(random.IntN(40))
	}
	columns, values := []string{"id", "k"}, []string{fmt.Sprint(n()), "1"}
	var sets []string
	replace := n() < 3
	for _, c := range []string{"a", "b", "c"} {
		if n() < 6 || mariaDB && (replace || table == "u") {
			v := value(c)
			columns, values, sets = append(columns, c), append(values, v), append(sets, c+" = "+v)
		}
	}
	list := fmt.Sprintf(" INTO %s (%s) VALUES (%s)", table, strings.Join(columns, ", "), strings.Join(values, ", "))
	switch {
	case replace:
		return "REPLACE" + list
	case n() < 4 || len(sets) == 0:
		return "INSERT" + list
	case n() < 3:
		return "INSERT" + list + " ON DUPLICATE KEY UPDATE " + strings.Join(sets, ", ")
	case n() < 3:
		return fmt.Sprintf("DELETE FROM %s WHERE id = %d", table, n())
	}
	return fmt.Sprintf("UPDATE %s SET %s WHERE id BETWEEN %d AND %d", table, strings.Join(sets, ", "), n(), n()+2)
}

// applying returns the statement that a consumer runs for a change: it knows the
// row by its key, and changes what the record holds.
func applying(c *change.Change) string {
	literal := func(v *change.Value) string {
		s := text(v)
		if s == "NULL" {
			return s
		}
		return "'" + s + "'"
	}
	held := func(image []change.Value, separator string) string {
		var all []string
		for i := range image {
			if image[i].Kind != change.Absent {
				all = append(all, c.Table.Columns[i].Name+" = "+literal(&image[i]))
			}
		}
		return strings.Join(all, separator)
	}
	key := func(image []change.Value) string {
		var all []string
		for _, i := range c.Table.Key() {
			all = append(all, c.Table.Columns[i].Name+" = "+literal(&image[i]))
		}
		return " WHERE " + strings.Join(all, " AND ")
	}
	switch c.Op {
	case change.Insert:
		return "INSERT INTO " + c.Table.Name + " SET " + held(c.After, ", ")
	case change.Delete:
		return "DELETE FROM " + c.Table.Name + key(c.Before)
	}
	return "UPDATE " + c.Table.Name + " SET " + held(c.After, ", ") + key(c.After)
}

// TestPartialImagesOfMariaDB has what MariaDB leaves out of partial images though it
// changed, as docs/record-formats.md says: no reader of its binlog can know it, its
// own replicas neither.
func TestPartialImagesOfMariaDB(t *testing.T) {
	s := servers.Get(t, "mariadb-10.11")
	for _, c := range []struct{ name, image, statement, record, row string }{
		{"REPLACE that is an update, a column with its default", "MINIMAL", "REPLACE INTO t (id) VALUES (1)", "update t 1 - - - 1 - - -", "1 5 NULL NULL"},
		{"the same, a blob", "NOBLOB", "REPLACE INTO t (id) VALUES (1)", "update t 1 1 - 1 1 5 - NULL", "1 5 NULL NULL"},
		{"a column that a trigger sets", "MINIMAL", "INSERT INTO u (id) VALUES (1) ON DUPLICATE KEY UPDATE a = 9", "update u 1 - - 1 9 -", "1 9 10"},
	} {
		t.Run(c.name, func(t *testing.T) {
			name, db := s.Database(t)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY, a INT DEFAULT 5, b TEXT, c INT)", "CREATE TABLE u (id INT PRIMARY KEY, a INT, c INT)",
				"CREATE TRIGGER b BEFORE UPDATE ON u FOR EACH ROW SET NEW.c = NEW.a + 1", "INSERT INTO t VALUES (1, 1, 'x', 1)", "INSERT INTO u VALUES (1, 1, 1)")
			r := open(t, options(s, name))
			db.Exec("SET SESSION binlog_row_image = "+c.image, c.statement)
			equal(t, r.take(1), []string{c.record})
			if got := strings.Join(db.Query("SELECT * FROM " + strings.Fields(c.record)[1])[0], " "); got != c.row {
				t.Errorf("the row is %s, want %s", got, c.row)
			}
		})
	}
}
