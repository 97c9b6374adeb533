//go:build servers

package identity

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"daybook/e2e/servers"
)

// database holds the one tracked table, t.
const database = "matrix"

// run is one scenario on one column: the servers, what was written, and who
// watches.
type run struct {
	t         *testing.T
	column    column
	scenario  scenario
	pair      *pair
	source    *servers.Server // where rows are written now
	conn      *servers.Conn
	written   []string // "id v" of each row, in the order of commit
	observers []*observer
}

func newRun(t *testing.T, c column, p *pair, s scenario) *run {
	r := &run{t: t, column: c, scenario: s, pair: p, source: p.source}
	r.connect()
	r.fresh(r.source, r.conn)
	return r
}

// begin makes the tracked table and starts the observers at the binlog's end;
// the first rows are read by all of them.
func (r *run) begin() {
	r.t.Helper()
	r.createTable()
	r.watch()
}

func (r *run) createTable() {
	r.conn.Exec("CREATE DATABASE "+database, "CREATE TABLE "+database+".t (id INT PRIMARY KEY, v VARCHAR(60))")
}

// watch starts the observers and lets them read a few rows.
func (r *run) watch() {
	r.t.Helper()
	for _, w := range ways {
		r.observers = append(r.observers, newObserver(r.t, w, r.source.Address))
	}
	for _, o := range r.observers {
		o.daybook.WaitLog("state=Normal", 30*time.Second)
	}
	r.write(3)
	r.read()
}

// write commits n transactions of one row each, all of the same size.
func (r *run) write(n int) { r.writeWith(n, "INSERT INTO %s.t VALUES (%d, '%s')") }

// writeWith does so by a statement with three verbs: database, ID, text.
func (r *run) writeWith(n int, statement string) {
	r.t.Helper()
	for range n {
		r.writeOn(r.conn, statement)
	}
}

func (r *run) writeOn(conn *servers.Conn, statement string) {
	r.t.Helper()
	id := len(r.written) + 1001
	v := fmt.Sprintf("row %d of %d", id, time.Now().UnixMicro())
	conn.Exec(fmt.Sprintf(statement, database, id, v))
	r.written = append(r.written, fmt.Sprint(id, " ", v))
}

// read waits until every observer's log has what was written.
func (r *run) read() {
	r.t.Helper()
	for _, o := range r.observers {
		if o.away {
			continue
		}
		if err := o.wait(len(r.written), r.patience()); err != nil {
			r.t.Fatalf("%s, before the source is changed: %v", o.way, err)
		}
	}
}

// part cuts off or stops who is to be so; join undoes it.
func (r *run) part() {
	for _, o := range r.observers {
		o.part(r.t)
	}
}

func (r *run) join() {
	for _, o := range r.observers {
		o.join()
	}
}

// lead makes the source's name that of another server.
func (r *run) lead(to *servers.Server) {
	for _, o := range r.observers {
		o.proxy.Lead(to.Address)
	}
	r.source = to
	r.connect()
}

// verdict checks each observer.
func (r *run) verdict(want func(way) verdict, names string) {
	r.t.Helper()
	deadline := time.Now().Add(r.patience())
	for _, o := range r.observers {
		r.t.Run(string(o.way), func(t *testing.T) {
			t.Logf("wanted: %s", want(o.way))
			o.check(t, want(o.way), names, r.written, time.Until(deadline))
		})
	}
}

// patience is how long something is waited for.
func (r *run) patience() time.Duration {
	if *patience > 0 {
		return *patience
	}
	return 45 * time.Second
}

// all is a wish that holds however Daybook meets the change.
func all(v verdict) func(way) verdict { return func(way) verdict { return v } }

// goesOn writes some more and wants all of it, everywhere.
func (r *run) goesOn() {
	r.t.Helper()
	r.write(2)
	r.verdict(all(exact), "")
}

// stops wants an Error that names one of the words, everywhere.
func (r *run) stops(names string) {
	r.t.Helper()
	r.verdict(all(stopped), names)
}

// end leaves nothing running but the servers.
func (r *run) end() {
	for _, o := range r.observers {
		o.daybook.Kill()
	}
}

