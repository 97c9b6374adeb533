//go:build servers

package binlog_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"daybook/binlog"
	"daybook/binlog/dump"
	"daybook/e2e/servers"
)

// alike are options of a Galera cluster whose nodes number what they replicate alike, and then more.
func alike(domain int, more ...string) []string {
	return append([]string{"--server-id=7", "--log-slave-updates=ON", "--wsrep-gtid-mode=ON", "--wsrep-gtid-domain-id=100", fmt.Sprintf("--gtid-domain-id=%d", domain)}, more...)
}

// asShipped are those of one that is as MariaDB has it, but that it logs what it replicates.
func asShipped(more ...string) []string {
	return append([]string{"--server-id=7", "--log-slave-updates=ON"}, more...)
}

// synced waits until a node has all that its cluster has.
func synced(t *testing.T, s *servers.Server, database string) *servers.Conn {
	t.Helper()
	db := s.Connect(t, "")
	db.Exec("SET wsrep_sync_wait = 15", "USE `"+database+"`", "SHOW TABLES")
	return db
}

// galeraLoad writes to t at a node until stop is closed.
func galeraLoad(db *servers.Conn, first, step int, stop <-chan struct{}) {
	for id := first; ; id += step {
		select {
		case <-stop:
			return
		default:
		}
		// What fails here, as nodes decide on conflicts, is rolled back.
		for _, sql := range []string{
			fmt.Sprintf("INSERT INTO t VALUES (%d, 0)", id),
			fmt.Sprintf("UPDATE t SET v = v + 1 WHERE id BETWEEN %d AND %d", id-6, id),
			fmt.Sprintf("DELETE FROM t WHERE id = %d", id-rand.IntN(9)),
		} {
			_ = db.Try(sql)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// strictly applies changes of t, each of which must fit.
type strictly struct {
	t    *testing.T
	rows map[string]string
}

func (s *strictly) apply(change string) {
	s.t.Helper()
	f := strings.Fields(change)
	if f[0] == "schema" {
		return
	}
	v, there := s.rows[f[2]]
	switch {
	case f[0] == "insert" && !there:
		s.rows[f[2]] = f[3]
	case f[0] == "update" && there && v == f[3]:
		s.rows[f[4]] = f[5]
	case f[0] == "delete" && there && v == f[3]:
		delete(s.rows, f[2])
	default:
		s.t.Fatalf("%q does not fit: the row is %q, there %t", change, v, there)
	}
}

// TestGaleraSwitchesUnderLoad has one address lead from node to node of a cluster that writes at all of
// them: what is read makes a strict replica.
func TestGaleraSwitchesUnderLoad(t *testing.T) {
	nodes := servers.Galera(t, alike(1), alike(2))
	name, db := nodes[0].Database(t)
	db.Exec("CREATE TABLE t (id INT PRIMARY KEY, v INT)")
	o, way := options(nodes[0], name), leadTo(nodes[0])
	o.Source.Dial, o.SchemaChanges = way.dial, binlog.SchemaChangesNone
	r := open(t, o)
	stop, done := make(chan struct{}), sync.WaitGroup{}
	var ended sync.Once
	end := func() { ended.Do(func() { close(stop); done.Wait() }) }
	t.Cleanup(end)
	for i, n := range nodes {
		writer := synced(t, n, name)
		done.Go(func() { galeraLoad(writer, 10+i, len(nodes), stop) })
	}
	replay := strictly{t, map[string]string{}}
	for round := range 12 {
		for range 50 + rand.IntN(200) {
			replay.apply(r.next())
		}
		from, to := nodes[round%2], nodes[(round+1)%2]
		way.to.Store(to)
		switch round % 3 {
		case 0:
			cutDumps(t, from)
		case 1:
			r.save()
			r.reopen(r.last)
		case 2:
			to.Connect(t, "").Exec("FLUSH BINARY LOGS")
			from.Connect(t, name).Exec("ALTER TABLE t COMMENT '" + fmt.Sprint(round) + "'")
			cutDumps(t, from)
		}
	}
	end()
	synced(t, nodes[1], name)
	db.Exec("SET wsrep_sync_wait = 15", "INSERT INTO t VALUES (1, 0)")
	for last := ""; last != "insert t 1 0"; replay.apply(last) {
		last = r.next()
	}
	want := db.Query("SELECT id, v FROM t")
	for _, row := range want {
		if replay.rows[row[0]] != row[1] {
			t.Errorf("row %s is %s, and %q was read", row[0], row[1], replay.rows[row[0]])
		}
	}
	if len(replay.rows) != len(want) {
		t.Errorf("%d rows were read, and there are %d", len(replay.rows), len(want))
	}
}

// TestGaleraNodesThatNumberForThemselves leads to another node of a cluster as MariaDB ships it, where the same GTID
// is another transaction: an Error, whatever the files are called, and the node itself goes on where it was.
func TestGaleraNodesThatNumberForThemselves(t *testing.T) {
	for names, own := range map[string][][]string{
		"files of one name":    {asShipped(), asShipped()},
		"files of other names": {asShipped("--log-bin=one"), asShipped("--log-bin=two")},
	} {
		for _, read := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s read %t", names, read), func(t *testing.T) {
				nodes := servers.Galera(t, own...)
				name, db := nodes[0].Database(t)
				db.Exec("CREATE TABLE t (id INT PRIMARY KEY)", "SET wsrep_on = OFF", "CREATE DATABASE own1", "CREATE DATABASE own2", "CREATE DATABASE own3", "SET wsrep_on = ON")
				o, way := options(nodes[0], name), leadTo(nodes[0])
				o.Source.Dial = way.dial
				r := open(t, o)
				if read {
					db.Exec("INSERT INTO t VALUES (1)")
					r.stopped("insert t 1")
				} else {
					r.save()
				}
				db.Exec("INSERT INTO t VALUES (2)", "INSERT INTO t VALUES (3)", "INSERT INTO t VALUES (4)", "INSERT INTO t VALUES (5)")
				synced(t, nodes[1], name)
				way.to.Store(nodes[1])
				if err := r.refused(); !errors.Is(err, binlog.ErrOtherServer) || !strings.Contains(err.Error(), "wsrep_gtid_mode") || !strings.Contains(err.Error(), "node2") {
					t.Fatalf("error %v", err)
				}
				way.to.Store(nodes[0])
				r.reopen(r.last)
				equal(t, r.take(4), []string{"insert t 2", "insert t 3", "insert t 4", "insert t 5"})
				way.to.Store(nodes[1]) // while it is connected
				cutDumps(t, nodes[0])
				if err := r.failure(); !errors.Is(err, binlog.ErrOtherServer) || !strings.Contains(err.Error(), "wsrep_gtid_mode") {
					t.Fatalf("error %v", err)
				}
			})
		}
	}
}

