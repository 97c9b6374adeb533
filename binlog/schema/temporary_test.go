package schema_test

import (
	"fmt"
	"slices"
	"testing"

	"daybook/binlog/schema"
)

var mariaDB10 = schema.Server{Flavor: "mariadb", Version: 101106, DefaultCharset: "utf8mb4"}

// TestTemporaryTables has a session run statements, those that begin with * marked as servers
// mark the use of a temporary table, those with ! marked and failed: which
// temporary tables it has then, and whether the last one is about permanent tables.
func TestTemporaryTables(t *testing.T) {
	folds := mysql8
	folds.LowerCaseTableNames = 1
	for _, test := range []struct {
		server     schema.Server
		statements []string
		has        []string
		ddl        bool // the last one is
		doubt      bool
	}{
		{mysql8, []string{"*CREATE TEMPORARY TABLE t (a INT)"}, []string{"shop.t"}, false, false},
		{mysql8, []string{"!CREATE TEMPORARY TABLE t SELECT 1"}, nil, false, false},
		{mysql8, []string{"*CREATE TEMPORARY TABLE IF NOT EXISTS other.t (a INT)", "*CREATE TEMPORARY TABLE IF NOT EXISTS other.t (a INT)"}, []string{"other.t"}, false, false},
		{mysql8, []string{"*CREATE TEMPORARY TABLE T (a INT)", "*ALTER TABLE t ADD COLUMN x INT"}, []string{"shop.T"}, true, true},
		{folds, []string{"*CREATE TEMPORARY TABLE T (a INT)", "*ALTER TABLE Shop.t ADD COLUMN x INT"}, []string{"shop.t"}, false, false},
		{mysql8, []string{"*CREATE TEMPORARY TABLE t (a INT)", "*CREATE TEMPORARY TABLE x (a INT)", "*DROP /*!40005 TEMPORARY */ TABLE IF EXISTS `t`,`nope`"}, []string{"shop.x"}, false, false},
		{mysql8, []string{"*CREATE TEMPORARY TABLE t (a INT)", "DROP TABLE t"}, []string{"shop.t"}, true, false},
		{mysql8, []string{"*CREATE TEMPORARY TABLE t (a INT)", "*ALTER TABLE t RENAME TO other.w, ADD COLUMN b INT"}, []string{"other.w"}, false, false},
		{mysql8, []string{"*CREATE TEMPORARY TABLE t (a INT)", "*TRUNCATE t"}, []string{"shop.t"}, false, false},
		{mysql8, []string{"*CREATE TEMPORARY TABLE t (a INT)", "*ALTER TABLE t what nobody reads (("}, []string{"shop.t"}, false, false},
		{mysql8, []string{"*CREATE TEMPORARY TABLE t (a INT)", "*CREATE INDEX i ON t (a)"}, []string{"shop.t"}, false, false},
		// Dropped in a way that the binlog does not tell.
		{mysql8, []string{"*CREATE TEMPORARY TABLE t (a INT)", "ALTER TABLE t ADD COLUMN x INT"}, nil, true, false},
		{mysql8, []string{"*TRUNCATE t"}, nil, true, true},
		{mysql8, []string{"*CREATE TABLE l LIKE t"}, nil, true, true},
		// MySQL renames permanent tables only, MariaDB marks no RENAME.
		{mysql8, []string{"*CREATE TEMPORARY TABLE t (a INT)", "*RENAME TABLE t TO w"}, []string{"shop.t"}, true, false},
		{mariaDB10, []string{"*CREATE TEMPORARY TABLE t (a INT)", "RENAME TABLE t TO w, w TO x"}, []string{"shop.x"}, false, false},
		{mariaDB10, []string{"*CREATE TEMPORARY TABLE t (a INT)", "RENAME TABLE t TO w, u TO u2"}, []string{"shop.w"}, true, false},
		// Of a name that is renamed twice, the first one is a temporary table, known or not.
		{mariaDB10, []string{"RENAME TABLE t TO w, u TO x, x TO u, t TO v", "RENAME TABLE v TO t, w TO y"}, []string{"shop.y"}, true, false},
		{mariaDB10, []string{"RENAME TABLE t TO w, u TO t, t TO v"}, nil, true, false},
		// With IF EXISTS the second one is passed over.
		{mariaDB10, []string{"RENAME TABLE IF EXISTS t TO w, t TO t, w TO t"}, nil, true, false},
		{mariaDB10, []string{"RENAME TABLE IF EXISTS t TO w, t TO v", "ALTER TABLE w ADD b INT"}, nil, true, false},
		{mariaDB10, []string{"*CREATE OR REPLACE TEMPORARY TABLE t (a INT)", "*CREATE OR REPLACE TEMPORARY TABLE t (a INT)", "*CREATE TEMPORARY SEQUENCE s"}, []string{"shop.t", "shop.s"}, false, false},
	} {
		t.Run(fmt.Sprint(test.server.Flavor, test.server.LowerCaseTableNames, test.statements), func(t *testing.T) {
			c := schema.NewCatalog(test.server)
			ctx := schema.Context{Database: "shop", Temporary: &schema.TemporaryTables{}}
			apply(t, c, ctx, "CREATE TABLE t (a INT)", "CREATE TABLE u (a INT)")
			var r *schema.Result
			for _, sql := range test.statements {
				ctx.UsesTemporary, ctx.Failed = sql[0] == '*' || sql[0] == '!', sql[0] == '!'
				if ctx.UsesTemporary {
					sql = sql[1:]
				}
				r = apply(t, c, ctx, sql)
			}
			var has []string
			for _, x := range ctx.Temporary.Tables {
				has = append(has, x.String())
			}
			if !slices.Equal(has, test.has) || r.IsDDL() != test.ddl || r.InDoubt != test.doubt {
				t.Errorf("it has %q, DDL %t, in doubt %t; want %q, %t, %t", has, r.IsDDL(), r.InDoubt, test.has, test.ddl, test.doubt)
			}
			if got, _ := c.Table("shop", "t"); !test.ddl && (got == nil || len(got.Columns) != 1) {
				t.Errorf("the permanent table is %+v", got)
			}
		})
	}
}

