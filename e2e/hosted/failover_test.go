//go:build servers

package hosted

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"daybook/e2e/harness"
	"daybook/e2e/servers"
)

// cluster is a primary with semi-synchronous replicas, behind one address.
type cluster struct {
	t       *testing.T
	members []*servers.Server
	primary int
	address *harness.Proxy
}

func newCluster(t *testing.T, version string, n int) *cluster {
	c := &cluster{t: t}
	for i := range n {
		options := []string{"--log-slave-updates=ON", fmt.Sprintf("--server-id=%d", 101+i), "--read-only=1", "--sync-binlog=1"}
		if version == "mysql-9" {
			options = append(options, "--plugin-load-add=semisync_source.so", "--plugin-load-add=semisync_replica.so", "--loose-rpl-semi-sync-source-enabled=1",
				"--loose-rpl-semi-sync-replica-enabled=1", "--loose-rpl-semi-sync-source-timeout=1000")
		} else {
			options = append(options, "--rpl-semi-sync-master-enabled=1", "--rpl-semi-sync-slave-enabled=1", "--rpl-semi-sync-master-timeout=1000")
		}
		c.members = append(c.members, servers.Start(t, version, options...))
	}
	c.members[0].Connect(t, "").Exec("SET GLOBAL read_only = 0")
	for _, m := range c.members[1:] {
		m.Follow(t, c.members[0], true)
	}
	prepare(t, c.members[0])
	c.address = harness.NewProxy(t, c.members[0].Address)
	return c
}

// has waits until a member has all that another has.
func (c *cluster) has(m, of *servers.Server) {
	c.t.Helper()
	position, wait := "@@GLOBAL.gtid_executed", "SELECT WAIT_FOR_EXECUTED_GTID_SET('%s', 60)"
	if of.MariaDB() {
		position, wait = "@@GLOBAL.gtid_binlog_pos", "SELECT MASTER_GTID_WAIT('%s', 60)"
	}
	set := of.Connect(c.t, "").Query("SELECT " + position)[0][0]
	if got := m.Connect(c.t, "").Query(fmt.Sprintf(wait, set))[0][0]; got != "0" {
		c.t.Fatalf("%s has not got %s of %s: %s", m.Address, set, of.Address, m.ReplicaStatus(c.t))
	}
}

// fail has another member take over: in order, or with the primary killed once all others have what it
// committed. Meanwhile the address leads anywhere.
func (c *cluster) fail(kill bool) {
	c.t.Helper()
	old := c.members[c.primary]
	next := (c.primary + 1 + rand.IntN(len(c.members)-1)) % len(c.members)
	old.Connect(c.t, "").Exec("SET GLOBAL read_only = 1")
	if rand.IntN(2) == 0 {
		c.address.Lead(c.members[rand.IntN(len(c.members))].Address)
	}
	for i, m := range c.members {
		if i != c.primary {
			c.has(m, old)
		}
	}
	if kill {
		old.Kill(c.t)
	}
	promoted := c.members[next]
	promoted.Unfollow(c.t)
	promoted.Connect(c.t, "").Exec("SET GLOBAL read_only = 0")
	c.address.Lead(promoted.Address)
	if kill {
		old.Restart(c.t)
	}
	for i, m := range c.members {
		switch {
		case i == next:
			continue
		case i != c.primary:
			m.Unfollow(c.t)
		}
		if m.MariaDB() && i == c.primary {
			db := m.Connect(c.t, "")
			db.Exec(fmt.Sprintf("SET GLOBAL gtid_slave_pos = '%s'", db.Query("SELECT @@gtid_binlog_pos")[0][0]))
		}
		m.Follow(c.t, promoted, true)
	}
	c.primary = next
}

// TestFailoversBehindOneAddress has one of three servers take over, again and again, while sessions write.
func TestFailoversBehindOneAddress(t *testing.T) { failovers(t, 4, "mysql-9", "mariadb-11.8") }

func failovers(t *testing.T, times int, versions ...string) {
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, version, 3)
			d := daybook(t, c.address.Address(), "")
			l := start(t, c.address.Address(), 4)
			for n := range times {
				l.more(t, 50)
				c.fail(n%2 == 1)
				if n == times/2 {
					d.Kill()
					l.more(t, 20)
					d.Start()
				}
			}
			l.more(t, 50)
			l.stop()
			equals(t, d, c.members[c.primary])
		})
	}
}

// TestReadReplicaAsSource has the address lead to replicas, which the primary's sessions know nothing of.
func TestReadReplicaAsSource(t *testing.T) {
	for _, version := range []string{"mysql-9", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t, version, 3)
			replicas := harness.NewProxy(t, c.members[1].Address)
			c.has(c.members[1], c.members[0])
			d := daybook(t, replicas.Address(), "")
			l := start(t, c.address.Address(), 4)
			for n := range 8 {
				l.more(t, 50)
				switch n % 4 {
				case 1:
					replicas.Lead(c.members[2].Address)
				case 2:
					c.members[2].Connect(t, "").Exec("STOP "+replicaWord(version), "DO SLEEP(1)", "START "+replicaWord(version))
				case 3:
					c.members[2].Restart(t)
					replicas.Lead(c.members[1].Address)
				}
			}
			l.stop()
			equals(t, d, c.members[0])
		})
	}
}

func replicaWord(version string) string {
	if version == "mysql-9" {
		return "REPLICA"
	}
	return "SLAVE"
}

// TestBlueGreen switches to a server of a newer version that has followed the source so far.
func TestBlueGreen(t *testing.T) {
	for _, versions := range [][2]string{{"mysql-8.0", "mysql-9"}, {"mariadb-10.11", "mariadb-11.8"}} {
		t.Run(versions[0], func(t *testing.T) {
			t.Parallel()
			blue := servers.Start(t, versions[0], "--server-id=101", "--log-slave-updates=ON")
			green := servers.Start(t, versions[1], "--server-id=102", "--log-slave-updates=ON", "--read-only=1")
			prepare(t, blue)
			c := &cluster{t: t, members: []*servers.Server{blue, green}, address: harness.NewProxy(t, blue.Address)}
			d := daybook(t, c.address.Address(), "")
			l := start(t, c.address.Address(), 4)
			l.more(t, 50)
			green.Follow(t, blue, true)
			l.more(t, 200)
			blue.Connect(t, "").Exec("SET GLOBAL read_only = 1")
			time.Sleep(time.Duration(rand.IntN(500)) * time.Millisecond) // a switch takes its time
			c.has(green, blue)
			green.Unfollow(t)
			green.Connect(t, "").Exec("SET GLOBAL read_only = 0")
			c.address.Lead(green.Address)
			blue.Stop(t)
			l.more(t, 200)
			l.stop()
			equals(t, d, green)
		})
	}
}
