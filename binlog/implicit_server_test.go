//go:build servers

package binlog_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"testing"

	"daybook/binlog"
	"daybook/binlog/dump"
	"daybook/e2e/servers"
)

// apsara is a connection to a server that seems to have variables as ApsaraDB's have.
type apsara struct{ net.Conn }

func (c apsara) Write(b []byte) (int, error) {
	return c.Conn.Write(bytes.ReplaceAll(b, []byte(`'rds\_%'`), []byte(`'port%%'`)))
}

// TestImplicitKey has a server that gives tables without a key one of its own, behind their columns, as ApsaraDB RDS does:
// a column that neither a statement nor the source tells. It is the rows' key and none of their columns.
func TestImplicitKey(t *testing.T) {
	const hiddenKey = "`__#alibaba_rds_row_id#__`"
	for _, c := range []struct {
		version  string
		metadata bool
	}{{"mysql-5.6", false}, {"mysql-5.7", false}, {"mysql-8.0", false}, {"mysql-8.0", true}, {"mysql-9", false}, {"mysql-9", true}} {
		t.Run(fmt.Sprintf("%s full=%t", c.version, c.metadata), func(t *testing.T) {
			t.Parallel()
			s := servers.Get(t, c.version)
			if c.metadata {
				s = servers.Get(t, c.version, "--binlog-row-metadata=FULL")
			}
			name, db := s.Database(t)
			o := options(s, name)
			if !c.metadata {
				o.Source.TLS.Mode = dump.TLSDisabled
				o.Source.Dial = func(ctx context.Context, address string) (net.Conn, error) {
					conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
					return apsara{conn}, err
				}
			}
			hidden := func(sql string) { db.Exec("SET sql_log_bin = 0", sql, "SET sql_log_bin = 1") }
			want := func(r *reading, wants ...string) {
				t.Helper()
				equal(t, r.take(len(wants)), wants)
				r.save()
			}
			add := "ALTER TABLE t ADD " + hiddenKey + " BIGINT NOT NULL AUTO_INCREMENT, ADD KEY (" + hiddenKey + ")"
			db.Exec("CREATE TABLE t (a INT, s VARCHAR(9))")
			hidden(add)
			r := open(t, o)
			db.Exec("INSERT INTO t (a, s) VALUES (1, 'x'), (2, 'y')", "UPDATE t SET s = 'z' WHERE a = 2", "DELETE FROM t WHERE a = 1")
			want(r, "insert t 1 x 1", "insert t 2 y 2", "update t 2 y 2 2 z 2", "delete t 1 x 1")
			db.Exec("DELETE FROM t")
			table := r.nextChange().Table
			if k := table.Key(); len(k) != 1 || k[0] != 2 || !table.Columns[2].Hidden || table.Columns[1].Hidden {
				t.Errorf("the key is %v of %+v", k, table.Columns)
			}
			hidden("ALTER TABLE t DROP " + hiddenKey) // as the statement does there
			db.Exec("ALTER TABLE t ADD PRIMARY KEY (a)", "INSERT INTO t VALUES (3, 'p')")
			want(r, "schema ALTER TABLE t ADD PRIMARY KEY (a)", "insert t 3 p")
			db.Exec("ALTER TABLE t DROP PRIMARY KEY, ADD b BIGINT NOT NULL DEFAULT 7")
			hidden(add)
			db.Exec("INSERT INTO t (a, s) VALUES (4, 'q')")
			want(r, "schema ALTER TABLE t DROP PRIMARY KEY, ADD b BIGINT NOT NULL DEFAULT 7", "insert t 4 q 7 2")
			told, changes := r.check(binlog.CheckOptions{})
			if len(told.Differ) != 0 || len(changes) != 0 || told.Same == 0 {
				t.Errorf("the drift check finds %+v, %v", told, changes)
			}
			r.reopen(r.last)
			db.Exec("INSERT INTO t (a, s) VALUES (5, 'r')", "CREATE TABLE u (n BIGINT NOT NULL)")
			hidden("ALTER TABLE u ADD " + hiddenKey + " BIGINT NOT NULL AUTO_INCREMENT, ADD KEY (" + hiddenKey + ")")
			db.Exec("INSERT INTO u (n) VALUES (9)")
			want(r, "insert t 5 r 7 3", "schema CREATE TABLE u (n BIGINT NOT NULL)", "insert u 9 1")
			for unique, key := range map[string]int{"INT": 1, "INT NOT NULL": 0} {
				db.Exec("CREATE TABLE w (n " + unique + ", UNIQUE (n))")
				hidden("ALTER TABLE w ADD " + hiddenKey + " BIGINT NOT NULL AUTO_INCREMENT, ADD KEY (" + hiddenKey + ")")
				db.Exec("INSERT INTO w (n) VALUES (8)", "DROP TABLE w")
				r.next()
				if table := r.nextChange().Table; len(table.Key()) != 1 || table.Key()[0] != key {
					t.Errorf("%s: the key is %v", unique, table.Key())
				}
				r.next()
				r.save()
			}
		})
	}
}
