//go:build servers

package task_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"daybook/e2e/servers"
	"daybook/task"
)

// TestPrecheckOfGrantsOnOddNames has grants on databases and tables whose names have dots,
// spaces and backquotes, and patterns of each form.
func TestPrecheckOfGrantsOnOddNames(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		name, conn := s.Database(t)
		odd, spaced := name+" a`b.c", name+" d"
		q := servers.QuoteName
		conn.Exec("CREATE DATABASE "+q(spaced), "CREATE TABLE "+q(spaced)+".t (id INT, n INT)")
		conn.Exec("CREATE DATABASE "+q(odd), "CREATE TABLE t (id INT)", "CREATE TABLE "+q(odd)+".`t.1` (id INT, n INT)", "CREATE TABLE "+q(odd)+".`t 2` (id INT)", "CREATE TABLE "+q(odd)+".`café` (id INT)")
		t.Cleanup(func() { conn.Exec("DROP DATABASE "+q(odd), "DROP DATABASE "+q(spaced)) })
		for _, tt := range []struct {
			grants  []string
			include string
			status  task.CheckStatus
			says    string
		}{
			{[]string{"SELECT ON " + q(odd) + ".*"}, q(odd) + ".*", task.Passed, "on what is selected"},
			{[]string{"SELECT ON " + q(odd) + ".*"}, q(odd) + ".`t 2`", task.Passed, "on what is selected"},
			{[]string{"SELECT ON " + q(odd) + ".*"}, q(odd) + `./t.\d/`, task.Passed, "on what is selected"},
			{[]string{"SELECT ON " + q(odd) + ".*"}, "/" + name + `.*\.t.\d/`, task.Warn, "not granted on all of /" + name},
			{[]string{"SELECT ON " + q(odd) + ".*"}, "/" + name + "/.*", task.Fail, "no table of /" + name + "/.* is visible"},
			{[]string{"SELECT ON " + q(odd) + ".*"}, "/" + name + `.*\.x/`, task.Fail, "is visible"},
			{[]string{"SELECT ON " + q(odd) + ".`t.1`"}, q(odd) + ".`t.1`", task.Passed, "on what is selected"},
			{[]string{"SELECT ON " + q(odd) + ".`t.1`"}, q(odd) + ".*", task.Warn, "not granted on all of"},
			{[]string{"SELECT ON " + q(odd) + ".`t.1`"}, q(odd) + ".`t 2`", task.Fail, "is visible"},
			{[]string{"SELECT ON " + q(odd) + ".`café`"}, q(odd) + ".cafe", task.Fail, "is visible"},
			{[]string{"SELECT (id) ON " + q(odd) + ".`t.1`"}, q(odd) + ".*", task.Fail, "single columns only of " + q(odd) + ".`t.1`"},
			{[]string{"SELECT (id) ON " + q(odd) + ".`t.1`", "SELECT ON " + q(name) + ".*"}, "/" + name + `.*/.*`, task.Fail, "single columns only"},
			{[]string{"SELECT ON " + q(spaced) + ".*"}, spaced + ".*", task.Passed, "on what is selected"},
			{[]string{"SELECT (id) ON " + q(spaced) + ".t"}, spaced + ".*", task.Fail, "single columns only of " + q(spaced) + ".t"},
			{[]string{"SELECT ON " + q(spaced) + ".*"}, spaced + ".none", task.Passed, "on what is selected"}, // it may be created
		} {
			user := fmt.Sprintf("odd%08x", rand.Uint32())
			conn.Exec("CREATE USER "+user+"@'%' IDENTIFIED BY 'Check-1pw'", "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO "+user+"@'%'")
			for _, g := range tt.grants {
				conn.Exec("GRANT " + g + " TO " + user + "@'%'")
			}
			o := options(s, user, "Check-1pw")
			o.Include = []string{tt.include}
			if c := statusOf(t, o)["privilege SELECT"]; c.Status != tt.status || !strings.Contains(c.Detail, tt.says) {
				t.Errorf("%q, %s: %+v in place of %s with %q", tt.grants, tt.include, c, tt.status, tt.says)
			}
			conn.Exec("DROP USER " + user + "@'%'")
		}
	})
}

// TestPrecheckWithoutShowDatabases has a server that shows databases to nobody who lacks
// the privilege, by SHOW DATABASES at least.
func TestPrecheckWithoutShowDatabases(t *testing.T) {
	for _, version := range []string{"mysql-5.6", "mysql-8.0", "mariadb-10.11"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			s := servers.Start(t, version, "--skip-show-database")
			name, conn := s.Database(t)
			conn.Exec("CREATE TABLE t (id INT)")
			conn.Exec("CREATE USER few@'%' IDENTIFIED BY 'Check-1pw'", "GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO few@'%'")
			o := options(s, "few", "Check-1pw")
			o.Include = []string{name + ".t"}
			checks := statusOf(t, o)
			for _, c := range checks {
				if c.Status == task.Fail {
					t.Errorf("fails: %+v", c)
				}
			}
			if _, all := checks["engines"]; !all {
				t.Error("the checks were not done to their end")
			}
			list, err := task.ListDatabases(t.Context(), o)
			if err != nil || !strings.Contains(fmt.Sprintf("%+v", list), "{Name:"+name+" System:false Selected:true}") {
				t.Errorf("databases %+v, error %v", list, err)
			}
		})
	}
}
