//go:build servers

package ddl

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-mysql-org/go-mysql/client"
	"github.com/go-mysql-org/go-mysql/mysql"

	"daybook/e2e/charsets"
	"daybook/e2e/servers"
)

// session is one connection that DDL comes from. Several take turns, so that a
// seed makes one history.
type session struct {
	*workload
	conn    *client.Conn
	charset *charsets.Client
	modes   string // sql_mode as the server has it
	db      string // default database; "": none
}

func newSession(w *workload) *session {
	s := &session{workload: w, conn: w.connect(), charset: &charsets.Clients[0]}
	s.learnModes()
	return s
}

var errLetter = errors.New("the session's character set lacks a letter")

// send runs a statement, or several with semicolons between.
func (s *session) send(sql string) error {
	encoded, ok := s.charset.Encode(sql)
	if !ok || s.foreignLetters(sql) {
		return errLetter
	}
	_ = s.conn.SetDeadline(time.Now().Add(patience))
	result, err := s.conn.Execute(encoded)
	if err == nil {
		result.Close()
	}
	_ = s.conn.SetDeadline(time.Time{})
	return s.told(sql, err)
}

// patience is how long one statement may take: some never end on some servers.
const patience = 15 * time.Second

// reopen ends a connection of which it is not known where it is.
func (s *session) reopen() {
	_ = s.look.Try(fmt.Sprintf("KILL %d", s.conn.GetConnectionID()))
	_ = s.conn.Close()
	s.conn, s.charset = s.connect(), &charsets.Clients[0]
	if s == s.writer {
		_ = s.send("SET SESSION sql_mode = ''")
		_ = s.send("SET SESSION foreign_key_checks = 0")
	}
	s.learnModes()
	if db := s.db; db != "" {
		s.db = ""
		s.use(db)
	}
}

// sendSeveral runs several statements that one packet holds. The connection is not used any
// more: the client may have lost its way in the answers.
func (s *session) sendSeveral(sql string) error {
	encoded, ok := s.charset.Encode(sql)
	if !ok || s.foreignLetters(sql) {
		return errLetter
	}
	var failed error
	_, err := s.conn.ExecuteMultiple(encoded, func(_ *mysql.Result, err error) {
		if err != nil {
			failed = err
		}
	})
	if err == nil {
		err = failed
	}
	err = s.told(sql, err)
	s.reopen()
	return err
}

// told notes a statement that was sent.
func (s *session) told(sql string, err error) error {
	line := fmt.Sprintf("[%s %s %s] %.3000s", s.charset.Name, s.modes, s.db, sql)
	if err != nil {
		line += "  -- " + err.Error()
	}
	if *showFlag {
		s.t.Log(line)
	}
	if s.recent = append(s.workload.recent, line); len(s.recent) > 100 {
		s.recent = s.recent[50:]
	}
	var refused *mysql.MyError
	if err != nil && !errors.As(err, &refused) {
		s.reopen()
	}
	return err
}

// foreignLetters tells text of which the server's table of an Asian character set may lack
// what the encoder has.
func (s *session) foreignLetters(sql string) bool {
	switch s.charset.Name {
	case "sjis", "cp932", "ujis", "gbk", "big5", "euckr":
		return strings.ContainsFunc(sql, func(r rune) bool { return r > 0x7F && !strings.ContainsRune(s.charset.Letters+"表能", r) })
	}
	return false
}

// define runs a DDL, with comments between its words.
func (s *session) define(sql string) error { return s.send(s.scatter(sql)) }

func (s *session) use(db string) {
	if s.send("USE "+servers.QuoteName(db)) == nil {
		s.db = db
	}
}

// again selects the default database again, by way of another: MariaDB's sessions go on with
// the former default character set when another changes it.
func (w *workload) again() {
	for _, s := range w.sessions {
		if err := s.send("USE ddl_mark"); err != nil {
			w.t.Fatal(err)
		}
		before := s.db
		if s.db = "ddl_mark"; before != "ddl_mark" {
			s.use(before)
		}
	}
}

// setting is a variable that a session's statements may mean another thing by.
// What a server does not know it refuses.
type setting struct {
	name   string
	values []string
}

var sqlModes = []string{"''", "'STRICT_ALL_TABLES'", "'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'", "'ANSI_QUOTES'", "'ANSI'", "'NO_BACKSLASH_ESCAPES'", "'PAD_CHAR_TO_FULL_LENGTH'",
	"'REAL_AS_FLOAT,PIPES_AS_CONCAT'", "'IGNORE_SPACE,HIGH_NOT_PRECEDENCE'", "'NO_UNSIGNED_SUBTRACTION,NO_ZERO_IN_DATE'", "'TRADITIONAL'", "'ORACLE'", "'MAXDB'", "'MSSQL'", "'DB2'", "'POSTGRESQL'",
	"'MYSQL323'", "'MYSQL40'", "'NO_FIELD_OPTIONS'", "'NO_KEY_OPTIONS,NO_TABLE_OPTIONS'", "'EMPTY_STRING_IS_NULL'", "'TIME_TRUNCATE_FRACTIONAL'", "'INTERPRET_UTF8_AS_UTF8MB4'", "'TIME_ROUND_FRACTIONAL'", "'SIMULTANEOUS_ASSIGNMENT'",
	"'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'", "'ALLOW_INVALID_DATES'", "DEFAULT"}

