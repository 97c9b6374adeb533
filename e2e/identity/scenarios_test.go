//go:build servers

package identity

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"daybook/e2e/servers"
)

// scenario is one change of the source. Its run says which of the two verdicts
// is wanted: goesOn or stops.
type scenario struct {
	name string
	on   func(column) bool // nil: everywhere
	run  func(*run)
}

func isMariaDB(c column) bool { return c.mariadb() }
func isMySQL(c column) bool   { return !c.mariadb() }

// What a message must name one of: the history that is not the one that was read.
const otherHistory = `creat|reset|restor|GTID|binlog\.\d+`

var scenarios = []scenario{
	{name: "reset, fewer", run: func(r *run) { reset(r, 1) }},
	{name: "reset, more", run: func(r *run) { reset(r, 9) }},
	{name: "reset, as many of the same size", run: sameSize},
	{name: "backup with binlogs", run: func(r *run) { backup(r, true) }},
	{name: "backup without binlogs", run: func(r *run) { backup(r, false) }},
	{name: "replica, equal", run: func(r *run) { failover(r, 0) }},
	{name: "replica, ahead", run: func(r *run) { failover(r, 3) }},
	{name: "replica, behind with its own", run: func(r *run) { diverged(r, false) }},
	{name: "replica, other transactions under the same numbers", on: func(c column) bool { return c.gtid },
		run: func(r *run) { diverged(r, true) }},
	{name: "replica, with a transaction of its own among ours", on: func(c column) bool { return c.gtid }, run: func(r *run) { ownAmongOurs(r, true) }},
	{name: "replica, with others of its own among ours, then idle", on: func(c column) bool { return c.gtid }, run: func(r *run) { ownAmongOurs(r, false) }},
	{name: "replica, with a transaction of a former source among ours", on: func(c column) bool { return c.gtid && !c.mariadb() }, run: ofAFormerSource},
	{name: "server ID", run: serverID},
	{name: "UUID", on: isMySQL, run: uuid},
	{name: "GTIDs switched", on: isMySQL, run: switched},
	{name: "GTIDs switched there and back", on: isMySQL, run: switchedTwice},
	{name: "purged behind", run: purgedBehind},
	{name: "purged, all read", run: purgedRead},
	{name: "purged, unread", run: purgedUnread},
	{name: "domain deleted", on: isMariaDB, run: func(r *run) { domainDeleted(r, false) }},
	{name: "domain deleted, with the file of the position", on: isMariaDB, run: func(r *run) { domainDeleted(r, true) }},
	{name: "domain changed", on: isMariaDB, run: domainChanged},
	{name: "sequence went back", on: isMariaDB, run: sequenceBack},
	{name: "sequence goes back meanwhile", on: isMariaDB, run: sequenceBackMeanwhile},
}

// reset begins the binlog anew and writes n transactions; 3 were read. What was
// not read before is not known, so nobody can go on.
func reset(r *run, n int) {
	r.begin()
	r.part()
	r.tick()
	r.resetMaster(r.conn)
	r.write(n)
	r.join()
	r.stops(otherHistory)
}

// sameSize makes a binlog with the same name, size and GTIDs.
func sameSize(r *run) {
	r.createTable()
	r.resetMaster(r.conn)
	r.watch()
	r.part()
	r.tick()
	r.resetMaster(r.conn)
	r.write(3)
	r.join()
	r.stops(otherHistory)
}

// backup brings back a copy of the data directory, and writes more than was
// written after the copy was taken.
func backup(r *run, binlogs bool) {
	r.begin()
	saved := filepath.Join(r.t.TempDir(), "backup")
	r.restart(func(data string) { copyData(r.t, data, saved) })
	if !binlogs {
		removeBinlogs(r.t, saved)
	}
	r.write(3)
	r.read()
	r.part()
	r.tick()
	r.restart(func(data string) { replaceData(r.t, data, saved) })
	r.write(8)
	r.join()
	r.stops(otherHistory)
}

// failover leads to a replica that has everything, and more. By GTID it is
// followed. A file position means nothing on another server.
func failover(r *run, more int) {
	r.begin()
	replica := r.replicate()
	r.part()
	r.write(more)
	r.caughtUp(replica)
	r.read()
	replica.Unfollow(r.t)
	r.lead(replica)
	r.write(2)
	r.join()
	if !r.column.gtid {
		r.stops(`server|UUID|` + otherHistory)
		return
	}
	r.goesOn()
}