// TestGaleraStartAtAGTID starts at a GTID of a node that numbers for itself: it is good for that node alone.
func TestGaleraStartAtAGTID(t *testing.T) {
	nodes := servers.Galera(t, asShipped("--log-bin=one"), asShipped("--log-bin=two"))
	name, db := nodes[0].Database(t)
	db.Exec("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)")
	o, way := options(nodes[0], name), leadTo(nodes[0])
	o.Source.Dial, o.Start = way.dial, binlog.Start{Mode: binlog.StartGTID, GTID: db.Query("SELECT @@gtid_binlog_pos")[0][0]}
	r := open(t, o)
	r.save()
	r.reopen(r.last)
	way.to.Store(nodes[1])
	if err := r.refused(); !errors.Is(err, binlog.ErrOtherServer) || !strings.Contains(err.Error(), "wsrep_gtid_mode") {
		t.Fatalf("error %v", err)
	}
	way.to.Store(nodes[0])
	r.reopen(r.last)
	db.Exec("INSERT INTO t VALUES (2)")
	equal(t, r.take(1), []string{"insert t 2"})
}

// TestGaleraNodeThatDoesNotLog: by default a node's binlog lacks what is committed at the others.
func TestGaleraNodeThatDoesNotLog(t *testing.T) {
	node := servers.Galera(t, []string{"--server-id=7"})[0]
	if err := openError(t, options(node, "d")); !errors.Is(err, binlog.ErrNotLogged) || !strings.Contains(err.Error(), "Galera") {
		t.Errorf("error %v", err)
	}
}

