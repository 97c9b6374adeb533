//go:build servers

package tasks

import (
	"bytes"
	"encoding/binary"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"daybook/e2e/harness"
	"daybook/e2e/oracle"
	"daybook/e2e/servers"
)

// errorCase brings a task into Error, and out of it by what its message says.
type errorCase struct {
	sentinel string // as package.Name
	version  string
	options  []string // of the server
	broken   func(w *errorWorld)
	// mended does by hand what the message asks for in the words of says. nil: the
	// message names a command, which is run.
	mended func(w *errorWorld)
	says   string
	want   []int // the log afterwards; row 1 was there before, row 9 comes last
}

// errorWorld is a task over a server of its own, with an account of its own.
type errorWorld struct {
	t      *testing.T
	server *servers.Server
	conn   *servers.Conn
	way    *harness.Proxy
	d      *harness.Daybook
}

// errorCases has the errors that the source gives cause for.
var errorCases = []errorCase{
	{
		sentinel: "binlog.ErrUnreachable", version: "mysql-8.0",
		broken: func(w *errorWorld) { w.way.Close() },
		says:   "cannot be reached", mended: func(w *errorWorld) { w.way.Open() },
		want: []int{1, 9},
	},
	{
		sentinel: "binlog.ErrAuth", version: "mysql-8.0",
		broken: func(w *errorWorld) { w.conn.Exec("ALTER USER dk IDENTIFIED BY 'other'"); w.way.Cut() },
		says:   "password", mended: func(w *errorWorld) { w.conn.Exec("ALTER USER dk IDENTIFIED BY 'dk'") },
		want: []int{1, 9},
	},
	{
		sentinel: "binlog.ErrPrivilege", version: "mariadb-10.11",
		broken: func(w *errorWorld) { w.conn.Exec("REVOKE REPLICATION SLAVE ON *.* FROM dk"); w.way.Cut() },
		says:   "GRANT REPLICATION SLAVE", mended: func(w *errorWorld) {
			w.conn.Exec("GRANT REPLICATION SLAVE ON *.* TO dk")
			follow(w.t, w.d)
		},
		want: []int{1, 9},
	},
	{
		sentinel: "binlog.ErrNoBinlog", version: "mysql-8.0",
		broken: func(w *errorWorld) {
			other := servers.Start(w.t, "mysql-8.0", "--skip-log-bin")
			account(other.Connect(w.t, ""))
			w.way.Lead(other.Address)
		},
		says: "log_bin", mended: func(w *errorWorld) { w.way.Lead(w.server.Address) },
		want: []int{1, 9},
	},
	{
		sentinel: "binlog.ErrTLS", version: "mysql-5.7", options: []string{"--skip-ssl"},
		broken: func(w *errorWorld) { w.tls("required") },
		says:   "to mend it: mend the server's TLS, or the tls settings", mended: func(w *errorWorld) { w.tls("disabled") },
		want: []int{1, 9},
	},
	{
		sentinel: "task.ErrPrecheck", version: "mysql-8.0",
		broken: func(w *errorWorld) { w.d.Stop(); w.conn.Exec("SET GLOBAL binlog_format = MIXED"); w.d.Start() },
		says:   "SET GLOBAL binlog_format", mended: func(w *errorWorld) { w.conn.Exec("SET GLOBAL binlog_format = ROW") },
		want: []int{1, 9},
	},
	{
		sentinel: "binlog.ErrGTIDMode", version: "mysql-8.0", options: []string{"--gtid-mode=OFF"},
		broken: func(w *errorWorld) {
			w.d.Stop()
			insert(w.conn, 2)
			w.conn.Exec("SET GLOBAL gtid_mode = OFF_PERMISSIVE", "SET GLOBAL gtid_mode = ON_PERMISSIVE", "SET GLOBAL gtid_mode = ON")
			w.d.Start()
		},
		says: "SET GLOBAL gtid_mode=ON_PERMISSIVE", mended: func(w *errorWorld) { w.conn.Exec("SET GLOBAL gtid_mode = ON_PERMISSIVE") },
		want: []int{1, 2, 9},
	},
	{
		sentinel: "binlog.ErrOtherServer", version: "mariadb-10.11",
		broken: func(w *errorWorld) {
			other := servers.Start(w.t, "mariadb-10.11")
			conn := other.Connect(w.t, "")
			account(conn)
			conn.Exec("CREATE DATABASE shop", "USE shop", "CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (2)")
			w.conn = conn
			w.way.Lead(other.Address)
		},
		want: []int{1, 0, 2, 9},
	},
	{
		sentinel: "binlog.ErrNotLogged", version: "mysql-5.7", options: []string{"--log-slave-updates=OFF"},
		broken: func(w *errorWorld) {
			w.conn.Exec("CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = 1, MASTER_USER = 'x'")
			w.way.Cut()
		},
		says: "RESET SLAVE ALL", mended: func(w *errorWorld) { w.conn.Exec("RESET SLAVE ALL") },
		want: []int{1, 9},
	},
	{
		sentinel: "binlog.ErrPosition", version: "mysql-8.0", options: []string{"--gtid-mode=OFF"},
		broken: func(w *errorWorld) {
			w.d.Stop()
			c := w.d.Config()
			c.Start = "{file: binlog.000001, pos: 12345}"
			w.d = harness.Start(w.t, c)
		},
		want: []int{1, 9},
	},
	{
		sentinel: "binlog.ErrOtherServer, the same one that has crashed", version: "mysql-5.7", options: []string{"--gtid-mode=OFF", "--sync-binlog=0"},
		broken: func(w *errorWorld) { w.d.Stop(); w.lose(); w.d.Start() },
		want:   []int{1, 0, 9},
	},
	{
		sentinel: "binlog.ErrStatement", version: "mysql-8.0",
		broken: func(w *errorWorld) { asStatement(w.conn, 2) },
		want:   []int{1, 0, 9},
	},
	{
		sentinel: "binlog.ErrSchema", version: "mysql-8.0",
		broken: func(w *errorWorld) {
			w.d.Stop() // else the definition might be looked up before the last ALTER
			w.conn.Exec("SET SESSION sql_log_bin = 0", "ALTER TABLE t ADD COLUMN v INT", "SET SESSION sql_log_bin = 1",
				"INSERT INTO t VALUES (2, 2)", "ALTER TABLE t DROP COLUMN v")
			w.d.Start()
		},
		want: []int{1, 0, 9},
	},
	{
		sentinel: "binlog.ErrPartialImage", version: "mysql-8.0",
		broken: func(w *errorWorld) {
			c := w.d.Config()
			c.Extra += "    partial_images: stop\n"
			w.d.Stop()
			w.d.WriteConfig(c)
			w.d.Start()
			w.conn.Exec("ALTER TABLE t ADD COLUMN v INT", "SET SESSION binlog_row_image = MINIMAL", "INSERT INTO t (id) VALUES (2)",
				"SET SESSION binlog_row_image = FULL", "ALTER TABLE t DROP COLUMN v")
		},
		says: "partial_images: accept", mended: func(w *errorWorld) {
			c := w.d.Config()
			c.Extra = strings.Replace(c.Extra, "stop", "accept", 1)
			w.d.Stop()
			w.d.WriteConfig(c)
			w.d.Start()
		},
		want: []int{1, 2, 9},
	},
	{
		sentinel: "binlog.ErrChecksum", version: "mysql-8.0",
		broken: func(w *errorWorld) { w.d.Stop(); w.damage(24); w.d.Start() },
		want:   []int{1, 0, 3, 9},
	},
	{
		sentinel: "binlog.ErrEvent", version: "mariadb-10.11", options: []string{"--binlog-checksum=NONE"},
		broken: func(w *errorWorld) { w.d.Stop(); w.damage(4); w.d.Start() },
		want:   []int{1, 0, 3, 9},
	},
	{
		sentinel: "binlog.ErrEvent, an incident of the source", version: "mysql-5.7",
		broken: func(w *errorWorld) {
			insert(w.conn, 2)
			if w.conn.Try("GRANT EXECUTE ON *.* TO dk, nobody") == nil { // it failed in part
				w.t.Error("there is an account nobody")
			}
			insert(w.conn, 3)
		},
		want: []int{1, 2, 0, 3, 9},
	},
}

