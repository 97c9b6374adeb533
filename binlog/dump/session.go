package dump

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// setting is a session variable and the value that queries rely on.
type setting struct {
	name  string
	value string // as it is set
	shown string // as it is shown; "": value without its quotes
	since int    // the version that has it first; 0: all
	maria bool   // of MariaDB; else of MySQL, and of MariaDB if since is less than 50700
	told  bool   // what it cuts off is an error: the server may keep another value (--maximum-sort-buffer-size)
}

// comment begins a comment that the servers pass over that do not have the setting:
// MySQL those of MariaDB, MariaDB those of MySQL 5.7 and later.
func (s *setting) comment() string {
	if s.maria {
		return fmt.Sprintf("/*M!%d", s.since)
	}
	return fmt.Sprintf("/*!%d", s.since)
}

// isSet tells whether a server of that version has read the setting.
func (s *setting) isSet(version string) bool {
	maria := strings.Contains(strings.ToLower(version), "mariadb")
	switch {
	case s.since == 0:
		return true
	case maria:
		return versionNumber(version) >= s.since && (s.maria || s.since < 50700)
	}
	return versionNumber(version) >= s.since && !s.maria
}

// settings are what a session inherits from the server's global variables, or is
// given by init_connect, and must not change what its queries answer: the language
// of errors, limits of rows, time and memory, modes.
//
// information_schema is sorted by names, of which max_sort_length tells how much is
// looked at, so that one page of a result does not end where the next begins, and
// sort_buffer_size whether that many bytes can be sorted at all.
var settings = []setting{
	{name: "sql_mode", value: "''"},
	{name: "time_zone", value: "'+00:00'"},
	{name: "autocommit", value: "1", shown: "ON"},
	{name: "sql_auto_is_null", value: "0", shown: "OFF"},
	{name: "sql_quote_show_create", value: "1", shown: "ON"},
	{name: "sql_select_limit", value: "18446744073709551615"},
	{name: "max_join_size", value: "18446744073709551615", told: true},
	{name: "sql_big_selects", value: "1", shown: "ON", told: true},
	{name: "wait_timeout", value: "28800", told: true},
	{name: "max_sort_length", value: "1024"},
	{name: "sort_buffer_size", value: "2097152", told: true},
	{name: "lc_messages", value: "'en_US'", since: 50500},
	{name: "max_execution_time", value: "0", since: 50708, told: true},
	{name: "transaction_isolation", value: "'REPEATABLE-READ'", since: 80003}, // from here on definitions are rows
	{name: "max_statement_time", value: "0", shown: "0.000000", since: 100101, maria: true, told: true},
	{name: "max_session_mem_used", value: "9223372036854775807", since: 100101, maria: true, told: true},
}

// setSettings is the statement that sets them.
func setSettings() string {
	var b strings.Builder
	for i, s := range settings {
		switch {
		case i == 0:
			b.WriteString("SET " + s.name + " = " + s.value)
		case s.since == 0:
			b.WriteString(", " + s.name + " = " + s.value)
		default:
			b.WriteString(" " + s.comment() + " , " + s.name + " = " + s.value + " */")
		}
	}
	return b.String()
}

// want is the value as it is shown.
func (s *setting) want() string {
	if s.shown != "" {
		return s.shown
	}
	return strings.Trim(s.value, "'")
}

// unknownCharset is the answer of servers before MySQL 5.5.3 to utf8mb4.
const unknownCharset = 1115 // ER_UNKNOWN_CHARACTER_SET

// settle gives the session the settings that queries rely on, and looks whether
// it has them: what lies between (a proxy) may keep them to itself.
func (c *Conn) settle(ctx context.Context) error {
	charset := "utf8mb4"
	_, err := c.Query(ctx, "SET NAMES utf8mb4")
	if my := serverError(err); my != nil && my.Code == unknownCharset {
		charset = "utf8"
		_, err = c.Query(ctx, "SET NAMES utf8")
	}
	if err != nil {
		return fmt.Errorf("set the session's character set: %w", err)
	}
	if _, err := c.Query(ctx, setSettings()); err != nil {
		return fmt.Errorf("set the session's variables: %w", err)
	}
	return c.settled(ctx, charset)
}

// settled looks whether the session has its settings.
func (c *Conn) settled(ctx context.Context, charset string) error {
	want := map[string]string{"version": "", "character_set_client": charset, "character_set_connection": charset, "character_set_results": charset}
	for i := range settings {
		want[settings[i].name] = settings[i].want()
	}
	rows, err := c.Query(ctx, "SHOW SESSION VARIABLES WHERE Variable_name IN ('"+strings.Join(slices.Sorted(maps.Keys(want)), "', '")+"')")
	if err != nil {
		return fmt.Errorf("look at the session's variables: %w", err)
	}
	is := map[string]string{}
	for _, r := range rows {
		if len(r) != 2 {
			return fmt.Errorf("%w: it answers %v when asked for its session's variables", errSession, r)
		}
		is[strings.ToLower(r[0].String)] = r[1].String
	}
	if is["version"] == "" {
		return fmt.Errorf("%w: it does not show them", errSession)
	}
	for i := range settings {
		if settings[i].told || !settings[i].isSet(is["version"]) {
			delete(want, settings[i].name) // of one that is not set: it may be there by another meaning
		}
	}
	delete(want, "version")
	for name, want := range want {
		got, shown := is[name] // MySQL 5.1 does not show all
		if shown && got != want && !(got == "utf8mb3" && want == "utf8") {
			return fmt.Errorf("%w: %s is %q after it was set to %q; connect to the server itself, not through a proxy", errSession, name, got, want)
		}
	}
	return nil
}

var errSession = errors.New("the source does not keep what a session sets")
