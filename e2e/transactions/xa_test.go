//go:build servers

package transactions

import "fmt"

// prepared is an XA transaction that waits for somebody to decide.
type prepared struct {
	xid  string
	rows []int // of which it holds the locks
}

// body is the statements of an XA transaction, and the rows that they lock. No other
// statement may wait for these: MySQL 5.7 commits the XA transaction of a session that has
// ended before it logs that, so that the waiting one may stand before it in the binlog.
func (s *session) body() ([]string, []int) {
	var list []string
	var rows []int
	first := s.last + 1
	tables := []string{"a", "c", other + ".noise", other + ".u"}
	for range 1 + s.rng.IntN(4) {
		table := tables[s.rng.IntN(len(tables))]
		if s.rng.IntN(2) == 0 {
			list = append(list, s.insert(table, 1+s.rng.IntN(5)))
			continue
		}
		id := s.old()
		rows = append(rows, id)
		list = append(list, fmt.Sprintf("UPDATE %s SET n = n + 1, v = %s WHERE id = %d", table, s.text(), id))
	}
	if s.rng.IntN(25) == 0 {
		list = append(list, s.insert("a", 2000))
	}
	if s.rng.IntN(4) == 0 { // nothing that is tracked
		list = []string{s.insert(other+".noise", 1+s.rng.IntN(3))}
		return list, nil
	}
	for id := first; id <= s.last; id++ {
		rows = append(rows, s.number*10_000_000+id)
	}
	return list, rows
}

func (s *session) xid() string {
	s.xids++
	if s.rng.IntN(3) == 0 {
		return fmt.Sprintf("'g%d-%d', 'branch %d', %d", s.number, s.xids, s.rng.IntN(3), 1+s.rng.IntN(5))
	}
	return fmt.Sprintf("'x%d-%d'", s.number, s.xids)
}

// xa is one that its own session decides on, in each of the ways.
func (s *session) xa() error {
	xid := s.xid()
	list, _ := s.body()
	if err := s.exec("XA START " + xid); err != nil {
		return err
	}
	if err := s.exec(list...); err != nil {
		return err
	}
	if err := s.exec("XA END " + xid); err != nil {
		return err
	}
	switch s.rng.IntN(5) {
	case 0:
		return s.exec("XA COMMIT " + xid + " ONE PHASE")
	case 1:
		return s.exec("XA ROLLBACK " + xid)
	case 2:
		return s.exec("XA PREPARE "+xid, "XA ROLLBACK "+xid)
	default:
		return s.exec("XA PREPARE "+xid, "XA COMMIT "+xid)
	}
}

// xaForOthers leaves one prepared, or decides on one that somebody left.
func (s *session) xaForOthers() error {
	s.mu.Lock()
	waiting := len(s.prepared)
	s.mu.Unlock()
	if s.rng.IntN(20) < waiting {
		return s.decide()
	}
	xid := s.xid()
	list, rows := s.body()
	if err := s.exec("XA START " + xid); err != nil {
		return err
	}
	if err := s.exec(append(list, "XA END "+xid, "XA PREPARE "+xid)...); err != nil {
		return err
	}
	s.close() // others may decide once its session has ended
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range rows {
		s.held[id] = true
	}
	s.prepared = append(s.prepared, prepared{xid, rows})
	return nil
}

// decide commits or rolls back one that waits, not the oldest.
func (s *session) decide() error {
	s.mu.Lock()
	i := s.rng.IntN(len(s.prepared))
	p := s.prepared[i]
	s.prepared = append(s.prepared[:i], s.prepared[i+1:]...)
	s.mu.Unlock()
	verb := "XA COMMIT "
	if s.rng.IntN(4) == 0 {
		verb = "XA ROLLBACK "
	}
	err := s.exec(verb + p.xid)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range p.rows {
		delete(s.held, id)
	}
	return err
}