// elsewhere names the tests that bring about the other errors, and what they are.
var elsewhere = map[string]string{
	"binlog.ErrPurged":          "e2e/tasks.TestPurgedBinlogs",
	"binlog.ErrBehind":          "binlog/dump.TestFailover",
	"binlog.ErrUnseen":          "e2e/tasks.TestStatementThatCannotBeSeenThrough",
	"binlog.ErrLeftOut":         "binlog.TestDatabasesLeftOutAfterRestart",
	"binlog.ErrSaved":           "e2e/tasks.TestSavedPositionThatCannotBeRead",
	"binlog.ErrServerID":        "e2e/tasks.TestServerIDOfAnother",
	"store.ErrDiskFull":         "e2e/faults.TestFullDisk",
	"store.ErrBeyondRepair":     "store.TestDamagedManifest",
	"store.ErrReadOnly":         "e2e/faults.TestReadOnlyDisk",
	"store.ErrLocked":           "e2e/faults.TestDataDirectoryInUse",
	"store.ErrCorrupt":          "e2e/repair.TestLostRecordsAreSteppedOver",
	"store.ErrStateLost":        "e2e/repair.TestLostState",
	"store.ErrRepairing":        "store.TestRepairThroughCrashes",
	"store.ErrNewerFormat":      "store.TestNewerFormat",
	"store.ErrFailed":           "store.TestDiskIsFullForAWhile",
	"binlog.ErrNotRow":          "binlog.TestNotRow",
	"binlog.ErrAnswer":          "binlog/dump.TestHostileAnswer",
	"binlog.ErrNotReady":        "binlog.TestGaleraNodeWithoutItsCluster",
	"binlog.ErrProxy":           "task.TestPrecheckOfAProxy",
	"binlog.ErrSecret":          "binlog/dump.TestSecretAtEachLogin",
	"task.ErrGaveUp":            "task.TestGivesUp",
	"task.ErrDefinition":        "task.TestDefinitionThatCannotBeCarriedOut",
	"binlog.ErrClosed":          "", // no error of a task, nor are those below
	"store.ErrClosed":           "",
	"store.ErrNoLog":            "",
	"store.ErrOffsetOutOfRange": "",
	"task.ErrStart":             "",
	"task.ErrRunning":           "",
	"task.ErrNotSkippable":      "",
	"task.ErrRefused":           "",
	"task.ErrReplaced":          "",
	"task.ErrNotReading":        "",
	"binlog.ErrChecking":        "",
	"store.ErrDeleted":          "",
	"task.ErrNotAllowed":        "",
	"task.ErrInvalid":           "",
	"task.ErrExists":            "",
	"task.ErrUnknown":           "",
	"task.ErrTooMany":           "",
	"task.ErrOwnedByFile":       "",
	"task.ErrNoDatabase":        "",
	"task.ErrSource":            "",
	"task.ErrStuck":             "", // which others come with
}

