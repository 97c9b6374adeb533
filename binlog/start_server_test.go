//go:build servers

package binlog_test

import (
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"

	"daybook/binlog"
	"daybook/e2e/servers"
)

// TestStartInThePast starts in each way at a place behind which a table is
// altered, and wants each row with the columns that it had there.
func TestStartInThePast(t *testing.T) {
	t.Parallel() // its servers are its own, and mostly start
	for _, version := range servers.Names {
		t.Run(version, func(t *testing.T) {
			s := own(t, version)
			name, db := s.Database(t)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY, gone INT)", "INSERT INTO t VALUES (0, 0)", "ALTER TABLE t DROP COLUMN gone")
			db.Exec("CREATE TABLE kept (id INT PRIMARY KEY)", "FLUSH LOGS")
			time.Sleep(1100 * time.Millisecond) // the binlog's times are whole seconds
			before := time.Now().Truncate(time.Second)
			db.Exec("INSERT INTO kept VALUES (0)")
			status, err := dialStatus(t, s)
			if err != nil {
				t.Fatal(err)
			}
			db.Exec("INSERT INTO kept VALUES (1)", "DROP TABLE t", "CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (2)",
				"ALTER TABLE t ADD COLUMN n INT", "INSERT INTO t VALUES (3, 33)", "ALTER TABLE t ADD COLUMN m INT", "INSERT INTO t VALUES (4, 44, 444)")
			want := []string{"insert kept 1", "insert t 2", "insert t 3 33", "insert t 4 44 444"}
			starts := map[string]binlog.Start{
				"file":     {Mode: binlog.StartFile, File: status.File, Pos: status.Pos},
				"time":     {Mode: binlog.StartTime, Time: before},
				"earliest": {Mode: binlog.StartEarliest},
			}
			if status.GTIDSet != "" {
				starts["gtid"] = binlog.Start{Mode: binlog.StartGTID, GTID: status.GTIDSet}
			}
			for mode, start := range starts {
				o := options(s, name)
				o.Start, o.SchemaChanges = start, binlog.SchemaChangesNone
				want := want
				switch mode {
				case "time":
					want = append([]string{"insert kept 0"}, want...)
				case "earliest":
					want = append([]string{"insert t 0 0", "insert kept 0"}, want...)
				}
				t.Run(mode, func(t *testing.T) {
					for n := range want { // and reopened on the way
						r := open(t, o)
						got := r.take(n)
						r.save()
						r.reopen(r.last)
						equal(t, append(got, r.take(len(want)-n)...), want)
					}
				})
			}
		})
	}
}

// TestStartInTheFuture is refused: nothing tells when it will have come.
func TestStartInTheFuture(t *testing.T) {
	s := servers.Get(t, "mysql-8.0")
	name, _ := s.Database(t)
	o := options(s, name)
	o.Start = binlog.Start{Mode: binlog.StartTime, Time: time.Now().Add(time.Hour)}
	r := binlog.New(o)
	err := r.Open(t.Context())
	_ = r.Close()
	if !errors.Is(err, binlog.ErrPosition) || !strings.Contains(err.Error(), "is in the future") {
		t.Errorf("got %v", err)
	}
}

// TestFullMetadata starts where nothing but the table maps tells what the
// rows looked like.
func TestFullMetadata(t *testing.T) {
	for _, version := range []string{"mysql-8.0", "mariadb-10.11"} {
		t.Run(version, func(t *testing.T) {
			s := own(t, version, "--binlog-row-metadata=FULL")
			name, db := s.Database(t)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(9)) CHARSET utf8mb4")
			status, err := dialStatus(t, s)
			if err != nil {
				t.Fatal(err)
			}
			db.Exec("INSERT INTO t VALUES (1, 'a')", "ALTER TABLE t ADD COLUMN n INT", "INSERT INTO t VALUES (2, 'b', 3)",
				"ALTER TABLE t DROP COLUMN v", "INSERT INTO t VALUES (3, 4)")
			o := options(s, name)
			o.Start, o.SchemaChanges = binlog.Start{Mode: binlog.StartFile, File: status.File, Pos: status.Pos}, binlog.SchemaChangesNone
			equal(t, open(t, o).take(3), []string{"insert t 1 a", "insert t 2 b 3", "insert t 3 4"})
		})
	}
}

