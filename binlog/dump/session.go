package dump

import (
	"context"
	"errors"
	"fmt"
)

// What a session inherits from the server's global variables, or is given by
// init_connect, must not change what its queries answer: the character set, the
// language of errors, limits of rows and time, modes. Servers pass over the
// variables in the comments that they do not have.
const sessionVariables = "SET sql_mode = '', time_zone = '+00:00', autocommit = 1, sql_auto_is_null = 0, sql_quote_show_create = 1," +
	" sql_select_limit = 18446744073709551615, max_join_size = 18446744073709551615, sql_big_selects = 1, wait_timeout = 28800" +
	" /*!50500 , lc_messages = 'en_US' */ /*!50708 , max_execution_time = 0 */ /*M!100101 , max_statement_time = 0 */"

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
	if _, err := c.Query(ctx, sessionVariables); err != nil {
		return fmt.Errorf("set the session's variables: %w", err)
	}
	rows, err := c.Query(ctx, "SELECT @@character_set_client, @@character_set_results, @@sql_mode, @@sql_select_limit")
	if err != nil {
		return fmt.Errorf("look at the session's variables: %w", err)
	}
	if len(rows) != 1 || len(rows[0]) != 4 {
		return fmt.Errorf("%w: it answers %v when asked for its session's variables", errSession, rows)
	}
	for i, want := range []string{charset, charset, "", "18446744073709551615"} {
		if got := rows[0][i].String; got != want && !(charset == "utf8" && got == "utf8mb3") {
			name := []string{"character_set_client", "character_set_results", "sql_mode", "sql_select_limit"}[i]
			return fmt.Errorf("%w: %s is %q after it was set to %q; connect to the server itself, not through a proxy", errSession, name, got, want)
		}
	}
	return nil
}

var errSession = errors.New("the source does not keep what a session sets")
