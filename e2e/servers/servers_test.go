//go:build servers

package servers

import (
	"strings"
	"testing"
)

func TestEveryServerWritesRowsOfFullImageForRepl(t *testing.T) {
	Each(t, func(t *testing.T, s *Server) {
		name, db := s.Database(t)
		db.Exec("CREATE TABLE t (a INT, b VARCHAR(9))", "INSERT INTO t VALUES (1, 'é'), (2, NULL)")
		if got := db.Query("SELECT a, b FROM " + name + ".t ORDER BY a"); len(got) != 2 || got[0][1] != "é" || got[1][1] != "NULL" {
			t.Errorf("rows: got %q", got)
		}
		got := strings.Join(db.Query("SELECT @@log_bin, @@binlog_format, @@binlog_row_image")[0], " ")
		if got != "1 ROW FULL" {
			t.Errorf("binlog settings: got %q, want 1 ROW FULL", got)
		}
		grants := db.Query("SELECT Repl_slave_priv, Repl_client_priv, Select_priv, Trigger_priv, Insert_priv FROM mysql.user WHERE User = '" + Repl + "'")
		if got := strings.Join(grants[0], ""); got != "YYYYN" {
			t.Errorf("rights of %s: got %s, want YYYYN", Repl, got)
		}
	})
}

// Those that are not among [Names] run as well, with accounts that log in over TCP.
func TestEveryVersionStarts(t *testing.T) {
	for version, want := range map[string]string{
		"mysql-5.5": "5.5.", "mysql-9": "9.", "mariadb-10.5": "10.5.", "mariadb-11.8": "11.8.",
	} {
		t.Run(version, func(t *testing.T) {
			got := Start(t, version).Connect(t, "").Query("SELECT VERSION()")[0][0]
			if !strings.HasPrefix(got, want) {
				t.Errorf("version: got %s, want %s…", got, want)
			}
		})
	}
}

func TestServerOfItsOwnKeepsDataAndOptions(t *testing.T) {
	for _, version := range []string{"mysql-5.7", "mariadb-10.11"} {
		t.Run(version, func(t *testing.T) {
			s := Start(t, version, "--binlog-format=STATEMENT")
			name, db := s.Database(t)
			db.Exec("CREATE TABLE t (a INT) ENGINE=InnoDB", "INSERT INTO t VALUES (7)")
			for _, end := range []func(*testing.T){s.Kill, s.Stop} {
				end(t)
				s.Restart(t)
				got := strings.Join(s.Connect(t, name).Query("SELECT a, @@binlog_format FROM t")[0], " ")
				if got != "7 STATEMENT" {
					t.Errorf("after the restart: got %q, want 7 STATEMENT", got)
				}
			}
		})
	}
}

func TestListOfServers(t *testing.T) {
	list, err := parse("mysql-8.0=127.0.0.1:3380, mariadb-10.11=db:3306")
	if err != nil || len(list) != 2 || list[1].Name != "mariadb-10.11" || list[1].Address != "db:3306" {
		t.Errorf("got %v, %v", list, err)
	}
	for _, bad := range []string{"mysql-8.0", "=h:1", "x=h"} {
		if _, err := parse(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}
