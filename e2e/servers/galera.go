package servers

import (
	"cmp"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// Galera starts the nodes of a Galera cluster of MariaDB 11.8, each with options of its own, as many as there are. What is
// committed at one of them soon is at all. None may be restarted. The test's
// name may have nothing but letters, digits, spaces and slashes in it: Galera takes no other characters in paths.
func Galera(t *testing.T, options ...[]string) []*Server {
	t.Helper()
	const version = "mariadb-11.8-galera"
	var nodes []*Server
	first := "" // node's address
	for i, own := range options {
		var group string
		for try := 1; len(nodes) == i; try++ {
			group = freePort(t)
			node, err := start(t, version, append([]string{
				"--wsrep-cluster-address=gcomm://" + first,
				fmt.Sprintf("--wsrep-node-name=node%d", i+1), "--wsrep-node-address=" + group,
				"--wsrep-provider-options=base_host=127.0.0.1;gcache.size=16M;gmcast.listen_addr=tcp://" + group + ";ist.recv_addr=" + freePort(t),
			}, own...)...)
			// A node that is asked for the data while it takes notice of the new one may refuse, and that ends.
			if err != nil && (try == 3 || !strings.Contains(err.Error(), "Not in primary component")) {
				t.Fatal(err)
			}
			if err == nil {
				nodes = append(nodes, node)
			}
		}
		db := nodes[i].Connect(t, "")
		wsrep := func(name string) string { return db.Query("SHOW GLOBAL STATUS LIKE 'wsrep_" + name + "'")[0][1] }
		for late := time.Now().Add(60 * time.Second); wsrep("local_state_comment") != "Synced"; time.Sleep(50 * time.Millisecond) {
			if time.Now().After(late) {
				t.Fatalf("node %d of the cluster is %s", i+1, wsrep("local_state_comment"))
			}
		}
		first = cmp.Or(first, group)
	}
	return nodes
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
