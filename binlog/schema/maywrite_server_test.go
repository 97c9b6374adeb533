//go:build servers

package schema

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"daybook/e2e/servers"
)

// TestMayWriteMissesNoChange makes random triggers, functions, procedures and
// views, runs random statements in a session with binlog_format=STATEMENT, and
// sees that no selected table changes without MayWrite saying so of what was
// logged: by a catalog that followed the DDL, and by one that was read after it.
//
// Its servers are its own: at shared ones, tests that read the binlog beside it are stopped by such statements.
func TestMayWriteMissesNoChange(t *testing.T) {
	each := func(t *testing.T, s *servers.Server) {
		n := *seed
		if n == 0 {
			n = rand.Uint64()
		}
		t.Logf("go test -tags servers -run %s -seed %d", t.Name(), n)
		src := openSource(t, s, fmt.Sprintf("schema_maywrite_%08x", rand.Uint32()))
		src.must("SET SESSION binlog_format = STATEMENT")
		src.ctx = Context{Database: src.db}
		t.Cleanup(func() { src.must("DROP DATABASE IF EXISTS " + src.db + "_o") })
		g := &programGenerator{generator: generator{Rand: rand.New(rand.NewPCG(n, 7)), server: src.server}}
		var changed, told, quiet int
		for range 6 {
			followed := NewCatalog(src.server)
			for _, sql := range g.programs(src.db) {
				if _, err := src.query(context.Background(), sql); err != nil {
					continue // a recursion that the server forbids
				}
				if _, err := followed.Apply(sql, src.ctx); err != nil {
					t.Fatal(err)
				}
			}
			read, err := Snapshot(context.Background(), src.query, src.server)
			if err != nil {
				t.Fatal(err)
			}
			for range 60 {
				sql := g.statement()
				before := src.selectedRows()
				logged, err := src.logged(sql)
				if err != nil && *rejected {
					t.Logf("rejected: %s: %v", sql, err)
				}
				after := src.selectedRows()
				for name, c := range map[string]*Catalog{"followed": followed, "read": read} {
					why := ""
					for _, l := range logged {
						r, err := c.Apply(l, src.ctx)
						if err != nil {
							t.Fatal(err)
						}
						why += c.MayWrite(r, func(db, table string) bool { return db == src.db && (table == "t" || table == "s") })
					}
					switch {
					case before != after && why == "":
						t.Errorf("%s: it changed a selected table; logged %q; the catalog that was %s tells nothing\nprograms %s", sql, logged, name, g.last)
					case before != after:
						changed++
					case why != "" && len(logged) > 0:
						told++
					default:
						quiet++
					}
				}
			}
		}
		t.Logf("%d changes of selected tables told, %d of what might have been, %d passed", changed, told, quiet)
		if changed < 50 || quiet < 50 {
			t.Error("the generator proves little")
		}
	}
	for _, version := range servers.Names {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			each(t, servers.Start(t, version))
		})
	}
}

func (s *source) selectedRows() string {
	return fmt.Sprint(s.must("SELECT * FROM t ORDER BY 1, 2"), s.must("SELECT * FROM s ORDER BY 1, 2"))
}

// logged runs a statement that may fail, and returns the statements logged.
func (s *source) logged(sql string) ([]string, error) {
	before := s.must(s.status)[0]
	_, failed := s.query(context.Background(), sql)
	var logged []string
	prefix := "use `" + s.db + "`; "
	for _, row := range s.eventsSince(before) {
		if text, ok := strings.CutPrefix(row[5].String, prefix); ok && row[2].String == "Query" {
			logged = append(logged, text)
		}
	}
	return logged, failed
}

// programGenerator makes programs over the tables t and s, which are selected,
// and u, v and w, which are not, and statements that may run them.
type programGenerator struct {
	generator
	last  string // the programs, for a message
	other string // another database
}

// programs returns DDL that makes a new database.
func (g *programGenerator) programs(db string) []string {
	list := []string{"DROP DATABASE IF EXISTS " + db, "CREATE DATABASE " + db, "USE " + db}
	for _, table := range []string{"t", "s", "u", "v", "w"} {
		list = append(list, "CREATE TABLE "+table+" (id INT, a INT)", "INSERT INTO "+table+" VALUES (1, 1), (2, 2), (3, 3)")
	}
	for i := range 3 {
		list = append(list, fmt.Sprintf("CREATE VIEW view%d AS SELECT id, a FROM %s", i, g.pick("t", "u", "v", "view0", "view1"))+g.maybe(20, " WHERE f0(1) > 0"))
		list = append(list, fmt.Sprintf("CREATE PROCEDURE p%d() BEGIN %s; END", i, g.inner()))
		list = append(list, fmt.Sprintf("CREATE FUNCTION f%d(x INT) RETURNS INT DETERMINISTIC BEGIN %s; RETURN x; END", i, g.inner()))
		list = append(list, fmt.Sprintf("CREATE TRIGGER trg%d %s %s ON %s FOR EACH ROW BEGIN %s; END", i,
			g.pick("BEFORE", "AFTER"), g.pick("INSERT", "UPDATE", "DELETE"), g.pick("u", "v", "w"), g.inner()))
	}
	g.last = fmt.Sprintf("%q", list[13:])
	other := db + "_o" // of which nothing is selected
	list = append(list, "DROP DATABASE IF EXISTS "+other, "CREATE DATABASE "+other)
	for _, table := range []string{"t", "u"} {
		list = append(list, "CREATE TABLE "+other+"."+table+" (id INT, a INT)", "INSERT INTO "+other+"."+table+" VALUES (1, 1), (2, 2)")
	}
	for i, base := range []string{"t", "u", other + ".t", db + ".view1"} {
		list = append(list, fmt.Sprintf("CREATE VIEW %s.view%d AS SELECT id, a FROM %s", other, i, base))
	}
	for i := range 3 {
		inner := strings.NewReplacer(" INTO ", " INTO "+g.pick("", db+".", other+"."), "UPDATE ", "UPDATE "+g.pick("", db+".", other+"."), "CALL ", "CALL "+db+".").Replace(g.inner())
		list = append(list, fmt.Sprintf("CREATE FUNCTION %s.f%d(x INT) RETURNS INT DETERMINISTIC BEGIN %s; RETURN x; END", other, i, inner))
	}
	g.other = other
	return list
}

