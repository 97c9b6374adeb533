//go:build servers

package binlog_test

import (
	"strings"
	"testing"

	"daybook/binlog"
	"daybook/e2e/servers"
)

// TestForeignKeyActionIsTold has DDL add foreign keys whose actions change rows
// that the binlog lacks.
func TestForeignKeyActionIsTold(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		o := options(s, name)
		o.Exclude = []string{name + ".other"}
		var told []string
		o.Notify = func(n binlog.Notice) {
			if n.Kind == binlog.ForeignKeyAction {
				told = append(told, strings.TrimPrefix(n.Table, name+".")+": "+n.Text[strings.Index(n.Text, "ON "):])
			}
		}
		r := open(t, o)
		db.Exec("CREATE TABLE p (id INT PRIMARY KEY) ENGINE=InnoDB",
			"CREATE TABLE a (id INT PRIMARY KEY, p INT, CONSTRAINT f FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE) ENGINE=InnoDB",
			"CREATE TABLE b (id INT PRIMARY KEY, p INT) ENGINE=InnoDB",
			"ALTER TABLE b ADD CONSTRAINT g FOREIGN KEY (p) REFERENCES "+name+".p (id) MATCH FULL ON UPDATE SET NULL ON DELETE NO ACTION",
			"CREATE TABLE k (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE RESTRICT) ENGINE=InnoDB",
			"CREATE TABLE other (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE) ENGINE=InnoDB",
			"CREATE TABLE m (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE) ENGINE=MyISAM",
			"CREATE TABLE i (id INT PRIMARY KEY, p INT REFERENCES p (id) ON DELETE SET NULL) ENGINE=InnoDB",
			"CREATE TABLE the_end (id INT PRIMARY KEY)", "INSERT INTO the_end VALUES (1)")
		for !strings.HasPrefix(r.next(), "insert the_end") {
		}
		parent := ", of " + name + ".p"
		want := []string{"a: ON DELETE CASCADE" + parent, "b: ON UPDATE SET NULL" + parent}
		if db.Query("SELECT COUNT(*) FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = DATABASE() AND TABLE_NAME = 'i'")[0][0] == "1" {
			want = append(want, "i: ON DELETE SET NULL"+parent)
		}
		equal(t, told, want)
	})
}

// TestEnginesThatHideChanges has what docs/operations.md says of MERGE and BLACKHOLE.
func TestEnginesThatHideChanges(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		r := open(t, options(s, name))
		db.Exec("CREATE TABLE below (id INT, KEY (id)) ENGINE=MyISAM", "CREATE TABLE above (id INT, KEY (id)) ENGINE=MERGE UNION=(below) INSERT_METHOD=LAST",
			"INSERT INTO above VALUES (1)", "INSERT INTO below VALUES (2)", "DELETE FROM above WHERE id = 2")
		want := []string{"insert above 1", "insert below 2", "delete above 2"}
		if !s.MariaDB() {
			db.Exec("CREATE TABLE hole (id INT PRIMARY KEY, v INT) ENGINE=BLACKHOLE", "INSERT INTO hole VALUES (1, 1)", "UPDATE hole SET v = 2", "DELETE FROM hole")
			want = append(want, "insert hole 1 1")
		}
		db.Exec("CREATE TABLE the_end (id INT PRIMARY KEY)", "INSERT INTO the_end VALUES (1)")
		var got []string
		for c := r.next(); !strings.HasPrefix(c, "insert the_end"); c = r.next() {
			if !strings.Contains(c, "CREATE") {
				got = append(got, c)
			}
		}
		equal(t, got, want)
	})
}
