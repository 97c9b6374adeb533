//go:build servers

package converge

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-mysql-org/go-mysql/client"
	"github.com/go-mysql-org/go-mysql/mysql"

	"daybook/e2e/servers"
)

// applier applies the records of a topic to a server, strictly. It asks nothing
// but the records and that server: what docs/record-formats.md tells a consumer is
// all that it knows.
type applier struct {
	conn   *client.Conn
	tables map[string]*table // as the server has them; forgotten at each DDL
	rows   int
	ddl    []string // that were run
	recent []recent // row changes, the last of them
}

// recent is a row change that was applied.
type recent struct{ table, value string }

// keep notes a row change, for [applier.history].
func (a *applier) keep(t *table, value []byte) {
	if len(a.recent) == 20_000 {
		a.recent = append(a.recent[:0], a.recent[10_000:]...)
	}
	a.recent = append(a.recent, recent{t.name, fmt.Sprintf("%.1500s", value)})
}

// history returns the last changes of the table that was changed last.
func (a *applier) history() []string {
	var list []string
	for i := len(a.recent) - 1; i >= 0 && len(list) < 12; i-- {
		if a.recent[i].table == a.recent[len(a.recent)-1].table {
			list = append(list, a.recent[i].value)
		}
	}
	slices.Reverse(list)
	return list
}

// envelope is what is needed of a record's value.
type envelope struct {
	Op            string
	Before, After map[string]json.RawMessage
	DDL           *string
	TableChanges  []tableChange
	Gap           json.RawMessage
	Session       *statementSession
	Source        struct {
		DB, Table string
	}
}

// statementSession is the session object of a schema change.
type statementSession struct {
	Database                     *string
	SQLMode                      *string
	TimeZone                     *string
	CharacterSetServer           *string
	CollationServer              *string
	CollationConnection          *string
	CollationDatabase            *string
	DefaultCollationForUtf8mb4   *string
	CharacterSetCollations       *string
	ForeignKeyChecks             *bool
	UniqueChecks                 *bool
	ExplicitDefaultsForTimestamp *bool
	Timestamp                    json.Number

	// not told where they are the default
	AutoIncrementIncrement, AutoIncrementOffset *int
	LCTimeNames                                 *string
	SQLIfExists                                 *bool
	CheckConstraintChecks                       *bool
	DefaultTableEncryption                      *bool
	SQLRequirePrimaryKey                        *bool
}

// nowhere is the default database of statements that had none.
const nowhere = "nowhere"

// rowMode is the sql_mode in which rows are written: as they are, whatever the
// source's session would have let through.
const rowMode = "NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES"

func newApplier(address string) (*applier, error) {
	conn, err := client.Connect(address, servers.Admin, servers.Admin, "", func(c *client.Conn) error {
		c.SetCapability(mysql.CLIENT_FOUND_ROWS)
		return nil
	})
	if err != nil {
		return nil, err
	}
	a := &applier{conn: conn, tables: map[string]*table{}}
	if err := a.run("SET NAMES utf8mb4", "CREATE DATABASE IF NOT EXISTS "+nowhere, "SET SESSION sql_log_bin = 0"); err != nil {
		return nil, err
	}
	return a, errors.Join(a.set("system_versioning_alter_history", "KEEP"), a.set("sql_generate_invisible_primary_key", "0"))
}

func (a *applier) run(statements ...string) error {
	for _, sql := range statements {
		r, err := a.conn.Execute(sql)
		if err != nil {
			return fmt.Errorf("%.2000s: %w", sql, err)
		}
		r.Close()
	}
	return nil
}

// apply applies one record.
func (a *applier) apply(value []byte) error {
	var e envelope
	if err := json.Unmarshal(value, &e); err != nil {
		return err
	}
	switch {
	case e.Gap != nil:
		return errors.New("a gap")
	case e.DDL != nil:
		a.ddl = append(a.ddl, *e.DDL)
		return a.statement(&e)
	case e.Op == "":
		return a.adopt(&e)
	}
	a.rows++
	t, err := a.table(e.Source.DB, e.Source.Table)
	if err != nil {
		return err
	}
	a.keep(t, value)
	if a.rows%500 == 1 {
		if err := a.run("COMMIT", "BEGIN"); err != nil {
			return err
		}
	}
	switch e.Op {
	case "c":
		return a.insert(t, e.After)
	case "u":
		return a.update(t, &e)
	case "d":
		return a.one(t, e.Before, "DELETE FROM "+t.name)
	}
	return fmt.Errorf("op %q", e.Op)
}

