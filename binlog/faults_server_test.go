//go:build servers

package binlog_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"daybook/binlog"
	"daybook/binlog/dump"
	"daybook/e2e/servers"
)

// cutter dials connections that break after a number of bytes.
type cutter struct {
	random *rand.Rand
	least  int // bytes that each connection lets through at least
	spread int
	cuts   atomic.Int32
	limit  int32 // connections that are cut; those after them are whole
	dials  atomic.Int32
}

func (c *cutter) dial(ctx context.Context, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil || c.cuts.Load() >= c.limit {
		return conn, err
	}
	left := c.least + c.random.IntN(c.spread)
	// A reader opens with two connections, of which the second asks for the names of
	// MariaDB's collations, once.
	if c.dials.Add(1) <= 2 {
		left += 56 << 10
	}
	return &cutConn{Conn: conn, cutter: c, left: left}, nil
}

type cutConn struct {
	net.Conn
	cutter *cutter
	left   int
}

func (c *cutConn) Read(b []byte) (int, error) {
	if c.left <= 0 {
		c.cutter.cuts.Add(1)
		_ = c.Conn.Close()
		return 0, io.ErrUnexpectedEOF
	}
	n, err := c.Conn.Read(b[:min(len(b), c.left)])
	c.left -= n
	return n, err
}

// transactions runs transactions of random sizes and returns what is to be
// read of them.
func transactions(db *servers.Conn, random *rand.Rand, n int) []string {
	var want []string
	db.Exec("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(200)) CHARSET utf8mb4")
	want = append(want, "schema CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(200)) CHARSET utf8mb4")
	id := 0
	for range n {
		db.Exec("BEGIN")
		for range 1 + random.IntN(5) {
			var rows []string
			for range 1 + random.IntN(100) {
				id++
				v := strings.Repeat("x", random.IntN(200))
				rows = append(rows, fmt.Sprintf("(%d,'%s')", id, v))
				want = append(want, fmt.Sprintf("insert t %d %s", id, v))
			}
			db.Exec("INSERT INTO t VALUES " + strings.Join(rows, ","))
		}
		db.Exec("COMMIT")
	}
	return want
}

func TestConnectionsCutAnywhere(t *testing.T) {
	t.Parallel()
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0))
		name, db := s.Database(t)
		o := options(s, name)
		start := open(t, o)
		want := transactions(db, random, 40)
		// Enough to log in and for a first TLS record of the binlog, 16 KiB, then not for long.
		c := &cutter{random: random, least: 28 << 10, spread: 40 << 10, limit: 30}
		r := &reading{t: t, options: o, schema: start.schema}
		r.options.Source.Dial = c.dial
		r.reopen(start.last)
		defer r.Close()
		equal(t, r.take(len(want)), want)
		if c.cuts.Load() < 3 {
			t.Errorf("only %d connections were cut", c.cuts.Load())
		}
	})
}

// own starts a server of the test's own; " FULL" behind its name is full row metadata.
func own(t *testing.T, name string, args ...string) *servers.Server {
	t.Helper()
	name, full := metadata(name)
	return servers.Start(t, name, append(args, full...)...)
}

// get returns a server that tests share, as servers.Get does; its name may end in " FULL".
func get(t *testing.T, name string) *servers.Server {
	t.Helper()
	name, full := metadata(name)
	return servers.Get(t, name, full...)
}

// metadata takes a server's name apart from what is said behind it of its row metadata.
func metadata(name string) (version string, options []string) {
	version, full := strings.CutSuffix(name, " FULL")
	if full {
		options = []string{"--binlog-row-metadata=FULL"}
	}
	return version, options
}

func TestDumpKilledAndServerRestarted(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"mysql-8.0", "mariadb-10.11"} {
		t.Run(version, func(t *testing.T) {
			s := own(t, version)
			name, db := s.Database(t)
			r := open(t, options(s, name))
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
			want := []string{"schema CREATE TABLE t (id INT PRIMARY KEY)"}
			equal(t, r.take(1), want)
			for i := range 4 {
				db.Exec("BEGIN", fmt.Sprintf("INSERT INTO t VALUES (%d),(%d)", 10*i, 10*i+1), fmt.Sprintf("INSERT INTO t VALUES (%d)", 10*i+2), "COMMIT")
				got := r.take(2)
				if i%2 == 0 {
					for _, row := range db.Query("SELECT ID FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'") {
						db.Exec("KILL " + row[0])
					}
				} else {
					s.Restart(t)
					db = s.Connect(t, name)
				}
				got = append(got, r.take(1)...)
				equal(t, got, []string{fmt.Sprintf("insert t %d", 10*i), fmt.Sprintf("insert t %d", 10*i+1), fmt.Sprintf("insert t %d", 10*i+2)})
			}
		})
	}
}

