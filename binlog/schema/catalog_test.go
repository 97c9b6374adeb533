package schema_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"daybook/binlog/schema"
	"daybook/change"
)

var mysql8 = schema.Server{Flavor: "mysql", Version: 80031, DefaultCharset: "utf8mb4", ExplicitDefaultsForTimestamp: true}

func apply(t *testing.T, c *schema.Catalog, ctx schema.Context, statements ...string) *schema.Result {
	t.Helper()
	var r *schema.Result
	for _, sql := range statements {
		var err error
		if r, err = c.Apply(sql, ctx); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	return r
}

// TestEntriesFollowTheCatalog saves what Dirty gives after each statement and
// loads it, as a restart does.
func TestEntriesFollowTheCatalog(t *testing.T) {
	c := schema.NewCatalog(mysql8)
	saved := map[string][]byte{}
	for _, sql := range []string{
		"CREATE DATABASE shop CHARACTER SET latin1",
		"CREATE TABLE shop.a (id INT PRIMARY KEY, d VARCHAR(20), UNIQUE k (d(5)))",
		"CREATE TABLE shop.b (id INT)",
		"RENAME TABLE shop.a TO shop.c",
		"ALTER TABLE shop.c MODIFY d VARCHAR(3)", // the prefix is not one any more: kept though not in the definition
		"DROP TABLE shop.b",
		"CREATE DATABASE other",
		"CREATE TABLE other.x (id INT)",
		"DROP DATABASE other",
	} {
		apply(t, c, schema.Context{}, sql)
		for _, e := range c.Dirty() {
			if saved[string(e.Key)] = e.Value; e.Value == nil {
				delete(saved, string(e.Key))
			}
		}
		if len(c.Dirty()) != 0 {
			t.Errorf("%s: entries are dirty twice", sql)
		}
		var err error
		c, err = schema.Load(mysql8, func(yield func(schema.Entry, error) bool) {
			for k, v := range saved {
				if !yield(schema.Entry{Key: []byte(k), Value: v}, nil) {
					return
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(saved) != 2 {
		t.Errorf("%d entries saved, want one database and one table", len(saved))
	}
	table, ok := c.Table("shop", "c")
	if !ok || table.Charset != "latin1" || len(table.UniqueKeys) != 1 || table.UniqueKeys[0].Name != "k" {
		t.Errorf("shop.c = %+v", table)
	}
}

func TestLoadRefusesDamagedEntries(t *testing.T) {
	for _, e := range []schema.Entry{
		{Key: []byte("x\x00shop"), Value: []byte("{}")},
		{Key: []byte("t\x00shop"), Value: []byte("{}")},
		{Key: []byte("t\x00shop\x00t"), Value: []byte("{}")},
		{Key: []byte("t\x00shop\x00t"), Value: []byte(`{"table":{"name":"t","columns":[{"name":"a","type":"NO TYPE"}]}}`)},
		{Key: []byte("d\x00shop"), Value: []byte("{")},
	} {
		_, err := schema.Load(mysql8, func(yield func(schema.Entry, error) bool) { yield(e, nil) })
		if !errors.Is(err, schema.ErrEntry) {
			t.Errorf("Load of %q = %v, want ErrEntry", e.Key, err)
		}
	}
	failed := errors.New("disk")
	_, err := schema.Load(mysql8, func(yield func(schema.Entry, error) bool) { yield(schema.Entry{}, failed) })
	if !errors.Is(err, failed) {
		t.Errorf("Load = %v, want the reader's error", err)
	}
}

// TestClientCharset reads statements in the charsets of old clients, among
// them those whose second bytes look like quotes and backslashes.
func TestClientCharset(t *testing.T) {
	for _, test := range []struct {
		name      string
		collation uint16
		sql       string
		comment   string
	}{
		{"utf8mb4", 45, "CREATE TABLE t (a INT COMMENT 'é漢')", "é漢"},
		{"latin1", 8, "CREATE TABLE t (a INT COMMENT '\xe9\x80')", "é€"},
		{"gbk", 28, "CREATE TABLE t (a INT COMMENT '\xd5\x5c')", "誠"},
		{"sjis", 13, "CREATE TABLE t (a INT COMMENT '\x95\x5c')", "表"},
		{"big5", 1, "CREATE TABLE t (a INT COMMENT '\xa5\x5c')", "功"},
		{"cp1251", 51, "CREATE TABLE t (a INT COMMENT '\xe6')", "ж"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := schema.NewCatalog(mysql8)
			r := apply(t, c, schema.Context{Database: "shop", ClientCollation: test.collation}, test.sql)
			if got := r.Tables[0].Table.Columns[0].Comment; got != test.comment {
				t.Errorf("comment %q, want %q", got, test.comment)
			}
			if !strings.Contains(r.SQL, test.comment) {
				t.Errorf("SQL %q is not in UTF-8", r.SQL)
			}
		})
	}
}

// TestDefinitionsAreImmutable checks that what was handed out stays as it was.
func TestDefinitionsAreImmutable(t *testing.T) {
	c := schema.NewCatalog(mysql8)
	ctx := schema.Context{Database: "shop"}
	apply(t, c, ctx, "CREATE TABLE t (a INT, b ENUM('x'), UNIQUE (a))")
	before, _ := c.Table("shop", "t")
	columns, keys := slices.Clone(before.Columns), slices.Clone(before.UniqueKeys)
	apply(t, c, ctx, "ALTER TABLE t ADD c INT FIRST, CHANGE a z BIGINT", "ALTER TABLE t CONVERT TO CHARACTER SET latin1", "RENAME TABLE t TO u")
	if before.Name != "t" || !slices.EqualFunc(before.Columns, columns, func(a, b change.Column) bool { return a.Name == b.Name && a.Charset == b.Charset }) ||
		!slices.Equal(before.UniqueKeys[0].Columns, keys[0].Columns) {
		t.Errorf("the old definition became %+v", before)
	}
}

// TestSequencesAreNoTables makes and drops sequences, if there is one or none, by the
// names of tables: MariaDB leaves these alone, and logs the statement.
func TestSequencesAreNoTables(t *testing.T) {
	c := schema.NewCatalog(schema.Server{Flavor: "mariadb", Version: 101100, DefaultCharset: "utf8mb4"})
	ctx := schema.Context{Database: "shop"}
	apply(t, c, ctx, "CREATE TABLE t (a INT)", "CREATE SEQUENCE s")
	for _, sql := range []string{"CREATE SEQUENCE IF NOT EXISTS t", "DROP SEQUENCE IF EXISTS t, nowhere"} {
		if r := apply(t, c, ctx, sql); len(r.Tables) > 0 {
			t.Errorf("%s: %+v", sql, r.Tables)
		}
	}
	if def, _ := c.Table("shop", "t"); def == nil || def.Columns[0].Name != "a" {
		t.Errorf("the table is %+v", def)
	}
	if r := apply(t, c, ctx, "DROP SEQUENCE t, s"); len(r.Tables) != 1 || r.Tables[0].Name != "s" {
		t.Errorf("dropped is %+v", r.Tables)
	}
}

// TestMaskingPolicy sets and drops what MySQL 9.7 shows in place of a column's values.
// The rows have the values.
func TestMaskingPolicy(t *testing.T) {
	c := schema.NewCatalog(schema.Server{Flavor: "mysql", Version: 90700, DefaultCharset: "utf8mb4"})
	apply(t, c, schema.Context{Database: "shop"}, "CREATE TABLE t (a INT MASKING POLICY p, b INT)", "ALTER TABLE t ALTER COLUMN a DROP MASKING POLICY, ADD c INT",
		"ALTER TABLE t ALTER b SET MASKING POLICY `p 2`, MODIFY c BIGINT MASKING POLICY p INVISIBLE")
	if def, _ := c.Table("shop", "t"); def == nil || len(def.Columns) != 3 || def.Columns[2].Type != change.BigInt {
		t.Errorf("%+v", def)
	}
}

// TestLongComments has comments of which servers cut off the end.
func TestLongComments(t *testing.T) {
	long := func(n int) string { return strings.Repeat("é", n) }
	r := apply(t, schema.NewCatalog(mysql8), schema.Context{Database: "shop"},
		"CREATE TABLE t (a INT COMMENT '"+long(1025)+"', b INT COMMENT '"+long(1024)+"') COMMENT '"+long(2049)+"'")
	def := r.Tables[0].Table
	if def.Columns[0].Comment != long(1024) || def.Columns[1].Comment != long(1024) || def.Comment != long(2048) {
		t.Errorf("comments of %d, %d and %d bytes", len(def.Columns[0].Comment), len(def.Columns[1].Comment), len(def.Comment))
	}
}

// TestTableBesideAView makes a table, if there is none, of the name of a view: servers
// make none, and log the statement.
func TestTableBesideAView(t *testing.T) {
	c := schema.NewCatalog(mysql8)
	ctx := schema.Context{Database: "shop"}
	r := apply(t, c, ctx, "CREATE VIEW v AS SELECT 1", "CREATE TABLE IF NOT EXISTS v (a INT)")
	if _, ok := c.Table("shop", "v"); ok || len(r.Tables) > 0 {
		t.Errorf("there is a table: %+v", r.Tables)
	}
	apply(t, c, ctx, "DROP VIEW v", "CREATE TABLE IF NOT EXISTS v (b INT)")
	if def, _ := c.Table("shop", "v"); def == nil || def.Columns[0].Name != "b" {
		t.Errorf("without the view: %+v", def)
	}
}

// TestDefaultOfAShortYear has years of two digits, of which servers guess the
// century, and of others.
func TestDefaultOfAShortYear(t *testing.T) {
	c := schema.NewCatalog(mysql8)
	for literal, want := range map[string]string{"'12/2/2'": "2012-02-02", "20202": "2002-02-02", "'2/2/2'": "0002-02-02", "'123-1-1'": "0123-01-01"} {
		r := apply(t, c, schema.Context{Database: "shop"}, "CREATE OR REPLACE TABLE t (a DATE DEFAULT "+literal+")")
		if got := r.Tables[0].Table.Columns[0].Default; got == nil || *got != want {
			t.Errorf("DEFAULT %s is %v, want %s", literal, got, want)
		}
	}
}

// TestPartitionedByAnExpression has more than one parenthesis where a query might
// begin as well.
func TestPartitionedByAnExpression(t *testing.T) {
	c := schema.NewCatalog(mysql8)
	for _, by := range []string{"RANGE ((a + b) DIV 2) (PARTITION p VALUES LESS THAN (9))", "LIST ((a)) (PARTITION p VALUES IN (1))", "HASH((a)) PARTITIONS 2",
		"LINEAR HASH ((a) + (b))", "RANGE COLUMNS (a, b) SUBPARTITION BY HASH ((b) MOD 3) (PARTITION p VALUES LESS THAN (1, 2))", "KEY ALGORITHM = 2 (a)"} {
		r := apply(t, c, schema.Context{Database: "shop"}, "CREATE TABLE t (a INT, b INT) ENGINE=InnoDB PARTITION BY "+by)
		if len(r.Tables) != 1 || len(r.Tables[0].Table.Columns) != 2 {
			t.Errorf("%s: %+v", by, r.Tables)
		}
	}
	_, err := c.Apply("CREATE TABLE u (a INT) PARTITION BY HASH((a)) ((SELECT 1 AS b))", schema.Context{Database: "shop"})
	if u := (*schema.UnreadableError)(nil); !errors.As(err, &u) || !u.Rows {
		t.Errorf("a query behind it is not seen: %v", err)
	}
}

// TestPartitionsOfNoTable checks and repairs partitions of a table that is not
// there, which servers log, and of one whose definition is not known.
func TestPartitionsOfNoTable(t *testing.T) {
	c := schema.NewCatalog(mysql8)
	c.Unknown("shop", "unknown")
	for _, what := range []string{"ANALYZE PARTITION p", "CHECK PARTITION ALL", "OPTIMIZE PARTITION p, q", "REPAIR PARTITION p QUICK", "REBUILD PARTITION p"} {
		apply(t, c, schema.Context{Database: "shop"}, "ALTER TABLE nowhere "+what, "ALTER TABLE unknown "+what)
	}
	if c.IsUnknown("shop", "nowhere") || !c.IsUnknown("shop", "unknown") {
		t.Error("the statements changed what is known")
	}
}

// TestReplacedByNothing runs a CREATE OR REPLACE that was logged with an error:
// the table is gone, and a new one is made in its place.
func TestReplacedByNothing(t *testing.T) {
	c := schema.NewCatalog(schema.Server{Flavor: "mariadb", Version: 101100, DefaultCharset: "utf8mb4"})
	ctx := schema.Context{Database: "shop"}
	apply(t, c, ctx, "CREATE TABLE t (a INT)")
	failed := ctx
	failed.Failed = true
	r := apply(t, c, failed, "CREATE OR REPLACE TABLE t (b TEXT) PARTITION BY RANGE (b) (PARTITION p VALUES LESS THAN (1))")
	if _, ok := c.Table("shop", "t"); ok || r.SQL != "DROP TABLE `shop`.`t`" || len(r.Tables) != 1 || r.Tables[0].Type != change.Dropped {
		t.Errorf("the table is there: %t; told was %q %+v", ok, r.SQL, r.Tables)
	}
	if r = apply(t, c, failed, "CREATE OR REPLACE TABLE u (b INT)"); r.IsDDL() || len(r.Tables) > 0 {
		t.Errorf("of a table that was not there is told %q %+v", r.SQL, r.Tables)
	}
	apply(t, c, ctx, "CREATE TABLE IF NOT EXISTS t (c BIGINT)")
	if def, _ := c.Table("shop", "t"); def == nil || def.Columns[0].Name != "c" {
		t.Errorf("the new table is %+v", def)
	}
}

func TestTimestampsByVariable(t *testing.T) {
	for _, explicit := range []bool{true, false} {
		c := schema.NewCatalog(mysql8)
		apply(t, c, schema.Context{Database: "shop", ExplicitDefaultsForTimestamp: &explicit}, "CREATE TABLE t (a TIMESTAMP)")
		table, _ := c.Table("shop", "t")
		if table.Columns[0].Nullable != explicit {
			t.Errorf("explicit_defaults_for_timestamp=%t: nullable %t", explicit, table.Columns[0].Nullable)
		}
	}
}

// TestReadingIsLinear reads statements that are long in one way each; with
// anything quadratic in them this would take minutes.
func TestReadingIsLinear(t *testing.T) {
	const n = 1 << 20
	for name, sql := range map[string]string{
		"parentheses": "CREATE TABLE t (a INT DEFAULT " + strings.Repeat("(", n),
		"columns":     "CREATE TABLE t (" + strings.Repeat("a INT,", n/6) + "z INT)",
		"actions":     "ALTER TABLE u " + strings.Repeat("ADD a INT,", n/10),
		"comments":    "CREATE TABLE t " + strings.Repeat("/*!99999 /*", n/10),
		"members":     "CREATE TABLE t (a ENUM(" + strings.Repeat("'x',", n/4) + "'y'))",
		"tables":      "DROP TABLE " + strings.Repeat("a,", n/2) + "b",
		"insert":      "INSERT INTO t VALUES " + strings.Repeat("(1),", n/4),
		"joins":       "UPDATE t" + strings.Repeat(", t", n/3) + " SET a = 1" + strings.Repeat(", a = 1", n/7),
		"assignments": "UPDATE t, u SET a = 1" + strings.Repeat(", a = 1", n/7),
		"nested":      "UPDATE " + strings.Repeat("(", n),
		"deletes":     "DELETE t" + strings.Repeat(", t", n/3) + " FROM t" + strings.Repeat(", t", n/3),
		"with":        "WITH " + strings.Repeat("a AS (SELECT 1), ", n/17) + "b AS (SELECT 1) UPDATE a, t SET x = 1",
		"trigger":     "CREATE TRIGGER x AFTER INSERT ON t FOR EACH ROW BEGIN " + strings.Repeat("INSERT INTO u VALUES (1);", n/25) + " END",
	} {
		t.Run(name, func(t *testing.T) {
			c := schema.NewCatalog(mysql8)
			apply(t, c, schema.Context{Database: "shop"}, "CREATE TABLE u (id INT)")
			r, _ := c.Apply(sql, schema.Context{Database: "shop"})
			if r == nil {
				t.Fatal("no result")
			}
			c.MayWrite(r, func(string, string) bool { return false })
		})
	}
}

// TestQuestionMarksInLabels converts tables with a question mark in a label: it stays one where a client wrote
// it, and may be anything where the server has shown it, or may have.
func TestQuestionMarksInLabels(t *testing.T) {
	const column = "`e` enum('a','?') CHARACTER SET koi8r"
	for create, known := range map[string]bool{
		"CREATE TABLE t (e ENUM('a', '?') CHARACTER SET koi8r)": true,
		"CREATE TABLE t (e ENUM('a', 'é') CHARACTER SET koi8r)": true, // which it lacks
		"CREATE TABLE `t` (\n  " + column + " DEFAULT NULL\n)":  false,
		"CREATE TABLE `t` (\n  " + column + "\n) ENGINE=InnoDB": false,
	} {
		for _, way := range [][]string{nil, {"ALTER TABLE t ADD x INT"}, {"RENAME TABLE t TO u", "RENAME TABLE u TO t"}, {"CREATE TABLE u LIKE t", "RENAME TABLE t TO o, u TO t"}} {
			c := schema.NewCatalog(mysql8)
			ctx := schema.Context{Database: "shop"}
			apply(t, c, ctx, append([]string{create}, way...)...)
			_, err := c.Apply("ALTER TABLE t CONVERT TO CHARACTER SET gbk", ctx)
			if (err == nil) != known {
				t.Errorf("%s, %q: %v", create, way, err)
				continue
			}
			if got, _ := c.Table("shop", "t"); known && got.Columns[0].Members[1] != "?" {
				t.Errorf("%s, %q: the labels are %q", create, way, got.Columns[0].Members)
			}
		}
	}
}
