//go:build servers

package task_test

import (
	"strings"
	"testing"

	"daybook/e2e/servers"
	"daybook/task"
)

// TestPrecheckOfDatabasesThatAreLeftOut compares what the check says with what is in the binlog.
func TestPrecheckOfDatabasesThatAreLeftOut(t *testing.T) {
	for _, version := range []string{"mysql-5.5", "mysql-5.6", "mysql-9", "mariadb-10.11"} {
		for lower, filter := range map[string]string{"0": "ignore", "1": "do"} {
			t.Run(version+"/lower="+lower+"/"+filter, func(t *testing.T) {
				t.Parallel()
				s := servers.Start(t, version, "--lower-case-table-names="+lower, "--binlog-"+filter+"-db=Shop", "--binlog-"+filter+"-db=crm")
				db := s.Connect(t, "")
				db.Exec("CREATE DATABASE Shop", "CREATE DATABASE crm", "CREATE DATABASE other", "USE crm")
				for _, name := range []string{"Shop", "crm", "other"} {
					db.Exec("CREATE TABLE "+name+".t (id INT PRIMARY KEY)", "INSERT INTO "+name+".t VALUES (1)")
					there := false
					for _, event := range db.Query("SHOW BINLOG EVENTS") {
						there = there || event[2] == "Table_map" && strings.Contains(strings.ToLower(event[5]), "("+strings.ToLower(name)+".t)")
					}
					o := options(s, servers.Repl, servers.Repl)
					o.Include = []string{name + ".*"}
					c := statusOf(t, o)["binlog filters"]
					if fails := c.Status == task.Fail; fails == there || fails && !strings.Contains(c.Detail, "databases "+tableName(name, lower)+" are") {
						t.Errorf("%s is in the binlog %t: %+v", name, there, c)
					}
					o.Include = []string{"*.*"}
					c = statusOf(t, o)["binlog filters"]
					_, covered, _ := strings.Cut(c.Detail, ": changes of")
					covered, _, _ = strings.Cut(covered, ", which a wildcard or regular expression covers")
					if says := strings.Contains(covered+",", " "+tableName(name, lower)+","); c.Status != task.Warn || says == there {
						t.Errorf("%s is in the binlog %t: %+v", name, there, c)
					}
				}
			})
		}
	}
}

func tableName(name, lower string) string {
	if lower == "1" {
		return strings.ToLower(name)
	}
	return name
}
