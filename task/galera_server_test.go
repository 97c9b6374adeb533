//go:build servers

package task_test

import (
	"strings"
	"testing"

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
