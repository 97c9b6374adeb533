//go:build servers

package binlog_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"daybook/binlog"
	"daybook/e2e/servers"
)

// TestEngineThatIsNotTold rolls back rows of a table that was created without
// ENGINE, in a session with another default engine than the server's, which the
// binlog does not tell: what MyISAM keeps is told all the same, and what InnoDB
// undoes is not, as servers log the rows of engines that keep them apart from the
// transaction.
func TestEngineThatIsNotTold(t *testing.T) {
	t.Parallel()
	without := []string{"--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"}
	for version, options := range map[string][]string{
		"mysql-5.5": nil, "mysql-5.6": without, "mysql-5.7": without, "mysql-8.0": without, "mysql-9": without,
		"mariadb-10.5": nil, "mariadb-10.11": nil, "mariadb-11.8": nil,
	} {
		t.Run(version, func(t *testing.T) {
			s := own(t, version, options...)
			for _, engine := range []string{"InnoDB", "MyISAM"} {
				setDefaultEngine(s.Connect(t, ""), "GLOBAL", engine)
				t.Run(engine, func(t *testing.T) { rollsBackUntold(t, s) })
			}
		})
	}
}

func setDefaultEngine(c *servers.Conn, scope, engine string) {
	if c.Try("SET "+scope+" default_storage_engine = "+engine) != nil {
		c.Exec("SET " + scope + " storage_engine = " + engine)
	}
}

func rollsBackUntold(t *testing.T, s *servers.Server) {
	name, db := s.Database(t)
	o := options(s, name)
	o.SchemaChanges = binlog.SchemaChangesNone
	r := open(t, o)
	for table, engine := range map[string]string{"inno": "InnoDB", "my": "MyISAM", "mem": "MEMORY"} {
		c := s.Connect(t, name)
		setDefaultEngine(c, "SESSION", engine)
		c.Exec("CREATE TABLE " + table + " (id INT PRIMARY KEY)")
		c.Close()
	}
	db.Exec("CREATE TRIGGER tr AFTER INSERT ON inno FOR EACH ROW INSERT INTO my VALUES (NEW.id)")
	insert := func(table string, id int) string { return fmt.Sprintf("INSERT INTO %s VALUES (%d)", table, id) }
	const temporary = "DROP TEMPORARY TABLE IF EXISTS nope"
	db.Exec("BEGIN", insert("inno", 1), "SAVEPOINT s", insert("inno", 2), "ROLLBACK TO s", insert("inno", 3), "ROLLBACK",
		"BEGIN", temporary, insert("inno", 11), "SAVEPOINT s", insert("mem", 12), insert("inno", 13), temporary, "ROLLBACK TO s", insert("inno", 14), "ROLLBACK",
		"BEGIN", temporary, insert("my", 21), insert("inno", 22), "SAVEPOINT s", insert("mem", 23), insert("inno", 24), temporary, "ROLLBACK TO s", "COMMIT")
	want := []string{"insert my 1", "insert my 2", "insert my 3",
		"insert my 11", "insert mem 12", "insert my 13", "insert my 14",
		"insert my 21", "insert my 22", "insert mem 23", "insert my 24", "insert inno 22"}
	xa := func(id int, end string) {
		db.Exec("XA START 'x'", temporary, insert("inno", id))
		want = append(want, fmt.Sprintf("insert my %d", id))
		if db.Try("SAVEPOINT s") == nil && db.Try("ROLLBACK TO s") == nil { // not within XA on MySQL 5.5
			db.Exec(insert("mem", id+1), insert("inno", id+2), temporary, "ROLLBACK TO s")
			want = append(want, fmt.Sprintf("insert mem %d", id+1), fmt.Sprintf("insert my %d", id+2))
		}
		db.Exec("XA END 'x'", "XA PREPARE 'x'", end)
	}
	xa(30, "XA ROLLBACK 'x'")
	xa(40, "XA COMMIT 'x'")
	want = append(want, "insert inno 40")
	db.Exec(insert("inno", 100))
	want = append(want, "insert my 100", "insert inno 100")
	equal(t, r.take(len(want)), want)
}

// TestEmptiedAndUndone rolls the DELETE of all rows back, in STATEMENT format, of
// a table that only seems to be a MEMORY table: it is not taken for one that is
// empty since the server's start.
func TestEmptiedAndUndone(t *testing.T) {
	s := own(t, "mysql-5.5", "--default-storage-engine=MEMORY")
	name, db := s.Database(t)
	db.Exec("CREATE TABLE m (id INT PRIMARY KEY) ENGINE=MyISAM")
	o := options(s, name)
	o.Include = []string{name + ".t"}
	r := open(t, o)
	db.Exec("SET SESSION storage_engine = InnoDB", "CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)",
		"SET SESSION binlog_format = STATEMENT", "BEGIN", "DELETE FROM t", "INSERT INTO m VALUES (1)", "ROLLBACK")
	equal(t, r.take(2)[1:], []string{"insert t 1"})
	if err := r.failure(); !errors.Is(err, binlog.ErrStatement) || !strings.Contains(err.Error(), name+".t") {
		t.Errorf("error %v", err)
	}
}
