//go:build servers

package binlog_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"daybook/binlog"
	"daybook/change"
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

// TestStatementRolledBack rolls changes in STATEMENT format back, with a table that keeps
// them so that they are logged: they stop a task only if a selected table kept something.
func TestStatementRolledBack(t *testing.T) {
	eachAnonymous(t, func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		db.Exec("CREATE TABLE t (id INT PRIMARY KEY) ENGINE=InnoDB", "CREATE TABLE g (id INT PRIMARY KEY) ENGINE=InnoDB",
			"CREATE TABLE m (id INT PRIMARY KEY) ENGINE=MyISAM", "CREATE TABLE n (id INT AUTO_INCREMENT PRIMARY KEY) ENGINE=MyISAM",
			"CREATE TRIGGER trg AFTER INSERT ON g FOR EACH ROW INSERT INTO m VALUES (NEW.id)")
		o := options(s, name)
		o.Include, o.SchemaChanges = []string{name + ".t", name + ".g", name + ".m", name + ".d"}, binlog.SchemaChangesNone
		const mixed = "INSERT INTO n VALUES ()"
		statement := s.Connect(t, name)
		statement.Exec("SET SESSION binlog_format = STATEMENT")
		r := open(t, o)
		statement.Exec("BEGIN", "INSERT INTO t VALUES (1)", mixed, "ROLLBACK",
			"BEGIN", mixed, "SAVEPOINT a", "INSERT INTO t VALUES (2)", mixed, "ROLLBACK TO a", "COMMIT")
		db.Exec("INSERT INTO t VALUES (3)")
		equal(t, r.take(1), []string{"insert t 3"})
		for kept, statements := range map[string][]string{
			".t":                       {"BEGIN", "INSERT INTO t VALUES (4)", "SAVEPOINT a", mixed, "ROLLBACK TO a", "COMMIT"},
			".d":                       {"SET SESSION default_storage_engine = MyISAM", "CREATE TABLE d (id INT PRIMARY KEY)", "BEGIN", "INSERT INTO d VALUES (1)", "ROLLBACK"},
			".m":                       {"BEGIN", "INSERT INTO t VALUES (5)", "INSERT INTO m VALUES (5)", "ROLLBACK"},
			"trigger " + name + ".trg": {"BEGIN", "INSERT INTO g VALUES (6)", "ROLLBACK"},
		} {
			r := open(t, o)
			statement.Exec(statements...)
			if err := r.failure(); !errors.Is(err, binlog.ErrStatement) || !strings.Contains(err.Error(), kept) {
				t.Errorf("%s: error %v", statements, err)
			}
		}
	})
}

// TestStatementInXA has XA transactions change tables in STATEMENT format, one of them in ROW format too, which
// stops a task only when one of them is committed, or at once where a rollback would
// leave something. The reader is opened anew in between.
func TestStatementInXA(t *testing.T) {
	for _, version := range []string{"mysql-5.7", "mysql-8.0", "mariadb-10.5", "mariadb-10.11"} { // older ones log XA as plain transactions
		t.Run(version, func(t *testing.T) {
			s := own(t, version, anonymous[version]...)
			name, db := s.Database(t)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY) ENGINE=InnoDB", "CREATE TABLE m (id INT PRIMARY KEY) ENGINE=MyISAM", "CREATE TABLE u (id INT PRIMARY KEY) ENGINE=InnoDB")
			o := options(s, name)
			o.Exclude, o.SchemaChanges = []string{name + ".u"}, binlog.SchemaChangesNone
			r := open(t, o)
			n := 0
			prepare := func(format, xid string, statements ...string) *servers.Conn {
				c := s.Connect(t, name)
				c.Exec("SET SESSION binlog_format = "+format, "XA START '"+xid+"'")
				c.Exec(statements...)
				c.Exec("XA END '"+xid+"'", "XA PREPARE '"+xid+"'")
				return c
			}
			goesOn := func() {
				t.Helper()
				n++
				db.Exec(fmt.Sprintf("INSERT INTO t VALUES (%d)", n))
				equal(t, r.take(1), []string{fmt.Sprintf("insert t %d", n)})
				r.save()
				r.reopen(r.last)
			}
			untracked := prepare("STATEMENT", "untracked", "INSERT INTO u VALUES (1)")
			rolledBack := prepare("MIXED", "rolled back", "INSERT INTO t VALUES (101)", "INSERT INTO t VALUES (102 + FLOOR(RAND()))")
			rolledBackToo := prepare("STATEMENT", "rolled back too", "INSERT INTO t VALUES (104)")
			goesOn()
			rolledBack.Exec("XA ROLLBACK 'rolled back'")
			rolledBackToo.Exec("XA ROLLBACK 'rolled back too'")
			untracked.Exec("XA COMMIT 'untracked'")
			goesOn()
			passed := prepare("STATEMENT", "passed", "INSERT INTO t VALUES (103)")
			goesOn()
			passed.Exec("XA COMMIT 'passed'")
			n++
			db.Exec(fmt.Sprintf("INSERT INTO t VALUES (%d)", n))
			err := r.failure()
			var group *binlog.GroupError
			if !errors.Is(err, binlog.ErrStatement) || !errors.As(err, &group) || !strings.Contains(err.Error(), "XA") || !strings.Contains(err.Error(), "(103)") {
				t.Fatalf("error %v", err)
			}
			place := group.Place()
			r.save()
			r.options.Skip = &place
			r.reopen(r.last)
			if c := r.nextChange(); c.Op != change.Gap {
				t.Errorf("got %s", describe(c))
			}
			equal(t, r.take(1), []string{fmt.Sprintf("insert t %d", n)})
			prepare("STATEMENT", "kept", "INSERT INTO m VALUES (1)")
			if err := r.failure(); !errors.Is(err, binlog.ErrStatement) || strings.Contains(err.Error(), "committed") {
				t.Errorf("error %v", err)
			}
		})
	}
}