// TestEveryError brings a task into each of the errors, and does what its message
// says.
func TestEveryError(t *testing.T) {
	for _, c := range errorCases {
		t.Run(c.sentinel, func(t *testing.T) {
			sentinel, _, _ := strings.Cut(c.sentinel, ",")
			w := newErrorWorld(t, c)
			c.broken(w)
			task := waitState(t, w.d, "Error")
			t.Log(task.Reason)
			if !strings.Contains(task.Reason, sentinels(t)[sentinel]) {
				t.Errorf("the error is %q, want %s", task.Reason, c.sentinel)
			}
			if c.mended == nil {
				follow(t, w.d)
			} else if !strings.Contains(task.Reason, c.says) {
				t.Errorf("the error does not say %q", c.says)
			} else {
				c.mended(w)
			}
			waitState(t, w.d, "Normal")
			insert(w.conn, 9)
			wantLog(t, w.d, c.want...)
		})
	}
}

// TestEveryErrorHasATest wants each sentinel that a task may stop with in one of
// the two lists.
func TestEveryErrorHasATest(t *testing.T) {
	has := map[string]bool{}
	for _, c := range errorCases {
		sentinel, _, _ := strings.Cut(c.sentinel, ",")
		has[sentinel] = true
	}
	for name := range sentinels(t) {
		test, there := elsewhere[name]
		if there == has[name] {
			t.Errorf("%s is brought about by no test, or by two", name)
		}
		if pkg, fn, ok := strings.Cut(test, "."); ok && !declares(t, filepath.Join("..", "..", pkg), fn) {
			t.Errorf("%s: there is no %s", name, test)
		}
	}
}

