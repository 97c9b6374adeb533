//go:build servers

package task_test

import (
	"strings"
	"testing"

	"daybook/e2e/servers"
	"daybook/task"
)

// TestPrecheckOfAReplicaThatDoesNotLog: with log_slave_updates=OFF, the default of MariaDB and of MySQL before 8, a
// server must be nobody's replica, be it running or stopped, by a named connection or not.
func TestPrecheckOfAReplicaThatDoesNotLog(t *testing.T) {
	for _, version := range []string{"mysql-5.6", "mysql-5.7", "mysql-8.0", "mysql-9", "mariadb-10.5", "mariadb-10.11", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) {
			options := []string{"--log-slave-updates=OFF", "--skip-slave-start"}
			if version == "mysql-5.6" {
				options = append(options, "--gtid-mode=OFF", "--enforce-gtid-consistency=OFF")
			}
			s := servers.Start(t, version, options...)
			db := s.Connect(t, "")
			want := func(user string, status task.CheckStatus, says string) {
				t.Helper()
				c := statusOf(t, optionsOf(s, user))["replica's binlog"]
				if c.Status != status || !strings.Contains(c.Detail+" "+c.Fix, says) {
					t.Errorf("as %s: %+v, want %s with %q", user, c, status, says)
				}
			}
			word, change, host := "SLAVE", "CHANGE MASTER", "MASTER"
			if version == "mysql-9" {
				word, change, host = "REPLICA", "CHANGE REPLICATION SOURCE", "SOURCE"
			}
			named := ""
			if s.MariaDB() {
				named = " 'two'"
				db.Exec("GRANT SLAVE MONITOR, REPLICATION SLAVE, REPLICATION CLIENT, SELECT ON *.* TO monitor@'%' IDENTIFIED BY 'monitor'")
			}
			want(servers.Repl, task.Passed, "is OFF")
			db.Exec(change + named + " TO " + host + "_HOST = '127.0.0.1', " + host + "_PORT = 1, " + host + "_USER = 'x'")
			const failed = "is a replica of 127.0.0.1:1:"
			if s.MariaDB() {
				want("monitor", task.Fail, failed)
				want(servers.Repl, task.Passed, "has replicated nothing")
				db.Exec("START SLAVE 'two'")
				want("monitor", task.Fail, failed)
				want(servers.Repl, task.Fail, "is a replica of a server")
				db.Exec("STOP SLAVE 'two'", "SET GLOBAL gtid_slave_pos = '0-9-9'")
				want(servers.Repl, task.Warn, "GRANT SLAVE MONITOR")
			} else {
				want(servers.Repl, task.Fail, failed)
				db.Exec("START " + word)
				want(servers.Repl, task.Fail, "RESET ")
				db.Exec("STOP " + word)
			}
			db.Exec("RESET " + word + named + " ALL")
			if s.MariaDB() {
				want("monitor", task.Passed, "no replica")
			} else {
				want(servers.Repl, task.Passed, "no replica")
			}
		})
	}
}

func optionsOf(s *servers.Server, user string) task.Options { return options(s, user, user) }
