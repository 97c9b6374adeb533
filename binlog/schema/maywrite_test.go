package schema_test

import (
	"fmt"
	"strings"
	"testing"

	"daybook/binlog/schema"
)

// shopPrograms makes a catalog in which everything is seen: shop.t and shop.s
// are what a task selects, shop.u and the rest are not.
var shopPrograms = []string{
	"CREATE DATABASE shop", "CREATE DATABASE other", "USE other",
	"CREATE TABLE t (id INT, a INT)", "CREATE TABLE s (id INT, b INT)", "CREATE TABLE u (id INT, c INT)", "CREATE TABLE other.u (id INT)",
	"CREATE TABLE other.t (id INT)", "CREATE TABLE logged (id INT)", "CREATE TABLE `reads` (id INT)", "CREATE TABLE deep (id INT)",
	"CREATE TABLE calls (id INT)", "CREATE TABLE far (id INT)",
	"CREATE DEFINER=`root`@`localhost` TRIGGER trg AFTER INSERT ON logged FOR EACH ROW INSERT INTO t VALUES (NEW.id, 1)",
	"CREATE TRIGGER look BEFORE INSERT ON `reads` FOR EACH ROW SET NEW.id = (SELECT MAX(id) FROM t)",
	"CREATE TRIGGER pass AFTER DELETE ON deep FOR EACH ROW BEGIN DELETE FROM logged; INSERT INTO logged VALUES (OLD.id); END",
	"CREATE TRIGGER other.far AFTER UPDATE ON other.u FOR EACH ROW UPDATE shop.t SET a = 1",
	"CREATE TRIGGER caller AFTER INSERT ON calls FOR EACH ROW CALL p(NEW.id)",
	"CREATE DEFINER=CURRENT_USER() FUNCTION f(x INT) RETURNS INT DETERMINISTIC BEGIN UPDATE s SET b = x; RETURN x; END",
	"CREATE FUNCTION pure(x INT) RETURNS INT RETURN x + (SELECT COUNT(*) FROM t)",
	"CREATE PROCEDURE p(IN x INT) BEGIN SET @a = f(x); END",
	"CREATE FUNCTION udf RETURNS STRING SONAME 'udf.so'",
	"CREATE ALGORITHM=UNDEFINED DEFINER=`root`@`%` SQL SECURITY DEFINER VIEW v AS SELECT id, a FROM t",
	"CREATE VIEW other.here AS SELECT * FROM s", "CREATE VIEW other.there AS SELECT t.id FROM other.t", "CREATE FUNCTION concat(x INT) RETURNS INT BEGIN DELETE FROM s; RETURN 1; END",
	"CREATE FUNCTION max(x INT) RETURNS INT RETURN `concat`(x)", "CREATE FUNCTION other.f(x INT) RETURNS INT BEGIN INSERT INTO t VALUES (x); RETURN CONCAT(x); END",
	"CREATE FUNCTION other.g() RETURNS INT BEGIN INSERT INTO .t VALUES (f(1)); UPDATE shop . t SET a = 1; RETURN 1; END",
	"CREATE FUNCTION other.h() RETURNS INT BEGIN INSERT INTO t SELECT t.id FROM shop.u; RETURN shop.pure(1); END",
	"CREATE PROCEDURE other.k() UPDATE t JOIN shop.s ON t.id = s.id SET t.id = 1", "CREATE FUNCTION other.concat(x INT) RETURNS INT RETURN f(x)",
	"CREATE VIEW vu AS SELECT * FROM u", "CREATE VIEW vf AS SELECT f(id) AS x FROM u", "CREATE VIEW other.vv AS SELECT * FROM shop.v",
}

func shop(t *testing.T, server schema.Server) *schema.Catalog {
	t.Helper()
	c := schema.NewCatalog(server)
	c.SeeOthers()
	apply(t, c, schema.Context{Database: "shop"}, shopPrograms...)
	return c
}

func shopSelected(db, table string) bool { return db == "shop" && (table == "t" || table == "s") }