// inner returns what is in a program's body: a statement, with queries about it.
func (g *programGenerator) inner() string {
	about := g.pick("", "", "IF EXISTS (SELECT t FROM (SELECT id AS t FROM u) AS d WHERE t) THEN ; END IF",
		"SET @z = (SELECT MAX(id) FROM u WHERE id IN (SELECT a FROM v GROUP BY a HAVING COUNT(*) > 0) ORDER BY 1); ",
		"CASE WHEN (SELECT COUNT(*) FROM u WHERE a) >= 0 THEN ; ELSE SET @z = 1; END CASE",
		"SELECT MAX(id) INTO @z FROM u WHERE id; ", "BEGIN DECLARE c CURSOR FOR SELECT id FROM u WHERE id ORDER BY id; ; END",
		"BEGIN DECLARE EXIT HANDLER FOR NOT FOUND ; SELECT id INTO @z FROM u WHERE id < 0 ORDER BY a; END")
	before, after, ok := strings.Cut(about, " ; ")
	if !ok {
		return about + g.change()
	}
	return before + " " + g.change() + "; " + after
}

// change returns a statement that may change rows.
func (g *programGenerator) change() string {
	table := g.pick("t", "s", "u", "v", "w", "w", "view0", "view1")
	switch g.IntN(11) {
	case 8:
		return "INSERT INTO " + table + " (id, a) SELECT id, a FROM " + g.pick("u", "v", "t") + " WHERE id ORDER BY id LIMIT 1"
	case 9:
		return "UPDATE " + g.pick("u", "v") + " AS x JOIN " + table + " AS y ON x.id = y.id SET y.a = y.a + 1 WHERE x.id"
	case 10:
		return "DELETE y FROM " + g.pick("u", "v") + " AS x, " + table + " AS y WHERE x.id = y.id AND y.id = 3"
	case 0, 1:
		return "INSERT INTO " + table + " VALUES (4, 4)"
	case 2:
		return "UPDATE " + table + " SET a = a + 1"
	case 3:
		return "DELETE FROM " + table + " WHERE id = 1"
	case 4:
		return "CALL " + g.pick("p0", "p1")
	case 5:
		return "SET @x = " + g.pick("f0", "F1") + "(1)"
	case 6:
		return "SET @x = (SELECT COUNT(*) FROM " + g.pick("t", "view0", "view1") + ")"
	}
	return "SET @x = 1"
}

func (g *programGenerator) statement() string {
	a, b := g.pick("t", "u", "v", "w", "view0", "view1", "view2", g.other+".view0", g.other+".view1", g.other+".view2", g.other+".view3", g.other+".t"), g.pick("t", "s", "u", "v", "w")
	value := g.pick("1", "a", "id", "f0(1)", "f1(a)", "`f2` (1)", "(SELECT MAX(id) FROM s)", g.other+".f0(1)", g.other+".f1(1)", g.other+". f2 (1)")
	switch g.IntN(12) {
	case 0, 1:
		return "INSERT INTO " + a + " (id, a) SELECT id, " + value + " FROM " + b + " LIMIT 2"
	case 2:
		return "REPLACE " + a + " SET id = 5"
	case 3:
		return "UPDATE " + a + " SET a = 1 + a WHERE id < 3 OR a = " + value
	case 4, 5:
		x, y := g.pick("x", "t", "u"), g.pick("y", "s", "v")
		return fmt.Sprintf("UPDATE %s AS %s JOIN %s %s ON %[2]s.id = %[4]s.id SET %s.a = %[2]s.a + %[4]s.a + 1", a, x, b, y, g.pick(x, y))
	case 6:
		return "DELETE FROM " + a + " WHERE id = 2"
	case 7:
		x, y := g.pick("x", "t", "u"), g.pick("y", "s", "v")
		return fmt.Sprintf("DELETE %s FROM %s AS %s, %s AS %s WHERE %[3]s.id = %[5]s.id", g.pick(x, y, x+".*, "+y), a, x, b, y)
	case 8:
		x, y := g.pick("x", "t", "u"), g.pick("y", "s", "v")
		return fmt.Sprintf("DELETE FROM %s USING %s AS %s INNER JOIN %s AS %s WHERE %[3]s.id = %[5]s.id", g.pick(x, y), a, x, b, y)
	case 9:
		return "CALL " + g.pick("p0", "p1", "p2") + "()"
	case 10:
		return g.pick("SELECT ", "DO ", "SET @y = ") + g.pick("f0", "f1", "f2") + "(1)"
	}
	if g.server.mariaDB() && g.chance(50) {
		return "ANALYZE UPDATE " + a + " SET a = a + 1"
	}
	return "CREATE TEMPORARY TABLE IF NOT EXISTS " + g.pick("x1", "x2", "x3") + " AS SELECT " + value + " AS c FROM " + b
}
