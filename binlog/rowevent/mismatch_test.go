package rowevent_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"daybook/binlog/rowevent"
	"daybook/change"
)

// mutations are the ways in which a definition can be wrong about a column; each
// returns whether it is one for this column.
var mutations = map[string]func(c *change.Column) bool{
	"type": func(c *change.Column) bool {
		if c.Type.IsInteger() {
			c.Type = change.TinyInt + (c.Type-change.TinyInt+1)%5
			return true
		}
		if c.Type == change.Double {
			c.Type = change.Float
		} else {
			c.Type = change.Double
		}
		return true
	},
	"sign": func(c *change.Column) bool {
		c.Unsigned = !c.Unsigned
		return c.Type.IsInteger() || c.Type == change.Decimal
	},
	"length": func(c *change.Column) bool {
		c.Length++
		switch c.Type {
		case change.Decimal, change.Bit, change.Char, change.VarChar, change.Binary, change.VarBinary, change.Vector:
			return true
		case change.Time, change.DateTime, change.Timestamp:
			return c.Length < 7
		}
		return false
	},
	"scale": func(c *change.Column) bool { c.Scale++; return c.Type == change.Decimal },
	"blob size": func(c *change.Column) bool {
		switch c.Type {
		case change.TinyText, change.Text, change.MediumText, change.TinyBlob, change.Blob, change.MediumBlob:
			c.Type++
			return true
		}
		return false
	},
	"charset": func(c *change.Column) bool {
		if c.Charset == "big5" {
			c.Charset = "gbk"
		} else {
			c.Charset = "big5"
		}
		return c.Type.IsText() || c.Type == change.Enum || c.Type == change.Set
	},
	"unknown charset": func(c *change.Column) bool { c.Charset = "klingon"; return c.Type.IsText() },
	"text for binary": func(c *change.Column) bool {
		if !c.Type.IsBinary() {
			return false
		}
		c.Type, c.Charset = c.Type-change.Binary+change.Char, "latin1"
		return true
	},
	"one label fewer": func(c *change.Column) bool {
		c.Members = c.Members[:max(0, len(c.Members)-1)]
		return c.Type == change.Enum || c.Type == change.Set
	},
	"another label": func(c *change.Column) bool {
		c.Members = slices.Clone(c.Members)
		if len(c.Members) > 0 {
			c.Members[0] += "!"
		}
		return c.Type == change.Enum || c.Type == change.Set
	},
	"geometry type": func(c *change.Column) bool { c.Type++; return c.Type.IsGeometry() },
	"name":          func(c *change.Column) bool { c.Name += "x"; return true },
	"nullable":      func(c *change.Column) bool { c.Nullable = !c.Nullable; return c.Nullable },
}

// TestMismatch checks that full metadata gives each wrong definition away, by
// table and column.
func TestMismatch(t *testing.T) {
	files, _ := filepath.Glob("testdata/*full-metadata*.txt")
	seen := map[string]int{}
	for _, file := range files {
		r := readRecording(t, file)
		m, err := rowevent.ParseTableMap(r.events[0].body, 6)
		if err != nil {
			t.Fatal(err)
		}
		for i := range r.table.Columns {
			for what, mutate := range mutations {
				wrong := *r.table
				wrong.Columns = slices.Clone(r.table.Columns)
				if !mutate(&wrong.Columns[i]) {
					continue
				}
				seen[what]++
				_, err := rowevent.NewDecoder(m, &wrong, r.options)
				if !errors.Is(err, rowevent.ErrMismatch) || !strings.Contains(err.Error(), wrong.Columns[i].Name) || !strings.Contains(err.Error(), wrong.Name) {
					t.Errorf("%s: %s of column %d (%s) wrong: %v", file, what, i, r.table.Columns[i].Type, err)
				}
			}
		}
		for what, mutate := range map[string]func(*change.Table){
			"table":        func(t *change.Table) { t.Name += "x" },
			"database":     func(t *change.Table) { t.Database += "x" },
			"column count": func(t *change.Table) { t.Columns = t.Columns[1:] },
			"primary key":  func(t *change.Table) { t.PrimaryKey = []int{1} },
			"no key":       func(t *change.Table) { t.PrimaryKey = nil },
		} {
			wrong := *r.table
			mutate(&wrong)
			if _, err := rowevent.NewDecoder(m, &wrong, r.options); !errors.Is(err, rowevent.ErrMismatch) {
				t.Errorf("%s: %s wrong: %v", file, what, err)
			}
		}
	}
	for what := range mutations {
		if seen[what] == 0 {
			t.Errorf("no column in testdata tries %s", what)
		}
	}
}

