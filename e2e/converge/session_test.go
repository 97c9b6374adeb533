//go:build servers

package converge

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/go-mysql-org/go-mysql/client"
	"github.com/go-mysql-org/go-mysql/mysql"

	"daybook/e2e/charsets"
	"daybook/e2e/servers"
)

// session is one connection to the source. Several take turns, so that a seed makes
// one history.
type session struct {
	*workload
	conn    *client.Conn
	charset *charsets.Client
	modes   string
	keyed   bool   // sql_generate_invisible_primary_key is on
	began   bool   // a transaction is open
	xid     string // of an XA transaction that is open
	xids    int
	number  int
}

// exec runs a statement, which the server may refuse. A refusal inside of a
// transaction is none of it.
func (s *session) exec(sql string) error {
	encoded, ok := s.charset.Encode(sql)
	if !ok {
		return errors.New("the session's character set lacks a letter")
	}
	if *showFlag {
		fmt.Printf("%d [%s %s] %.700s\n", s.number, s.charset.Name, s.modes, sql)
	}
	r, err := s.conn.Execute(encoded)
	if err == nil {
		r.Close()
		return nil
	}
	if *showFlag {
		fmt.Printf("   %v\n", err)
	}
	var refused *mysql.MyError
	if !errors.As(err, &refused) {
		s.reconnect()
	} else if refused.Code == mysql.ER_LOCK_DEADLOCK {
		s.began = false
	}
	return err
}

func (s *session) reconnect() {
	if s.conn != nil {
		_ = s.conn.Close()
	}
	s.began, s.xid = false, ""
	conn, err := client.Connect(s.address, "admin", "admin", "")
	if err != nil {
		s.t.Fatal(err)
	}
	s.conn = conn
	s.modes, s.keyed, s.charset = "", false, &charsets.Clients[0]
	for _, sql := range []string{"SET NAMES utf8mb4", "USE " + servers.QuoteName(s.rng.Pick(databases...)), "SET SESSION lock_wait_timeout = 1", "SET SESSION innodb_lock_wait_timeout = 1"} {
		_ = s.exec(sql)
	}
}

// settings are what a session's statements may mean another thing by. What a server
// does not know it refuses.
var settings = []struct {
	name   string
	values []string
}{
	{"sql_mode", []string{"''", "'STRICT_ALL_TABLES'", "'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'", "'ANSI_QUOTES'", "'ANSI'", "'NO_BACKSLASH_ESCAPES'", "'PAD_CHAR_TO_FULL_LENGTH'",
		"'REAL_AS_FLOAT,PIPES_AS_CONCAT'", "'IGNORE_SPACE,HIGH_NOT_PRECEDENCE'", "'NO_UNSIGNED_SUBTRACTION,NO_ZERO_IN_DATE'", "'TRADITIONAL'", "'ORACLE'", "'MAXDB'", "'MSSQL'", "'DB2'", "'POSTGRESQL'",
		"'NO_FIELD_OPTIONS'", "'EMPTY_STRING_IS_NULL'", "'TIME_TRUNCATE_FRACTIONAL'", "'INTERPRET_UTF8_AS_UTF8MB4'", "'TIME_ROUND_FRACTIONAL'", "'SIMULTANEOUS_ASSIGNMENT'", "DEFAULT"}},
	{"time_zone", []string{"'+00:00'", "'-11:30'", "'+05:45'", "'SYSTEM'"}},
	{"explicit_defaults_for_timestamp", []string{"0", "1"}},
	{"character_set_server", []string{"latin1", "utf8", "sjis", "utf8mb4", "cp1251"}},
	{"collation_connection", []string{"latin1_bin", "utf8_general_ci", "latin1_german2_ci", "utf8mb4_bin", "ucs2_bin", "utf16_bin", "utf32_bin", "gbk_bin", "sjis_bin", "big5_bin", "ujis_bin", "cp1251_bin", "koi8r_bin", "ascii_bin"}},
	{"collation_database", []string{"latin1_bin", "sjis_bin"}},
	{"sql_generate_invisible_primary_key", []string{"0", "1"}},
	{"show_gipk_in_create_table_and_information_schema", []string{"0", "1"}},
	{"foreign_key_checks", []string{"0", "1"}},
	{"unique_checks", []string{"0", "1"}},
	{"old_alter_table", []string{"0", "1"}},
	{"alter_algorithm", []string{"'COPY'", "'DEFAULT'"}},
	{"binlog_alter_two_phase", []string{"0", "1"}},
	{"binlog_row_value_options", []string{"'PARTIAL_JSON'", "''"}},
	{"binlog_rows_query_log_events", []string{"0", "1"}},
	{"innodb_strict_mode", []string{"0", "1"}},
	{"default_week_format", []string{"3"}},
	{"lc_time_names", []string{"'de_DE'", "'ja_JP'"}},
	{"auto_increment_increment", []string{"1", "7", "10"}},
	{"auto_increment_offset", []string{"1", "3", "9"}},
	{"sql_if_exists", []string{"0", "1"}},
	{"check_constraint_checks", []string{"0", "1"}},
	{"div_precision_increment", []string{"2", "8"}},
	{"tx_isolation", []string{"'READ-COMMITTED'", "'REPEATABLE-READ'"}},
	{"transaction_isolation", []string{"'READ-COMMITTED'", "'SERIALIZABLE'"}},
	{"default_collation_for_utf8mb4", []string{"utf8mb4_general_ci", "utf8mb4_0900_ai_ci"}},
	{"character_set_collations", []string{"'utf8mb4=utf8mb4_bin,latin1=latin1_german1_ci'", "DEFAULT"}},
	{"binlog_direct_non_transactional_updates", []string{"0", "1"}},
	{"session_track_gtids", []string{"OWN_GTID"}},
}

