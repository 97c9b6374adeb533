package rowevent

import (
	"slices"

	"daybook/change"
)

// implicitName is how the key is called where a table map does not tell it.
const implicitName = "__#alibaba_rds_row_id#__"

// WithImplicitKey returns the definition with the key that the server put behind the columns of a table that has
// none, hidden, as the table map has it; t itself if there is none in it. Services do that (ApsaraDB, PolarDB-X) and neither
// show the column nor log it. Whether a table has it changes with its keys, so each table map is looked
// at anew. Where it tells no names the column is taken for one only if makes: the server is known to make them.
func (m *TableMap) WithImplicitKey(t *change.Table, makes bool) *change.Table {
	n := len(t.Columns)
	if len(m.Columns) != n+1 || len(t.PrimaryKey) > 0 || len(t.UniqueKeys) > 0 ||
		slices.ContainsFunc(t.Columns, func(c change.Column) bool { return c.AutoIncrement }) {
		return t
	}
	c := &m.Columns[n]
	name := c.Name
	if !m.Told.Names && makes {
		name = implicitName
	}
	if c.Type != typeLongLong || c.Nullable || !change.IsImplicitKey(name) {
		return t
	}
	with := *t
	with.Columns = append(slices.Clone(t.Columns), change.Column{Name: name, Type: change.BigInt, Length: -1, Scale: -1, Hidden: true})
	with.PrimaryKey = []int{n}
	return &with
}
