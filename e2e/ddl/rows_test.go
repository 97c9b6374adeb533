//go:build servers

package ddl

import (
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"daybook/change"
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
		p := proofs[backquote(c.Table.Database)+"."+backquote(c.Table.Name)]
		if p == nil {
			w.report("a change of %s.%s, which nobody wrote to", c.Table.Database, c.Table.Name)
			return
		}
		if w.count.rows++; p.failed {
			return
		}
		if *showFlag {
			w.t.Logf("told: %s of %s: %q, %q", c.Op, p.def.name(), render(c.Table, c.Before), render(c.Table, c.After))
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
		_ = s.send("UPDATE IGNORE " + name + " SET " + backquote(c.Name) + " = " + s.value(c) + " LIMIT 2")
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
			names, values = append(names, backquote(c.Name)), append(values, s.value(c))
		}
	}
	if s.send("INSERT IGNORE INTO "+name+" ("+strings.Join(names, ", ")+") VALUES ("+strings.Join(values, ", ")+")") != nil {
		_ = s.send("INSERT IGNORE INTO " + name + " () VALUES ()")
	}
}

// rowsOf returns a table's rows as text, each value as shown gives it.
func (w *workload) rowsOf(d *definition) ([][]string, error) {
	var list []string
	for i := range d.Table.Columns {
		list = append(list, selected(&d.Table.Columns[i]))
	}
	from := d.name()
	if d.history {
		from += " FOR SYSTEM_TIME ALL"
	}
	rows, err := w.ask("SELECT " + strings.Join(list, ", ") + " FROM " + from)
	for _, row := range rows {
		for i := range row {
			row[i] = shown(&d.Table.Columns[i], row[i])
		}
	}
	return rows, err
}

// apply follows a change: a row that is updated or deleted must be there.
func (p *proof) apply(c *change.Change) error {
	if c.Before != nil {
		image := render(c.Table, c.Before)
		i := slices.IndexFunc(p.before, func(row []string) bool { return equal(row, image) })
		if i < 0 {
			return fmt.Errorf("there is no row %q; there are %q", image, p.before)
		}
		p.before = slices.Delete(p.before, i, i+1)
	}
	if c.After != nil {
		p.before = append(p.before, render(c.Table, c.After))
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
	return slices.EqualFunc(row, image, func(a, b string) bool { return a == b || a == absent || b == absent })
}

const absent = "\x00absent"

// selected is the expression of a column's value.
func selected(c *change.Column) string {
	name := backquote(c.Name)
	switch {
	case c.Type.IsBinary(), c.Type.IsGeometry(), c.Type == change.Vector:
		return "HEX(" + name + ")"
	case isText(c):
		return "HEX(CONVERT(" + name + " USING utf8mb4))"
	case c.Type == change.Float, c.Type == change.Double:
		return name + " + 0e0"
	case c.Type == change.Bit, c.Type == change.Year, c.Type.IsInteger(), c.Zerofill:
		return name + " + 0"
	}
	return "CAST(" + name + " AS CHAR)"
}

func isText(c *change.Column) bool {
	return c.Type.IsText() || c.Type == change.Enum || c.Type == change.Set || c.Type == change.JSON
}

// shown is the text of a selected value.
func shown(c *change.Column, s string) string {
	switch {
	case s == "NULL":
		return s
	case isText(c):
		b, err := hex.DecodeString(s)
		if err != nil {
			return s
		}
		return "'" + string(b) + "'"
	case c.Type == change.Float, c.Type == change.Double:
		f, _ := strconv.ParseFloat(s, 64)
		return strconv.FormatFloat(f+0, 'g', -1, 64)
	}
	return s
}

// render is the text of a row image.
func render(t *change.Table, image []change.Value) []string {
	list := make([]string, len(image))
	for i := range image {
		list[i] = renderValue(&t.Columns[i], &image[i])
	}
	return list
}

func renderValue(c *change.Column, v *change.Value) string {
	switch v.Kind {
	case change.Absent:
		return absent
	case change.Null:
		return "NULL"
	case change.Int64:
		return strconv.FormatInt(v.Int(), 10)
	case change.YearNum:
		if c.Length == 2 { // shown with two digits
			return strconv.FormatUint(v.Num%100, 10)
		}
		return strconv.FormatUint(v.Num, 10)
	case change.Uint64, change.Bits:
		return strconv.FormatUint(v.Num, 10)
	case change.Float32, change.Float64:
		f := v.Float()
		if math.Signbit(f) && f == 0 {
			f = 0
		}
		return strconv.FormatFloat(f+0, 'g', -1, 64)
	case change.CivilDate, change.CivilTime, change.Instant, change.Duration:
		return renderTime(c, v)
	case change.Blobs:
		return fmt.Sprintf("%X", v.Bytes)
	case change.WKB:
		if len(v.Bytes) == 0 && v.Num == 0 {
			return ""
		}
		srid := uint32(v.Num)
		return fmt.Sprintf("%X%X", []byte{byte(srid), byte(srid >> 8), byte(srid >> 16), byte(srid >> 24)}, v.Bytes)
	}
	if isText(c) { // of what is no character in its charset, servers make a question mark
		return "'" + strings.ReplaceAll(string(v.Bytes), "\ufffd", "?") + "'"
	}
	return string(v.Bytes)
}

func renderTime(c *change.Column, v *change.Value) string {
	fraction := func(micros int) string {
		if c.Length <= 0 {
			return ""
		}
		return fmt.Sprintf(".%06d", micros)[:c.Length+1]
	}
	switch d := v.Civil(); v.Kind {
	case change.CivilDate:
		return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
	case change.CivilTime:
		return fmt.Sprintf("%04d-%02d-%02d %02d:%02d:%02d%s", d.Year, d.Month, d.Day, d.Hour, d.Minute, d.Second, fraction(d.Micros))
	case change.Instant:
		if v.Num == 0 {
			return "0000-00-00 00:00:00" + fraction(0)
		}
		t := time.UnixMicro(v.Int()).UTC()
		return t.Format("2006-01-02 15:04:05") + fraction(t.Nanosecond()/1000)
	}
	n, sign := v.Int(), ""
	if n < 0 {
		n, sign = -n, "-"
	}
	seconds := n / 1e6
	return fmt.Sprintf("%s%02d:%02d:%02d%s", sign, seconds/3600, seconds/60%60, seconds%60, fraction(int(n%1e6)))
}