func TestMayWrite(t *testing.T) {
	c := shop(t, mysql8)
	for _, test := range []struct{ sql, want string }{
		// what the statement itself changes
		{"INSERT INTO t VALUES (1, 2)", "it changes shop.t"},
		{"INSERT t SET a = 1", "it changes shop.t"},
		{"INSERT INTO u SELECT * FROM t", ""},
		{"INSERT INTO u (id) VALUES (1) ON DUPLICATE KEY UPDATE c = VALUES(c)", ""},
		{"INSERT INTO other.t VALUES (1)", ""},
		{"/* t */ INSERT INTO u VALUES ('t', \"s\") -- t", ""},
		{"REPLACE LOW_PRIORITY `t` VALUES (1)", "it changes shop.t"},
		{"LOAD DATA LOCAL INFILE '/tmp/x' REPLACE INTO TABLE `t` FIELDS TERMINATED BY ',' (id, @x) SET a = @x", "it changes shop.t"},
		{"LOAD DATA INFILE 't' INTO TABLE u", ""},
		{"LOAD XML LOCAL INFILE 'x' INTO TABLE shop.s ROWS IDENTIFIED BY '<t>'", "it changes shop.s"},
		{"UPDATE u SET c = 1 WHERE id IN (SELECT id FROM t)", ""},
		{"UPDATE u AS t SET t.c = 1", ""},
		{"UPDATE t PARTITION (p0) SET a = 1", "it changes shop.t"},
		{"UPDATE t, u SET u.c = t.a", ""},
		{"UPDATE t, u SET u.c = t.a, t.a = 1", "it changes shop.t"},
		{"UPDATE u JOIN t ON u.id = t.id SET c = a", ""},
		{"UPDATE u JOIN t ON u.id = t.id SET a = c", "it changes shop.t"},
		{"UPDATE u AS t JOIN t AS u ON u.id = t.id SET t.c = 1", ""},
		{"UPDATE u AS t JOIN t AS u ON u.id = t.id SET u.a = 1", "it changes shop.t"},
		{"UPDATE (u x LEFT JOIN (SELECT id FROM t WHERE a IN (1)) d ON x.id = d.id AND LEFT(x.c, 1) = 'a') SET x.c = 1 WHERE d.id IS NULL", ""},
		{"UPDATE u USE INDEX FOR JOIN (k, l) STRAIGHT_JOIN shop.t AS x SET x.a := 1, u.c = 2", "it changes shop.t"},
		{"UPDATE u, other.t SET other.t.id = 1", ""},
		{"UPDATE u INNER JOIN t USING (id) SET shop.t.a = 1", "it changes shop.t"},
		{"UPDATE { OJ u LEFT OUTER JOIN t ON u.id = t.id } SET u.c = 1", ""},
		{"UPDATE u, JSON_TABLE('[]', '$[*]' COLUMNS (a INT PATH '$')) AS t SET u.c = t.a", ""},
		{"UPDATE u, ((SELECT 1 AS a) UNION ALL (SELECT 2)) AS t SET u.c = t.a", ""},
		{"WITH t AS (SELECT 1 AS a), s (b) AS (SELECT 2) UPDATE u JOIN t ON c = t.a SET c = 2", ""},
		{"WITH x AS (SELECT 1 AS a) DELETE FROM t WHERE a IN (SELECT a FROM x)", "it changes shop.t"},
		{"DELETE FROM u WHERE id IN (SELECT id FROM s)", ""},
		{"DELETE QUICK FROM `shop`.`t` LIMIT 1", "it changes shop.t"},
		{"DELETE u FROM u JOIN t ON u.id = t.id", ""},
		{"DELETE x FROM t AS x, u", "it changes shop.t"},
		{"DELETE t FROM u AS t JOIN t AS x", ""},
		{"DELETE u.*, t.* FROM u JOIN t", "it changes shop.t"},
		{"DELETE FROM u USING u JOIN t ON u.id = t.id", ""},
		{"DELETE FROM u.*, shop.t.* USING u JOIN t ON u.id = t.id", "it changes shop.t"},
		{"DELETE FROM `far`", ""},
		// triggers
		{"INSERT INTO logged VALUES (1)", "trigger shop.trg of shop.logged may change shop.t"},
		{"DELETE FROM logged", ""},
		{"UPDATE logged SET id = 2", ""},
		{"INSERT INTO `reads` VALUES (1)", ""},
		{"DELETE FROM deep", "trigger shop.pass of shop.deep may change shop.t"},
		{"UPDATE other.u SET id = 1", "trigger other.far of other.u may change shop.t"},
		{"REPLACE INTO calls VALUES (1)", "trigger shop.caller of shop.calls may change shop.s"},
		// routines
		{"INSERT INTO u VALUES (F (1))", "function shop.f, which it calls, may change shop.s"},
		{"INSERT INTO u VALUES (f)", ""},
		{"INSERT INTO u VALUES (pure(1), udf(1), NOW())", ""},
		{"SELECT `shop`.`f`(1)", "function shop.f, which it calls, may change shop.s"},
		{"DO pure(1)", ""},
		{"CALL p(1)", "procedure shop.p, which it calls, may change shop.s"},
		{"CREATE TEMPORARY TABLE x AS SELECT f(1)", "function shop.f, which it calls, may change shop.s"},
		{"CREATE TEMPORARY TABLE x (f INT)", ""},
		{"INSERT INTO other.u VALUES (other.f(1))", ""},
		{"INSERT INTO other.u SELECT f.id FROM other.t AS f", ""},
		{"INSERT INTO u VALUES (CONCAT(1), concat (2), other.concat(3), max(4))", ""},
		{"INSERT INTO u VALUES (max (1))", "function shop.max, which it calls, may change shop.s"},
		{"INSERT INTO u VALUES (`concat`(1))", "function shop.concat, which it calls, may change shop.s"},
		{"INSERT INTO u VALUES (shop.concat(1))", "function shop.concat, which it calls, may change shop.s"},
		{"SELECT other.g()", "function other.g, which it calls, may change shop.t"},
		{"SELECT other.h()", ""},
		{"CALL other.k()", "procedure other.k, which it calls, may change shop.s"},
		// views
		{"DELETE FROM other.here", "view other.here, which it changes, may change shop.s"},
		{"DELETE FROM other.there", ""},
		{"UPDATE v SET a = 1", "view shop.v, which it changes, may change shop.t"},
		{"INSERT INTO other.vv VALUES (1)", "view other.vv, which it changes, may change shop.t"},
		{"INSERT INTO vu VALUES (1)", ""},
		{"INSERT INTO u SELECT * FROM v", ""},
		{"INSERT INTO u SELECT x FROM vf", "view shop.vf, which it reads, may change shop.s"},
		// what is not known is a temporary table, where all tables are seen
		{"INSERT INTO tmp VALUES (1)", ""},
		{"UPDATE tmp, t SET tmp.a = t.a", ""},
		{"INSERT INTO hidden.x VALUES (1)", "hidden.x is not a known table: it may be a view"},
		// what cannot be read
		{"UPDATE t + 1", "the statement, which cannot be read in full (expected SET), may change shop.t"},
		{"UPDATE u + 1", ""},
		// what changes no rows
		{"BEGIN", ""}, {"GRANT SELECT ON t TO x", ""}, {"CREATE TABLE IF NOT EXISTS t (id INT)", ""},
	} {
		r, _ := c.Apply(test.sql, schema.Context{Database: "shop"})
		if got := c.MayWrite(r, shopSelected); got != test.want {
			t.Errorf("%s:\n got %q\nwant %q", test.sql, got, test.want)
		}
	}
}

