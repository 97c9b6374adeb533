//go:build servers

package hosted

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"daybook/e2e/harness"
	"daybook/e2e/servers"
)

// TestGroupReplication has the primary of a group of three change, by command and by its death, while sessions write. The
// transactions of all of them have the group's UUID.
func TestGroupReplication(t *testing.T) { groupReplication(t, 2) }

func groupReplication(t *testing.T, times int) {
	t.Parallel()
	const name = "5a17a3c1-0f6c-4c8e-9d8e-3b1f0a2d9c55"
	var locals []string
	for range 3 {
		locals = append(locals, harness.FreeAddress(t))
	}
	var members []*servers.Server
	for i, local := range locals {
		members = append(members, servers.Start(t, "mysql-9", fmt.Sprintf("--server-id=%d", 101+i), "--plugin-load-add=group_replication.so",
			"--loose-group-replication-group-name="+name, "--loose-group-replication-local-address="+local, "--report-host=127.0.0.1",
			"--loose-group-replication-group-seeds="+strings.Join(locals, ","), "--loose-group-replication-start-on-boot=OFF",
			"--loose-group-replication-recovery-get-public-key=1", "--loose-group-replication-member-expel-timeout=2", "--loose-group-replication-unreachable-majority-timeout=20"))
	}
	join := func(m *servers.Server) {
		m.Connect(t, "").Exec("CHANGE REPLICATION SOURCE TO SOURCE_USER = 'repl', SOURCE_PASSWORD = 'repl' FOR CHANNEL 'group_replication_recovery'", "START GROUP_REPLICATION")
	}
	members[0].Connect(t, "").Exec("SET GLOBAL group_replication_bootstrap_group = ON", "START GROUP_REPLICATION", "SET GLOBAL group_replication_bootstrap_group = OFF")
	prepare(t, members[0])
	for _, m := range members[1:] {
		join(m)
	}
	online(t, members[0], 3)
	address := harness.NewProxy(t, members[0].Address)
	d := daybook(t, address.Address(), "")
	l := start(t, address.Address(), 4)
	for n := range times {
		l.more(t, 50)
		from, to := members[n%3], members[(n+1)%3]
		if n%2 == 0 {
			uuid := to.Connect(t, "").Query("SELECT @@server_uuid")[0][0]
			from.Connect(t, "").Exec("SELECT group_replication_set_as_primary('" + uuid + "')")
			address.Lead(to.Address)
			continue
		}
		from.Kill(t)
		primary := online(t, to, 2)
		address.Lead(primary)
		from.Restart(t)
		join(from)
		online(t, to, 3)
		if primary != to.Address {
			uuid := to.Connect(t, "").Query("SELECT @@server_uuid")[0][0]
			to.Connect(t, "").Exec("SELECT group_replication_set_as_primary('" + uuid + "')")
			address.Lead(to.Address)
		}
	}
	l.more(t, 50)
	l.stop()
	equals(t, d, members[times%3])
}

// online waits until a group has so many members, and returns the address of the primary.
func online(t *testing.T, m *servers.Server, n int) (primary string) {
	t.Helper()
	db := m.Connect(t, "")
	var rows [][]string
	for late := time.Now().Add(patience); time.Now().Before(late); time.Sleep(100 * time.Millisecond) {
		rows = db.Query("SELECT MEMBER_STATE, MEMBER_ROLE, MEMBER_PORT FROM performance_schema.replication_group_members")
		count := 0
		primary = ""
		for _, r := range rows {
			if r[0] == "ONLINE" {
				count++
			}
			if r[1] == "PRIMARY" && r[0] == "ONLINE" {
				primary = net.JoinHostPort("127.0.0.1", r[2])
			}
		}
		if count == n && len(rows) == n && primary != "" {
			return primary
		}
	}
	t.Fatalf("the group is %q, want %d members", rows, n)
	return ""
}
