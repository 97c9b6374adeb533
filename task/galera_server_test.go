//go:build servers

package task_test

import (
	"strings"
	"testing"
	"time"

	"daybook/e2e/servers"
	"daybook/task"
)

// TestPrecheckOfAGaleraNode says what follows when the address leads to another node.
func TestPrecheckOfAGaleraNode(t *testing.T) {
	const on, domain = "--wsrep-gtid-mode=ON", "--wsrep-gtid-domain-id=100"
	for name, tt := range map[string]struct {
		options []string
		check   string
		status  task.CheckStatus
		says    string
	}{
		"as shipped":       {nil, "replica's binlog", task.Fail, "a node of a Galera cluster"},
		"logged":           {[]string{"--log-slave-updates=ON"}, "GTID", task.Warn, "wsrep_gtid_mode is OFF"},
		"one domain":       {[]string{"--log-slave-updates=ON", on}, "GTID", task.Warn, "as wsrep_gtid_domain_id"},
		"domain of itself": {[]string{"--log-slave-updates=ON", on, domain, "--gtid-domain-id=1"}, "GTID", task.Passed, "another node is followed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := servers.Galera(t, tt.options)[0]
			c := statusOf(t, optionsOf(s, servers.Repl))[tt.check]
			if c.Status != tt.status || !strings.Contains(c.Detail, tt.says) {
				t.Errorf("%+v, want %s with %q", c, tt.status, tt.says)
			}
		})
	}
}

// TestPrecheckOfANodeWithoutItsCluster kills the other node of two: the check says what is wrong, and gives no advice that is for
// other servers.
func TestPrecheckOfANodeWithoutItsCluster(t *testing.T) {
	nodes := servers.Galera(t, []string{"--log-slave-updates=ON"}, []string{"--log-slave-updates=ON"})
	o := optionsOf(nodes[0], servers.Repl)
	if c := statusOf(t, o)["replication"]; c.Status == task.Fail {
		t.Fatalf("with its cluster: %+v", c)
	}
	nodes[1].Kill(t)
	for late := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
		checks := statusOf(t, o)
		if c := checks["replication"]; c.Status == task.Fail {
			if !strings.Contains(c.Detail, "a node without its Galera cluster") || !strings.Contains(c.Fix, "another node") {
				t.Errorf("%+v", c)
			}
			if xa := checks["prepared XA"]; xa.Status != task.Warn || strings.Contains(xa.Fix, "GRANT") {
				t.Errorf("%+v", xa)
			}
			return
		}
		if time.Now().After(late) {
			t.Fatalf("the check does not tell: %+v", checks)
		}
	}
}
