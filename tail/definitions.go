package tail

import (
	"encoding/json"
	"math"
	"strings"

	"daybook/change"
)

// Definition tells what definition a table had for the record of that offset, and the first
// offset that it is not known to hold for; nil: it is not known.
type Definition func(database, table string, offset int64) (t *change.Table, until int64, err error)

// definitions are those that hold in one batch: what is known from elsewhere, and what its
// own schema changes have made of them.
type definitions struct {
	at     Definition
	tables map[string]*definition
}

// definition finds the columns of a table by their names.
type definition struct {
	order   []string
	columns map[string]*change.Column // nil: not known
	until   int64                     // the first offset that it does not hold for
}

func define(columns []change.Column) *definition {
	d := &definition{columns: make(map[string]*change.Column, len(columns))}
	for i := range columns {
		d.columns[columns[i].Name] = &columns[i]
		if !columns[i].Hidden {
			d.order = append(d.order, columns[i].Name)
		}
	}
	return d
}

func nameOf(database, table string) string { return database + "\x00" + table }

func (d *definitions) of(database, table string, offset int64) (*definition, error) {
	name := nameOf(database, table)
	if found := d.tables[name]; found != nil && offset < found.until {
		return found, nil
	}
	found := &definition{}
	t, until, err := d.at(database, table, offset)
	if err != nil {
		return nil, err
	}
	if t != nil && len(t.Columns) > 0 {
		found = define(t.Columns)
	}
	found.until = until
	d.tables[name] = found
	return found, nil
}

// tableChange is one of a schema change's record.
type tableChange struct {
	ID    string `json:"id"`
	Table *struct {
		Columns []struct {
			Name     string `json:"name"`
			TypeName string `json:"typeName"`
			Length   *int   `json:"length"`
		} `json:"columns"`
	} `json:"table"`
}

// apply takes the definitions that a schema change tells, and returns its tables, as
// pairs of database and name.
func (d *definitions) apply(raw []byte) [][2]string {
	var changes []tableChange
	if json.Unmarshal(raw, &changes) != nil {
		return nil
	}
	var names [][2]string
	for _, c := range changes {
		database, table, ok := unquoteID(c.ID)
		if !ok {
			continue
		}
		names = append(names, [2]string{database, table})
		if c.Table == nil {
			delete(d.tables, nameOf(database, table))
			continue
		}
		columns := make([]change.Column, len(c.Table.Columns))
		for i, told := range c.Table.Columns {
			name, _, _ := strings.Cut(told.TypeName, " ")
			columns[i].Name, columns[i].Length = told.Name, -1
			if columns[i].Type.UnmarshalText([]byte(name)) == nil && told.Length != nil {
				columns[i].Length = *told.Length
			}
			columns[i].Hidden = change.IsImplicitKey(told.Name)
		}
		told := define(columns)
		told.until = math.MaxInt64 // or the batch's next schema change
		d.tables[nameOf(database, table)] = told
	}
	return names
}

// unquoteID takes the id of a table change apart: two names in double quotes.
func unquoteID(id string) (database, table string, ok bool) {
	database, table, ok = strings.Cut(strings.TrimPrefix(strings.TrimSuffix(id, `"`), `"`), `"."`)
	undo := func(s string) string { return strings.ReplaceAll(s, `""`, `"`) }
	return undo(database), undo(table), ok
}