// TestMismatchMessage shows what an operator reads.
func TestMismatchMessage(t *testing.T) {
	body := tableMapBody("shop", "orders", []byte{3, 15}, []byte{0x28, 0}, 2)
	m, err := rowevent.ParseTableMap(body, 6)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		columns []change.Column
		want    string
	}{
		{[]change.Column{{Name: "id", Type: change.Int}}, "table shop.orders: table map does not match the table definition: the table map has 2 columns, the definition 1"},
		{[]change.Column{{Name: "id", Type: change.BigInt}, {Name: "name", Type: change.VarChar, Length: 10, Charset: "utf8mb4", Nullable: true}}, "column id of shop.orders: table map does not match the table definition: the table map has LONG, the definition BIGINT"},
		{[]change.Column{{Name: "id", Type: change.Int}, {Name: "name", Type: change.VarChar, Length: 10, Charset: "latin1", Nullable: true}}, "column name of shop.orders: table map does not match the table definition: the table map has 40 bytes, the definition VARCHAR(10) with 1 bytes for a character"},
		{[]change.Column{{Name: "id", Type: change.Int}, {Name: "name", Type: change.VarChar, Length: 10, Charset: "utf9", Nullable: true}}, `column name of shop.orders: table map does not match the table definition: the definition has charset "utf9", which this version cannot convert`},
	} {
		_, err := rowevent.NewDecoder(m, &change.Table{Database: "shop", Name: "orders", Columns: test.columns}, rowevent.DecoderOptions{Flavor: "mysql"})
		if fmt.Sprint(err) != test.want {
			t.Errorf("got %v\nwant %s", err, test.want)
		}
	}
}

// TestHiddenColumns wants to be told why there are more columns than declared.
func TestHiddenColumns(t *testing.T) {
	m, err := rowevent.ParseTableMap(tableMapBody("shop", "orders", []byte{3, 15}, []byte{0x28, 0}, 2), 6)
	if err != nil {
		t.Fatal(err)
	}
	declared := &change.Table{Database: "shop", Name: "orders", Columns: []change.Column{{Name: "id", Type: change.Int}}}
	for version, hidden := range map[int]bool{80012: false, 80013: true, 80017: true, 80018: false, 80036: false} {
		_, err := rowevent.NewDecoder(m, declared, rowevent.DecoderOptions{Flavor: "mysql", Version: version})
		if !errors.Is(err, rowevent.ErrMismatch) || strings.Contains(err.Error(), "keys over expressions") != hidden {
			t.Errorf("version %d: %v", version, err)
		}
	}
}

// TestHiddenColumnsOfTableMapsAlone reads rows that lack the hidden columns of keys over expressions, of which the table map
// tells, as MySQL 8.0.18 and PolarDB write them.
func TestHiddenColumnsOfTableMapsAlone(t *testing.T) {
	m, err := rowevent.ParseTableMap(tableMapBody("shop", "orders", []byte{3, 15}, []byte{0x28, 0}, 2), 6)
	if err != nil {
		t.Fatal(err)
	}
	declared := &change.Table{Database: "shop", Name: "orders", Columns: []change.Column{{Name: "id", Type: change.Int}}}
	d, err := rowevent.NewDecoder(m, declared, rowevent.DecoderOptions{Flavor: "mysql", Version: 80018, HiddenMost: 1})
	if err != nil {
		t.Fatal(err)
	}
	row := func(columns byte, rest ...byte) []byte {
		return append([]byte{1, 0, 0, 0, 0, 0, 1, 0, 2, 0, columns, 1<<columns - 1, 0}, rest...)
	}
	if err := d.Start(rowevent.WriteRowsV2, row(2, 7, 0, 0, 0, 1, 'x')); err == nil {
		t.Error("rows with the hidden column are taken")
	}
	if err := d.Start(rowevent.WriteRowsV2, row(1, 7, 0, 0, 0)); err != nil {
		t.Fatal(err)
	}
	var before, after []change.Value
	if ok, err := d.Next(&before, &after); !ok || err != nil || len(after) != 1 || after[0].Int() != 7 {
		t.Errorf("%t, %v, %v", ok, err, after)
	}
}

// TestNullableByOuterJoin accepts what servers write of a table on the outer
// side of a join.
func TestNullableByOuterJoin(t *testing.T) {
	for _, told := range []byte{0, 1} {
		for _, nullable := range []bool{false, true} {
			m, err := rowevent.ParseTableMap(tableMapBody("shop", "orders", []byte{3}, nil, told), 6)
			if err != nil {
				t.Fatal(err)
			}
			_, err = rowevent.NewDecoder(m, &change.Table{Database: "shop", Name: "orders", Columns: []change.Column{{Name: "id", Type: change.Int, Nullable: nullable}}}, rowevent.DecoderOptions{Flavor: "mysql"})
			if wrong := told == 0 && nullable; errors.Is(err, rowevent.ErrMismatch) != wrong {
				t.Errorf("told nullable %d, definition %t: %v", told, nullable, err)
			}
		}
	}
}

// tableMapBody builds a table map event's body without optional metadata.
func tableMapBody(database, table string, types, metas []byte, nulls byte) []byte {
	b := []byte{1, 0, 0, 0, 0, 0, 1, 0, byte(len(database))}
	b = append(append(b, database...), 0, byte(len(table)))
	b = append(append(b, table...), 0, byte(len(types)))
	b = append(b, types...)
	b = append(append(b, byte(len(metas))), metas...)
	return append(b, nulls)
}