// TestMayWriteFollowsPrograms changes the triggers and routines, and saves and
// loads the catalog in between.
func TestMayWriteFollowsPrograms(t *testing.T) {
	maria := schema.Server{Flavor: "mariadb", Version: 101106, DefaultCharset: "latin1"}
	c := shop(t, maria)
	const trigger, function = "trigger shop.trg of shop.logged may change shop.t", "function shop.f, which it calls, may change shop.s"
	for _, step := range []struct{ ddl, sql, want string }{
		{"RENAME TABLE logged TO renamed", "INSERT INTO renamed VALUES (1)", "trigger shop.trg of shop.renamed may change shop.t"},
		{"ALTER TABLE renamed RENAME TO logged", "INSERT INTO logged VALUES (1)", trigger},
		{"CREATE OR REPLACE TRIGGER trg BEFORE INSERT OR DELETE ON logged FOR EACH ROW SET @a = 1", "INSERT INTO logged VALUES (1)", ""},
		{"CREATE OR REPLACE TRIGGER trg BEFORE INSERT OR DELETE ON logged FOR EACH ROW DELETE FROM t", "DELETE FROM logged", trigger},
		{"CREATE TRIGGER IF NOT EXISTS trg AFTER UPDATE ON logged FOR EACH ROW SET @a = 1", "INSERT INTO logged VALUES (1)", trigger},
		{"DROP TRIGGER IF EXISTS shop.trg", "INSERT INTO logged VALUES (1)", ""},
		{"CREATE TRIGGER trg AFTER INSERT ON logged FOR EACH ROW INSERT INTO t VALUES (1)", "INSERT INTO logged VALUES (1)", trigger},
		{"DROP TABLE logged", "INSERT INTO logged VALUES (1)", ""},
		{"CREATE TABLE logged (id INT)", "INSERT INTO logged VALUES (1)", ""},
		{"CREATE OR REPLACE FUNCTION f() RETURNS INT RETURN 1", "INSERT INTO u VALUES (f())", ""},
		{"CREATE OR REPLACE FUNCTION F() RETURNS INT BEGIN INSERT INTO s VALUES (1); RETURN 1; END", "INSERT INTO u VALUES (f())", "function shop.F, which it calls, may change shop.s"},
		{"ALTER FUNCTION f COMMENT 'x'", "INSERT INTO u VALUES (f())", "function shop.F, which it calls, may change shop.s"},
		{"DROP FUNCTION f", "INSERT INTO u VALUES (f())", ""},
		{"CREATE PACKAGE BODY pkg AS FUNCTION g() RETURN INT AS BEGIN UPDATE s SET b = 1; RETURN 1; END; END", "INSERT INTO u VALUES (pkg.g())", "package shop.pkg, which it calls, may change shop.s"},
		{"", "SELECT `shop`.`pkg.g`()", "package shop.pkg, which it calls, may change shop.s"},
		{"", "SELECT `pkg.g`()", "package shop.pkg, which it calls, may change shop.s"},
		{"DROP PACKAGE pkg", "INSERT INTO u VALUES (pkg.g())", ""},
		{"ALTER VIEW v AS SELECT * FROM u", "INSERT INTO v VALUES (1)", ""},
		{"CREATE OR REPLACE VIEW v AS SELECT * FROM s", "INSERT INTO v VALUES (1)", "view shop.v, which it changes, may change shop.s"},
		{"RENAME TABLE v TO w", "INSERT INTO w VALUES (1)", "view shop.w, which it changes, may change shop.s"},
		{"DROP VIEW IF EXISTS w, vu", "INSERT INTO w VALUES (1)", ""},
		{"CREATE TRIGGER", "INSERT INTO u VALUES (1)", "the triggers of shop.u cannot be seen: GRANT TRIGGER ON *.*"},
		{"DROP DATABASE shop", "INSERT INTO u VALUES (1)", "shop.u is not a known table: it may be a view"},
		{"CREATE DATABASE shop", "INSERT INTO u VALUES (1)", ""},
	} {
		ctx := schema.Context{Database: "shop"}
		if _, err := c.Apply(step.ddl, ctx); err != nil {
			t.Fatalf("%s: %v", step.ddl, err)
		}
		r := apply(t, c, ctx, step.sql)
		if got := c.MayWrite(r, shopSelected); got != step.want {
			t.Errorf("after %s, %s:\n got %q\nwant %q", step.ddl, step.sql, got, step.want)
		}
	}
}

