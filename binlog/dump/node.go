package dump

import (
	"context"
	"fmt"
)

// Node is which node of a MariaDB Galera cluster a server is. Nodes share a server_id, have no
// UUIDs, and each writes a binlog of its own. The zero Node is a server that is none.
type Node struct {
	Name string // of the node, its host and port
	// Numbers names what gives the GTIDs their numbers, which all nodes of it agree on; "": each node
	// counts for itself, so a GTID is another transaction elsewhere.
	Numbers string
}

// nodeVariables are those that tell the Node.
var nodeVariables = []string{"wsrep_on", "wsrep_provider", "wsrep_node_name", "hostname", "port", "wsrep_gtid_mode", "wsrep_gtid_domain_id", "gtid_domain_id"}

// InGalera tells whether a server is a node of a Galera cluster, of MariaDB or another.
func (s *Status) InGalera() bool { return inGalera(s.Variables) }

func inGalera(v map[string]string) bool {
	return v["wsrep_on"] == "ON" && v["wsrep_provider"] != "" && v["wsrep_provider"] != "none"
}

// nodeName names the node of which these are variables; "": none.
func nodeName(v map[string]string) string {
	if !inGalera(v) {
		return ""
	}
	return fmt.Sprintf("%s, %s:%s", v["wsrep_node_name"], v["hostname"], v["port"])
}

// node finds out which node a MariaDB server is.
func (c *Conn) node(ctx context.Context, s *Status) (n Node, err error) {
	n.Name = nodeName(s.Variables)
	if n.Name == "" || !s.numbersAlike() {
		return n, nil
	}
	rows, err := c.Query(ctx, "SHOW GLOBAL STATUS LIKE 'wsrep_local_state_uuid'")
	if err == nil && len(rows) == 1 && rows[0][1].String != "" {
		n.Numbers = fmt.Sprintf("cluster %s, wsrep_gtid_domain_id %s, server_id %d", rows[0][1].String, s.Variables["wsrep_gtid_domain_id"], s.ServerID)
	}
	return n, err
}

// numbersAlike tells whether what a cluster replicates has the same GTIDs on all its nodes: before 10.5.1 the mode does
// not keep what it promises.
func (s *Status) numbersAlike() bool {
	return s.Variables["wsrep_gtid_mode"] == "ON" && s.Version >= 100501 && s.LogsReplicated()
}

// who names a server of MariaDB for people.
func (s *Status) who() string {
	if s.Node.Name == "" {
		return fmt.Sprintf("a server with server_id %d that is no node of a Galera cluster", s.ServerID)
	}
	return fmt.Sprintf("the Galera node %s (server_id %d)", s.Node.Name, s.ServerID)
}

// IsOf tells whether a position is of a server.
func (p *Position) IsOf(s *Status) bool {
	return p.ServerUUID == s.ServerUUID && p.ServerID == s.ServerID && p.Node.Name == s.Node.Name
}

// SetServer makes the position one of a server.
func (p *Position) SetServer(s *Status) {
	p.Flavor, p.ServerUUID, p.ServerID, p.Node = s.Flavor, s.ServerUUID, s.ServerID, s.Node
}

// sameNumbers tells whether the position's GTIDs are the same transactions on this server. A
// node that counts for itself may have been set up anew from another one (SST) meanwhile, with its numbers: only a
// GTID set that was named for it, as a start, is trusted.
func (d *placing) sameNumbers() bool {
	here, read := d.s.Node, d.p.Node
	switch {
	case here == Node{} && read == Node{}:
		return true
	case d.p.File == "" && here.Name == read.Name:
		return true
	case here.Name != "" && here.Numbers == "", read.Name != "" && read.Numbers == "":
		return false
	}
	return here.Numbers == "" || read.Numbers == "" || here.Numbers == read.Numbers // a replica keeps a cluster's numbers
}

// noSameNumbers says why GTIDs do not tell the position.
func (d *placing) noSameNumbers() string {
	if d.s.Node.Numbers != "" && d.p.Node.Numbers != "" {
		return fmt.Sprintf("its transactions are numbered by %s, and those that were read by %s", d.s.Node.Numbers, d.p.Node.Numbers)
	}
	return "each node of a Galera cluster numbers transactions by itself with wsrep_gtid_mode=OFF: set it to ON on all of them (MariaDB 10.5.1 and later), with one wsrep_gtid_domain_id and one server_id, " +
		"a gtid_domain_id of its own on each, and log_slave_updates=ON, for another node to be followed"
}
