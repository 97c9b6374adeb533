//go:build servers

package tasks

import (
	"strings"
	"testing"

	"daybook/e2e/harness"
	"daybook/e2e/servers"
)

// TestServerIDOfAnother has two Daybooks that give themselves out for the same
// replica: one of them is told, and goes on when the other has ended.
func TestServerIDOfAnother(t *testing.T) {
	s := servers.Get(t, "mysql-8.0")
	db, conn := s.Database(t)
	conn.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
	c := harness.Config{Source: s.Address, Include: []string{db + ".t"}, Start: "now", SchemaChanges: "none", SourceKeys: "server_id: 990077"}
	first := harness.Start(t, c)
	first.WaitLog("state=Normal", patience)
	second := harness.Start(t, c)
	second.WaitLog("state=Normal", patience)
	if task := waitState(t, first, "Error"); !strings.Contains(task.Reason, "server_id") {
		t.Errorf("the error is %q", task.Reason)
	}
	second.Stop()
	waitState(t, first, "Normal")
	insert(conn, 1)
	wantLog(t, first, 1)
}
