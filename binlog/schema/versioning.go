package schema

import (
	"slices"
	"strings"

	"daybook/change"
)

// MariaDB's periods: of system versioning, whose two columns the server fills, and of
// application time, whose columns may be the end of a key WITHOUT OVERLAPS.

// rowTime tells the columns that are declared for system versioning.
type rowTime uint8

const (
	startsRow rowTime = 1 + iota
	endsRow
)

// period is two columns of a table, and its name, which is "" for that of system
// versioning.
type period struct {
	Name  string `json:"name,omitempty"`
	Start string `json:"start"`
	End   string `json:"end"`
}

// rowTime tells what a column is in system versioning.
func (t *table) rowTime(name string) rowTime {
	switch {
	case t.RowTimes == nil:
		return 0
	case name == t.RowTimes.Start:
		return startsRow
	case name == t.RowTimes.End:
		return endsRow
	}
	return 0
}

// rowTimes returns the columns that are declared for system versioning, nil if there
// are none.
func (b *builder) rowTimes() *period {
	var p period
	for _, c := range b.columns {
		switch c.rowTime {
		case startsRow:
			p.Start = c.Name
		case endsRow:
			p.End = c.Name
		}
	}
	if p == (period{}) {
		return nil
	}
	return &p
}

// The columns that a table with system versioning has where the statement has none.
const rowStart, rowEnd = "row_start", "row_end"

func implicitColumn(name string) change.Column {
	return change.Column{Name: name, Type: change.Timestamp, Length: 6, Scale: -1, Generated: true}
}

// implicitColumns counts the system versioning columns at the end, if they
// have been added already.
func (b *builder) implicitColumns() int {
	if b.index(rowStart) >= 0 && b.index(rowEnd) >= 0 {
		return 2
	}
	return 0
}

// addImplicitColumns adds them.
func (b *builder) addImplicitColumns() {
	if !b.versioned || b.implicitColumns() > 0 {
		return
	}
	for _, name := range []string{rowStart, rowEnd} {
		b.columns = append(b.columns, column{Column: implicitColumn(name)})
	}
}

// alterVersioning sets whether the table is to have the implicit columns, and returns
// it without those it has, if they go. Declared columns take their place.
func (b *builder) alterVersioning(old *table, s *alterTable) *table {
	declared := declaresRowTimes(s.actions)
	if s.options.versioning == versioningAdded && !declared && old.RowTimes == nil {
		b.versioned = true
	}
	if s.options.versioning != versioningDropped && !declared || !old.Versioned {
		return old
	}
	b.versioned = false
	def := *old.Def
	def.Columns = def.Columns[:len(def.Columns)-2]
	bare := *old
	bare.Def = &def
	return &bare
}

// keepVersioning gives a table the implicit columns whose declared ones are dropped.
func (b *builder) keepVersioning(old *table, v versioning) {
	b.versioned = b.versioned || old.RowTimes != nil && b.rowTimes() == nil && v != versioningDropped
}

func declaresRowTimes(elements []alteration) bool {
	return slices.ContainsFunc(elements, func(e alteration) bool { return e.column.rowTime != 0 })
}

// extendKeys appends a declared ROW END column to the unique keys, as the
// server does with those of a table with system versioning: it tells a row
// from its history.
func (b *builder) extendKeys() {
	times := b.rowTimes()
	if times == nil {
		return
	}
	for i := range b.keys {
		k := &b.keys[i]
		if k.Unique && !slices.ContainsFunc(k.Parts, func(p keyPart) bool { return strings.EqualFold(p.Column, times.End) }) {
			k.Parts = slices.Insert(slices.Clip(k.Parts), k.beforePeriod(len(k.Parts)), keyPart{Column: times.End})
		}
	}
}

// keepPeriod keeps an old table's period of application time, whose columns may have
// other names by now, and stay NOT NULL whatever the statement says.
func (b *builder) keepPeriod(old *table, actions []alteration) {
	if old.Period == nil || slices.ContainsFunc(actions, func(a alteration) bool {
		return a.kind == dropPeriod && strings.EqualFold(a.period.Name, old.Period.Name)
	}) {
		return
	}
	p := *old.Period
	for i := range b.columns {
		switch c := &b.columns[i]; {
		case c.oldName == "":
		case strings.EqualFold(c.oldName, old.Period.Start):
			p.Start, c.Nullable = c.Name, false
		case strings.EqualFold(c.oldName, old.Period.End):
			p.End, c.Nullable = c.Name, false
		}
	}
	b.period = &p
}

// fillPeriods makes the columns of a statement's periods NOT NULL.
func (b *builder) fillPeriods(elements []alteration) {
	for _, e := range elements {
		if e.kind != addPeriod || e.ifExists && b.period != nil {
			continue
		}
		p := e.period
		if !strings.EqualFold(p.Name, "SYSTEM_TIME") {
			b.period = &p
		}
		for _, name := range []*string{&p.Start, &p.End} {
			i := b.index(*name)
			if i < 0 {
				b.fail("period over a column that is not there: " + *name)
				return
			}
			c := &b.columns[i].Column
			if *name = c.Name; c.Nullable {
				c.Nullable = false
				b.run.impliedDefault(c)
			}
		}
	}
}

// overPeriod puts the period's columns, the end first, in the place of its name at the
// end of a key WITHOUT OVERLAPS.
func (b *builder) overPeriod(k key) key {
	n := len(k.Parts) - 1
	if n < 0 || k.Parts[n].period == "" {
		return k
	}
	if b.period == nil || !strings.EqualFold(b.period.Name, k.Parts[n].period) {
		b.fail("the columns of period " + k.Parts[n].period + " are not known")
		return k
	}
	k.Overlaps = true
	k.Parts = append(slices.Clip(k.Parts[:n]), keyPart{Column: b.period.End}, keyPart{Column: b.period.Start})
	return k
}

// beforePeriod returns where ROW END stands in a key that has n parts without it.
func (k *key) beforePeriod(n int) int {
	if k.Overlaps {
		return max(0, n-2)
	}
	return n
}

// onlyPeriod tells a key WITHOUT OVERLAPS of which all columns but the period's are
// dropped: it goes with them.
func onlyPeriod(k key) bool { return k.Overlaps && len(k.Parts) <= 2 }