// TestColumnsAreNoTables has columns with the name of a selected table in bodies that
// change other tables, and that table where it may be one.
func TestColumnsAreNoTables(t *testing.T) {
	c := shop(t, schema.Server{Flavor: "mariadb", Version: 101106, DefaultCharset: "latin1"})
	for body, want := range map[string]bool{
		"INSERT INTO u (id, s) VALUES (1, 2)":                                                 false,
		"INSERT INTO u (s) SELECT s FROM u":                                                   false,
		"INSERT INTO shop.u (id, s) SELECT id, s FROM u ORDER BY id, s":                       false,
		"INSERT INTO u SELECT MAX(id), COUNT(s) FROM u GROUP BY s HAVING s":                   false,
		"UPDATE u SET c = 1 WHERE s IN (1, 2) AND s IS NULL":                                  false,
		"DELETE FROM u WHERE id IN (s, 1) OR s BETWEEN 1 AND 2 ORDER BY s LIMIT 1":            false,
		"INSERT INTO u SELECT EXTRACT(YEAR FROM s), (s) FROM u":                               true, // FROM stands before it
		"INSERT INTO u (id) SELECT id FROM u; DELETE FROM s":                                  true,
		"UPDATE u SET c = (SELECT c FROM u WHERE id); UPDATE s SET b = 1":                     true,
		"UPDATE u JOIN s ON u.id = s.id SET b = 1 WHERE u.id":                                 true,
		"UPDATE u, s SET b = 1 WHERE id":                                                      true,
		"UPDATE (u, s) SET b = 1":                                                             true,
		"DELETE s FROM u JOIN s":                                                              true,
		"DELETE FROM u, s USING u JOIN s WHERE u.id":                                          true,
		"DELETE u, s FROM u JOIN s WHERE u.id":                                                true,
		"IF (SELECT id FROM u WHERE id LIMIT 1) THEN DELETE FROM s; END IF":                   true,
		"IF EXISTS (SELECT id FROM u) THEN INSERT s VALUES (1); END IF":                       true,
		"SET @a = (SELECT id FROM u WHERE id); INSERT INTO s (id) VALUES (1)":                 true,
		"REPLACE s SELECT id FROM u":                                                          true,
		"INSERT INTO u SELECT NEXTVAL(s)":                                                     true,
		"INSERT INTO u SELECT NEXT VALUE FOR s":                                               true,
		"CASE WHEN (SELECT 1) THEN REPLACE INTO s VALUES (1); END CASE":                       true,
		"INSERT INTO u SELECT id FROM u WHERE @select > 1; LOAD DATA INFILE 'x' INTO TABLE s": true,
		"FOR r IN (SELECT id FROM u WHERE id) DO DELETE FROM s; END FOR":                      true,
		"DECLARE r CURSOR FOR SELECT id FROM u WHERE id; INSERT INTO s VALUES (1)":            true,
		"INSERT INTO s (SELECT id FROM u)":                                                    true,
		"INSERT INTO `s` (id) VALUES (1)":                                                     true,
	} {
		ctx := schema.Context{Database: "shop"}
		apply(t, c, ctx, "CREATE OR REPLACE FUNCTION q() RETURNS INT BEGIN "+body+"; RETURN 1; END")
		why := c.MayWrite(apply(t, c, ctx, "INSERT INTO u VALUES (q())"), shopSelected)
		if (why != "") != want {
			t.Errorf("%s: got %q, want a reason: %v", body, why, want)
		}
	}
}

