//go:build servers

package transactions

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/go-mysql-org/go-mysql/client"

	"daybook/e2e/servers"
)

// session is one connection to the source at a time, whose rows have IDs that no
// other session's have.
type session struct {
	*workload
	number int
	rng    *rand.Rand
	conn   *client.Conn
	last   int // number of the newest row
	xids   int
}

// kinds are the steps that a workload is made of, with how often each is taken.
var kinds = []struct {
	name  string
	often int
	step  func(*session) error
}{
	{"plain", 30, (*session).plain},
	{"triggers", 25, (*session).triggers},
	{"mixed", 15, (*session).mixed},
	{"temporary", 8, (*session).temporary},
	{"hiding", 8, (*session).hiding},
	{"statements", 12, (*session).statements},
	{"xa", 20, (*session).xa},
	{"xa others", 25, (*session).xaForOthers},
	{"alter", 2, (*session).alter},
	{"two-phase alter", 4, (*session).alterInTwoPhases},
	{"altered rows", 25, (*session).alteredRows},
	{"flush", 1, func(s *session) error { return s.exec("FLUSH LOGS") }},
}

// setup makes the tables and triggers. Those called …_my are of an engine that
// cannot roll back.
func setup(mariadb bool) []string {
	aria := "MyISAM"
	if mariadb {
		aria = "Aria"
	}
	row := func(table, engine string) string {
		return "CREATE TABLE " + table + " (id BIGINT PRIMARY KEY, n INT, v VARCHAR(300)) ENGINE=" + engine
	}
	trigger := func(name, when, table, do string) string {
		return "CREATE TRIGGER " + name + " " + when + " ON " + table + " FOR EACH ROW " + do
	}
	o := func(name string) string { return strings.Replace(name, "o.", other+".", 1) }
	return []string{
		"CREATE DATABASE " + db + " CHARACTER SET utf8mb4", "CREATE DATABASE " + other + " CHARACTER SET utf8mb4", "USE " + db,
		row("a", "InnoDB"), row("b", "InnoDB"), row("c", "InnoDB"), row("d_my", "MyISAM"), row("e_my", aria), row("f_memory", "MEMORY"), row("g_my", "MyISAM"),
		"CREATE TABLE h (id BIGINT PRIMARY KEY, p INT, q INT, v VARCHAR(300)) ENGINE=InnoDB",
		row(o("o.a"), "InnoDB"), row(o("o.u"), "InnoDB"), row(o("o.u_my"), "MyISAM"), row(o("o.noise"), "InnoDB"), row(o("o.t"), "InnoDB"),
		"CREATE TABLE " + other + ".told (k BIGINT PRIMARY KEY AUTO_INCREMENT, id BIGINT) ENGINE=InnoDB",
		// From untracked to tracked tables, by key.
		"USE " + other,
		trigger("u1", "AFTER INSERT", "u", "INSERT INTO "+db+".b VALUES (NEW.id, NEW.n, CONCAT('+', NEW.v))"),
		trigger("u2", "AFTER UPDATE", "u", "UPDATE "+db+".b SET n = n + NEW.n - OLD.n, v = NEW.v WHERE id = NEW.id"),
		trigger("u3", "BEFORE DELETE", "u", "DELETE FROM "+db+".b WHERE id = OLD.id"),
		trigger("m1", "AFTER INSERT", "u_my", "INSERT INTO "+db+".g_my VALUES (NEW.id, NEW.n, NEW.v)"),
		// From tracked to tracked and untracked ones.
		"USE " + db,
		trigger("a1", "AFTER INSERT", "a", "INSERT INTO c VALUES (NEW.id, NEW.n, NEW.v)"),
		trigger("a2", "AFTER UPDATE", "a", "INSERT INTO "+other+".told (id) VALUES (NEW.id)"),
		trigger("a3", "AFTER DELETE", "a", "UPDATE c SET n = -1, v = NULL WHERE id = OLD.id"),
		hideProcedure,
	}
}

// run takes steps until the workload ends. The server may go away between two.
func (s *session) run() {
	only := slices.DeleteFunc(strings.Split(*onlyFlag, ","), func(k string) bool { return k == "" })
	var dice []int
	for i, k := range kinds {
		if !slices.Contains(s.source.without, k.name) && (len(only) == 0 || slices.Contains(only, k.name)) {
			dice = append(dice, slices.Repeat([]int{i}, k.often)...)
		}
	}
	defer s.close()
	for {
		select {
		case <-s.stop:
			return
		default:
		}
		s.take(dice[s.rng.IntN(len(dice))])
		time.Sleep(time.Duration(s.rng.IntN(15)) * time.Millisecond)
	}
}

// take takes one step. A server may refuse any: what it refused it has undone.
func (s *session) take(kind int) {
	s.pause.RLock()
	defer s.pause.RUnlock()
	if s.conn == nil || s.conn.Ping() != nil {
		s.close()
		if err := s.connect(); err != nil {
			return
		}
	}
	err := kinds[kind].step(s)
	s.mu.Lock()
	s.steps[kinds[kind].name]++
	if err != nil {
		s.failed[kinds[kind].name]++
	}
	s.mu.Unlock()
	if err != nil {
		s.close() // and with the session whatever was begun
	}
}

func (s *session) connect() error {
	conn, err := client.Connect(s.address, servers.Admin, servers.Admin, db)
	if err != nil {
		return err
	}
	s.conn = conn
	return s.exec("SET NAMES utf8mb4", "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
}

func (s *session) close() {
	if s.conn != nil {
		_ = s.conn.Close()
		s.conn = nil
	}
}

// exec stops at the first statement that fails.
func (s *session) exec(statements ...string) error {
	for _, sql := range statements {
		r, err := s.conn.Execute(sql)
		if err != nil {
			return fmt.Errorf("%.100s: %w", sql, err)
		}
		r.Close()
	}
	return nil
}

// fresh is the ID of a new row, old that of one that may be there and that no
// prepared transaction holds.
func (s *session) fresh() int { s.last++; return s.number*10_000_000 + s.last }

func (s *session) old() int {
	for range 20 {
		id := s.number*10_000_000 + 1 + s.rng.IntN(max(1, s.last))
		s.mu.Lock()
		held := s.held[id]
		s.mu.Unlock()
		if !held {
			return id
		}
	}
	return 0 // there is none
}

// insert, update, delete, and replace change rows of a table with id, n and v.
func (s *session) insert(table string, rows int) string {
	list := make([]string, rows)
	for i := range list {
		list[i] = fmt.Sprintf("(%d, %d, %s)", s.fresh(), s.rng.IntN(1000), s.text())
	}
	return "INSERT INTO " + table + " (id, n, v) VALUES " + strings.Join(list, ", ")
}

func (s *session) change(table string) string {
	switch s.rng.IntN(7) {
	case 0, 1, 2:
		return s.insert(table, 1+s.rng.IntN(6))
	case 3, 4:
		return fmt.Sprintf("UPDATE %s SET n = n + 1, v = %s WHERE id IN (%d, %d, %d)", table, s.text(), s.old(), s.old(), s.old())
	case 5:
		return fmt.Sprintf("REPLACE INTO %s (id, n, v) VALUES (%d, %d, %s)", table, s.old(), s.rng.IntN(1000), s.text())
	default:
		return fmt.Sprintf("DELETE FROM %s WHERE id IN (%d, %d)", table, s.old(), s.old())
	}
}

func (s *session) text() string {
	if s.rng.IntN(10) == 0 {
		return "NULL"
	}
	return fmt.Sprintf("'%x%s'", s.rng.Uint64(), strings.Repeat("ü", s.rng.IntN(100)))
}