func TestPurged(t *testing.T) {
	for _, version := range []string{"mysql-5.7", "mysql-8.0", "mariadb-10.11"} {
		t.Run(version, func(t *testing.T) {
			s := own(t, version)
			name, db := s.Database(t)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
			r := open(t, options(s, name))
			r.Close()
			db.Exec("INSERT INTO t VALUES (1)", "FLUSH LOGS", "INSERT INTO t VALUES (2)")
			last := db.Query("SHOW BINARY LOGS")
			purge(t, db, last[len(last)-1][0])
			o := options(s, name)
			o.Resume, o.Schema = r.last, func(func(k, v []byte) bool) {}
			if err := openError(t, o); !errors.Is(err, binlog.ErrPurged) {
				t.Errorf("resume at a purged position: %v", err)
			}
			o = options(s, name)
			o.Start = binlog.Start{Mode: binlog.StartFile, File: last[0][0], Pos: 4}
			if err := openError(t, o); !errors.Is(err, binlog.ErrPurged) {
				t.Errorf("start at a purged file: %v", err)
			}
		})
	}
}

// purge removes the binlogs before a file. MariaDB keeps those that it still
// sends to a replica which has left without its knowing.
func purge(t *testing.T, db *servers.Conn, first string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		for _, row := range db.Query("SELECT ID FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'") {
			_ = db.Try("KILL " + row[0]) // it may have ended by itself
		}
		db.Exec("PURGE BINARY LOGS TO '" + first + "'")
		if logs := db.Query("SHOW BINARY LOGS"); logs[0][0] == first {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the binlogs before %s are still there", first)
		}
	}
}

// TestCloseLeavesNothing closes readers in the middle of what they do.
func TestCloseLeavesNothing(t *testing.T) {
	s := servers.Get(t, "mysql-8.0")
	name, db := s.Database(t)
	o := options(s, name)
	o.Start.Mode = binlog.StartEarliest
	// More rows than a reader buffers. Only this database is selected: DDL of
	// tests that run at the same time must not keep readers from opening.
	db.Exec("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, text TEXT)", "INSERT INTO t (text) VALUES (REPEAT('x', 1000))")
	for range 15 {
		db.Exec("INSERT INTO t (text) SELECT text FROM t")
	}
	before := runtime.NumGoroutine()
	for range 3 {
		r := binlog.New(o)
		if err := r.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("Close took %s", took)
		}
		if _, err := r.Poll(); !errors.Is(err, binlog.ErrClosed) {
			t.Errorf("Poll after Close: %v", err)
		}
	}
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<16)
			t.Fatalf("%d goroutines in place of %d:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

func openError(t *testing.T, o binlog.Options) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	r := binlog.New(o)
	defer r.Close()
	err := r.Open(ctx)
	t.Logf("error: %v", err)
	return err
}

// way is an address that leads to one server after another.
type way struct {
	to atomic.Pointer[servers.Server]
}

func leadTo(s *servers.Server) *way {
	w := &way{}
	w.to.Store(s)
	return w
}

func (w *way) dial(ctx context.Context, _ string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "tcp", w.to.Load().Address)
}

// TestFailover replaces the source by its replica in the middle of a
// transaction.
func TestFailover(t *testing.T) {
	for _, version := range []string{"mysql-8.0", "mariadb-10.11"} {
		t.Run(version, func(t *testing.T) {
			a, b := own(t, version, "--log-slave-updates=ON", "--server-id=101"), own(t, version, "--log-slave-updates=ON", "--server-id=102")
			b.Follow(t, a, true)
			name, db := a.Database(t)
			o := options(a, name)
			way := leadTo(a)
			o.Source.Dial = way.dial
			r := open(t, o)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)", "BEGIN", "INSERT INTO t VALUES (2),(3)", "INSERT INTO t VALUES (4)", "COMMIT",
				"INSERT INTO t VALUES (5)")
			got := r.take(3)
			replicated(t, b, name, 5)
			way.to.Store(b)
			r.save()
			a.Kill(t)
			b.Unfollow(t)
			replica := b.Connect(t, name)
			replica.Exec("INSERT INTO t VALUES (6)")
			got = append(got, r.take(4)...)
			equal(t, got, []string{"schema CREATE TABLE t (id INT PRIMARY KEY)", "insert t 1", "insert t 2", "insert t 3", "insert t 4", "insert t 5", "insert t 6"})
			r.reopen(r.last) // taken before the failover
			equal(t, r.take(4), []string{"insert t 3", "insert t 4", "insert t 5", "insert t 6"})
			r.save()
			replica.Exec("RESET MASTER")
			o = r.options
			o.Resume = r.last
			if err := openError(t, o); !errors.Is(err, binlog.ErrOtherServer) {
				t.Errorf("after a reset of the binlogs: %v", err)
			}
		})
	}
}