var settings = []setting{
	{"sql_mode", sqlModes},
	{"explicit_defaults_for_timestamp", []string{"0", "1"}},
	{"character_set_server", []string{"latin1", "utf8", "sjis", "utf8mb4", "cp1251"}},
	{"collation_connection", []string{"latin1_bin", "utf8_general_ci", "latin1_german2_ci", "gbk_chinese_ci", "cp1251_bin"}},
	{"default_storage_engine", []string{"InnoDB", "MyISAM", "MEMORY"}},
	{"sql_generate_invisible_primary_key", []string{"0", "1"}},
	{"show_gipk_in_create_table_and_information_schema", []string{"0", "1"}},
	{"foreign_key_checks", []string{"0", "1"}},
	{"old_alter_table", []string{"0", "1"}},
	{"alter_algorithm", []string{"'COPY'", "'DEFAULT'"}},
	{"binlog_alter_two_phase", []string{"0", "1"}},
	{"innodb_strict_mode", []string{"0", "1"}},
	{"default_collation_for_utf8mb4", []string{"utf8mb4_general_ci", "utf8mb4_0900_ai_ci"}},
	{"character_set_collations", []string{"'utf8mb4=utf8mb4_bin,latin1=latin1_german1_ci'", "DEFAULT"}},
	{"system_versioning_alter_history", []string{"KEEP", "ERROR"}},
	{"lc_time_names", []string{"'ja_JP'", "'de_DE'"}},
	{"auto_increment_increment", []string{"1", "7"}},
	{"sql_auto_is_null", []string{"1"}},
	{"check_constraint_checks", []string{"0", "1"}},
	{"use_secondary_engine", []string{"OFF"}},
	{"transaction_isolation", []string{"'READ-COMMITTED'", "'SERIALIZABLE'"}},
	{"binlog_rows_query_log_events", []string{"0", "1"}},
	{"create_tmp_table_binlog_formats", []string{"'STATEMENT'", "'MIXED,STATEMENT'"}},
	{"session_track_schema", []string{"1"}},
	{"sql_safe_updates", []string{"0"}},
}

// change gives the session another setting.
func (s *session) change() {
	switch {
	case s.rng.chance(35):
		c := &charsets.Clients[s.rng.IntN(len(charsets.Clients))]
		before := s.charset
		s.charset = &charsets.Clients[0] // the names are ASCII
		if s.send("SET NAMES "+c.Name) != nil {
			c = before
		}
		s.charset = c
	case s.rng.chance(15):
		s.use(s.rng.pick(databases...))
	default:
		v := settings[0]
		if s.rng.chance(60) {
			v = settings[s.rng.IntN(len(settings))]
		}
		_ = s.send("SET SESSION " + v.name + " = " + s.rng.pick(v.values...))
		s.learnModes()
	}
}

func (s *session) learnModes() {
	result, err := s.conn.Execute("SELECT @@sql_mode")
	if err != nil {
		s.t.Fatal(err)
	}
	defer result.Close()
	s.modes = string(result.Values[0][0].AsString())
}

func (s *session) mode(name string) bool { return strings.Contains(s.modes, name) }

func (s *session) ansi() bool { return s.mode("ANSI_QUOTES") }

func (s *session) backslashes() bool { return !s.mode("NO_BACKSLASH_ESCAPES") }

// quoteName returns a name as the session may write it.
func (s *session) quoteName(name string) string {
	if s.ansi() && s.rng.chance(50) {
		return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
	}
	if s.rng.chance(40) && plain(name) {
		return name
	}
	return servers.QuoteName(name)
}

// ascii tells a name of letters and digits that every server keeps as it is.
func ascii(name string) bool {
	return plain(name) && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

// plain tells a name that needs no quotes.
func plain(name string) bool {
	letter := false
	for _, r := range name {
		switch {
		case r >= '0' && r <= '9', r == '_', r == '$':
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r > 0x7F && r <= 0xFFFF:
			letter = true
		default:
			return false
		}
	}
	return letter && !reserved[strings.ToLower(name)] && !strings.HasPrefix(name, "1e")
}

var reserved = map[string]bool{"key": true, "order": true, "select": true, "primary": true, "null": true, "check": true, "index": true, "unique": true, "like": true, "table": true}

// literal returns a string literal as the session's modes read it.
func (s *session) literal(text string) string {
	quote := "'"
	if !s.ansi() && s.rng.chance(15) {
		quote = `"`
	}
	if s.backslashes() {
		text = strings.ReplaceAll(text, `\`, `\\`)
		if s.rng.chance(30) {
			text = strings.NewReplacer("\n", `\n`, "'", `\'`, `"`, `\"`, "b", `\b`[1:]).Replace(text)
			return quote + text + quote
		}
	}
	return quote + strings.ReplaceAll(text, quote, quote+quote) + quote
}

// words returns a text of letters that the session's character set has.
func (s *session) words(longest int) string {
	letters := []rune(s.charset.Letters + s.charset.Letters + "abXY 0-_'\"`,()%#/*;")
	if s.backslashes() && s.charset.Name != "sjis" { // whose second backslash servers read in two ways
		letters = append(letters, '\\', '\n')
	}
	var b strings.Builder
	for range s.rng.IntN(longest + 1) {
		b.WriteRune(letters[s.rng.IntN(len(letters))])
	}
	return b.String()
}