func (r *run) connect() { r.t.Helper(); r.conn = r.source.Connect(r.t, "") }

// ---- what is done to the server ------------------------------------------------

// restart ends the source in order, and starts it after change has had its data
// directory.
func (r *run) restart(change func(data string)) {
	r.t.Helper()
	for _, o := range r.observers { // a server waits for its connections
		o.proxy.Close()
	}
	r.source.Stop(r.t)
	change(r.source.Data())
	r.source.Restart(r.t)
	r.connect()
	for _, o := range r.observers {
		if !o.away {
			o.proxy.Open()
		}
	}
}

// tick lets a second pass, which binlog times are counted in.
func (r *run) tick() { time.Sleep(1100 * time.Millisecond) }

func (r *run) resetMaster(conn *servers.Conn) {
	if r.column.version == "mysql-9" {
		conn.Exec("RESET BINARY LOGS AND GTIDS")
		return
	}
	conn.Exec("RESET MASTER")
}

// fresh brings a server back to where each scenario begins.
func (r *run) fresh(s *servers.Server, conn *servers.Conn) {
	r.t.Helper()
	s.Unfollow(r.t)
	if r.column.mariadb() {
		conn.Exec("SET GLOBAL gtid_domain_id = 0", "SET SESSION gtid_domain_id = 0")
	} else {
		r.switchGTIDs(conn, map[bool]string{true: "ON", false: "OFF"}[r.column.gtid], func() {})
	}
	conn.Exec("DROP DATABASE IF EXISTS " + database)
	r.resetMaster(conn)
	if r.column.mariadb() {
		conn.Exec("SET GLOBAL gtid_slave_pos = ''")
	}
}

// switchGTIDs goes to a gtid_mode, in the server's steps.
func (r *run) switchGTIDs(conn *servers.Conn, to string, each func()) {
	r.t.Helper()
	steps := []string{"OFF", "OFF_PERMISSIVE", "ON_PERMISSIVE", "ON"}
	at, end := slices.Index(steps, conn.Query("SELECT @@global.gtid_mode")[0][0]), slices.Index(steps, to)
	for at != end {
		if at < end {
			at++
		} else {
			at--
		}
		conn.Exec("SET GLOBAL gtid_mode = " + steps[at])
		each()
	}
}

// replicate makes the second server a replica of the first, from the binlog's begin.
func (r *run) replicate() *servers.Server {
	r.t.Helper()
	replica := r.pair.second()
	r.fresh(replica, replica.Connect(r.t, ""))
	replica.Follow(r.t, r.source, r.column.gtid)
	return replica
}

// caughtUp waits until the replica has every row that was written.
func (r *run) caughtUp(replica *servers.Server) *servers.Conn {
	r.t.Helper()
	conn := replica.Connect(r.t, "")
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		there := conn.Query("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '" + database + "'")[0][0]
		if there == "1" && conn.Query("SELECT COUNT(*) FROM " + database + ".t WHERE id > 1000")[0][0] == fmt.Sprint(len(r.written)) {
			return conn
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("the replica does not catch up: %s", replica.ReplicaStatus(r.t))
		}
	}
}

// purge deletes all binlog files but the newest; readers may hold one for a moment.
func (r *run) purge() {
	r.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		logs := r.conn.Query("SHOW BINARY LOGS")
		if len(logs) == 1 {
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("the binlogs are held: %q", logs)
		}
		_ = r.conn.Try("PURGE BINARY LOGS TO '" + logs[len(logs)-1][0] + "'")
	}
}

// copyData copies a data directory.
func copyData(t *testing.T, from, to string) {
	t.Helper()
	if out, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
		t.Fatalf("copy %s: %v: %s", from, err, out)
	}
}

// replaceData puts another data directory in the place of one.
func replaceData(t *testing.T, data, by string) {
	t.Helper()
	if err := os.RemoveAll(data); err != nil {
		t.Fatal(err)
	}
	copyData(t, by, data)
}

func removeBinlogs(t *testing.T, data string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(data, "binlog.*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no binlogs in %s: %v", data, err)
	}
	for _, f := range files {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
}
