//go:build servers

package ddl

import (
	"fmt"
	"slices"
	"strings"

	"daybook/change"
	"daybook/e2e/rowtext"
	"daybook/e2e/servers"
)

// proof is a table's rows before and after some were written.
type proof struct {
	def           *definition
	before, after [][]string
	failed        bool
}

// prove writes rows into tables, and compares what is told of them with what is
// there.
func (w *workload) prove(tables []*definition) {
	proofs := map[string]*proof{}
	for _, d := range tables[:min(len(tables), 4)] {
		if proofs[d.name()] != nil {
			continue
		}
		p := &proof{def: d}
		var err error
		if p.before, err = w.rowsOf(d); err != nil {
			continue // partitions without engines, broken views of virtual columns
		}
		w.writer.write(d, len(p.before))
		if p.after, err = w.rowsOf(d); err != nil {
			w.report("rows of %s: %v", d.name(), err)
			continue
		}
		w.count.proofs++
		proofs[d.name()] = p
	}
	if len(proofs) == 0 {
		return
	}
	w.follower.read(func(c *change.Change) {
		p := proofs[servers.QuoteName(c.Table.Database)+"."+servers.QuoteName(c.Table.Name)]
		if p == nil {
			w.report("a change of %s.%s, which nobody wrote to", c.Table.Database, c.Table.Name)
			return
		}
		if w.count.rows++; p.failed {
			return
		}
		if *showFlag {
			w.t.Logf("told: %s of %s: %q, %q", c.Op, p.def.name(), rowtext.Told(c.Table, c.Before), rowtext.Told(c.Table, c.After))
		}
		if err := p.apply(c); err != nil {
			w.report("%s of %s: %v", c.Op, p.def.name(), err)
			p.failed = true
		}
	})
	for _, p := range proofs {
		if out := p.differs(); out != "" && !p.failed {
			w.report("rows of %s differ\n%s\n%+v", p.def.name(), out, p.def.Table.Columns)
		}
	}
}

// write writes some rows.
func (s *session) write(d *definition, rows int) {
	r := s.rng
	name, columns := d.name(), d.Table.Columns
	begin, end := s.bracket()
	if begin != "" && s.send(begin) != nil {
		begin, end = "", nil
	}
	deletes := !s.mariadbFrom(110800) || slices.ContainsFunc(columns, func(c change.Column) bool { return !c.Generated }) // else nothing is logged of the rows
	if rows > 5 && deletes {
		_ = s.send("DELETE FROM " + name)
	}
	for range 1 + r.IntN(2) {
		s.insert(name, columns)
	}
	if r.chance(10) && begin == "BEGIN" {
		_ = s.send("SAVEPOINT s")
		s.insert(name, columns)
		_ = s.send("ROLLBACK TO s")
	}
	if c := &columns[r.IntN(len(columns))]; r.chance(40) && writable(c) {
		_ = s.send("UPDATE IGNORE " + name + " SET " + servers.QuoteName(c.Name) + " = " + s.value(c) + " LIMIT 2")
	}
	if r.chance(15) && deletes {
		_ = s.send("DELETE FROM " + name + " LIMIT 1")
	}
	for _, sql := range end {
		_ = s.send(sql)
	}
}

// bracket is what a transaction begins and ends with.
func (s *session) bracket() (begin string, end []string) {
	switch s.rng.IntN(12) {
	case 0:
		return "BEGIN", []string{s.rng.pick("COMMIT", "COMMIT", "ROLLBACK")}
	case 1:
		x := fmt.Sprintf("'x%d'", s.rng.IntN(1000000))
		if s.rng.chance(30) {
			return "XA START " + x, []string{"XA END " + x, "XA COMMIT " + x + " ONE PHASE"}
		}
		return "XA START " + x, []string{"XA END " + x, "XA PREPARE " + x, "XA " + s.rng.pick("COMMIT ", "COMMIT ", "ROLLBACK ") + x}
	}
	return "", nil
}

func writable(c *change.Column) bool { return !c.Generated }

func (s *session) insert(name string, columns []change.Column) {
	if s.rng.chance(15) {
		_ = s.send("INSERT IGNORE INTO " + name + " () VALUES ()")
		return
	}
	var names, values []string
	for i := range columns {
		if c := &columns[i]; writable(c) && s.rng.chance(85) {
			names, values = append(names, servers.QuoteName(c.Name)), append(values, s.value(c))
		}
	}
	if s.send("INSERT IGNORE INTO "+name+" ("+strings.Join(names, ", ")+") VALUES ("+strings.Join(values, ", ")+")") != nil {
		_ = s.send("INSERT IGNORE INTO " + name + " () VALUES ()")
	}
}

// rowsOf returns a table's rows as text.
func (w *workload) rowsOf(d *definition) ([][]string, error) {
	from := d.name()
	if d.history {
		from += " FOR SYSTEM_TIME ALL"
	}
	rows, err := w.look.TryQuery(rowtext.Query(d.Table, from))
	rowtext.Selected(d.Table, rows)
	return rows, err
}

// apply follows a change: a row that is updated or deleted must be there.
func (p *proof) apply(c *change.Change) error {
	if c.Before != nil {
		image := rowtext.Told(c.Table, c.Before)
		i := slices.IndexFunc(p.before, func(row []string) bool { return equal(row, image) })
		if i < 0 {
			return fmt.Errorf("there is no row %q; there are %q", image, p.before)
		}
		p.before = slices.Delete(p.before, i, i+1)
	}
	if c.After != nil {
		p.before = append(p.before, rowtext.Told(c.Table, c.After))
	}
	return nil
}

// differs compares the rows that were told with those that are there.
func (p *proof) differs() string {
	told := slices.Clone(p.before)
	for _, row := range p.after {
		i := slices.IndexFunc(told, func(image []string) bool { return equal(row, image) })
		if i < 0 {
			return fmt.Sprintf("there is %q, and told is %q", row, told)
		}
		told = slices.Delete(told, i, i+1)
	}
	if len(told) > 0 {
		return fmt.Sprintf("told is %q, and not there; there are %q", told, p.after)
	}
	return ""
}

// equal compares a row with an image, which may lack generated columns.
func equal(row, image []string) bool {
	return slices.EqualFunc(row, image, func(a, b string) bool { return a == b || a == rowtext.Absent || b == rowtext.Absent })
}
