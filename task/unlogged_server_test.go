//go:build servers

package task_test

import (
	"strings"
	"testing"

	"daybook/e2e/servers"
	"daybook/task"
)

// TestPrecheckOfUnloggedRows has tables of which the binlog lacks changes.
func TestPrecheckOfUnloggedRows(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		other, _ := s.Database(t)
		name, db := s.Database(t)
		db.Exec("CREATE TABLE "+other+".p (id INT PRIMARY KEY) ENGINE=InnoDB",
			"CREATE TABLE c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES "+other+".p (id) ON DELETE CASCADE ON UPDATE SET NULL) ENGINE=InnoDB",
			"CREATE TABLE own (id INT PRIMARY KEY, c INT, FOREIGN KEY (c) REFERENCES c (id) ON UPDATE CASCADE) ENGINE=InnoDB",
			"CREATE TABLE kept (id INT PRIMARY KEY, c INT, FOREIGN KEY (c) REFERENCES c (id) ON DELETE RESTRICT) ENGINE=InnoDB",
			"CREATE TABLE x_left (id INT PRIMARY KEY, c INT, FOREIGN KEY (c) REFERENCES c (id) ON DELETE CASCADE) ENGINE=InnoDB",
			"CREATE TABLE below (id INT, KEY (id)) ENGINE=MyISAM", "CREATE TABLE above (id INT, KEY (id)) ENGINE=MERGE UNION=(below)")
		wantEngines := []string{name + ".above (MRG_M"}
		if s.MariaDB() {
			db.Exec("CREATE TABLE v (id INT PRIMARY KEY, s BIGINT UNSIGNED AS ROW START, e BIGINT UNSIGNED AS ROW END, PERIOD FOR SYSTEM_TIME (s, e)) ENGINE=InnoDB WITH SYSTEM VERSIONING",
				"CREATE TABLE w (id INT PRIMARY KEY) WITH SYSTEM VERSIONING")
			wantEngines = append(wantEngines, name+".v (versioned by transaction ID")
		} else {
			db.Exec("CREATE TABLE hole (id INT PRIMARY KEY) ENGINE=BLACKHOLE")
			wantEngines = append(wantEngines, name+".hole (BLACKHOLE)")
		}
		o := options(s, servers.Repl, servers.Repl)
		o.Include, o.Exclude = []string{name + ".*"}, []string{name + ".x_*"}
		checks := statusOf(t, o)
		has := func(c task.Check, want []string, not ...string) {
			t.Helper()
			for _, w := range want {
				if c.Status != task.Warn || !strings.Contains(c.Detail, w) {
					t.Errorf("no %q in %+v", w, c)
				}
			}
			for _, n := range not {
				if strings.Contains(c.Detail, n) {
					t.Errorf("%q in %+v", n, c)
				}
			}
		}
		has(checks["foreign key actions"], []string{name + ".c (ON DELETE CASCADE ON UPDATE SET NULL of " + other + ".p, which is not selected)",
			name + ".own (ON UPDATE CASCADE of " + name + ".c)"}, "kept", "x_left")
		has(checks["engines"], wantEngines, name+".w (", "below")
		o.Include = []string{name + ".kept"}
		if checks := statusOf(t, o); checks["foreign key actions"].Status != task.Passed || checks["engines"].Status != task.Passed {
			t.Errorf("%+v", checks)
		}
	})
}

// TestPrecheckOfLoggedActions: the binlog has the rows that foreign keys' actions change from
// MySQL 9.6 on, unless InnoDB does them.
func TestPrecheckOfLoggedActions(t *testing.T) {
	for name, c := range map[string]struct {
		options []string
		want    task.CheckStatus
	}{"logged": {want: task.Passed}, "native": {[]string{"--innodb-native-foreign-keys=ON"}, task.Warn}} {
		t.Run(name, func(t *testing.T) {
			s := servers.Start(t, "mysql-9", c.options...)
			database, db := s.Database(t)
			db.Exec("CREATE TABLE p (id INT PRIMARY KEY)", "CREATE TABLE c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE)")
			o := options(s, servers.Repl, servers.Repl)
			o.Include = []string{database + ".*"}
			if got := statusOf(t, o)["foreign key actions"]; got.Status != c.want {
				t.Errorf("%+v", got)
			}
		})
	}
}
