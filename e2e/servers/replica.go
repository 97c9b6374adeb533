package servers

import (
	"fmt"
	"net"
	"strings"
	"testing"
)

// Follow makes the server a replica of a source of its family: by GTID, from where
// its own position is, or, with what is not byGTID, from the source's first binlog.
func (s *Server) Follow(t *testing.T, source *Server, byGTID bool) {
	t.Helper()
	switch {
	case source.MariaDB():
		s.follow(t, source, "MASTER_USE_GTID=slave_pos, MASTER_SSL=0") // an older source may have none
	case byGTID:
		s.follow(t, source, "MASTER_AUTO_POSITION=1")
	default:
		s.FollowFrom(t, source, "binlog.000001", 4)
	}
}

// FollowFrom makes the server a replica of a MySQL source from a place of its binlog on.
func (s *Server) FollowFrom(t *testing.T, source *Server, file string, pos uint64) {
	t.Helper()
	s.follow(t, source, fmt.Sprintf("MASTER_AUTO_POSITION=0, MASTER_LOG_FILE='%s', MASTER_LOG_POS=%d", file, pos))
}

func (s *Server) follow(t *testing.T, source *Server, from string) {
	t.Helper()
	host, port, err := net.SplitHostPort(source.Address)
	if err != nil {
		t.Fatal(err)
	}
	from = fmt.Sprintf("MASTER_HOST='%s', MASTER_PORT=%s, MASTER_USER='%s', MASTER_PASSWORD='%[3]s', ", host, port, Repl) + from
	if source.Name == "mysql-8.0" || source.Name == "mysql-9" {
		from += ", GET_MASTER_PUBLIC_KEY=1"
	}
	change := "CHANGE MASTER TO " + from
	if s.replicaWord() == "REPLICA" {
		change = strings.ReplaceAll("CHANGE REPLICATION SOURCE TO "+from, "MASTER_", "SOURCE_")
	}
	s.Connect(t, "").Exec(change, "START "+s.replicaWord())
}

// Unfollow makes the server a replica of nobody.
func (s *Server) Unfollow(t *testing.T) {
	t.Helper()
	s.Connect(t, "").Exec("STOP "+s.replicaWord(), "RESET "+s.replicaWord()+" ALL")
}

// ReplicaStatus is what a replica says of itself, for a message.
func (s *Server) ReplicaStatus(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("%q", s.Connect(t, "").Query("SHOW "+s.replicaWord()+" STATUS"))
}

// replicaWord is what the server calls a replica.
func (s *Server) replicaWord() string {
	if s.Name == "mysql-9" {
		return "REPLICA"
	}
	return "SLAVE"
}
