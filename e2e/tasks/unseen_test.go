//go:build servers

package tasks

import (
	"strings"
	"testing"

	"daybook/e2e/harness"
	"daybook/e2e/servers"
)

// TestStatementThatCannotBeSeenThrough has functions of a database that the account does not see run in statement format.
// What the message says leads on without a loss, and the next statement is looked through.
func TestStatementThatCannotBeSeenThrough(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		db, conn := s.Database(t)
		other := db + "_o"
		user := "unseen" + db[len(db)-8:]
		conn.Exec("CREATE TABLE t (id INT PRIMARY KEY)", "CREATE TABLE log (id INT)", "CREATE DATABASE "+other,
			"CREATE FUNCTION "+other+".harmless(x INT) RETURNS INT DETERMINISTIC BEGIN INSERT INTO "+db+".log VALUES (x); RETURN x; END",
			"CREATE FUNCTION "+other+".f(x INT) RETURNS INT DETERMINISTIC BEGIN INSERT INTO "+db+".t VALUES (x); RETURN x; END",
			"CREATE USER "+user+"@'127.0.0.1' IDENTIFIED BY 'Check-1pw'", "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO "+user+"@'127.0.0.1'",
			"GRANT SELECT, TRIGGER, SHOW VIEW ON "+db+".* TO "+user+"@'127.0.0.1'")
		t.Cleanup(func() { conn.Exec("DROP DATABASE "+other, "DROP USER "+user+"@'127.0.0.1'") })
		d := harness.Start(t, harness.Config{Source: s.Address, User: user, Pass: "Check-1pw", Include: []string{db + ".t"}, Start: "now", SchemaChanges: "none"})
		waitState(t, d, "Normal")
		insert(conn, 1)
		conn.Exec("SET SESSION binlog_format = STATEMENT", "DO "+other+".harmless(1)", "SET SESSION binlog_format = ROW")
		insert(conn, 2)
		if task := waitState(t, d, "Error"); !strings.Contains(task.Reason, "those of "+other+" cannot be seen") {
			t.Errorf("the error is %q", task.Reason)
		}
		conn.Exec("GRANT SELECT, TRIGGER, SHOW VIEW ON *.* TO " + user + "@'127.0.0.1'")
		follow(t, d)
		waitState(t, d, "Normal")
		wantLog(t, d, 1, 0, 2)
		conn.Exec("SET SESSION binlog_format = STATEMENT", "DO "+other+".f(3)", "SET SESSION binlog_format = ROW")
		if task := waitState(t, d, "Error"); !strings.Contains(task.Reason, "function "+other+".f, which it calls, may change "+db+".t") {
			t.Errorf("the error is %q", task.Reason)
		}
	})
}
