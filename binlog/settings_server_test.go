//go:build servers

package binlog_test

import (
	"strings"
	"testing"

	"daybook/binlog"
)

// TestSettingsOfTheSource gives the source settings that its sessions inherit,
// and that would change what it answers to them, and limits of what a session may
// set for itself.
func TestSettingsOfTheSource(t *testing.T) {
	t.Parallel() // its servers are its own, and mostly start
	for _, version := range []string{"mysql-5.5", "mysql-5.7", "mysql-8.0", "mysql-9", "mariadb-10.11", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) {
			s := own(t, version, "--maximum-sort-buffer-size=256K", "--maximum-wait-timeout=7200", "--maximum-max-join-size=1G")
			name, db := s.Database(t)
			db.Exec("CREATE TABLE `tä` (id INT PRIMARY KEY COMMENT 'ö', e ENUM('ü','x'), c CHAR(5) DEFAULT 'é')", "CREATE TABLE t2 (id INT PRIMARY KEY)")
			set := 0
			for _, global := range []string{"init_connect = 'SET NAMES latin1'", "sql_select_limit = 1", "max_join_size = 1", "sql_big_selects = 0", "sql_mode = 'ANSI_QUOTES,PAD_CHAR_TO_FULL_LENGTH,NO_BACKSLASH_ESCAPES'",
				"time_zone = '+05:00'", "autocommit = 0", "lc_messages = 'de_DE'", "max_execution_time = 1", "max_statement_time = 0.001", "character_set_results = latin1", "collation_connection = latin1_bin",
				"sql_quote_show_create = 0", "sql_auto_is_null = 1", "wait_timeout = 1", "lock_wait_timeout = 1", "sql_safe_updates = 1",
				"max_sort_length = 8388608", "sort_buffer_size = 1024", "tx_isolation = 'READ-COMMITTED'", "transaction_isolation = 'READ-COMMITTED'"} {
				if db.Try("SET GLOBAL "+global) == nil {
					set++
				}
			}
			if set < 10 {
				t.Errorf("the server took only %d settings", set)
			}
			o := options(s, name)
			o.SchemaChanges = binlog.SchemaChangesNone
			r := open(t, o)
			db.Exec("INSERT INTO `tä` (id, e) VALUES (1, 'ü')", "INSERT INTO t2 VALUES (2)")
			c := r.nextChange()
			if got := describe(c); got != "insert tä 1 ü é" || c.Table.Columns[0].Comment != "ö" || strings.Join(c.Table.Columns[1].Members, ",") != "ü,x" {
				t.Errorf("got %s, %+v", got, c.Table.Columns)
			}
			equal(t, r.take(1), []string{"insert t2 2"})
			for _, row := range db.Query("SELECT ID FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'") {
				db.Exec("KILL " + row[0])
			}
			db.Exec("INSERT INTO t2 VALUES (3)")
			equal(t, r.take(1), []string{"insert t2 3"})
		})
	}
}
