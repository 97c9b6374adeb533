package task

import (
	"fmt"

	"daybook/binlog"
)

const followFix = "set wsrep_gtid_mode = ON on all nodes, with one wsrep_gtid_domain_id and one server_id, a gtid_domain_id of its own on each, and log_slave_updates = ON, and restart them"

// tellMariaDBGTID says what a MariaDB's GTIDs tell elsewhere.
func (p *prechecker) tellMariaDBGTID() {
	const name = "GTID"
	s := &binlog.Status{Flavor: binlog.MariaDB, Variables: p.vars}
	var major, minor, patch int
	_, _ = fmt.Sscanf(p.vars["version"], "%d.%d.%d", &major, &minor, &patch)
	switch own := p.vars["gtid_domain_id"]; {
	case !s.InGalera():
		p.pass(name, "MariaDB GTIDs: a failover is followed")
	case major*10000+minor*100+patch < 100501:
		p.add(name, Warn, "a node of a Galera cluster: each numbers transactions by itself, so the task stops when the address leads to another node, and a command leads on",
			"use MariaDB 10.5.1 or later, and "+followFix)
	case p.vars["wsrep_gtid_mode"] != "ON":
		p.add(name, Warn, "a node of a Galera cluster, and wsrep_gtid_mode is OFF: each node numbers transactions by itself, so the task stops when the address leads to another node, and a command leads on", followFix)
	case own == p.vars["wsrep_gtid_domain_id"]:
		p.add(name, Warn, fmt.Sprintf("a node of a Galera cluster, and gtid_domain_id is %s, as wsrep_gtid_domain_id: what a node commits for itself takes numbers of the cluster's, and the task stops at another node", own), followFix)
	default:
		p.pass(name, fmt.Sprintf("a node of a Galera cluster, and wsrep_gtid_mode is ON: another node is followed if it has the same wsrep_gtid_domain_id (%s) and server_id (%s), and log_slave_updates", p.vars["wsrep_gtid_domain_id"], p.vars["server_id"]))
	}
}
