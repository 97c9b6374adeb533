//go:build servers

package binlog_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"daybook/binlog"
	"daybook/e2e/servers"
)

// TestDatabaseDefaultChangedByAnother has a session change the default character
// set of a database in which others are already: on some servers these go on with
// the old one, which the binlog does not tell.
func TestDatabaseDefaultChangedByAnother(t *testing.T) {
	for _, version := range []string{"mysql-5.5", "mysql-5.6", "mysql-5.7", "mysql-8.0", "mysql-8.0 FULL", "mysql-9", "mariadb-10.5", "mariadb-10.5 FULL", "mariadb-10.11", "mariadb-10.11 FULL", "mariadb-11.4", "mariadb-11.8", "mariadb-11.8 FULL"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel() // each has a server of its own
			s := own(t, version)
			name, db := s.Database(t)
			o := options(s, name)
			o.SchemaChanges = binlog.SchemaChangesNone
			db.Exec("ALTER DATABASE CHARACTER SET latin1")
			r := open(t, o)
			n := 0
			check := func(who string, c *servers.Conn, create string) {
				t.Helper()
				for _, typ := range strings.Split("CHAR(5)|VARCHAR(5)|TEXT|TINYTEXT|ENUM('ж','ä','x')|SET('ж','ä','x')", "|") {
					n++
					table := fmt.Sprintf("%s.t%d", name, n)
					if c.Try("CREATE TABLE "+table+" "+strings.ReplaceAll(create, "@", typ)) != nil {
						continue // CHARACTER SET DEFAULT is not known everywhere
					}
					if strings.Contains(create, "latin2") && c.Try("ALTER TABLE "+table+" CONVERT TO CHARACTER SET DEFAULT") != nil {
						continue
					}
					for _, value := range []string{"ä", "ж"} {
						c.Exec("INSERT INTO "+table+" VALUES ('"+value+"')", "FLUSH TABLES")
						row := c.Query("SELECT HEX(CONVERT(a USING utf8mb4)) FROM " + table)[0]
						c.Exec("DELETE FROM " + table)
						want, _ := hex.DecodeString(row[0])
						for range 2 {
							ch, err := r.row()
							if err != nil {
								t.Errorf("%s: %s %s: %v", who, create, typ, err)
								r.anew()
								break
							}
							image := ch.After
							if image == nil {
								image = ch.Before
							}
							if got := text(&image[0]); got != string(want) && !strings.Contains(got, "\ufffd") {
								t.Errorf("%s: %s %s: got %q, want %q", who, create, typ, got, want)
							}
						}
					}
				}
			}
			other, third := s.Connect(t, name), s.Connect(t, "")
			for _, set := range []string{"cp1251", "utf8mb4", "koi8r", "latin1"} {
				db.Exec("ALTER DATABASE CHARACTER SET " + set)
				for _, create := range []string{"(a @)", "(a @) CHARACTER SET DEFAULT", "(a @) CHARACTER SET latin2", "(a @) CHARACTER SET cp1251"} {
					says := s.Connect(t, name) // what its CREATEs do not go by
					says.Exec("SET character_set_database = greek")
					for who, c := range map[string]*servers.Conn{"who changed it": db, "one in it": other, "one outside": third, "one in it later": s.Connect(t, name), "one that says another": says} {
						c.Exec("SET sql_mode = ''")
						check(who+", "+set, c, create)
					}
				}
			}
			if s.MariaDB() && !strings.HasPrefix(version, "mariadb-10.5") && !strings.HasSuffix(version, "FULL") {
				db.Exec("ALTER DATABASE CHARACTER SET cp1251")
				r.save()
				r.reopen(r.last)
				other.Exec("CREATE TABLE late (a TEXT)", "INSERT INTO late VALUES ('ä')", "ALTER TABLE late ADD b INT")
				if err := r.failure(); !errors.Is(err, binlog.ErrSchema) || !strings.Contains(err.Error(), "another character set") {
					t.Errorf("a table changed since: %v", err)
				}
				r.anew()
				s.Restart(t)
				s.Connect(t, name).Exec("CREATE TABLE fresh (a TEXT)", "INSERT INTO fresh VALUES ('ж')", "ALTER TABLE fresh ADD b INT")
				equal(t, r.take(1), []string{"insert fresh ж"})
			}
		})
	}
}
