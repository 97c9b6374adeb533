//go:build servers

package task_test

import (
	"strings"
	"testing"

	"daybook/e2e/servers"
	"daybook/task"
)

// little makes an account with what docs/hosted.md asks for, on one database, and returns options with it.
func little(t *testing.T, s *servers.Server, db *servers.Conn, database string) task.Options {
	t.Helper()
	user := "little" + database[max(0, len(database)-8):]
	db.Exec("CREATE USER "+user+"@'%' IDENTIFIED BY 'Check-1pw'", "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO "+user+"@'%'", "GRANT SELECT, TRIGGER, SHOW VIEW ON "+database+".* TO "+user+"@'%'")
	t.Cleanup(func() { db.Exec("DROP USER " + user + "@'%'") })
	o := options(s, user, "Check-1pw")
	o.Include = []string{database + ".*"}
	return o
}

// TestPrecheckOfConnections has an account that may have fewer at a time than a task needs; what the fix says helps.
func TestPrecheckOfConnections(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		db.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
		o := little(t, s, db, name)
		limit := "ALTER USER "
		if s.MariaDB() || s.Name == "mysql-5.6" {
			limit = "GRANT USAGE ON *.* TO "
		}
		for n, want := range map[string]task.CheckStatus{"1": task.Fail, "2": task.Warn, "3": ""} {
			db.Exec(limit + o.Source.User + "@'%' WITH MAX_USER_CONNECTIONS " + n)
			c := statusOf(t, o)["connections"]
			if c.Status != want {
				t.Errorf("%s at a time: %+v", n, c)
			}
			if fix, _, _ := strings.Cut(c.Fix, " ("); fix != "" {
				db.Exec(fix)
				if c := statusOf(t, o)["connections"]; c.Status != "" {
					t.Errorf("behind its fix: %+v", c)
				}
			}
		}
	})
}

// TestPrecheckOfLittleAccounts finds nothing to say of the server ID and of sessions, where the account is as the documents
// want it.
func TestPrecheckOfLittleAccounts(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		db.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
		checks := statusOf(t, little(t, s, db, name))
		for _, name := range []string{"server ID", "session formats"} {
			if c := checks[name]; c.Status != task.Passed {
				t.Errorf("%+v", c)
			}
		}
	})
}

// TestPrecheckCountsOtherSessions has sessions write in the server's format: the check's own writes nothing.
func TestPrecheckCountsOtherSessions(t *testing.T) {
	s := servers.Start(t, "mysql-8.0", "--binlog-format=MIXED", "--performance-schema=ON")
	if c := statusOf(t, options(s, servers.Repl, servers.Repl))["session formats"]; c.Status != task.Passed {
		t.Errorf("nobody: %+v", c)
	}
	db := s.Connect(t, "")
	if c := statusOf(t, options(s, servers.Repl, servers.Repl))["session formats"]; c.Status != task.Warn || !strings.HasPrefix(c.Detail, "1 session") {
		t.Errorf("one session: %+v", c)
	}
	// A service tells its retention to whoever may read it.
	db.Exec("CREATE TABLE mysql.rds_configuration (name VARCHAR(100), value VARCHAR(100), description VARCHAR(300))",
		"INSERT INTO mysql.rds_configuration VALUES ('binlog retention hours', '168', 'x')", "CREATE DATABASE shop", "CREATE TABLE shop.t (id INT)")
	o := little(t, s, db, "shop")
	source := at(s, "shop.abc.eu-west-1.rds.amazonaws.com:3306", nil)
	source.User, source.Password = o.Source.User, o.Source.Password
	o.Source = source
	c := statusOf(t, o)["binlog retention"]
	_, grant, _ := strings.Cut(c.Fix, "for this to see it: ")
	if c.Status != task.Warn || !strings.Contains(c.Detail, "may not read that") || !strings.HasPrefix(grant, "GRANT SELECT ON mysql.rds_configuration TO ") {
		t.Fatalf("retention: %+v", c)
	}
	db.Exec(grant)
	if c := statusOf(t, o)["binlog retention"]; c.Status != task.Passed || !strings.Contains(c.Detail, "kept 168 h") {
		t.Errorf("retention, behind its fix: %+v", c)
	}
	// A server without a number sends its binlog to nobody.
	db.Exec("SET GLOBAL server_id = 0")
	checks := statusOf(t, options(s, servers.Repl, servers.Repl))
	if c := checks["server ID"]; c.Status != task.Fail || !strings.Contains(c.Detail, "server_id of the source is 0") || !strings.Contains(c.Fix, "SET GLOBAL server_id") {
		t.Errorf("server_id 0: %+v", c)
	}
	if c, there := checks["replication"]; there {
		t.Errorf("server_id 0: %+v", c)
	}
}
