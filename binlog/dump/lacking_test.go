package dump

import "testing"

// TestLackingPrivilege names what helps: the usual ones, or another that the server asks for.
func TestLackingPrivilege(t *testing.T) {
	const all = "REPLICATION SLAVE, REPLICATION CLIENT, SELECT"
	for message, want := range map[string]string{
		"Access denied; you need (at least one of) the SUPER, REPLICATION CLIENT privilege(s) for this operation":       all,
		"Access denied; you need (at least one of) the REPLICATION SLAVE privilege(s) for this operation":               all,
		"Access denied; you need (at least one of) the SUPER, BINLOG MONITOR privilege(s) for this operation":           all,
		"Access denied; you need (at least one of) the SHOW DATABASES privilege(s) for this operation":                  "SHOW DATABASES",
		"Access denied; you need (at least one of) the SUPER, REPLICATION MASTER ADMIN privilege(s) for this operation": "REPLICATION MASTER ADMIN",
		"SELECT command denied to user 'u'@'localhost' for table 't'":                                                   all,
	} {
		if got := lacking(message); got != want {
			t.Errorf("%s: got %s, want %s", message, got, want)
		}
	}
}