// ownAmongOurs leads to a replica that committed something itself, which stands in its binlogs before
// what was read last: of the table that is read, which stops the task, or of others, which comes
// to nothing; nor does what stands behind it come again, when the source is connected to once more
// before anything new is written.
func ownAmongOurs(r *run, selected bool) {
	r.begin()
	replica := r.replicate()
	conn := r.caughtUp(replica)
	switch {
	case selected:
		conn.Exec(fmt.Sprintf("INSERT INTO %s.t VALUES (1, 'its own')", database))
	case r.column.mariadb(): // in its own domain: in ours such a row would count
		conn.Exec("ANALYZE TABLE "+database+".t", "SET gtid_domain_id = 3", "CREATE DATABASE elsewhere", "CREATE TABLE elsewhere.t (id INT PRIMARY KEY)", "INSERT INTO elsewhere.t VALUES (1)", "SET gtid_domain_id = 0")
	default:
		conn.Exec("ANALYZE TABLE "+database+".t", "CREATE DATABASE elsewhere", "CREATE TABLE elsewhere.t (id INT PRIMARY KEY)", "INSERT INTO elsewhere.t VALUES (1)")
	}
	defer conn.Exec("DROP DATABASE IF EXISTS elsewhere")
	r.write(5)
	r.caughtUp(replica)
	r.read()
	r.part()
	replica.Unfollow(r.t)
	r.lead(replica)
	r.join()
	if selected {
		r.write(1)
		r.stops("alone")
		return
	}
	for range 2 {
		r.verdict(all(exact), "")
		r.part()
		r.join()
	}
	r.goesOn()
}

// ofAFormerSource leads to a replica that has something of a server that was the source once, which the source of
// now never got: it stands before what was read last, of another server, so that it is told too late.
func ofAFormerSource(r *run) {
	const former = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
	r.begin()
	replica := r.replicate()
	as := func(conn *servers.Conn, n int, then func()) {
		conn.Exec(fmt.Sprintf("SET gtid_next = '%s:%d'", former, n))
		then()
		conn.Exec("SET gtid_next = 'AUTOMATIC'")
	}
	as(r.conn, 1, func() { r.write(1) })
	r.write(1)
	r.read()
	conn := r.caughtUp(replica)
	as(conn, 2, func() { conn.Exec(fmt.Sprintf("ALTER TABLE %s.t COMMENT 'of a former source'", database)) }) // a row may meet none of ours
	r.write(2)
	r.caughtUp(replica)
	r.read()
	r.part()
	replica.Unfollow(r.t)
	r.lead(replica)
	r.join()
	r.write(1)
	r.stops("alone")
}

// diverged leads to a replica that lacks the last transactions that were read,
// and has others in their place.
func diverged(r *run, same bool) {
	r.begin()
	replica := r.replicate()
	conn := r.caughtUp(replica)
	replica.Unfollow(r.t)
	common := len(r.written)
	r.write(3)
	r.read()
	lost := len(r.written) - common
	r.part()
	r.tick()
	next := r.numbers(conn)
	for i := range lost + 2 {
		if same {
			next(i)
		}
		id := common + i + 1001
		conn.Exec("BEGIN", fmt.Sprintf("INSERT INTO %s.t VALUES (%d, 'another row')", database, id), "COMMIT")
	}
	if same && !r.column.mariadb() {
		conn.Exec("SET gtid_next = 'AUTOMATIC'")
	}
	r.lead(replica)
	r.join()
	r.stops(`server|UUID|` + otherHistory)
}

// serverID changes while the server runs. It is the same binlog.
func serverID(r *run) {
	r.begin()
	id := r.conn.Query("SELECT @@server_id")[0][0]
	r.part()
	r.conn.Exec("SET GLOBAL server_id = 77")
	r.t.Cleanup(func() { r.source.Connect(r.t, "").Exec("SET GLOBAL server_id = " + id) })
	r.connect()
	r.write(2)
	r.conn.Exec("FLUSH BINARY LOGS")
	r.write(2)
	r.join()
	r.goesOn()
}

// uuid changes by deleting auto.cnf, as after a clone. It is the same binlog.
func uuid(r *run) {
	r.begin()
	r.part()
	r.write(2)
	r.restart(func(data string) {
		if err := os.Remove(filepath.Join(data, "auto.cnf")); err != nil {
			r.t.Fatal(err)
		}
	})
	r.write(2)
	r.join()
	r.goesOn()
}

// switched goes half the way to the other gtid_mode unseen, the rest under the
// readers' eyes, and back, with transactions at each step. The server sends
// neither kind of transaction in the mode that is all the other's: so at each
// step all is read first.
func switched(r *run) {
	r.begin()
	r.part()
	half, whole, back := "ON_PERMISSIVE", "ON", "OFF"
	if r.column.gtid {
		half, whole, back = "OFF_PERMISSIVE", "OFF", "ON"
	}
	r.switchGTIDs(r.conn, half, func() { r.write(1) })
	r.join()
	each := func() { r.write(1); r.read() }
	each()
	r.switchGTIDs(r.conn, whole, each)
	r.switchGTIDs(r.conn, back, each)
	r.goesOn()
}

// switchedTwice leaves transactions unread that the server does not send in the
// mode that it has in the end: that is an Error which names gtid_mode, and goes
// away in a permissive mode. By GTIDs alone the anonymous ones would be passed over.
func switchedTwice(r *run) {
	r.begin()
	r.part()
	each := func() { r.write(1); r.read() } // by who is connected
	there, back, permissive := "ON", "OFF", "OFF_PERMISSIVE"
	if r.column.gtid {
		there, back, permissive = "OFF", "ON", "ON_PERMISSIVE"
	}
	r.switchGTIDs(r.conn, there, each)
	r.switchGTIDs(r.conn, back, each)
	r.join()
	r.write(2)
	r.verdict(func(w way) verdict {
		if w == connected {
			return exact
		}
		return stopped
	}, "gtid_mode")
	r.switchGTIDs(r.conn, permissive, func() {})
	r.goesOn()
}