// TestGaleraNodeWithoutItsCluster has the other node of two die, so that the one that is read serves nobody: that is told,
// while connected and at a start, and it goes on when the cluster is back.
func TestGaleraNodeWithoutItsCluster(t *testing.T) {
	nodes := servers.Galera(t, alike(1), alike(2))
	name, db := nodes[0].Database(t)
	db.Exec("CREATE TABLE t (id INT PRIMARY KEY, v INT)")
	r := open(t, options(nodes[0], name))
	db.Exec("INSERT INTO t VALUES (1, 0)")
	equal(t, r.take(1), []string{"insert t 1 0"})
	r.save()
	nodes[1].Kill(t)
	for _, err := range []error{r.failure(), r.refused()} {
		if err == nil || !strings.Contains(err.Error(), binlog.ErrNotReady.Error()) || errors.Is(err, binlog.ErrProxy) {
			t.Fatalf("error %v", err)
		}
	}
	admin := nodes[0].Connect(t, "")
	admin.Exec("SET GLOBAL wsrep_provider_pc_bootstrap = 1")
	for late := time.Now().Add(30 * time.Second); admin.Try("INSERT INTO "+name+".t VALUES (2, 0)") != nil; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatal("the node does not serve again")
		}
	}
	r.reopen(r.last)
	equal(t, r.take(1), []string{"insert t 2 0"})
}

// timeless is a node that numbers for itself, and has begun a file that does not tell when it was made, as nodes do when
// another one joins, which has left since; and a reader there that has read of that file.
func timeless(t *testing.T) (*servers.Server, *reading) {
	t.Helper()
	nodes := servers.Galera(t, asShipped(), asShipped())
	s := nodes[0]
	name, db := s.Database(t)
	db.Exec("CREATE TABLE t (id INT PRIMARY KEY, v INT)")
	nodes[1].Stop(t)
	r := open(t, options(s, name))
	db.Exec("INSERT INTO t VALUES (101, 0)", "INSERT INTO t VALUES (102, 0)")
	equal(t, r.take(2), []string{"insert t 101 0", "insert t 102 0"})
	r.save()
	if !strings.Contains(string(r.last), fmt.Sprintf(`"file_made":%d,`, dump.NotMade)) {
		t.Fatalf("the node's file tells when it was made: %s", r.last)
	}
	return s, r
}

// TestGaleraNodeUnderAnotherName restarts a node under another name, and as no node at all: its files are the same, and go on.
func TestGaleraNodeUnderAnotherName(t *testing.T) {
	for what, option := range map[string]string{"renamed": "--wsrep-node-name=other", "alone": "--wsrep-on=OFF"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s, r := timeless(t)
			name := strings.TrimSuffix(r.options.Include[0], ".*")
			s.Connect(t, name).Exec("INSERT INTO t VALUES (1, 0)")
			s.Restart(t, option)
			r.reopen(r.last)
			equal(t, r.take(1), []string{"insert t 1 0"})
			s.Connect(t, name).Exec("INSERT INTO t VALUES (2, 0)")
			equal(t, r.take(1), []string{"insert t 2 0"})
		})
	}
}

// TestGaleraStartAtATime starts at a time in such a file.
func TestGaleraStartAtATime(t *testing.T) {
	s, r := timeless(t)
	time.Sleep(1100 * time.Millisecond) // the binlog's times are whole seconds
	at := time.Now().Truncate(time.Second)
	o := r.options
	s.Connect(t, "").Exec("INSERT INTO " + strings.TrimSuffix(o.Include[0], "*") + "t VALUES (3, 0)")
	o.Start, o.SchemaChanges = binlog.Start{Mode: binlog.StartTime, Time: at}, binlog.SchemaChangesNone
	equal(t, open(t, o).take(1), []string{"insert t 3 0"})
}
