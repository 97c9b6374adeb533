//go:build servers

package binlog_test

import (
	"fmt"
	"strings"
	"testing"

	"daybook/binlog"
)

// TestEngineThatIsNotTold rolls back rows of a table that was created without
// ENGINE, in a session with another default engine than the server's, which the
// binlog does not tell: what MyISAM keeps is told all the same, as servers log it
// apart from the transaction.
func TestEngineThatIsNotTold(t *testing.T) {
	for _, line := range [][]string{{"mysql-5.5"}, {"mysql-5.7", "--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"}, {"mysql-8.0", "--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"}, {"mariadb-10.11"}} {
		t.Run(strings.Join(line, " "), func(t *testing.T) {
			s := own(t, line[0], line[1:]...)
			name, db := s.Database(t)
			o := options(s, name)
			o.SchemaChanges = binlog.SchemaChangesNone
			r := open(t, o)
			create := func(engine, table string) {
				c := s.Connect(t, name)
				if c.Try("SET SESSION default_storage_engine = "+engine) != nil {
					c.Exec("SET SESSION storage_engine = " + engine)
				}
				c.Exec("CREATE TABLE " + table + " (id INT PRIMARY KEY)")
				c.Close()
			}
			roll := func(table string, n int) {
				for _, sql := range []string{"BEGIN", "INSERT INTO %s VALUES (%d)", "SAVEPOINT s", "INSERT INTO %s VALUES (1%d)", "ROLLBACK TO s", "INSERT INTO %s VALUES (2%d)", "ROLLBACK"} {
					if strings.Contains(sql, "%d") {
						sql = fmt.Sprintf(sql, table, n)
					}
					if err := db.Try(sql); err != nil {
						t.Fatal(err)
					}
				}
			}
			create("InnoDB", "inno")
			create("MyISAM", "my")
			db.Exec("CREATE TRIGGER tr AFTER INSERT ON inno FOR EACH ROW INSERT INTO my VALUES (NEW.id)")
			roll("inno", 1)
			db.Exec("INSERT INTO inno VALUES (100)")
			equal(t, r.take(5), []string{"insert my 1", "insert my 11", "insert my 21", "insert my 100", "insert inno 100"})
		})
	}
}
