package dump

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
)

// Unlogged tells of a server that does not log what it replicates (log_slave_updates=OFF): its
// binlogs lack that, as if nothing had happened.
type Unlogged struct {
	// Replica: it is one, whether it replicates now or was stopped. Unseen: that cannot be seen by the account, and
	// it was one once. Neither: what it has is in its binlogs, or it is nobody's replica.
	Replica, Unseen bool
	Found           string // what is so, for people
	Fix             string // what to do about it; "": nothing
}

// Unlogged looks whether a server is a replica that does not log what it replicates.
func (c *Conn) Unlogged(ctx context.Context, s *Status) (Unlogged, error) {
	if s.InGalera() && !s.LogsReplicated() {
		return Unlogged{
			Replica: true,
			Found:   s.logVariable() + " is OFF, and the server is a node of a Galera cluster: what is committed at the other nodes is not in its binlog",
			Fix:     "set " + s.logVariable() + " = ON in the configuration of each node and restart it",
		}, nil
	}
	if s.LogsReplicated() {
		return Unlogged{Found: "what the server replicates is in its binlog: " + s.logVariable() + " is ON"}, nil
	}
	show, host := s.showReplica()
	rows, err := c.Query(ctx, show)
	switch {
	case errors.Is(err, ErrPrivilege):
		return c.unseenReplica(ctx, s)
	case err != nil:
		return Unlogged{}, err
	}
	var sources []string
	for _, row := range rows {
		if len(row) > host+2 && row[host].String != "" {
			sources = append(sources, net.JoinHostPort(row[host].String, row[host+2].String))
		}
	}
	if len(sources) == 0 {
		return Unlogged{Found: s.logVariable() + " is OFF, and the server is no replica"}, nil
	}
	return s.replicaOf(strings.Join(sources, " and ")), nil
}

// unseenReplica looks at what every account may see: whether replication runs now, and
// whether MariaDB ever did. MariaDB 10.5 shows the rest with SLAVE MONITOR only.
func (c *Conn) unseenReplica(ctx context.Context, s *Status) (Unlogged, error) {
	rows, err := c.Query(ctx, "SHOW GLOBAL STATUS WHERE Variable_name IN ('Slaves_running', 'Slave_running')")
	if err != nil {
		return Unlogged{}, err
	}
	for _, row := range rows {
		if v := row[1].String; v != "0" && v != "OFF" {
			return s.replicaOf("a server that the account may not see"), nil
		}
	}
	if s.Flavor == MariaDB {
		replicated, err := c.Replicated(ctx, s)
		if err != nil || replicated.IsEmpty() {
			return Unlogged{Found: s.logVariable() + " is OFF, and the server has replicated nothing"}, err
		}
	}
	return Unlogged{
		Unseen: true,
		Found: s.logVariable() + " is OFF, the server was a replica once, and whether it is one still, stopped for now, the account may not see: " +
			"if it is, what it replicates will not be in its binlog",
		Fix: "GRANT " + s.monitor() + " ON *.* to the account; if the server took its source's place, " + s.replicaEnd() + " there",
	}, nil
}

func (s *Status) replicaOf(source string) Unlogged {
	return Unlogged{
		Replica: true,
		Found:   fmt.Sprintf("%s is OFF, and the server is a replica of %s: what it gets from there is not in its binlog", s.logVariable(), source),
		Fix:     fmt.Sprintf("set %s = ON in its configuration and restart it, or track its source; if it took the source's place, %s there. What it replicated without logging it stays unknown: where that was not read before, load the tables anew", s.logVariable(), s.replicaEnd()),
	}
}

// LogsReplicated tells whether what the server replicates is in its binlogs.
func (s *Status) LogsReplicated() bool {
	return s.Variables["log_slave_updates"] == "ON" || s.Variables["log_replica_updates"] == "ON"
}

// logVariable is how the server calls that.
func (s *Status) logVariable() string {
	if _, ok := s.Variables["log_replica_updates"]; ok {
		return "log_replica_updates"
	}
	return "log_slave_updates"
}

// saysReplica tells whether the server's statements have REPLICA for SLAVE.
func (s *Status) saysReplica() bool { return s.Flavor == MySQL && s.Version >= 80022 }

// showReplica returns the statement that shows what the server replicates from, if anything, and
// where in its rows the source's host stands; its port stands two columns behind.
func (s *Status) showReplica() (sql string, host int) {
	switch {
	case s.saysReplica():
		return "SHOW REPLICA STATUS", 1
	case s.Flavor == MariaDB && s.Version >= 100000:
		return "SHOW ALL SLAVES STATUS", 3
	}
	return "SHOW SLAVE STATUS", 1
}

// monitor is the privilege that the statement needs.
func (s *Status) monitor() string {
	if s.Flavor == MariaDB && s.Version >= 100502 {
		return "SLAVE MONITOR"
	}
	return "REPLICATION CLIENT"
}

// replicaEnd are the statements that make the server nobody's replica.
func (s *Status) replicaEnd() string {
	switch {
	case s.saysReplica():
		return "STOP REPLICA and RESET REPLICA ALL"
	case s.Flavor == MariaDB && s.Version >= 100000:
		return "STOP ALL SLAVES and RESET SLAVE ALL (RESET SLAVE 'NAME' ALL for a named connection)"
	}
	return "STOP SLAVE and RESET SLAVE ALL"
}

// logging refuses a server that is a replica and does not log what it replicates. It may yet
// become the source: a failover may lead to it first.
func (d *placing) logging(ctx context.Context) (Unlogged, error) {
	u, err := d.c.Unlogged(ctx, d.s)
	if err == nil && u.Replica {
		err = Transient(fmt.Errorf("%w: %s; %s", ErrNotLogged, u.Found, u.Fix))
	}
	return u, err
}