// purgedBehind deletes files that were read long ago.
func purgedBehind(r *run) {
	r.begin()
	r.conn.Exec("FLUSH BINARY LOGS")
	r.write(2)
	r.read()
	r.part()
	r.purge()
	r.write(2)
	r.join()
	r.goesOn()
}

// purgedRead deletes the file of the position, of which everything was read. Its
// GTIDs tell; that nothing stood behind a file position nobody knows.
func purgedRead(r *run) {
	r.begin()
	r.part()
	r.conn.Exec("FLUSH BINARY LOGS")
	r.read() // who is connected goes on to the next file
	r.purge()
	r.write(2)
	r.join()
	if r.column.gtid {
		r.goesOn()
		return
	}
	r.verdict(func(w way) verdict {
		if w == connected {
			return exact
		}
		return stopped
	}, `purged|no longer|binlog\.\d+`)
}

// purgedUnread deletes files that only who is connected has read.
func purgedUnread(r *run) {
	r.begin()
	r.part()
	r.write(2)
	r.read()
	r.conn.Exec("FLUSH BINARY LOGS")
	r.write(2)
	r.read()
	r.conn.Exec("FLUSH BINARY LOGS")
	r.purge()
	r.write(2)
	r.join()
	r.verdict(func(w way) verdict {
		if w == connected {
			return exact
		}
		return stopped
	}, `purged|no longer|binlog\.\d+`)
}

// domainDeleted makes the server forget a domain that the position names. That
// nothing of it was missed only the position's file tells: without it this is an
// Error for who was not connected.
func domainDeleted(r *run, fileToo bool) {
	r.begin()
	r.conn.Exec("SET SESSION gtid_domain_id = 5")
	r.write(2)
	r.conn.Exec("SET SESSION gtid_domain_id = 0")
	r.write(2)
	r.read()
	if !fileToo {
		r.conn.Exec("FLUSH BINARY LOGS")
		r.write(2)
		r.read()
	}
	r.part()
	if fileToo {
		r.conn.Exec("FLUSH BINARY LOGS")
		r.read() // who is connected goes on to the next file
	}
	r.purge()
	r.conn.Exec("FLUSH BINARY LOGS DELETE_DOMAIN_ID = (5)")
	r.write(2)
	r.join()
	if !fileToo {
		r.goesOn()
		return
	}
	r.verdict(func(w way) verdict {
		if w == connected {
			return exact
		}
		return stopped
	}, "DELETE_DOMAIN_ID")
}

func domainChanged(r *run) {
	r.begin()
	r.part()
	r.conn.Exec("SET GLOBAL gtid_domain_id = 7")
	r.connect()
	r.write(2)
	r.join()
	r.goesOn()
}

// sequenceBack: without gtid_strict_mode a session may number as it likes. The
// same server's file and offset still tell where reading stands. A dump by GTID
// would begin in the file before, at what was read.
func sequenceBack(r *run) {
	r.begin()
	r.numbered(1000, 2)
	r.conn.Exec("FLUSH BINARY LOGS")
	r.numbered(500, 2)
	r.read()
	r.part()
	r.numbered(502, 2)
	r.join()
	r.numbered(504, 2)
	r.verdict(all(either), "GTID|sequence")
}

func sequenceBackMeanwhile(r *run) {
	r.begin()
	r.numbered(1000, 2)
	r.read()
	r.part()
	r.numbered(1002, 2)
	r.conn.Exec("FLUSH BINARY LOGS")
	r.numbered(500, 2)
	r.join()
	r.numbered(502, 2)
	r.verdict(all(either), "GTID|sequence")
}

// numbered writes n transactions with sequence numbers from first on.
func (r *run) numbered(first, n int) {
	for i := range n {
		r.conn.Exec(fmt.Sprint("SET SESSION gtid_seq_no = ", first+i))
		r.write(1)
	}
}

// numbers returns what makes the next transactions of a connection those that
// follow what the server has, under the source's name.
func (r *run) numbers(conn *servers.Conn) func(int) {
	if r.column.mariadb() {
		id := r.pair.source.Connect(r.t, "").Query("SELECT @@server_id")[0][0]
		last := strings.Split(conn.Query("SELECT @@gtid_binlog_pos")[0][0], "-")
		var seq int
		fmt.Sscan(last[2], &seq)
		return func(i int) {
			conn.Exec("SET SESSION server_id = "+id, fmt.Sprint("SET SESSION gtid_seq_no = ", seq+1+i))
		}
	}
	if !r.column.gtid {
		return nil
	}
	name, list, _ := strings.Cut(conn.Query("SELECT @@global.gtid_executed")[0][0], ":")
	var seq int
	fmt.Sscan(list[strings.LastIndex(list, "-")+1:], &seq)
	return func(i int) { conn.Exec(fmt.Sprintf("SET gtid_next = '%s:%d'", name, seq+1+i)) }
}