// TestServerIDUsedTwice runs two readers with one server ID.
func TestServerIDUsedTwice(t *testing.T) {
	s := servers.Get(t, "mysql-8.0")
	name, _ := s.Database(t)
	o := options(s, name)
	o.ServerID = binlog.ServerIDFor(name)
	first, second := open(t, o), open(t, o)
	if err := first.failure(); !errors.Is(err, binlog.ErrServerID) {
		t.Errorf("error %v", err)
	}
	if c, err := second.Poll(); c != nil || err != nil {
		t.Errorf("the second reader has %v, %v", c, err)
	}
}

// renamer dials connections on which the rows of a binlog come with a table ID
// that no table map has.
type renamer struct {
	id      byte // in all bytes of the table ID
	renamed atomic.Int32
}

func (n *renamer) dial(ctx context.Context, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	return &renamedConn{Conn: conn, renamer: n}, err
}

type renamedConn struct {
	net.Conn
	renamer *renamer
	packet  []byte // what is not read yet of the last one
}

func (c *renamedConn) Read(b []byte) (int, error) {
	if len(c.packet) == 0 {
		head := make([]byte, 4) // length and number
		if _, err := io.ReadFull(c.Conn, head); err != nil {
			return 0, err
		}
		n := int(binary.LittleEndian.Uint32(head) & 0xffffff)
		c.packet = append(head, make([]byte, n)...)
		if _, err := io.ReadFull(c.Conn, c.packet[4:]); err != nil {
			return 0, err
		}
		c.renamer.rename(c.packet[4:])
	}
	n := copy(b, c.packet)
	c.packet = c.packet[n:]
	return n, nil
}

// rename changes a packet that holds an event of inserted rows: OK (0), the
// event's header with its type and size, the table ID, and a checksum at its end.
func (n *renamer) rename(p []byte) {
	const header, tableID, checksum = 19, 6, 4
	if len(p) < 1+header+tableID+checksum || p[0] != 0 {
		return
	}
	e := p[1:]
	inserted := e[4] == 23 || e[4] == 30 // WRITE_ROWS_EVENT, version 1 and 2
	if !inserted || int(binary.LittleEndian.Uint32(e[9:])) != len(e) {
		return
	}
	for i := range tableID {
		e[header+i] = n.id
	}
	body := len(e) - checksum
	binary.LittleEndian.PutUint32(e[body:], crc32.ChecksumIEEE(e[:body]))
	n.renamed.Add(1)
}

// TestXARowsWithoutTableMap prepares rows of a table ID that no table map
// names: an error when they come, not when they are committed or never.
func TestXARowsWithoutTableMap(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		db.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
		n := &renamer{id: 0x5a}
		o := options(s, name)
		o.Source.TLS.Mode, o.Source.Dial = dump.TLSDisabled, n.dial
		r := open(t, o)
		db.Exec("XA START '"+name+"'", "INSERT INTO t VALUES (1)", "XA END '"+name+"'", "XA PREPARE '"+name+"'")
		if s.Name == "mysql-5.6" { // which logs all of it at its commit
			db.Exec("XA COMMIT '" + name + "'")
		} else {
			defer db.Exec("XA ROLLBACK '" + name + "'")
		}
		err := r.failure()
		var group *binlog.GroupError
		if !errors.Is(err, binlog.ErrEvent) || !errors.As(err, &group) || !strings.Contains(err.Error(), fmt.Sprintf("table ID %d", 0x5a5a5a5a5a5a)) {
			t.Errorf("error %v", err)
		}
		if n.renamed.Load() == 0 {
			t.Error("no rows came")
		}
		for _, e := range r.Checkpoint().Schema {
			if strings.HasPrefix(string(e.Key), "x\x00") {
				t.Errorf("entry %q: it counts as prepared", e.Key)
			}
		}
	})
}