func (a *applier) insert(t *table, after map[string]json.RawMessage) error {
	sql, err := t.insert(after)
	if err != nil {
		return err
	}
	err = a.run(sql)
	var refused *mysql.MyError
	if errors.As(err, &refused) && refused.Code == mysql.ER_TOO_BIG_ROWSIZE {
		// Columns that were dropped at once are in the rows still, of the replica's table alone if the source's session had another algorithm.
		return a.run("COMMIT", "ALTER TABLE "+t.name+" FORCE", "BEGIN", sql)
	}
	return err
}

func (a *applier) update(t *table, e *envelope) error {
	sql, err := t.update(e.Before, e.After)
	if err != nil {
		return err
	}
	return a.one(t, e.Before, sql)
}

// one runs a statement that must match one row. Where a row is found by all that the record tells and yet
// not changed, it is found without the columns that the server computes: MariaDB computes some
// of them otherwise for an UPDATE than for a SELECT, such as text converted to UTF-16.
func (a *applier) one(t *table, before map[string]json.RawMessage, sql string) error {
	conditions, err := t.conditions(before)
	if err != nil {
		return err
	}
	n, err := a.changed(sql, conditions)
	if err != nil || n == 1 {
		return err
	}
	differs := a.nearest(t, conditions)
	if n == 0 && strings.HasPrefix(differs, found) {
		plain := map[string]json.RawMessage{}
		for i := range t.columns {
			if c := &t.columns[i]; !c.generated {
				plain[c.name] = before[c.name]
			}
		}
		stored, err := t.matching(plain)
		if err != nil {
			return err
		}
		if n, err = a.changed(sql, stored); err != nil || n == 1 {
			return err
		}
	}
	return fmt.Errorf("%.2000s WHERE %.2000s: %d rows; the nearest one differs in %s", sql, strings.Join(conditions, " AND "), n, differs)
}

// changed runs a statement with conditions, and returns how many rows matched.
func (a *applier) changed(sql string, conditions []string) (uint64, error) {
	sql += " WHERE " + strings.Join(conditions, " AND ") + " LIMIT 1"
	r, err := a.conn.Execute(sql)
	if err != nil {
		return 0, fmt.Errorf("%.2000s: %w", sql, err)
	}
	defer r.Close()
	return r.AffectedRows, nil
}

// found begins what nearest says of a row that meets all conditions.
const found = ": it is "

// nearest says which conditions the row does not meet that meets most of them.
func (a *applier) nearest(t *table, conditions []string) string {
	best, fails := -1, "all, as there is no row"
	shown := make([]string, len(t.columns))
	for i := range t.columns {
		shown[i] = t.columns[i].shown()
	}
	r, err := a.conn.Execute("SELECT " + strings.Join(conditions, ", ") + ", CONCAT_WS('|', " + strings.Join(shown, ", ") + ") FROM " + t.name)
	if err != nil {
		return err.Error()
	}
	defer r.Close()
	for _, row := range r.Values {
		n := 0
		var missed []string
		for i, v := range row[:len(row)-1] {
			if v.AsInt64() == 1 {
				n++
			} else {
				missed = append(missed, conditions[i])
			}
		}
		if n > best {
			best, fails = n, strings.Join(missed, " AND ")+found+string(row[len(row)-1].AsString())
		}
	}
	return fails
}

