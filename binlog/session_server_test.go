//go:build servers

package binlog_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"daybook/change"
	"daybook/e2e/servers"
)

// TestSessionOfDDL runs DDL in sessions of many kinds: each record must tell the
// session so that its statement can be run again.
func TestSessionOfDDL(t *testing.T) {
	fn := func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		other, _ := s.Database(t)
		r := open(t, options(s, name))
		explicit := db.Query("SHOW VARIABLES LIKE 'explicit_defaults_for_timestamp'")
		want := change.Session{Database: other, ForeignKeyChecks: true, UniqueChecks: true, TimeZone: "SYSTEM", CharacterSetServer: db.Query("SELECT @@character_set_server")[0][0]}
		want.ExplicitDefaultsForTimestamp = len(explicit) > 0 && explicit[0][1] == "ON"
		if want.CharacterSetServer == "utf8" {
			want.CharacterSetServer = "utf8mb3"
		}
		n := 0
		for _, set := range []string{"sql_mode = ''", "sql_mode = 'ANSI'", "sql_mode = 'TRADITIONAL'", "sql_mode = 'ORACLE'", "sql_mode = 'MAXDB'", "sql_mode = 'MSSQL'", "sql_mode = 'DB2'",
			"sql_mode = 'NO_AUTO_VALUE_ON_ZERO,NO_UNSIGNED_SUBTRACTION,HIGH_NOT_PRECEDENCE,PAD_CHAR_TO_FULL_LENGTH,ALLOW_INVALID_DATES'", "sql_mode = 'TIME_TRUNCATE_FRACTIONAL'", "sql_mode = 'INTERPRET_UTF8_AS_UTF8MB4'",
			"sql_mode = 'EMPTY_STRING_IS_NULL,SIMULTANEOUS_ASSIGNMENT,TIME_ROUND_FRACTIONAL'", "sql_mode = 'MYSQL40'", "foreign_key_checks = 0", "unique_checks = 0", "time_zone = '+03:00'",
			"character_set_server = latin1", "collation_server = greek_bin", "collation_database = greek_bin", "collation_connection = greek_bin",
			"default_collation_for_utf8mb4 = utf8mb4_general_ci", "character_set_collations = 'utf8mb4=utf8mb4_bin,latin1=latin1_german1_ci'", "character_set_collations = ''", "explicit_defaults_for_timestamp = 1", "explicit_defaults_for_timestamp = 0", "sql_require_primary_key = 1"} {
			c := s.Connect(t, other)
			if c.Try("SET SESSION "+set) != nil {
				continue
			}
			n++
			w := want
			w.SQLMode = c.Query("SELECT @@sql_mode")[0][0]
			w.CollationServer, w.CollationConnection = c.Query("SELECT @@collation_server")[0][0], c.Query("SELECT @@collation_connection")[0][0]
			if c.Try("DO @@default_collation_for_utf8mb4") == nil {
				w.DefaultCollationForUTF8MB4 = c.Query("SELECT @@default_collation_for_utf8mb4")[0][0]
			}
			if c.Try("DO @@character_set_collations") == nil {
				w.CharacterSetCollations = &c.Query("SELECT @@character_set_collations")[0][0]
			}
			switch variable, value, _ := strings.Cut(set, " = "); variable {
			case "foreign_key_checks":
				w.ForeignKeyChecks = false
			case "unique_checks":
				w.UniqueChecks = false
			case "character_set_server":
				w.CharacterSetServer = value
			case "collation_server":
				w.CharacterSetServer = "greek"
			case "collation_database":
				w.CollationDatabase = value
			case "explicit_defaults_for_timestamp":
				w.ExplicitDefaultsForTimestamp = value == "1"
			case "sql_mode":
				if value == "'MAXDB'" { // whose TIMESTAMP is a DATETIME
					w.TimeZone = ""
				}
			case "time_zone":
				w.TimeZone = "+03:00"
			case "sql_require_primary_key":
				w.RequirePrimaryKey = true
			}
			c.Exec("SET timestamp = 1234567890", fmt.Sprintf("CREATE TABLE %s.t%d (a TEXT CHARACTER SET latin1, b TIMESTAMP NOT NULL DEFAULT '2020-01-01 00:00:00' PRIMARY KEY)", name, n))
			got := r.nextChange().DDL.Session
			w.Timestamp = 1234567890e6
			if !reflect.DeepEqual(got, w) {
				t.Errorf("SET %s: got %+v, want %+v", set, got, w)
				if a, b := got.CharacterSetCollations, w.CharacterSetCollations; a != nil && b != nil {
					t.Errorf("character_set_collations is %q and %q", *a, *b)
				}
			}
			c.Close()
		}
		if n < 8 {
			t.Errorf("the server knows only %d of the settings", n)
		}
		db.Exec("CREATE TABLE src (a INT)", "INSERT INTO src VALUES (1)")
		r.take(2)
		if db.Try("SET timestamp = 1234567890.25") == nil && db.Try("ALTER TABLE src ADD COLUMN b DATETIME(6) DEFAULT NOW(6)") == nil {
			db.Exec("ALTER TABLE src DROP COLUMN b")
			if got := r.nextChange().DDL.Session.Timestamp; got != 1234567890250000 {
				t.Errorf("NOW(6) was %d", got)
			}
			r.take(1)
		}
		db.Exec("SET timestamp = DEFAULT")
		if db.Try("CREATE TABLE dst AS SELECT a FROM src") == nil {
			sql := r.nextChange().DDL.SQL
			if strings.Contains(sql, "START") {
				t.Errorf("CREATE … SELECT is told as %q", sql)
			}
			equal(t, r.take(1), []string{"insert dst 1"})
			s.Connect(t, other).Exec(sql)
			db.Exec("CREATE TABLE dst2 COMMENT ' START TRANSACTION' CHARACTER SET latin1 AS SELECT a FROM src")
			sql = r.nextChange().DDL.SQL
			equal(t, r.take(1), []string{"insert dst2 1"})
			s.Connect(t, other).Exec(sql)
		}
		// What can be run again, and where.
		db.Exec("CREATE TABLE there (a INT)")
		r.take(1)
		if err := db.Try("DROP TABLE there, " + other + ".missing"); err == nil {
			t.Error("a table that is missing was dropped")
		}
		if err := db.Try("DROP TABLE there"); err == nil { // MySQL 8 drops all or none
			db.Exec("CREATE TABLE there (a INT)", "DROP TABLE IF EXISTS there, "+other+".missing")
			r.take(2)
		}
		s.Connect(t, other).Exec(r.nextChange().DDL.SQL)
		db.Exec("DROP DATABASE "+name, "CREATE DATABASE "+name)
		for range 2 {
			if got := r.nextChange().DDL; got.Session.Database != "" {
				t.Errorf("%s is to be run in %s", got.SQL, got.Session.Database)
			}
		}
	}
	servers.Each(t, fn)
	for _, version := range []string{"mysql-5.5", "mysql-9", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) { fn(t, servers.Get(t, version)) })
	}
}
