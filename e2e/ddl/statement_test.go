//go:build servers

package ddl

import (
	"fmt"
	"strings"
	"time"
)

// random runs a random DDL, directly or in another way, and tells whether the
// server accepted it.
func (s *session) random() bool {
	r := s.rng
	switch r.IntN(30) {
	case 0:
		return s.database()
	case 1:
		return s.prepared(s.statement())
	case 2:
		return s.procedure()
	case 3:
		return s.event(s.statement())
	case 4:
		return s.locked()
	case 5:
		return s.several()
	case 6:
		return s.temporary()
	case 7:
		if s.maria {
			return s.send("SET STATEMENT "+r.pick("sql_mode = 'ANSI_QUOTES'", "sql_mode = ''", "explicit_defaults_for_timestamp = 1", "default_storage_engine = MyISAM", "foreign_key_checks = 0, lock_wait_timeout = 3", "character_set_server = latin1")+" FOR "+s.plainly()) == nil
		}
	}
	return s.define(s.statement()) == nil
}

// plainly returns a statement that any sql_mode reads in the same way.
func (s *session) plainly() string {
	for range 50 {
		if sql := s.statement(); !strings.ContainsAny(sql, `"\`) && !strings.Contains(sql, "--") {
			return sql
		}
	}
	return "DROP TABLE IF EXISTS ddl.t1"
}

// statement returns a random DDL about tables.
func (s *session) statement() string {
	r := s.rng
	t, u := s.any(), s.any()
	if t == nil || len(s.tables) < 4 {
		return s.create()
	}
	n := r.IntN(24)
	if len(s.tables) > most && n < 4 {
		n = 4
	}
	switch n {
	case 0, 1, 2, 3:
		return s.create()
	case 4:
		return s.drop(t, u)
	case 5:
		return s.circle(t, u)
	case 6, 7:
		return s.index(t)
	case 8:
		return "TRUNCATE " + r.maybe(50, "TABLE ") + s.named(t)
	case 9:
		return s.partitions(t)
	}
	return s.alter(t)
}

// database creates, alters or drops a database. Those of MariaDB's sessions that have
// one selected select it again.
func (s *session) database() bool {
	r := s.rng
	db := r.pick(databases...)
	word := r.pick("DATABASE ", "SCHEMA ")
	switch r.IntN(6) {
	case 0:
		sql := "CREATE " + word + r.maybe(50, "IF NOT EXISTS ") + s.quoteName(db) + r.maybe(60, " "+s.versioned(s.charsetClause()))
		if s.maria && r.chance(20) {
			sql = "CREATE OR REPLACE DATABASE " + s.quoteName(db)
		}
		ok := s.define(sql) == nil
		s.again()
		return ok
	case 1:
		if r.chance(50) {
			ok := s.define("DROP "+word+r.maybe(50, "IF EXISTS ")+s.quoteName(db)) == nil
			_ = s.define("CREATE DATABASE IF NOT EXISTS " + s.quoteName(db) + r.maybe(50, " "+s.charsetClause()))
			s.again()
			return ok
		}
	}
	name := s.quoteName(db)
	if s.db != "" {
		name = r.maybe(60, name)
	}
	ok := s.define("ALTER "+word+name+" "+s.charsetClause()) == nil
	s.again()
	return ok
}

func (s *session) prepared(sql string) bool {
	if !strings.HasPrefix(s.charset.Name, "utf8") && strings.ContainsFunc(sql, func(r rune) bool { return r > 0x7F }) {
		return s.define(sql) == nil // servers convert the literal before they read it, and garble what it holds
	}
	if s.maria && s.rng.chance(40) {
		return s.send("EXECUTE IMMEDIATE "+s.literalOf(sql)) == nil
	}
	if s.send("PREPARE stmt FROM "+s.literalOf(sql)) != nil {
		return false
	}
	ok := s.send("EXECUTE stmt") == nil
	_ = s.send("DEALLOCATE PREPARE stmt")
	return ok
}

// literalOf quotes a statement.
func (s *session) literalOf(sql string) string {
	if s.backslashes() {
		sql = strings.ReplaceAll(sql, `\`, `\\`)
	}
	return "'" + strings.ReplaceAll(sql, "'", "''") + "'"
}

// procedure runs statements from a stored procedure, with a variable among them.
func (s *session) procedure() bool {
	if s.mode("ORACLE") && s.maria {
		return false // which writes procedures in another way
	}
	_ = s.send("DROP PROCEDURE IF EXISTS ddl.p")
	body := "BEGIN DECLARE v INT DEFAULT 1; " + s.statement() + "; " + s.rng.maybe(50, "IF v = 1 THEN "+s.statement()+"; END IF; ") + "END"
	// CALL gives several results if statements in it do, and goes on when they are read.
	return s.send("CREATE PROCEDURE ddl.p() "+body) == nil && s.sendSeveral("CALL ddl.p()") == nil
}

// event runs a statement from an event, which is gone when it has ended.
func (s *session) event(sql string) bool {
	if !s.rng.chance(30) || s.mode("ORACLE") && s.maria {
		return s.define(sql) == nil
	}
	name := fmt.Sprintf("e%d", s.rng.IntN(1000000))
	if s.send("CREATE EVENT ddl."+name+" ON SCHEDULE AT CURRENT_TIMESTAMP ON COMPLETION NOT PRESERVE DO "+sql) != nil {
		return false
	}
	for range 200 {
		if len(s.look.Query("SELECT 1 FROM information_schema.EVENTS WHERE EVENT_NAME = '"+name+"'")) == 0 && len(s.look.Query("SELECT 1 FROM information_schema.PROCESSLIST WHERE USER = 'admin' AND ID NOT IN ("+s.ids()+")")) == 0 {
			return true
		}
		time.Sleep(20 * time.Millisecond)
	}
	_ = s.look.Try("DROP EVENT IF EXISTS ddl." + name)
	return true
}

// ids are those of the test's own connections, and of the reader's.
func (s *session) ids() string {
	list := []string{fmt.Sprint(s.look.ID()), fmt.Sprint(s.writer.conn.GetConnectionID()), s.follower.id}
	for _, o := range s.sessions {
		list = append(list, fmt.Sprint(o.conn.GetConnectionID()))
	}
	return strings.Join(list, ", ")
}

// locked runs statements on a table that is locked.
func (s *session) locked() bool {
	t := s.any()
	if t == nil || s.send("LOCK TABLES "+s.named(t)+" WRITE") != nil {
		return false
	}
	ok := s.define(s.alter(t)) == nil
	if s.rng.chance(30) {
		ok = s.define("TRUNCATE TABLE "+s.named(t)) == nil || ok
	}
	_ = s.send("UNLOCK TABLES")
	return ok
}

// several runs statements in one packet.
func (s *session) several() bool {
	sql := s.statement() + s.rng.pick(";", " ; ", ";\n") + s.statement() + s.rng.maybe(30, "; "+s.statement())
	return s.sendSeveral(sql) == nil
}

// temporary makes a temporary table, perhaps over a permanent one's name, alters
// it, and makes a permanent one of it.
func (s *session) temporary() bool {
	t := s.any()
	name := s.newName()
	if t != nil && s.rng.chance(50) {
		name = s.named(t)
	}
	if s.define("CREATE TEMPORARY TABLE "+name+" ("+s.elements(4)+")"+s.options()) != nil {
		return false
	}
	if s.rng.chance(60) {
		_ = s.define("ALTER TABLE " + name + " ADD " + s.columnName() + " " + s.column())
	}
	if s.rng.chance(60) {
		copied := s.newName()
		if !s.maria && s.version < 50700 { // which leave the database out of what they log
			copied = s.quoteName(s.rng.pick(tableNames...))
		}
		_ = s.define("CREATE TABLE " + copied + s.rng.pick(" LIKE "+name, " SELECT * FROM "+name))
	}
	return s.define("DROP "+s.rng.maybe(70, "TEMPORARY ")+"TABLE "+name) == nil
}
