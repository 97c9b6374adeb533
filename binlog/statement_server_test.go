//go:build servers

package binlog_test

import (
	"errors"
	"strings"
	"testing"

	"daybook/binlog"
	"daybook/e2e/servers"
)

// TestStatementOfTheSameNames runs statements in STATEMENT format on views, functions and
// tables of another database, in which everything is called as what is selected: a task does
// not stop for them, and does for the view in another database that is over a selected table.
func TestStatementOfTheSameNames(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		other, un := s.Database(t)
		un.Exec("CREATE TABLE a (id INT PRIMARY KEY, n INT)", "CREATE TABLE u (id INT PRIMARY KEY)")
		db.Exec("CREATE TABLE a (id INT PRIMARY KEY, n INT)", "INSERT INTO a VALUES (1, 1)",
			"CREATE FUNCTION concat(x INT) RETURNS INT DETERMINISTIC BEGIN DELETE FROM a; RETURN x; END",
			"CREATE FUNCTION f() RETURNS INT DETERMINISTIC BEGIN DELETE FROM a; RETURN 1; END")
		programs := func() {
			un.Exec("CREATE VIEW v AS SELECT * FROM a", "CREATE VIEW "+name+".w AS SELECT a.id AS a FROM "+other+".a",
				"CREATE FUNCTION f() RETURNS INT DETERMINISTIC BEGIN REPLACE INTO "+other+".a VALUES (7, 7); RETURN LENGTH(CONCAT('x')); END",
				"CREATE TRIGGER g AFTER INSERT ON u FOR EACH ROW UPDATE a SET n = NEW.id WHERE a.id = 1")
		}
		o := options(s, name)
		o.Source.User, o.Source.Password = servers.Admin, servers.Admin // the views' bodies are seen
		o.Include, o.SchemaChanges = []string{name + ".a"}, binlog.SchemaChangesNone
		for _, followed := range []bool{false, true} {
			if !followed {
				programs()
			}
			r := open(t, o)
			if followed {
				un.Exec("DROP VIEW v, "+name+".w", "DROP FUNCTION f", "DROP TRIGGER g")
				programs()
			}
			statement := s.Connect(t, other)
			statement.Exec("SET SESSION binlog_format = STATEMENT", "DELETE FROM a", "DELETE FROM u",
				"INSERT INTO v VALUES (1, 1)", "INSERT INTO "+name+".w VALUES (2)", "UPDATE v SET n = 3 WHERE id = 1", "INSERT INTO u VALUES (LENGTH(CONCAT('x', 'y')))",
				"INSERT INTO u VALUES (f() + 5 + 0*(SELECT COUNT(*) FROM "+name+".a))", "DO f()")
			db.Exec("UPDATE a SET n = n + 1")
			if c := r.next(); !strings.HasPrefix(c, "update a 1") {
				t.Errorf("got %s", c)
			}
			_ = r.Close()
		}
		r := open(t, o)
		db.Exec("CREATE VIEW " + other + ".b AS SELECT * FROM a")
		un.Exec("SET SESSION binlog_format = STATEMENT", "UPDATE b SET n = 5")
		if err := r.failure(); !errors.Is(err, binlog.ErrStatement) || !strings.Contains(err.Error(), "view") {
			t.Errorf("error %v", err)
		}
	})
}
