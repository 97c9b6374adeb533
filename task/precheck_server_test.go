//go:build servers

package task_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"daybook/binlog"
	"daybook/e2e/servers"
	"daybook/task"
)

func options(s *servers.Server, user, password string) task.Options {
	return task.Options{
		Name: "shop", Include: []string{"*.*"}, ServerID: 1<<30 + 7,
		Source: binlog.Source{Address: s.Address, User: user, Password: password},
	}
}

// statusOf returns the status of the checks by name.
func statusOf(t *testing.T, o task.Options) map[string]task.Check {
	t.Helper()
	m := map[string]task.Check{}
	for _, c := range task.Precheck(t.Context(), o) {
		if (c.Status == task.Passed) != (c.Fix == "") {
			t.Errorf("%s is %s with the fix %q", c.Name, c.Status, c.Fix)
		}
		m[c.Name] = c
	}
	return m
}

func TestPrecheckOfAReadySource(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		checks := statusOf(t, options(s, servers.Repl, servers.Repl))
		for _, name := range []string{
			"server reachable", "login", "encryption", "version", "binlog", "binlog format", "row image", "sessions logged", "binlog retention",
			"GTID", "row metadata", "server ID", "privilege REPLICATION SLAVE", "privilege REPLICATION CLIENT", "privilege SELECT",
			"privilege TRIGGER", "binlog filters", "replica's binlog", "binlog sync", "session formats", "prepared XA",
			"foreign key actions", "engines",
		} {
			c, ok := checks[name]
			if !ok || c.Status == task.Fail {
				t.Errorf("%s: there %v, %+v", name, ok, c)
			}
			delete(checks, name)
		}
		if s.MariaDB() {
			if c := checks["two-phase ALTER"]; c.Status != task.Passed {
				t.Errorf("two-phase ALTER: %+v", c)
			}
			delete(checks, "two-phase ALTER")
		}
		for name := range checks {
			t.Errorf("unexpected check %s", name)
		}
	})
}

func TestPrecheckOfPrivileges(t *testing.T) {
	tests := []struct {
		name    string
		grants  []string // DB and USER are replaced
		include string
		fails   []string
	}{
		{"none", nil, "DB.*", []string{"privilege REPLICATION SLAVE", "privilege REPLICATION CLIENT", "privilege SELECT"}},
		{"no select", []string{"REPLICATION SLAVE, REPLICATION CLIENT ON *.*"}, "DB.*", []string{"privilege SELECT"}},
		{"select on the database", []string{"REPLICATION SLAVE, REPLICATION CLIENT ON *.*", "SELECT ON DB.*"}, "DB.*", nil},
		{"select on another database", []string{"REPLICATION SLAVE, REPLICATION CLIENT ON *.*", "SELECT ON DBx.*"}, "DB.*", []string{"privilege SELECT"}},
		{"no client", []string{"REPLICATION SLAVE, SELECT ON *.*"}, "*.*", []string{"privilege REPLICATION CLIENT"}},
		{"all", []string{"ALL ON *.*"}, "*.*", nil},
	}
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		db, conn := s.Database(t)
		conn.Exec("CREATE TABLE " + db + ".t (id INT PRIMARY KEY)")
		for i, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				user := "pre" + strconv.Itoa(i) + db[max(0, len(db)-8):]
				conn.Exec("CREATE USER " + user + "@'%' IDENTIFIED BY 'Check-1pw'")
				t.Cleanup(func() { s.Connect(t, "").Exec("DROP USER " + user + "@'%'") })
				for _, g := range tt.grants {
					conn.Exec("GRANT " + strings.ReplaceAll(g, "DB", db) + " TO " + user + "@'%'")
				}
				o := options(s, user, "Check-1pw")
				o.Include = []string{strings.ReplaceAll(tt.include, "DB", db)}
				var fails []string
				for _, c := range task.Precheck(t.Context(), o) {
					if c.Status == task.Fail {
						fails = append(fails, c.Name)
					}
				}
				if got, want := strings.Join(fails, ", "), strings.Join(tt.fails, ", "); got != want {
					t.Errorf("failed: %s; want %s", got, want)
				}
			})
		}
	})
}