// TestOtherDatabases has statements call and name what is in a database that the catalog does not have:
// it is not there, or was hidden from the account.
func TestOtherDatabases(t *testing.T) {
	const hidden = "may be a stored function, and those of far cannot be seen: GRANT SELECT ON *.*"
	const unseen = "which cannot be seen, and may be a view or have triggers: GRANT SELECT, TRIGGER, SHOW VIEW ON *.*"
	for _, server := range []schema.Server{mysql8, {Flavor: "mariadb", Version: 101106, DefaultCharset: "latin1"}} {
		for _, test := range []struct{ sql, def, want string }{
			{sql: "SELECT `far`.`f`(1)", want: "f " + hidden},
			{sql: "DO far.f(1)", want: "f " + hidden},
			{sql: "INSERT INTO u VALUES (far . f(1))", want: "f " + hidden},
			{sql: "UPDATE u SET c = 1 WHERE far.f(id)", want: "f " + hidden},
			{sql: "LOAD DATA INFILE 'x' INTO TABLE u (id, @c) SET c = far.f(@c)", want: "f " + hidden},
			{sql: "CREATE TEMPORARY TABLE tmp SELECT far.f(1) AS x", want: "f " + hidden},
			{sql: "INSERT INTO shop.u VALUES (f(1))", def: "far", want: "f " + hidden},
			{sql: "INSERT INTO shop.u VALUES (CONCAT(1))", def: "far"},
			{sql: "INSERT INTO shop.u (id) VALUES (1)", def: "far"},
			{sql: "INSERT INTO shop.u VALUES (f(1))", def: "-"},
			{sql: "INSERT INTO marked VALUES (1)", want: "trigger shop.mark of shop.marked may write: it names f " + hidden},
			{sql: "SELECT calls(1)", want: "function shop.calls, which it calls, may write: it names f " + hidden},
			{sql: "INSERT INTO u SELECT x FROM vfar", want: "view shop.vfar, which it reads, may write: it names f " + hidden},
			{sql: "INSERT INTO u SELECT * FROM far.v", want: "it names far.v, " + unseen},
			{sql: "INSERT INTO u SELECT v.x FROM u JOIN far.v ON u.id = v.x", want: "it names far.v, " + unseen},
			{sql: "INSERT INTO u SELECT v.x FROM u, far.v WHERE u.id", want: "it names far.v, " + unseen},
			{sql: "INSERT INTO u SELECT (SELECT MAX(id) FROM far.v), u.c FROM u", want: "it names far.v, " + unseen},
			{sql: "UPDATE u, far.v SET u.c = v.x", want: "it names far.v, " + unseen},
			{sql: "INSERT INTO shop.u SELECT * FROM v", def: "far", want: "it names far.v, " + unseen},
			{sql: "INSERT INTO logged VALUES (1)", want: "trigger shop.trg of shop.logged names far.y, " + unseen},
			{sql: "SELECT changes(1)", want: "function shop.changes, which it calls, names far.v, " + unseen},
			{sql: "INSERT INTO u SELECT x FROM vview", want: "view shop.vview, which it reads, names far.v, " + unseen},
			{sql: "INSERT INTO u SELECT EXTRACT(YEAR FROM q.id), q.c FROM u AS q ORDER BY q.id, q.c"},
			{sql: "INSERT INTO u VALUES (1, 2) ON DUPLICATE KEY UPDATE u.c = 1, u.id = 2"},
			{sql: "INSERT INTO u SELECT a.id, b.id FROM u a JOIN marked b ON (a.id = b.id) WHERE a.id IN (b.id, a.c)"},
			{sql: "INSERT INTO u SELECT a.id, (SELECT MAX(b.id) FROM marked AS b WHERE b.id IN (a.id, a.c)) FROM u a GROUP BY a.id, a.c LIMIT 1, 2"},
			{sql: "UPDATE u a, u b SET a.c = 1, b.id = 2 WHERE a.id = b.id"}, {sql: "DELETE a FROM u AS a JOIN u AS b USING (id) WHERE a.c"},
			{sql: "INSERT IGNORE INTO u (id, c) SELECT SUBSTRING(a.c FROM a.id FOR a.c), REPLACE(a.c, a.id, a.c) FROM u AS a FORCE INDEX (x)"},
			{sql: "SELECT reads(1)"}, {sql: "INSERT INTO mysql.x SELECT * FROM sys.y"},
			{sql: "SELECT mysql.rds_version()"}, {sql: "DO sys.f(1)"}, {sql: "INSERT INTO u VALUES (1)"},
		} {
			ctx := schema.Context{Database: "shop"}
			for sees, want := range map[bool]string{true: "", false: test.want} {
				c := schema.NewCatalog(server)
				if sees {
					c.SeeOthers()
				}
				apply(t, c, ctx, "CREATE DATABASE shop", "CREATE TABLE u (id INT, c INT)", "CREATE TABLE t (id INT)", "CREATE TABLE marked (id INT)",
					"CREATE TRIGGER mark AFTER INSERT ON marked FOR EACH ROW SET @a = far.f(NEW.id)", "CREATE VIEW vfar AS SELECT far.f(1) AS x",
					"CREATE TABLE logged (id INT)", "CREATE TRIGGER trg AFTER INSERT ON logged FOR EACH ROW INSERT INTO far.y (id) VALUES (NEW.id)",
					"CREATE FUNCTION changes(x INT) RETURNS INT BEGIN UPDATE far.v SET a = x; RETURN x; END", "CREATE VIEW vview AS SELECT v.a AS x FROM (u JOIN far.v)",
					"CREATE FUNCTION reads(x INT) RETURNS INT BEGIN DECLARE c CURSOR FOR SELECT a.id FROM u a WHERE a.id; FOR r IN (SELECT a.id, a.c FROM u AS a FOR UPDATE) DO SET x = r.id; END FOR; "+
						"INSERT INTO u (id) SELECT a.id FROM u AS a, u AS b WHERE a.id = b.id ON DUPLICATE KEY UPDATE u.c = a.id, u.id = b.id; RETURN x; END",
					"CREATE FUNCTION calls(x INT) RETURNS INT RETURN far.f(x)")
				at := ctx
				if test.def != "" {
					at.Database = strings.Trim(test.def, "-")
				}
				if got := c.MayWrite(apply(t, c, at, test.sql), shopSelected); got != want {
					t.Errorf("%s, default database %q, all seen: %v:\n got %q\nwant %q", test.sql, at.Database, sees, got, want)
				}
			}
		}
	}
}

