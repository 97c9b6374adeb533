//go:build servers

package tasks

import (
	"strings"
	"testing"

	"daybook/e2e/harness"
	"daybook/e2e/servers"
)

// TestAnotherGaleraNode leads a task to another node of a Galera cluster as MariaDB ships it: an Error that names the node,
// whose command leads on, and by itself it goes on where it was when led back.
func TestAnotherGaleraNode(t *testing.T) {
	own := []string{"--server-id=7", "--log-slave-updates=ON"}
	nodes := servers.Galera(t, append(own, "--log-bin=one"), append(own, "--log-bin=two"))
	conn := nodes[0].Connect(t, "")
	conn.Exec("CREATE DATABASE shop", "USE shop", "CREATE TABLE t (id INT PRIMARY KEY)")
	way := harness.NewProxy(t, nodes[0].Address)
	d := harness.Start(t, harness.Config{Source: way.Address(), Include: []string{"shop.t"}, Start: "now", SchemaChanges: "none"})
	d.WaitLog("state=Normal", patience)
	insert(conn, 1)
	wantLog(t, d, 1)
	way.Lead(nodes[1].Address)
	way.Cut()
	if task := waitState(t, d, "Error"); !strings.Contains(task.Reason, "the Galera node node2") || !strings.Contains(task.Reason, "wsrep_gtid_mode") {
		t.Errorf("the error is %q", task.Reason)
	}
	insert(conn, 2)
	way.Lead(nodes[0].Address)
	waitState(t, d, "Normal")
	wantLog(t, d, 1, 2)
	way.Lead(nodes[1].Address)
	way.Cut()
	insert(conn, 3)
	follow(t, d)
	waitState(t, d, "Normal")
	insert(conn, 9)
	wantLog(t, d, 1, 2, 0, 1, 2, 3, 9) // from the node's oldest binlog
}
