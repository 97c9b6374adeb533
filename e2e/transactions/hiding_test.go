//go:build servers

package transactions

import (
	"fmt"
	"strings"
)

// hideProcedure has a session alter a temporary table and then the permanent
// one that it hid: servers mark both statements as those of temporary tables.
const hideProcedure = `CREATE PROCEDURE hide() BEGIN
	CREATE TEMPORARY TABLE h (p INT, q INT); ALTER TABLE h CHANGE p q INT, CHANGE q p INT; INSERT INTO h VALUES (1, 2); TRUNCATE TABLE h;
	DROP TEMPORARY TABLE h; ALTER TABLE h CHANGE p q INT, CHANGE q p INT; END`

// hiding changes temporary tables that have the names of tracked ones, in each
// format, and permanent ones beside them.
func (s *session) hiding() error {
	format := []string{"STATEMENT", "MIXED", "ROW"}[s.rng.IntN(3)]
	if err := s.exec("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", "SET SESSION binlog_format = '"+format+"'"); err != nil {
		return err
	}
	name := []string{"a", "c", "d_my", "f_memory", "h"}[s.rng.IntN(5)]
	create := "(id BIGINT PRIMARY KEY, p INT, q INT, v VARCHAR(300))"
	if s.rng.IntN(4) == 0 {
		create = "LIKE h"
	}
	list := []string{"CREATE TEMPORARY TABLE " + name + " " + create}
	for range 1 + s.rng.IntN(6) {
		list = append(list, s.hidden(name, format)...)
	}
	if err := s.exec(list...); err != nil {
		return err
	}
	switch s.rng.IntN(4) {
	case 0:
		s.close() // which drops it
		return nil
	case 1:
		if err := s.exec("DROP TABLE " + name); err != nil {
			return err
		}
	default:
		if err := s.exec("DROP TEMPORARY TABLE IF EXISTS nope, " + name); err != nil {
			return err
		}
	}
	if s.rng.IntN(2) == 0 {
		if err := s.exec("CALL hide()"); err != nil {
			return err
		}
	}
	return s.exec("SET SESSION binlog_format = 'ROW'", "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
}

// hidden is what a session does to a temporary table, and beside it.
func (s *session) hidden(name, format string) []string {
	id := s.fresh()
	switch s.rng.IntN(10) {
	case 0, 1:
		return []string{fmt.Sprintf("INSERT INTO %s (id, v) VALUES (%d, %s)", name, id, s.text()), fmt.Sprintf("UPDATE %s SET v = NULL WHERE id = %d", name, id)}
	case 2:
		return []string{fmt.Sprintf("REPLACE INTO %s.%s (id, v) VALUES (%d, 'x')", db, name, id), "DELETE FROM " + name}
	case 3:
		return []string{"TRUNCATE TABLE " + name}
	case 4:
		return []string{"ALTER TABLE " + name + " CHANGE p q INT, CHANGE q p INT"}
	case 5:
		return []string{"ALTER TABLE `" + db + "`.`" + name + "` ADD COLUMN x INT DEFAULT 9 FIRST", "ALTER TABLE " + name + " DROP COLUMN x"}
	case 6:
		return []string{"ALTER TABLE " + name + " RENAME TO away", "TRUNCATE TABLE away", "ALTER TABLE away RENAME TO " + name}
	case 7:
		if !strings.HasPrefix(s.source.name, "mariadb") || format == "ROW" {
			return []string{"CREATE INDEX i ON " + name + " (q)", "DROP INDEX i ON " + name}
		}
		return []string{"RENAME TABLE " + name + " TO away", "RENAME TABLE away TO " + name}
	case 8:
		return []string{"BEGIN", fmt.Sprintf("INSERT INTO %s (id) VALUES (%d)", name, id), s.insert(other+".t", 1), "TRUNCATE TABLE " + name, []string{"COMMIT", "ROLLBACK"}[s.rng.IntN(2)]}
	default:
		if name == "h" {
			return []string{"TRUNCATE TABLE e_my"}
		}
		return []string{"ALTER TABLE h CHANGE p q INT, CHANGE q p INT"}
	}
}