// TestUnknownDefinition starts where a selected table had a column that
// nothing tells any more.
func TestUnknownDefinition(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		db.Exec("CREATE TABLE t (id INT PRIMARY KEY, v INT)", "CREATE TABLE u (id INT PRIMARY KEY)")
		status, err := dialStatus(t, s)
		if err != nil {
			t.Fatal(err)
		}
		db.Exec("INSERT INTO u VALUES (1)", "INSERT INTO t VALUES (1, 1)", "ALTER TABLE t DROP COLUMN v", "INSERT INTO t VALUES (2)")
		o := options(s, name)
		o.Start, o.SchemaChanges = binlog.Start{Mode: binlog.StartFile, File: status.File, Pos: status.Pos}, binlog.SchemaChangesNone
		r := open(t, o)
		equal(t, r.take(1), []string{"insert u 1"})
		if err := r.failure(); !errors.Is(err, binlog.ErrSchema) {
			t.Errorf("error %v", err)
		}
		// What is behind the last DDL is known again, and t left out stops nothing.
		o.Exclude = []string{name + ".t"}
		r = open(t, o)
		equal(t, r.take(1), []string{"insert u 1"})
		r.save()
		r.options.Exclude = nil
		db.Exec("INSERT INTO u VALUES (2)")
		r.options.Exclude = []string{name + ".t"}
		r.reopen(r.last)
		equal(t, r.take(1), []string{"insert u 2"})
		r.save()
		r.options.Exclude = nil
		db.Exec("INSERT INTO t VALUES (3)")
		r.reopen(r.last)
		equal(t, r.take(1), []string{"insert t 3"})
	})
}

// TestObjectsChanged selects other tables after each row of a transaction: what
// was selected before holds until the transaction ends, whatever is restarted.
func TestObjectsChanged(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		db.Exec("CREATE TABLE t (id INT PRIMARY KEY)", "CREATE TABLE u (id INT PRIMARY KEY)", "CREATE TABLE v (id INT PRIMARY KEY)")
		o := options(s, name)
		o.Include, o.SchemaChanges = []string{name + ".t", name + ".u"}, binlog.SchemaChangesNone
		first := open(t, o)
		start, schema := first.last, maps.Clone(first.schema)
		db.Exec("BEGIN", "INSERT INTO v VALUES (1)", "INSERT INTO t VALUES (1)", "INSERT INTO u VALUES (1), (2)", "INSERT INTO v VALUES (2)",
			"INSERT INTO t VALUES (2), (3)", "COMMIT", "INSERT INTO t VALUES (4)", "INSERT INTO u VALUES (4)", "INSERT INTO v VALUES (4)")
		want := []string{"insert t 1", "insert u 1", "insert u 2", "insert t 2", "insert t 3"}
		for n := 1; n < len(want); n++ {
			r := &reading{t: t, options: o, schema: maps.Clone(schema)}
			r.reopen(start)
			got := r.take(n)
			r.save()
			r.options.Include = []string{name + ".u"}
			r.reopen(r.last)
			r.save()
			r.options.Include = []string{name + ".v", name + ".t"}
			r.reopen(r.last)
			got = append(got, r.take(1)...)
			r.save()
			r.reopen(r.last)
			equal(t, append(got, r.take(len(want)-n-1)...), want)
			equal(t, r.take(2), []string{"insert t 4", "insert v 4"})
			_ = r.Close()
		}
	})
}

func dialStatus(t *testing.T, s *servers.Server) (*binlog.Status, error) {
	c, err := binlog.Dial(t.Context(), binlog.Source{Address: s.Address, User: servers.Repl, Password: servers.Repl})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.Status(t.Context())
}

func TestCompressedTransactions(t *testing.T) {
	for version, args := range map[string][]string{
		"mysql-8.0":     {"--binlog-transaction-compression=ON", "--binlog-rows-query-log-events=ON"},
		"mariadb-10.11": {"--log-bin-compress=ON", "--log-bin-compress-min-len=10"},
	} {
		t.Run(version, func(t *testing.T) {
			s := own(t, version, args...)
			name, db := s.Database(t)
			first := open(t, options(s, name))
			start, schema := first.last, maps.Clone(first.schema)
			want := mixed(db)
			db.Exec("CREATE TABLE wide (id INT PRIMARY KEY, v MEDIUMTEXT) CHARSET utf8mb4", "INSERT INTO wide VALUES (1, REPEAT('ab', 400000))")
			want = append(want, "schema CREATE TABLE wide (id INT PRIMARY KEY, v MEDIUMTEXT) CHARSET utf8mb4", "insert wide 1 "+strings.Repeat("ab", 400000))
			for n := range want {
				first.schema = maps.Clone(schema)
				first.reopen(start)
				got := first.take(n)
				first.save()
				first.reopen(first.last)
				equal(t, append(got, first.take(len(want)-n)...), want)
			}
		})
	}
}

