//go:build servers

package binlog_test

import (
	"fmt"
	"strings"
	"testing"

	"daybook/change"
	"daybook/e2e/servers"
)

// TestCollationsOfDDL creates tables and databases in sessions whose statements mean other
// collations than the server's, and runs the records in sessions that know nothing else: the
// same collations, and the same defaults, must come of it.
func TestCollationsOfDDL(t *testing.T) {
	fn := func(t *testing.T, s *servers.Server) {
		name, _ := s.Database(t)
		other, look := s.Database(t)
		made := name + "_made"
		o := options(s, name)
		o.Include = append(o.Include, made+".*")
		r := open(t, o)
		n := 0
		for _, set := range []string{"collation_server = latin1_german2_ci", "collation_server = utf8mb4_unicode_ci", "collation_connection = latin1_bin", "collation_connection = sjis_japanese_ci",
			"default_collation_for_utf8mb4 = utf8mb4_general_ci", "character_set_collations = 'latin1=latin1_german1_ci,utf8mb4=utf8mb4_bin'", "character_set_collations = ''"} {
			c := s.Connect(t, name)
			c.Exec("SET NAMES utf8mb4")
			if c.Try("SET SESSION "+set) != nil {
				continue
			}
			n++
			table := fmt.Sprintf("t%d", n)
			c.Exec("SET sql_mode = ''", "CREATE TABLE "+table+" (a CHAR(5) CHARACTER SET utf8mb4 DEFAULT 'é表', b CHAR(5) CHARACTER SET latin1, c CHAR(5) CHARACTER SET utf8, d CHAR(5))", "CREATE DATABASE "+made)
			want := collations(look, name, table) + databaseCollation(look, made)
			again := s.Connect(t, other)
			again.Exec("SET sql_log_bin = 0", "DROP DATABASE "+made)
			for range 2 {
				ddl := r.nextChange().DDL
				runAs(again, &ddl.Session)
				again.Exec(ddl.SQL)
			}
			if got := collations(look, other, table) + databaseCollation(look, made); got != want {
				t.Errorf("SET %s: the source has\n%s\nwho runs its record\n%s", set, want, got)
			}
			again.Exec("DROP DATABASE " + made)
			c.Close()
			again.Close()
		}
		if n < 4 {
			t.Errorf("the server knows only %d of the settings", n)
		}
	}
	servers.Each(t, fn)
	for _, version := range []string{"mysql-5.5", "mysql-9", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) { fn(t, servers.Get(t, version)) })
	}
}

// runAs sets what a record tells of its statement's session, as far as collations go.
func runAs(c *servers.Conn, s *change.Session) {
	c.Exec("SET NAMES utf8mb4", "SET sql_mode = '"+s.SQLMode+"'")
	for _, v := range []struct{ name, value string }{
		{"collation_server", s.CollationServer}, {"collation_connection", s.CollationConnection},
		{"default_collation_for_utf8mb4", s.DefaultCollationForUTF8MB4},
	} {
		if v.value != "" {
			c.Exec("SET SESSION " + v.name + " = " + v.value)
		}
	}
	if s.CharacterSetCollations != nil {
		c.Exec("SET SESSION character_set_collations = '" + *s.CharacterSetCollations + "'")
	}
}

func collations(c *servers.Conn, db, table string) string {
	var b strings.Builder
	for _, r := range c.Query("SELECT COLUMN_NAME, COLLATION_NAME, HEX(COLUMN_DEFAULT) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '" + db + "' AND TABLE_NAME = '" + table + "' ORDER BY ORDINAL_POSITION") {
		b.WriteString(strings.Join(r, " ") + "\n")
	}
	return b.String()
}

func databaseCollation(c *servers.Conn, db string) string {
	rows := c.Query("SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '" + db + "'")
	return "database " + rows[0][0]
}
