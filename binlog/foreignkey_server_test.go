//go:build servers

package binlog_test

import (
	"slices"
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

// TestForeignKeyActionIsToldWhereItIsNotLogged has actions change rows: a notice tells of
// the key on just those servers whose binlog lacks the rows.
func TestForeignKeyActionIsToldWhereItIsNotLogged(t *testing.T) {
	fn := func(t *testing.T, s *servers.Server, logged bool) {
		name, db := s.Database(t)
		o := options(s, name)
		told := 0
		o.Notify = func(n binlog.Notice) {
			if n.Kind == binlog.ForeignKeyAction {
				told++
			}
		}
		r := open(t, o)
		db.Exec("CREATE TABLE p (id INT PRIMARY KEY) ENGINE=InnoDB",
			"CREATE TABLE c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE ON UPDATE CASCADE) ENGINE=InnoDB",
			"INSERT INTO p VALUES (1), (2)", "INSERT INTO c VALUES (7, 1), (8, 2)", "UPDATE p SET id = 3 WHERE id = 1", "DELETE FROM p WHERE id = 2")
		r.take(6)
		db.Exec("CREATE TABLE the_end (id INT PRIMARY KEY)")
		var got []string
		for c := r.next(); !strings.HasPrefix(c, "schema"); c = r.next() {
			got = append(got, c)
		}
		want, notices := []string{"update p 1 3", "delete p 2"}, 1
		if logged {
			want, notices = []string{"update p 1 3", "update c 7 1 7 3", "delete p 2", "delete c 8 2"}, 0
		}
		slices.Sort(got)
		slices.Sort(want)
		if equal(t, got, want); told != notices {
			t.Errorf("%d notices", told)
		}
	}
	for _, version := range []string{"mysql-5.7", "mysql-8.0", "mysql-9", "mariadb-10.11", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) { fn(t, servers.Get(t, version), version == "mysql-9") }) // 9.7
	}
	t.Run("mysql-9 native", func(t *testing.T) { fn(t, own(t, "mysql-9", "--innodb-native-foreign-keys=ON"), false) })
}
