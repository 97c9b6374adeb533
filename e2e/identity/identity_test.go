//go:build servers

// Package identity shows, on the real binary and real servers, that a source
// which is not what it was is either followed exactly or an Error: never a
// silent gap, never doubles.
//
// Each cell is one change of the source (scenarios_test.go), that happens while
// a Daybook is connected, cut off or stopped, by GTID or by file position, on
// one server version. Its verdict is by consequence alone: the log holds every
// row that the test wrote to the tracked table, once and in order, or the task
// is in Error, with a message that names what differs, and the log holds the
// first rows without a gap. Which of the two is wanted stands in the scenario.
//
// The three Daybooks of the three ways see the same event on the same server.
//
//	go test -tags servers -run TestIdentity ./e2e/identity
//	go test -tags servers,soak -run TestSoakIdentity ./e2e/identity
//	go test -tags servers,soak -run 'TestSoakIdentity/mysql-8.0-gtid/reset,_more' ./e2e/identity -patience 10s
package identity

import (
	"flag"
	"slices"
	"testing"

	"daybook/e2e/servers"
)

var patience = flag.Duration("patience", 0, "how long a verdict is waited for; 0: 45 s")

// column is a server version with what its positions are made of. MariaDB has
// GTIDs always.
type column struct {
	version string
	gtid    bool
}

func (c column) name() string {
	if c.gtid {
		return c.version + "-gtid"
	}
	return c.version + "-file"
}

func (c column) mariadb() bool { return c.version[:2] == "ma" }

var columns = []column{
	{"mysql-5.7", true}, {"mysql-5.7", false}, {"mysql-8.0", true}, {"mysql-8.0", false},
	{"mysql-9", true}, {"mysql-9", false}, {"mariadb-10.11", true}, {"mariadb-11.8", true},
}

// quick are the cells that make test has time for, by column.
var quick = map[string][]string{
	"mysql-8.0-gtid": {"reset, more", "reset, as many of the same size", "backup with binlogs", "replica, ahead",
		"replica, with a transaction of its own among ours", "replica, with others of its own among ours, then idle",
		"replica, with a transaction of a former source among ours", "replica, other transactions under the same numbers", "UUID", "GTIDs switched there and back", "purged, unread"},
	"mysql-8.0-file": {"reset, as many of the same size", "replica, equal", "purged behind"},
	"mariadb-10.11-gtid": {"reset, more", "replica, with a transaction of its own among ours", "replica, with others of its own among ours, then idle", "backup with binlogs", "backup without binlogs",
		"replica, other transactions under the same numbers", "domain deleted", "domain deleted, with the file of the position", "sequence went back"},
}

// TestIdentity runs a part of the matrix.
func TestIdentity(t *testing.T) {
	matrix(t, func(c column, name string) bool { return slices.Contains(quick[c.name()], name) })
}

// matrix runs the cells that are selected.
func matrix(t *testing.T, selected func(c column, scenario string) bool) {
	for _, c := range columns {
		var list []scenario
		for _, s := range scenarios {
			if (s.on == nil || s.on(c)) && selected(c, s.name) {
				list = append(list, s)
			}
		}
		if len(list) == 0 {
			continue
		}
		t.Run(c.name(), func(t *testing.T) {
			pair := newPair(t, c)
			for _, s := range list {
				t.Run(s.name, func(t *testing.T) {
					r := newRun(t, c, pair, s)
					defer r.end()
					s.run(r)
					if !t.Failed() {
						r.leadOn()
					}
				})
			}
		})
	}
}

// pair is the servers of a column: the source and, once it is needed, another.
type pair struct {
	column  column
	parent  *testing.T
	source  *servers.Server
	replica *servers.Server
}

func newPair(t *testing.T, c column) *pair {
	return &pair{column: c, parent: t, source: start(t, c)}
}

func start(t *testing.T, c column) *servers.Server {
	options := []string{}
	if c.mariadb() {
		options = append(options, "--log-slave-updates", "--gtid-strict-mode=0", "--sync-binlog=1")
	} else if !c.gtid {
		options = append(options, "--gtid-mode=OFF")
	}
	return servers.Start(t, c.version, options...)
}

// second starts the other server of the column, or returns the one that runs.
func (p *pair) second() *servers.Server {
	if p.replica == nil {
		p.replica = start(p.parent, p.column)
	}
	return p.replica
}