// TestServersOwnDatabases has a service write into databases that the account does not see, or not wholly.
func TestServersOwnDatabases(t *testing.T) {
	maria := schema.Server{Flavor: "mariadb", Version: 110806, DefaultCharset: "latin1"}
	for _, known := range []bool{false, true} {
		for _, sql := range []string{
			"insert into mysql.rds_heartbeat2(id,value) values(1,2) on duplicate key update value=2", "replace into mysql.ha_health_check values (1, 2)",
			"update mysql.rds_configuration set value= NAME_CONST('vv',30) where name= NAME_CONST('n',_utf8mb4'binlog retention hours')", "delete from mysql.rds_history where a<1",
			"insert into sys.x values (1)", "SELECT `mysql`.`rds_version`()", "insert into mysql.rds_history select mysql.rds_version(), now()", "INSERT INTO mysql.plain VALUES (mysql.f())",
		} {
			c, ctx := schema.NewCatalog(maria), schema.Context{Database: "mysql"}
			if known {
				c.PutDatabase("mysql", "utf8mb4")
				c.Unknown("mysql", "plain")
			}
			if got := c.MayWrite(apply(t, c, ctx, sql), shopSelected); got != "" {
				t.Errorf("%s: got %q", sql, got)
			}
		}
		c := schema.NewCatalog(maria)
		r := apply(t, c, schema.Context{}, "INSERT INTO mysql.x VALUES (1)")
		if got := c.MayWrite(r, func(db, _ string) bool { return db == "mysql" }); got != "it changes mysql.x" {
			t.Errorf("a table of mysql that is selected: got %q", got)
		}
	}
}

