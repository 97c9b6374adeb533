package schema_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"daybook/binlog/schema"
)

// TestDefinitionInUseStaysTheSame holds on to a definition while many others
// are asked for: it is not made anew, as encoders know it by its address.
func TestDefinitionInUseStaysTheSame(t *testing.T) {
	c := schema.NewCatalog(mysql8)
	ctx := schema.Context{Database: "shop"}

	for i := range 500 {
		sql := fmt.Sprintf("CREATE TABLE t%d (id INT, c%[1]d_x INT", i)
		for j := range 60 {
			sql += fmt.Sprintf(", column%d INT", j)
		}
		apply(t, c, ctx, sql+")")
	}
	held, _ := c.Table("shop", "t0")
	for round := range 2 {
		for i := range 500 {
			table, ok := c.Table("shop", fmt.Sprintf("t%d", i))
			if !ok || table.Columns[1].Name != fmt.Sprintf("c%d_x", i) {
				t.Fatalf("t%d is %+v", i, table)
			}
		}
		if again, _ := c.Table("shop", "t0"); again != held {
			t.Errorf("round %d: the definition is another, though it is in use", round)
		}
	}
	apply(t, c, ctx, "ALTER TABLE t0 ADD x INT")
	if changed, _ := c.Table("shop", "t0"); changed == held || len(changed.Columns) != len(held.Columns)+1 {
		t.Errorf("after ALTER TABLE: %+v", changed)
	}
	if names := c.Names("shop"); len(names) != 500 || names[1] != (schema.TableName{Database: "shop", Name: "t1"}) {
		t.Errorf("%d names, %v", len(names), names[1])
	}
}

// TestPackedDefinitions moves a table with all that is known of it from one
// catalog to another.
func TestPackedDefinitions(t *testing.T) {
	a, b := schema.NewCatalog(mysql8), schema.NewCatalog(mysql8)
	ctx := schema.Context{Database: "shop"}
	apply(t, a, ctx, "CREATE TABLE t (id INT PRIMARY KEY, a INT, KEY k (a)) ENGINE=MyISAM")
	b.Unknown("shop", "t")
	if err := b.PutPacked(a.Packed("shop", "t")); err != nil {
		t.Fatal(err)
	}
	if b.IsUnknown("shop", "t") || b.Engine("shop", "t") != "MyISAM" || len(b.Dirty()) != 2 {
		t.Error("the table is not as it was")
	}
	apply(t, b, ctx, "ALTER TABLE t DROP KEY k, ADD UNIQUE k (a)") // knows the key that is dropped
	if err := b.PutPacked([]byte("s\xff\xff")); err == nil {
		t.Error("a damaged value is taken")
	}
	if got := a.Packed("shop", "none"); got != nil {
		t.Errorf("a table that is not there is %q", got)
	}
}

// TestSnapshotOfWhatIsNotUnderstood reads a source with a table of a type that
// is not known: the table is unknown, and the others are there.
func TestSnapshotOfWhatIsNotUnderstood(t *testing.T) {
	query := func(_ context.Context, sql string) ([][]schema.Text, error) {
		text := func(values ...string) []schema.Text {
			row := make([]schema.Text, len(values))
			for i, v := range values {
				row[i] = schema.Text{String: v, Null: v == "NULL"}
			}
			return row
		}
		switch {
		case strings.Contains(sql, "SCHEMATA"):
			return [][]schema.Text{text("shop", "utf8mb4")}, nil
		case strings.HasPrefix(sql, "SELECT TABLE_SCHEMA, TABLE_NAME FROM"):
			return [][]schema.Text{text("shop", "new"), text("shop", "plain")}, nil
		case strings.Contains(sql, ".TABLES "):
			return [][]schema.Text{text("shop", "new", "utf8mb4_general_ci", "", "BASE TABLE", "InnoDB"),
				text("shop", "plain", "utf8mb4_general_ci", "", "BASE TABLE", "InnoDB"), text("shop", "Plain", "utf8mb4_general_ci", "", "BASE TABLE", "InnoDB")}, nil
		case strings.Contains(sql, ".COLUMNS "):
			return [][]schema.Text{text("shop", "new", "a", "1", "hypertype(3)", "NULL", "YES", "NULL", "", "", "NULL"),
				text("shop", "plain", "a", "1", "int", "NULL", "YES", "NULL", "", "", "NULL"),
				text("shop", "Plain", "b", "1", "int", "NULL", "YES", "NULL", "", "", "NULL")}, nil
		}
		return nil, nil
	}
	c, err := schema.Snapshot(context.Background(), query, mysql8)
	if err != nil {
		t.Fatal(err)
	}
	if !c.IsUnknown("shop", "new") {
		t.Error("a table of a type that is not known is taken for known")
	}
	if plain, ok := c.Table("shop", "plain"); !ok || len(plain.Columns) != 1 || plain.Columns[0].Name != "a" {
		t.Errorf("plain is %+v", plain)
	}
}