// TestServerSettings reads the same changes from servers with other settings.
func TestServerSettings(t *testing.T) {
	for _, c := range []struct {
		version string
		args    []string
	}{
		{"mysql-8.0", []string{"--binlog-checksum=NONE"}},
		{"mysql-5.6", []string{"--binlog-checksum=NONE", "--log-bin-use-v1-row-events=1"}},
		{"mariadb-10.11", []string{"--binlog-checksum=NONE"}},
		{"mysql-8.0", []string{"--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"}},
		{"mysql-8.0", []string{"--binlog-row-metadata=FULL"}},
		{"mysql-5.7", []string{"--gtid-mode=OFF", "--enforce-gtid-consistency=OFF", "--binlog-rows-query-log-events=ON"}},
		{"mysql-5.7", []string{"--lower-case-table-names=1"}},
	} {
		t.Run(c.version+strings.Join(c.args, ""), func(t *testing.T) {
			s := own(t, c.version, c.args...)
			name, db := s.Database(t)
			r := open(t, options(s, name))
			want := mixed(db)
			equal(t, r.take(5), want[:5])
			r.save()
			r.reopen(r.last)
			db.Exec("FLUSH LOGS", "INSERT INTO u VALUES (8)")
			equal(t, r.take(len(want)-4), append(want[5:len(want):len(want)], "insert u 8"))
		})
	}
}

func TestRefused(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		wrong := options(s, "x")
		wrong.Source.Password = "wrong"
		if err := openError(t, wrong); !errors.Is(err, binlog.ErrAuth) {
			t.Errorf("wrong password: %v", err)
		}
		_, db := s.Database(t)
		user := "stream_" + strconv.Itoa(int(time.Now().UnixNano()%1e6))
		db.Exec("CREATE USER '"+user+"'@'%' IDENTIFIED BY 'p'", "GRANT SELECT ON *.* TO '"+user+"'@'%'")
		t.Cleanup(func() { db.Exec("DROP USER '" + user + "'@'%'") })
		bare := options(s, "x")
		bare.Source.User, bare.Source.Password = user, "p"
		if err := openError(t, bare); !errors.Is(err, binlog.ErrPrivilege) {
			t.Errorf("without privileges: %v", err)
		}
		far := options(s, "x")
		far.Start = binlog.Start{Mode: binlog.StartFile, File: "binlog.999999"}
		if err := openError(t, far); !errors.Is(err, binlog.ErrPurged) {
			t.Errorf("file of the future: %v", err)
		}
	})
	nobody := binlog.Options{Source: binlog.Source{Address: "127.0.0.1:1", User: "x"}}
	if err := openError(t, nobody); !errors.Is(err, binlog.ErrUnreachable) {
		t.Errorf("no server: %v", err)
	}
}

func TestStatementFormat(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		db.Exec("CREATE TABLE t (id INT PRIMARY KEY)", "CREATE TABLE other (id INT PRIMARY KEY)")
		o := options(s, name)
		o.Exclude = []string{name + ".other"}
		r := open(t, o)
		db.Exec("SET SESSION binlog_format = STATEMENT", "INSERT INTO other VALUES (1)", "SET SESSION binlog_format = ROW",
			"INSERT INTO t VALUES (1)")
		equal(t, r.take(1), []string{"insert t 1"})
		r.save()
		db.Exec("SET SESSION binlog_format = STATEMENT", "INSERT INTO t VALUES (2)", "SET SESSION binlog_format = ROW")
		if err := r.failure(); !errors.Is(err, binlog.ErrStatement) {
			t.Errorf("error %v", err)
		}
		r.save()
		r.reopen(r.last)
		if err := r.failure(); !errors.Is(err, binlog.ErrStatement) {
			t.Errorf("error after reopening: %v", err)
		}
	})
}

