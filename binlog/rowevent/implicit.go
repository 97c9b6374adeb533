package rowevent

import (
	"slices"

	"daybook/change"
)

// implicitName is how the key is called where a table map does not tell it.
const implicitName = "__#alibaba_rds_row_id#__"

// WithImplicitKey returns the definition with the key that the server put behind the columns of a table without a
// primary key, hidden, as the table map has it; t itself if there is none in it. Services do that (ApsaraDB, PolarDB-X) and neither
// show the column nor log it. Whether a table has it changes with its keys, so each table map is looked
// at anew. Where it tells no names the column is taken for one only if makes: the server is known to make them.
func (m *TableMap) WithImplicitKey(t *change.Table, makes bool) *change.Table {
	n := len(t.Columns)
	if len(m.Columns) != n+1 || len(t.PrimaryKey) > 0 {
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
	if len(t.Key()) == 0 { // a unique key of the user's is a better one
		with.PrimaryKey = []int{n}
	}
	return &with
}