// change gives the session another setting.
func (s *session) change() {
	if s.rng.chance(30) {
		c := &charsets.Clients[s.rng.IntN(len(charsets.Clients))]
		if s.exec("SET NAMES "+c.Name) == nil {
			s.charset = c
		}
		return
	}
	v := settings[s.rng.IntN(len(settings))]
	if s.rng.chance(40) {
		v = settings[0]
	}
	switch {
	case v.name == "check_constraint_checks" && s.number5 < 101100:
		return // MariaDB 10.5 does not log it
	case v.name == "unique_checks" && s.maria && s.number5 >= 100600:
		return // without foreign_key_checks, MariaDB logs rows of an INSERT IGNORE that it does not keep
	}
	value := s.rng.Pick(v.values...)
	if s.exec("SET SESSION "+v.name+" = "+value) != nil {
		return
	}
	switch v.name {
	case "sql_mode":
		s.modes = value
	case "sql_generate_invisible_primary_key":
		s.keyed = value == "1"
	}
}

// random is the seeded source of all chance.
type random struct{ *rand.Rand }

func (r random) Pick(list ...string) string { return list[r.IntN(len(list))] }

func (r random) chance(percent int) bool { return r.IntN(100) < percent }

func (r random) maybe(percent int, s string) string {
	if r.chance(percent) {
		return s
	}
	return ""
}

// words returns a text of letters that the session's character set has.
func (s *session) words(longest int) string {
	if longest <= 0 {
		return ""
	}
	letters := []rune(s.charset.Letters + "abcXYZ 019-_'\"`,()%#/*;")
	if !strings.Contains(s.modes, "NO_BACKSLASH") && s.charset.Name != "sjis" {
		letters = append(letters, '\\', '\n')
	}
	n := s.rng.IntN(min(longest, 30) + 1)
	if longest > 3000 && s.rng.chance(3) {
		n = s.rng.IntN(3000)
	}
	var b strings.Builder
	for range n {
		b.WriteRune(letters[s.rng.IntN(len(letters))])
	}
	return b.String()
}

// literal returns a string literal as the session's sql_mode reads it.
func (s *session) literal(text string) string {
	if !strings.Contains(s.modes, "NO_BACKSLASH") {
		text = strings.ReplaceAll(text, `\`, `\\`)
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}