// TestCreateSelectAsStatement has a DDL that cannot be read, of which the rows
// are not in the binlog either: it stops a task if the table is selected.
func TestCreateSelectAsStatement(t *testing.T) {
	s := servers.Get(t, "mariadb-10.11") // others refuse it with GTIDs
	for _, format := range []string{"STATEMENT", "MIXED"} {
		name, db := s.Database(t)
		o := options(s, name)
		o.Exclude = []string{name + ".other"}
		r := open(t, o)
		db.Exec("CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)", "SET SESSION binlog_format = "+format, "CREATE TABLE other SELECT * FROM t",
			"SET SESSION binlog_format = ROW", "INSERT INTO other VALUES (2)", "INSERT INTO t VALUES (3)")
		equal(t, r.take(3), []string{"schema CREATE TABLE t (id INT PRIMARY KEY)", "insert t 1", "insert t 3"})
		db.Exec("SET SESSION binlog_format = "+format, "CREATE TABLE copy SELECT * FROM t")
		if err := r.failure(); !errors.Is(err, binlog.ErrStatement) || !strings.Contains(err.Error(), ".copy") {
			t.Errorf("%s: error %v", format, err)
		}
	}
}

// TestLargeTransaction reads 50,000 rows in one transaction, and one row that
// is larger than all of the buffer, through a small buffer.
func TestLargeTransaction(t *testing.T) {
	s := own(t, "mysql-8.0", "--max-allowed-packet=64M")
	name, db := s.Database(t)
	o := options(s, name)
	o.BufferBytes = 1 << 20
	r := open(t, o)
	db.Exec("CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v LONGTEXT) CHARSET utf8mb4", "BEGIN")
	for i := range 500 {
		db.Exec(fmt.Sprintf("INSERT INTO t VALUES (%d, REPEAT('x', 200))%s", i*100+1, strings.Repeat(", (NULL, REPEAT('y', 200))", 99)))
	}
	db.Exec("INSERT INTO t VALUES (NULL, REPEAT('z', 20000000))", "COMMIT")
	r.take(1)
	for i := range 50000 {
		if i%20000 == 19999 {
			r.save()
			r.reopen(r.last)
		}
		if got := r.next(); !strings.HasPrefix(got, fmt.Sprintf("insert t %d ", i+1)) {
			t.Fatalf("row %d is %.40s", i+1, got)
		}
	}
	if got, want := len(r.next()), len("insert t 50001 ")+20000000; got != want {
		t.Errorf("the last row has %d bytes, want %d", got, want)
	}
}

// TestDefinitionTakenFromSource takes a definition from the source, unless a later DDL
// has changed it.
func TestDefinitionTakenFromSource(t *testing.T) {
	s := servers.Get(t, "mysql-8.0")
	name, db := s.Database(t)
	db.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
	first := open(t, options(s, name))
	saved := first.last
	// As if the history had missed a DDL.
	first.Close()
	db.Exec("INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)")
	forget := func(r *reading) {
		for k := range r.schema {
			if strings.Contains(k, name) {
				delete(r.schema, k)
			}
		}
	}
	forget(first)
	first.reopen(saved)
	equal(t, first.take(3), []string{"schema ", "insert t 1", "insert t 2"})
	db.Exec("ALTER TABLE t ADD COLUMN n INT")
	forget(first)
	first.reopen(saved)
	if err := first.failure(); !errors.Is(err, binlog.ErrSchema) || !strings.Contains(err.Error(), "later DDL") {
		t.Errorf("error %v", err)
	}
}

// TestNotRow opens while the source logs statements.
func TestNotRow(t *testing.T) {
	s := own(t, "mysql-8.0", "--binlog-format=MIXED")
	name, db := s.Database(t)
	if err := openError(t, options(s, name)); !errors.Is(err, binlog.ErrNotRow) || !strings.Contains(err.Error(), "SET GLOBAL binlog_format=ROW") {
		t.Errorf("error %v", err)
	}
	db.Exec("SET GLOBAL binlog_format = ROW", "CREATE TABLE t (id INT PRIMARY KEY)")
	open(t, options(s, name))
}

// TestStartAtAForeignGTID wants to begin behind a transaction of a server that MariaDB never had one of,
// whose sequence number it has had.
func TestStartAtAForeignGTID(t *testing.T) {
	s := servers.Get(t, "mariadb-10.11")
	name, db := s.Database(t)
	db.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
	domain, rest, _ := strings.Cut(db.Query("SELECT @@last_gtid")[0][0], "-")
	_, seq, _ := strings.Cut(rest, "-")
	o := options(s, name)
	o.Start = binlog.Start{Mode: binlog.StartGTID, GTID: domain + "-4000000000-" + seq}
	r := binlog.New(o)
	t.Cleanup(func() { _ = r.Close() })
	if err := r.Open(t.Context()); !errors.Is(err, binlog.ErrPosition) {
		t.Errorf("error %v", err)
	}
}