func TestMayWriteAfterLoading(t *testing.T) {
	c := shop(t, mysql8)
	saved := c.Dirty()
	load := func(entries []schema.Entry) *schema.Catalog {
		loaded, err := schema.Load(mysql8, func(yield func(schema.Entry, error) bool) {
			for _, e := range entries {
				if !yield(e, nil) {
					return
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		return loaded
	}
	loaded := load(saved)
	for _, sql := range []string{"INSERT INTO logged VALUES (1)", "INSERT INTO u VALUES (f(1))", "UPDATE v SET a = 1", "INSERT INTO u VALUES (1)", "SELECT far.f(1)"} {
		want := c.MayWrite(apply(t, c, schema.Context{Database: "shop"}, sql), shopSelected)
		if got := loaded.MayWrite(apply(t, loaded, schema.Context{Database: "shop"}, sql), shopSelected); got != want {
			t.Errorf("%s: got %q, want %q as before", sql, got, want)
		}
	}
	apply(t, loaded, schema.Context{Database: "shop"}, "DROP TRIGGER trg", "DROP DATABASE other")
	gone := 0
	for _, e := range loaded.Dirty() {
		if e.Value == nil {
			gone++
		}
	}
	if gone != 1+1+2+9 { // trg; the database, two tables, nine programs
		t.Errorf("%d entries deleted, want 13", gone)
	}
	// what an earlier version saved knows of no programs
	old := []schema.Entry{{Key: []byte("d\x00shop"), Value: []byte(`{"name":"shop","charset":"utf8mb4"}`)},
		{Key: []byte("t\x00shop\x00u"), Value: []byte(`{"table":{"database":"shop","name":"u","columns":[{"name":"a","type":"INT"}]}}`)}}
	old = append(old, schema.Entry{Key: []byte("d\x00other"), Value: []byte(`{"name":"other","charset":"utf8mb4","seen":15}`)},
		schema.Entry{Key: []byte("d\x00shop"), Value: []byte(`{"name":"shop","charset":"utf8mb4","seen":15}`)},
		schema.Entry{Key: []byte("t\x00shop\x00t"), Value: []byte(`{"table":{"database":"shop","name":"t","columns":[{"name":"a","type":"INT"}]}}`)},
		schema.Entry{Key: []byte("p\x00other\x00function\x00f"), Value: []byte(`{"kind":"function","database":"other","name":"f","names":"INSERT\nINTO\nshop\nt\n","writes":true}`)})
	loaded = load(old)
	if got, want := loaded.MayWrite(apply(t, loaded, schema.Context{Database: "other"}, "DO f()"), shopSelected), "function other.f, which it calls, may change shop.t"; got != want {
		t.Errorf("a body of which names alone are saved: got %q, want %q", got, want)
	}
	loaded = load(old[:2])
	if got := loaded.MayWrite(apply(t, loaded, schema.Context{Database: "shop"}, "INSERT INTO u VALUES (1)"), shopSelected); !strings.HasPrefix(got, "the triggers of shop.u cannot be seen") {
		t.Errorf("a catalog without programs: got %q", got)
	}
}

// TestForget has a catalog of today stand for an earlier position: what
// statements in between have changed is not relied on.
func TestForget(t *testing.T) {
	const triggers, views = "the triggers of shop.u cannot be seen: GRANT TRIGGER ON *.*", "shop.tmp is not a known table: it may be a view"
	for _, test := range []struct{ between, sql, want string }{
		{"ALTER TABLE u ADD x INT", "INSERT INTO u VALUES (1)", ""},
		{"CREATE TABLE fresh (id INT)", "INSERT INTO u VALUES (1)", ""},
		{"DROP TABLE other.u", "INSERT INTO u VALUES (1)", ""},
		{"DROP TABLE gone", "INSERT INTO u VALUES (1)", triggers},
		{"DROP TRIGGER gone", "INSERT INTO u VALUES (1)", triggers},
		{"CREATE TRIGGER fresh AFTER INSERT ON u FOR EACH ROW SET @a = 1", "INSERT INTO u VALUES (1)", triggers},
		{"RENAME TABLE old TO u", "INSERT INTO u VALUES (1)", triggers},
		{"DROP DATABASE shop", "INSERT INTO u VALUES (1)", triggers},
		{"DROP VIEW gone", "INSERT INTO tmp VALUES (1)", views},
		{"RENAME TABLE tmp TO v", "INSERT INTO tmp VALUES (1)", views},
		{"CREATE OR REPLACE VIEW vu AS SELECT 1", "UPDATE vu SET c = 1", "view shop.vu, which it changes, may change anything, as what shop.vu is cannot be seen: GRANT SELECT, SHOW VIEW ON *.*"},
		{"DROP FUNCTION gone", "SELECT pure(1)", "function shop.pure, which it calls, may change anything, as what shop.pure is cannot be seen: GRANT SELECT ON *.*"},
		{"DROP FUNCTION gone", "SELECT gone(1)", "gone may be a stored function, and those of shop cannot be seen: GRANT SELECT ON *.*"},
		{"DROP FUNCTION gone", "SELECT COALESCE(1, 2)", ""},
		{"DROP DATABASE far", "SELECT far.f(1)", "f may be a stored function, and those of far cannot be seen: GRANT SELECT ON *.*"},
		{"DROP FUNCTION gone", "INSERT INTO u VALUES (1)", ""},
	} {
		c, ctx := shop(t, mysql8), schema.Context{Database: "shop"}
		between, err := schema.NewCatalog(mysql8).Apply(test.between, ctx)
		if err != nil && between.ChangesPrograms() {
			t.Fatal(err)
		}
		c.Forget(between)
		if got := c.MayWrite(apply(t, c, ctx, test.sql), shopSelected); got != test.want {
			t.Errorf("%s before %s:\n got %q\nwant %q", test.sql, test.between, got, test.want)
		}
	}
}

// TestMayWriteInAnyCase reads names as lower_case_table_names says.
func TestMayWriteInAnyCase(t *testing.T) {
	for n, want := range []string{"", "it changes shop.t", "it changes shop.T"} {
		server := mysql8
		server.LowerCaseTableNames = n
		c := schema.NewCatalog(server)
		ctx := schema.Context{Database: "Shop"}
		apply(t, c, ctx, "CREATE DATABASE shop", "CREATE DATABASE Shop", "CREATE TABLE shop.T (id INT)")
		r := apply(t, c, ctx, "INSERT INTO SHOP.t VALUES (1)")
		got := c.MayWrite(r, func(db, table string) bool { return strings.EqualFold(db, "shop") && strings.EqualFold(table, "t") })
		if n == 0 {
			want = "it changes SHOP.t" // a database that is not known
		}
		if !strings.EqualFold(got, want) {
			t.Errorf("lower_case_table_names=%d: got %q, want %q", n, got, want)
		}
	}
}

// BenchmarkMayWrite decides about a statement at a source of many tables.
func BenchmarkMayWrite(b *testing.B) {
	for _, n := range []int{100, 20000} {
		b.Run(fmt.Sprintf("tables=%d", n), func(b *testing.B) {
			c := schema.NewCatalog(mysql8)
			ctx := schema.Context{Database: "shop"}
			statements := []string{"CREATE DATABASE shop"}
			for i := range n {
				statements = append(statements, fmt.Sprintf("CREATE TABLE t%d (id INT)", i))
			}
			statements = append(statements, "CREATE TRIGGER trg AFTER UPDATE ON t7 FOR EACH ROW INSERT INTO t8 VALUES (1)")
			for _, sql := range statements {
				if _, err := c.Apply(sql, ctx); err != nil {
					b.Fatal(err)
				}
			}
			selected := func(_, table string) bool { return table == "t1" }
			for b.Loop() {
				r, _ := c.Apply("UPDATE t7 JOIN t9 ON t7.id = t9.id SET t7.id = t9.id + 1 WHERE t7.id = 12 AND t9.id = 17", ctx)
				if why := c.MayWrite(r, selected); why != "" {
					b.Fatal(why)
				}
			}
		})
	}
}
