//go:build servers

package converge

import (
	"regexp"
	"strings"
	"testing"

	"daybook/e2e/oracle"
	"daybook/e2e/servers"
)

// step is what a session with some settings does; $ is a table of its own. A
// server without such settings leaves the step out.
type step struct {
	set        string // variables, joined by blanks
	before     string // run without them
	statements string // joined by semicolons
}

// settingSteps are statements that mean something else, or nothing, where a setting
// of their session is not known.
var settingSteps = []step{
	{"auto_increment_increment=10 auto_increment_offset=3", "CREATE TABLE $ (a INT); INSERT INTO $ VALUES (1), (2), (3)",
		"ALTER TABLE $ ADD id INT AUTO_INCREMENT PRIMARY KEY; UPDATE $ SET a = 7 WHERE id = 13; DELETE FROM $ WHERE id = 23"},
	{"auto_increment_increment=7", "CREATE TABLE $ (a INT); INSERT INTO $ VALUES (1), (2)", "ALTER TABLE $ ADD id INT AUTO_INCREMENT PRIMARY KEY"},
	{"lc_time_names='de_DE'", "CREATE TABLE $ (a INT); INSERT INTO $ VALUES (1)", "ALTER TABLE $ ADD c VARCHAR(50) DEFAULT (MONTHNAME('2020-01-05'))"},
	{"lc_time_names='el_GR'", "CREATE TABLE $ (a DATE); INSERT INTO $ VALUES ('2020-01-05')", "ALTER TABLE $ ADD c VARCHAR(50) CHARACTER SET utf8 DEFAULT (DATE_FORMAT('2020-01-05', '%W %M'))"},
	{"sql_if_exists=1", "CREATE TABLE $ (a INT)", "RENAME TABLE nosuch TO x1, $ TO y$; DROP DATABASE nosuch; INSERT INTO y$ VALUES (5)"},
	{"check_constraint_checks=0", "CREATE TABLE $ (a INT); INSERT INTO $ VALUES (1)", "ALTER TABLE $ ADD CONSTRAINT c CHECK (a > 5); INSERT INTO $ VALUES (2)"},
	{"system_versioning_alter_history=KEEP", "CREATE TABLE $ (a INT) WITH SYSTEM VERSIONING", "ALTER TABLE $ ADD b INT"},
	{"system_versioning_alter_history=ERROR", "CREATE TABLE $ (a INT, b CHAR(5)) WITH SYSTEM VERSIONING",
		"ALTER TABLE $ ADD KEY k (b), COMMENT 'x'; ALTER TABLE $ ADD c INT; ALTER TABLE $ CONVERT TO CHARACTER SET latin1; ALTER TABLE $ PARTITION BY SYSTEM_TIME (PARTITION p0 HISTORY, PARTITION pn CURRENT)"},
	{"sql_require_primary_key=0", "", "CREATE TABLE $ (a INT); INSERT INTO $ VALUES (1)"},
	{"sql_require_primary_key=1", "", "CREATE TABLE $ (a INT PRIMARY KEY); ALTER TABLE $ ADD b INT; INSERT INTO $ VALUES (1, 2)"},
	{"sql_generate_invisible_primary_key=1 sql_require_primary_key=1", "", "CREATE TABLE $ (a INT); INSERT INTO $ VALUES (1); ALTER TABLE $ ADD b INT; UPDATE $ SET b = 3"},
	{"default_table_encryption=1", "", "CREATE DATABASE `cv Two`"},
	{"collation_connection=ucs2_bin sql_mode=''", "", "CREATE TABLE $ (a VARCHAR(5) DEFAULT 'é')"},
	{"sql_mode='NO_BACKSLASH_ESCAPES' collation_connection=utf32_bin", "", `CREATE TABLE $ (a VARCHAR(5) DEFAULT 'a\b', b INT DEFAULT 0 COMMENT 'x\')`},
	{"sql_mode='ANSI,TRADITIONAL' collation_connection=utf16_bin", "", `CREATE TABLE $ ("a" VARCHAR(5) DEFAULT 'é')`},
}

// TestSettingsConverge has the topic's consumer run statements of sessions with rare
// settings: what it makes of them must be what the source has.
func TestSettingsConverge(t *testing.T) {
	for _, version := range []string{"mysql-8.0", "mysql-9", "mariadb-10.11", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) {
			source, replica := servers.Start(t, version), servers.Start(t, version)
			for _, global := range []string{"sql_require_primary_key", "sql_generate_invisible_primary_key"} {
				_ = replica.Connect(t, "").Try("SET GLOBAL " + global + " = 1") // MySQL has them
			}
			from := oracle.End(source.Connect(t, ""))
			d := track(t, source, from)
			d.WaitLog("state=Normal", oracle.Patience) // its start reads the definitions, which DDL disturbs
			source.Connect(t, "").Exec("CREATE DATABASE cv CHARACTER SET utf8mb4")
			for i, s := range settingSteps {
				s.run(t, source, "step_"+string(rune('a'+i)))
			}
			replicate(t, d, source, replica)
			a, b := source.Connect(t, ""), replica.Connect(t, "")
			if n := compare(t, a, b); n < 5 {
				t.Errorf("only %d tables", n)
			}
			same(t, a, b)
		})
	}
}

// run has a session do a step, if the server knows its settings.
func (s step) run(t *testing.T, source *servers.Server, table string) {
	plain, conn := source.Connect(t, "cv"), source.Connect(t, "cv")
	conn.Exec("SET NAMES utf8mb4")
	for _, v := range strings.Fields(s.set) {
		if err := conn.Try("SET SESSION " + v); err != nil {
			t.Logf("SET %s: %v", v, err)
			return
		}
	}
	for _, list := range []struct {
		conn       *servers.Conn
		statements string
	}{{plain, s.before}, {conn, s.statements}} {
		for _, sql := range strings.Split(list.statements, "; ") {
			if sql == "" {
				continue
			}
			if err := list.conn.Try(strings.ReplaceAll(sql, "$", table)); err != nil {
				t.Logf("%s: %v", sql, err)
			}
		}
	}
}

// counter is where a server goes on counting, which no record tells.
var counter = regexp.MustCompile(` AUTO_INCREMENT=\d+`)

// same wants what SHOW CREATE has of both servers to be the same.
func same(t *testing.T, source, replica *servers.Conn) {
	t.Helper()
	objects := []string{"DATABASE cv"}
	for _, r := range source.Query("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'cv Two'") {
		objects = append(objects, "DATABASE "+servers.QuoteName(r[0]))
	}
	for _, r := range source.Query("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'cv'") {
		objects = append(objects, "TABLE cv."+servers.QuoteName(r[0]))
	}
	for _, o := range objects {
		shown := func(c *servers.Conn) string {
			return counter.ReplaceAllString(strings.Join(c.Query("SHOW CREATE " + o)[0], "\n"), "")
		}
		if a, b := shown(source), shown(replica); a != b {
			t.Errorf("the source has\n%s\nthe replica\n%s", a, b)
		}
	}
}