// TestPrecheckOfSettings sets global variables that keep a source from being read,
// each of which the check that fails names.
func TestPrecheckOfSettings(t *testing.T) {
	for _, tt := range []struct{ version, variable, value, check string }{
		{"mysql-5.5", "sql_log_bin", "0", "sessions logged"},
		{"mysql-5.5", "init_connect", "'no statement'", "login"},
		{"mysql-8.0", "init_connect", "'no statement'", "login"},
		{"mysql-8.0", "offline_mode", "1", "login"},
		{"mariadb-10.11", "wsrep_forced_binlog_format", "'STATEMENT'", "binlog format"},
		{"mariadb-10.11", "require_secure_transport", "1", "login"},
		{"mysql-8.0", "protocol_compression_algorithms", "'zlib'", "login"},
	} {
		t.Run(tt.version+"/"+tt.variable, func(t *testing.T) {
			s := servers.Start(t, tt.version)
			conn := s.Connect(t, "")
			conn.Exec("SET GLOBAL " + tt.variable + " = " + tt.value)
			var failed []task.Check
			for _, c := range task.Precheck(t.Context(), options(s, servers.Repl, servers.Repl)) {
				if c.Status == task.Fail {
					failed = append(failed, c)
				}
			}
			if len(failed) != 1 || failed[0].Name != tt.check || !strings.Contains(failed[0].Detail+failed[0].Fix, tt.variable) {
				t.Errorf("these checks fail: %+v", failed)
			}
		})
	}
}

func TestPrecheckOfServerID(t *testing.T) {
	s := servers.Get(t, "mariadb-10.11")
	conn := s.Connect(t, "")
	id, err := strconv.ParseUint(conn.Query("SELECT @@server_id")[0][0], 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	o := options(s, servers.Repl, servers.Repl)
	o.ServerID = uint32(id)
	if c := statusOf(t, o)["server ID"]; c.Status != task.Fail {
		t.Errorf("the source's own ID: %+v", c)
	}
}

// TestPrecheckDoesNotListReplicasWhereThatCrashesServers wants it left alone
// on MySQL 5.6 to 8.0.19.
func TestPrecheckDoesNotListReplicasWhereThatCrashesServers(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		c := statusOf(t, options(s, servers.Repl, servers.Repl))["server ID"]
		spared := strings.Contains(c.Detail, "can crash a server of this version")
		if want := s.Name == "mysql-5.6" || s.Name == "mysql-5.7"; spared != want {
			t.Errorf("%+v, want replicas left alone: %v", c, want)
		}
	})
}

// TestPrecheckTellsAllThatFails at once, so that one restart mends it.
func TestPrecheckTellsAllThatFails(t *testing.T) {
	s := servers.Start(t, "mysql-5.6", "--binlog-format=MIXED", "--binlog-row-image=NOBLOB", "--expire-logs-days=1")
	checks := task.Precheck(t.Context(), options(s, servers.Repl, servers.Repl))
	err := task.Failed(checks)
	if !errors.Is(err, task.ErrPrecheck) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"binlog_format is MIXED", "binlog_row_image is NOBLOB", "SET GLOBAL binlog_format = 'ROW'"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in %v", want, err)
		}
	}
}

// TestPrecheckWarnsOfWhatStopsATask makes each warning on a server of its own.
func TestPrecheckWarnsOfWhatStopsATask(t *testing.T) {
	for version, tt := range map[string]struct {
		options []string
		grants  string
		warns   map[string]string // by check, part of the detail
	}{
		"mysql-8.0": {
			[]string{"--performance-schema=ON", "--binlog-ignore-db=left", "--sync-binlog=0"}, "SELECT, REPLICATION SLAVE, REPLICATION CLIENT, XA_RECOVER_ADMIN",
			map[string]string{
				"session formats": "1 sessions write statements", "prepared XA": "1 prepared XA", "binlog filters": "binlog_ignore_db is left",
				"binlog sync": "sync_binlog is 0", "privilege TRIGGER": "triggers cannot be seen",
			},
		},
		"mariadb-10.11": {
			[]string{"--binlog-do-db=only", "--sync-binlog=1"}, "SELECT, REPLICATION SLAVE, BINLOG MONITOR, SLAVE MONITOR, TRIGGER",
			map[string]string{"prepared XA": "1 prepared XA", "binlog filters": "binlog_do_db is only"},
		},
	} {
		t.Run(version, func(t *testing.T) {
			s := servers.Start(t, version, tt.options...)
			_, conn := s.Database(t)
			conn.Exec("CREATE USER pre@'%' IDENTIFIED BY 'Check-1pw'", "GRANT "+tt.grants+" ON *.* TO pre@'%'",
				"CREATE TABLE t (id INT PRIMARY KEY)", "SET SESSION binlog_format = STATEMENT")
			other := s.Connect(t, "")
			other.Exec("XA START 'open'", "XA END 'open'", "XA PREPARE 'open'")
			checks := statusOf(t, options(s, "pre", "Check-1pw"))
			for name, want := range tt.warns {
				if c := checks[name]; c.Status != task.Warn || !strings.Contains(c.Detail, want) {
					t.Errorf("%s: %+v, want a warning with %q", name, c, want)
				}
			}
			if version == "mysql-8.0" { // without the privilege it cannot be asked
				if c := statusOf(t, options(s, servers.Repl, servers.Repl))["prepared XA"]; c.Status != task.Warn || !strings.Contains(c.Fix, "XA_RECOVER_ADMIN") {
					t.Errorf("prepared XA: %+v", c)
				}
			}
		})
	}
}