func newErrorWorld(t *testing.T, c errorCase) *errorWorld {
	t.Helper()
	s := servers.Start(t, c.version, c.options...)
	w := &errorWorld{t: t, server: s, conn: s.Connect(t, ""), way: harness.NewProxy(t, s.Address)}
	account(w.conn)
	w.conn.Exec("CREATE DATABASE shop", "USE shop", "CREATE TABLE t (id INT PRIMARY KEY)")
	w.d = harness.Start(t, harness.Config{Source: w.way.Address(), User: "dk", Pass: "dk", Include: []string{"shop.t"}, Start: "now", SchemaChanges: "none"})
	w.d.WaitLog("state=Normal", patience)
	insert(w.conn, 1)
	wantLog(t, w.d, 1)
	return w
}

func account(conn *servers.Conn) {
	conn.Exec("CREATE USER dk IDENTIFIED BY 'dk'", "GRANT REPLICATION SLAVE, REPLICATION CLIENT, SELECT ON *.* TO dk")
}

// tls restarts Daybook with another tls mode.
func (w *errorWorld) tls(mode string) {
	w.t.Helper()
	w.d.Stop()
	c := w.d.Config()
	c.SourceKeys = "tls: {mode: " + mode + "}"
	w.d.WriteConfig(c)
	w.d.Start()
}

// damage inserts rows 2 and 3, and flips a bit of row 2's event in the source's
// binlog, in the byte at that index.
func (w *errorWorld) damage(index int) {
	w.t.Helper()
	at := oracle.End(w.conn)
	insert(w.conn, 2)
	insert(w.conn, 3)
	path := filepath.Join(w.server.Data(), at.File)
	b, err := os.ReadFile(path)
	if err != nil {
		w.t.Fatal(err)
	}
	rows := int(at.Pos) // of events' headers: 4 bytes of time, type, 4 of the server ID, 4 of the length
	for b[rows+4] != 23 && b[rows+4] != 30 {
		rows += int(binary.LittleEndian.Uint32(b[rows+9:]))
	}
	b[rows+index] ^= 0x80
	if err := os.WriteFile(path, b, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// lose takes the last transaction from the source's binlog, as a crash does.
func (w *errorWorld) lose() {
	w.t.Helper()
	at := oracle.End(w.conn)
	w.server.Kill(w.t)
	if err := os.Truncate(filepath.Join(w.server.Data(), at.File), int64(at.Pos)-31); err != nil {
		w.t.Fatal(err)
	}
	w.server.Restart(w.t)
	w.conn = w.server.Connect(w.t, "shop")
}

// sentinels are the errors that callers can ask for, with their texts, by package.Name.
func sentinels(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for pkg, dirs := range map[string][]string{"binlog": {"binlog", "binlog/dump"}, "store": {"store"}, "task": {"task"}} {
		for _, dir := range dirs {
			for _, file := range parse(t, filepath.Join("..", "..", dir)) {
				ast.Inspect(file, func(n ast.Node) bool {
					v, ok := n.(*ast.ValueSpec)
					if !ok || !strings.HasPrefix(v.Names[0].Name, "Err") || len(v.Values) == 0 {
						return true
					}
					if call, ok := v.Values[0].(*ast.CallExpr); ok && len(call.Args) == 1 {
						if text, ok := call.Args[0].(*ast.BasicLit); ok {
							all[pkg+"."+v.Names[0].Name] = strings.Trim(text.Value, `"`)
						}
					}
					return true
				})
			}
		}
	}
	return all
}

func declares(t *testing.T, dir, fn string) bool {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range found {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte("func "+fn+"(")) {
			return true
		}
	}
	return false
}

func parse(t *testing.T, dir string) []*ast.File {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: %v", dir, err)
	}
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}