// TestUnexplained has a session whose temporary table is x run marked statements.
func TestUnexplained(t *testing.T) {
	for sql, want := range map[string]bool{
		"INSERT INTO u VALUES (1)": true, "SELECT shop.f()": true, "DO f()": true, "INSERT INTO u SELECT CONNECTION_ID()": true,
		"INSERT INTO x VALUES (1)": false, "INSERT INTO u SELECT * FROM x": false, "UPDATE u, shop.x SET u.a = 1": false, "DELETE FROM x": false,
		"CREATE TEMPORARY TABLE y SELECT * FROM u": false, "CREATE TABLE y SELECT * FROM x": false, "ALTER TABLE u COMMENT 'x'": false, "TRUNCATE u": false, "DROP TABLE u": false,
	} {
		c := schema.NewCatalog(mysql8)
		ctx := schema.Context{Database: "shop", Temporary: &schema.TemporaryTables{}, UsesTemporary: true}
		apply(t, c, schema.Context{Database: "shop"}, "CREATE TABLE u (a INT)")
		apply(t, c, ctx, "CREATE TEMPORARY TABLE x (a INT)")
		if r, _ := c.Apply(sql, ctx); r.Unexplained != want {
			t.Errorf("%s: unexplained %t, want %t", sql, r.Unexplained, want)
		}
	}
}

// TestTemporaryTablesRows wants rows of temporary tables to be nobody's, but
// for those of a MERGE table.
func TestTemporaryTablesRows(t *testing.T) {
	for _, test := range []struct {
		create, sql string
		writes      bool
	}{
		{"TABLE t (a INT)", "INSERT INTO t VALUES (1)", false},
		{"TABLE t (a INT)", "UPDATE t, u SET t.a = 1", false},
		{"TABLE t (a INT)", "UPDATE t, u SET u.a = 1", true},
		{"TABLE t (a INT)", "INSERT INTO other.t VALUES (1)", false},
		{"TABLE x (a INT)", "INSERT INTO t VALUES (1)", true},
		{"TABLE t (a INT) ENGINE = MERGE UNION = (u)", "INSERT INTO t VALUES (1)", true},
		{"TABLE t (a INT) UNION (u) ENGINE MRG_MyISAM", "DELETE FROM t", true},
		{"TABLE t LIKE merged", "INSERT INTO t VALUES (1)", true},
		{"TABLE x LIKE merged", "INSERT INTO x VALUES (1)", true},
	} {
		c := schema.NewCatalog(mysql8)
		ctx := schema.Context{Database: "shop", Temporary: &schema.TemporaryTables{}, UsesTemporary: true}
		apply(t, c, schema.Context{Database: "shop"}, "CREATE DATABASE shop", "CREATE DATABASE other", "CREATE TABLE t (a INT) ENGINE=MEMORY", "CREATE TABLE u (a INT)", "CREATE TABLE merged (a INT) ENGINE=MERGE")
		apply(t, c, ctx, "CREATE TEMPORARY "+test.create)
		r := apply(t, c, ctx, test.sql)
		why := c.MayWrite(r, func(string, string) bool { return true })
		if (why != "") != test.writes {
			t.Errorf("%s; %s: it writes: %q", test.create, test.sql, why)
		}
		if n, ok := c.EmptiedBy(r); ok && !test.writes {
			t.Errorf("%s; %s: it empties %s", test.create, test.sql, n)
		}
	}
	c := schema.NewCatalog(mysql8)
	ctx := schema.Context{Database: "shop", Temporary: &schema.TemporaryTables{}, UsesTemporary: true}
	apply(t, c, ctx, "CREATE TEMPORARY TABLE t (a INT) ENGINE=MERGE UNION=(u)")
	if _, err := c.Apply("TRUNCATE t", ctx); err == nil {
		t.Error("a truncation of a temporary MERGE table is taken for that of nothing")
	}
}