// statement runs a DDL as its session did.
func (a *applier) statement(e *envelope) error {
	s := e.Session
	if s == nil {
		return errors.New("a statement without a session")
	}
	clear(a.tables)
	a.rows = 0
	database := nowhere
	if s.Database != nil {
		database = *s.Database
	}
	if err := a.run("COMMIT", "USE "+servers.QuoteName(database)); err != nil {
		return err
	}
	for _, v := range []struct{ name, value string }{
		{"auto_increment_increment", number(s.AutoIncrementIncrement)}, {"auto_increment_offset", number(s.AutoIncrementOffset)},
		{"lc_time_names", cmp.Or(text(s.LCTimeNames), "en_US")}, {"sql_if_exists", cmp.Or(truth(s.SQLIfExists), "0")},
		{"check_constraint_checks", cmp.Or(truth(s.CheckConstraintChecks), "1")}, {"default_table_encryption", cmp.Or(truth(s.DefaultTableEncryption), "0")},
		{"sql_require_primary_key", cmp.Or(truth(s.SQLRequirePrimaryKey), "0")},
		{"time_zone", text(s.TimeZone)}, {"character_set_server", text(s.CharacterSetServer)},
		{"collation_server", text(s.CollationServer)}, {"collation_database", text(s.CollationDatabase)},
		{"default_collation_for_utf8mb4", text(s.DefaultCollationForUtf8mb4)}, {"character_set_collations", text(s.CharacterSetCollations)},
		{"foreign_key_checks", truth(s.ForeignKeyChecks)}, {"unique_checks", truth(s.UniqueChecks)},
		{"explicit_defaults_for_timestamp", truth(s.ExplicitDefaultsForTimestamp)},
		{"timestamp", s.Timestamp.String()},
		// Behind the others, as some change what those are set to.
		{"sql_mode", text(s.SQLMode)},
		// Last, as no list can be set by a literal in a wide character set.
		{"collation_connection", text(s.CollationConnection)},
	} {
		if err := a.set(v.name, v.value); err != nil {
			return err
		}
	}
	if err := a.run(*e.DDL); err != nil {
		return err
	}
	if err := a.set("check_constraint_checks", "0"); err != nil {
		return err
	}
	return a.run("SET NAMES utf8mb4", "SET SESSION sql_mode = '"+rowMode+"'", "SET SESSION time_zone = '+00:00'", "SET SESSION timestamp = DEFAULT", "SET SESSION foreign_key_checks = 0", "BEGIN")
}

// set sets a variable, if it is told and the server has it.
func (a *applier) set(name, value string) error {
	if value == "" {
		return nil
	}
	sql := "SET SESSION " + name + " = " + value
	err := a.run(sql)
	var refused *mysql.MyError
	if errors.As(err, &refused) && refused.Code == mysql.ER_WRONG_VALUE_FOR_VAR {
		err = a.run(sql) // a locale whose messages are not there is refused the first time
	}
	if errors.As(err, &refused) && (refused.Code == mysql.ER_UNKNOWN_SYSTEM_VARIABLE || refused.Code == mysql.ER_INCORRECT_GLOBAL_LOCAL_VAR) {
		return nil
	}
	return err
}

// number returns a setting whose default is 1.
func number(n *int) string {
	if n == nil {
		return "1"
	}
	return strconv.Itoa(*n)
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return quote(*s)
}

func truth(b *bool) string {
	switch {
	case b == nil:
		return ""
	case *b:
		return "1"
	}
	return "0"
}

// quote returns a string literal that is right in each sql_mode.
func quote(s string) string {
	if strings.Contains(s, `\`) {
		return fmt.Sprintf("_utf8mb4 X'%x'", s)
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// table asks the server for the columns of a table.
func (a *applier) table(db, name string) (*table, error) {
	key := db + "\x00" + name
	if t := a.tables[key]; t != nil {
		return t, nil
	}
	columns, err := columnsOf(a.conn, db, name)
	if err != nil {
		return nil, err
	}
	if len(columns) == 0 {
		return nil, fmt.Errorf("there is no table %s.%s", db, name)
	}
	t := &table{name: servers.QuoteName(db) + "." + servers.QuoteName(name), columns: columns}
	a.tables[key] = t
	return t, nil
}

// columnsOf reads a table's columns.
func columnsOf(conn *client.Conn, db, name string) ([]column, error) {
	r, err := conn.Execute("SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE, EXTRA, COLUMN_KEY, COALESCE(CHARACTER_SET_NAME, ''), COALESCE(COLLATION_NAME, ''), COLUMN_COMMENT" +
		" FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = " + quote(db) + " AND TABLE_NAME = " + quote(name) + " ORDER BY ORDINAL_POSITION")
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var columns []column
	for _, v := range r.Values {
		s := func(i int) string { return string(bytes.Clone(v[i].AsString())) }
		extra := strings.ToUpper(s(4))
		c := column{name: s(0), kind: strings.ToLower(s(1)), typ: strings.ToLower(s(2)), text: s(2), nullable: s(3) == "YES",
			auto: strings.Contains(extra, "AUTO_INCREMENT"), key: s(5), charset: s(6), collation: s(7), comment: s(8)}
		c.generated = strings.Contains(extra, "VIRTUAL") || strings.Contains(extra, "PERSISTENT") || strings.Contains(extra, "STORED GENERATED")
		columns = append(columns, c)
	}
	return columns, nil
}
