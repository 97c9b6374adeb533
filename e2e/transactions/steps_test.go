//go:build servers

package transactions

import (
	"fmt"
)

// within wraps statements in a transaction that is committed, mostly.
func (s *session) within(statements ...string) error {
	end := "COMMIT"
	if s.rng.IntN(5) == 0 {
		end = "ROLLBACK"
	}
	if err := s.exec("BEGIN"); err != nil {
		return err
	}
	if err := s.exec(statements...); err != nil {
		return err
	}
	return s.exec(end)
}

// savepoint is statements of which the middle ones are rolled back.
func (s *session) savepoint(tables ...string) []string {
	pick := func() string { return tables[s.rng.IntN(len(tables))] }
	name := fmt.Sprint("s", s.rng.IntN(3))
	list := []string{s.change(pick()), "SAVEPOINT " + name, s.change(pick()), s.change(pick()), "ROLLBACK TO SAVEPOINT " + name}
	if s.rng.IntN(2) == 0 {
		list = append(list, "RELEASE SAVEPOINT "+name)
	}
	return append(list, s.change(pick()))
}

func (s *session) plain() error {
	if s.rng.IntN(60) == 0 {
		return s.within(s.insert("a", 3000), s.change("c"))
	}
	if s.rng.IntN(3) == 0 {
		return s.within(s.savepoint("a", "c")...)
	}
	return s.within(s.change("a"), s.change(other+".a"), s.change("c"))
}

// triggers changes untracked tables, whose triggers change tracked ones, alone,
// among others, or with tracked ones.
func (s *session) triggers() error {
	u := other + ".u"
	switch s.rng.IntN(5) {
	case 0:
		return s.exec(s.insert(other+".u_my", 1+s.rng.IntN(3)))
	case 1:
		return s.within(s.change(u), s.change("a"), s.change(u), s.change(other+".noise"))
	case 2:
		return s.within(s.savepoint(u, "a")...)
	case 3:
		return s.exec(fmt.Sprintf("INSERT INTO %s (id, n, v) SELECT id + 5000000, n, v FROM c WHERE id BETWEEN %d AND %[2]d + 5", u, s.old()))
	default:
		return s.exec(s.change(u))
	}
}

// mixed changes tables that can roll back and others that cannot.
func (s *session) mixed() error {
	tables := []string{"a", "c", "d_my", "e_my", "f_memory", other + ".u_my"}
	switch s.rng.IntN(4) {
	case 0:
		return s.exec(s.change([]string{"d_my", "e_my", "f_memory"}[s.rng.IntN(3)]))
	case 1:
		return s.within(s.savepoint(tables[:5]...)...)
	case 2:
		return s.within(s.change("d_my"), s.change("a"), s.change("f_memory"))
	default:
		return s.within(s.change("a"), s.change("e_my"), s.insert(other+".u_my", 2), s.change("c"))
	}
}

// temporary makes and drops temporary tables within a transaction.
func (s *session) temporary() error {
	name := fmt.Sprint("temp", s.rng.IntN(3))
	create := "CREATE TEMPORARY TABLE " + name + " (id BIGINT PRIMARY KEY, n INT, v VARCHAR(300))"
	drop := "DROP TEMPORARY TABLE IF EXISTS " + name
	list := []string{s.change("a"), create, s.insert(name, 2), drop, s.change("c")}
	switch s.rng.IntN(3) {
	case 0:
		list = append([]string{s.change("c"), "SAVEPOINT x"}, append(list, "ROLLBACK TO SAVEPOINT x")...)
	case 1:
		list = append(list, fmt.Sprintf("CREATE TEMPORARY TABLE IF NOT EXISTS %s AS SELECT * FROM a LIMIT 3", name), drop)
	}
	return s.within(list...)
}

// statements are logged as text, and change no tracked table. One of the tables
// has a tracked one's name, in another database.
func (s *session) statements() error {
	if err := s.exec("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", "SET SESSION binlog_format = 'STATEMENT'"); err != nil {
		return err
	}
	o := other
	list := []string{s.insert(o+".t", 2), s.insert(o+".a", 1), fmt.Sprintf("UPDATE %s.a SET v = 'tx.a, b, c and d_my' WHERE id = %d", o, s.old()),
		fmt.Sprintf("DELETE FROM %s.t WHERE id = %d", o, s.old()), fmt.Sprintf("UPDATE %s.t x JOIN %[1]s.a y ON x.id = y.id SET x.n = y.n WHERE x.id = %d", o, s.old())}
	s.rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	if s.rng.IntN(2) == 0 {
		list = append([]string{"USE " + o}, append(list[:2], "USE "+db)...)
	}
	err := s.within(list...)
	if err != nil {
		return err
	}
	return s.exec("SET SESSION binlog_format = 'ROW'", "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
}

// alteredRows changes rows of the table that alter alters, by its columns' names.
func (s *session) alteredRows() error {
	switch s.rng.IntN(4) {
	case 0, 1:
		return s.exec(fmt.Sprintf("INSERT INTO h (id, p, q, v) VALUES (%d, %d, %d, %s)", s.fresh(), s.rng.IntN(1000), -s.rng.IntN(1000), s.text()))
	case 2:
		return s.exec(fmt.Sprintf("UPDATE h SET p = p + 1, v = %s WHERE id IN (%d, %d)", s.text(), s.old(), s.old()))
	default:
		return s.exec(fmt.Sprintf("DELETE FROM h WHERE id = %d", s.old()))
	}
}

// alters are the ones that the model knows too, and some that fail.
func (s *session) alters() string {
	switch s.rng.IntN(6) {
	case 0, 1:
		return "ALTER TABLE h CHANGE p q INT, CHANGE q p INT"
	case 2:
		return fmt.Sprintf("ALTER TABLE h ADD COLUMN x INT DEFAULT %d AFTER p", 1+s.rng.IntN(100))
	case 3:
		return "ALTER TABLE h DROP COLUMN x"
	case 4:
		return "ALTER TABLE h ADD UNIQUE KEY often_equal (p)" // fails once rows differ in it no more
	default:
		return "ALTER TABLE h CHANGE p q INT, CHANGE q p INT, ADD COLUMN x INT DEFAULT 7"
	}
}

func (s *session) alter() error { return s.exec(s.alters()) }

func (s *session) alterInTwoPhases() error {
	if err := s.exec("SET SESSION binlog_alter_two_phase = ON"); err != nil {
		return err
	}
	how := ""
	if s.rng.IntN(2) == 0 {
		how = ", FORCE" // which rebuilds, so that rows are written meanwhile
	}
	if err := s.exec(s.alters() + how); err != nil {
		return err
	}
	return s.exec("SET SESSION binlog_alter_two_phase = OFF")
}
