package schema_test

import (
	"slices"
	"testing"

	"daybook/binlog/schema"
	"daybook/change"
)

// TestPutKeepsWhatItDoesNotTell puts a definition as a table map gives it: that a column is virtual,
// which decides about the order of keys and so about the record key, is known as before.
func TestPutKeepsWhatItDoesNotTell(t *testing.T) {
	c := schema.NewCatalog(mysql8)
	ctx := schema.Context{Database: "shop"}
	if _, err := c.Apply("CREATE TABLE t (a INT NOT NULL, v INT AS (a) VIRTUAL NOT NULL, UNIQUE kv (v), UNIQUE ka (a))", ctx); err != nil {
		t.Fatal(err)
	}
	key := func() []int {
		known, _ := c.Table("shop", "t")
		return known.Key()
	}
	want := key()
	known, _ := c.Table("shop", "t")
	told := *known
	told.Columns = append(slices.Clone(known.Columns), change.Column{Name: "b", Type: change.Int, Length: -1, Scale: -1})
	c.Put(&told)
	if _, err := c.Apply("ALTER TABLE t DROP INDEX ka, ADD UNIQUE ka2 (a)", ctx); err != nil {
		t.Fatal(err)
	}
	if got := key(); !slices.Equal(got, want) {
		t.Errorf("the key of rows is %v, want %v", got, want)
	}
}
