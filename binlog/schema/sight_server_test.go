//go:build servers

package schema

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-mysql-org/go-mysql/client"

	"daybook/e2e/servers"
)

// TestSnapshotKnowsWhatItCannotSee takes a snapshot by accounts of different
// privileges: what is hidden from one is never taken for absent.
func TestSnapshotKnowsWhatItCannotSee(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		src := openSource(t, s, fmt.Sprintf("schema_sight_%08x", rand.Uint32()))
		other := src.db + "_o" // with nothing else in it
		t.Cleanup(func() { src.must("DROP DATABASE IF EXISTS " + other) })
		for _, sql := range []string{
			"CREATE DATABASE " + other, "CREATE FUNCTION " + other + ".f(x INT) RETURNS INT DETERMINISTIC BEGIN UPDATE " + src.db + ".t SET a = x; RETURN x; END",
			"CREATE TABLE t (id INT, a INT)", "CREATE TABLE u (id INT, a INT)", "CREATE TABLE plain (id INT, a INT)",
			"CREATE TRIGGER trg AFTER INSERT ON u FOR EACH ROW INSERT INTO t VALUES (NEW.id, 1)",
			"CREATE FUNCTION f(x INT) RETURNS INT DETERMINISTIC BEGIN UPDATE t SET a = x; RETURN x; END",
			"CREATE FUNCTION pure(x INT) RETURNS INT DETERMINISTIC RETURN x + 1",
			"CREATE VIEW v AS SELECT * FROM t", "CREATE VIEW vu AS SELECT * FROM plain",
		} {
			src.must(sql)
		}
		const triggers, routines, opaque = "cannot be seen: GRANT TRIGGER", "may be a stored function, and those of", "may change anything"
		for _, test := range []struct {
			name, grant        string
			role               bool
			insertU, plain     string // how the answers end or what is in them; "" for none
			callF, pure        string
			callOther          string
			changeV, changeVU  string
			temporary, builtIn string
		}{
			{name: "all", grant: "SELECT, TRIGGER, SHOW VIEW ON *.*", insertU: "may change", callOther: "may change", callF: "may change", changeV: "may change"},
			{name: "no triggers", grant: "SELECT, SHOW VIEW ON *.*", insertU: triggers, plain: triggers, callOther: "may change", callF: "may change", changeV: "may change", changeVU: triggers},
			{name: "no view bodies", grant: "SELECT, TRIGGER ON *.*", insertU: "may change", callOther: "may change", callF: "may change", changeV: opaque, changeVU: opaque},
			{name: "one database", grant: "SELECT, TRIGGER, SHOW VIEW ON `" + strings.ReplaceAll(src.db, "_", `\_`) + "`.*", insertU: "may change", callOther: routines, callF: routines, pure: routines, changeV: "may change"},
			{name: "execute", grant: "SELECT, TRIGGER, SHOW VIEW, EXECUTE ON `" + src.db + "`.*", insertU: "may change", callOther: routines, callF: opaque, pure: opaque, changeV: "may change"},
			{name: "one table", grant: "SELECT ON " + src.db + ".plain", insertU: "not a known table", plain: triggers, callOther: routines, callF: routines, pure: routines,
				changeV: "not a known table", changeVU: "not a known table", temporary: "not a known table"},
			{name: "role", grant: "SELECT, TRIGGER, SHOW VIEW ON *.*", role: true, insertU: "may change", callOther: "may change", callF: "may change", changeV: "may change"},
		} {
			t.Run(test.name, func(t *testing.T) {
				if test.role && !src.server.mysqlFrom(80000) && !src.server.mariaDB() {
					return // a server without roles
				}
				c := snapshotAs(t, src, s, test.grant, test.role)
				ctx := Context{Database: src.db}
				for _, want := range []struct{ sql, text string }{
					{"INSERT INTO u VALUES (1, 1)", test.insertU}, {"INSERT INTO plain VALUES (1, 1)", test.plain},
					{"SELECT f(1)", test.callF}, {"SELECT pure(1)", test.pure},
					{"SELECT `" + other + "`.`f`(1)", test.callOther},
					{"UPDATE v SET a = 1", test.changeV}, {"UPDATE vu SET a = 1", test.changeVU},
					{"INSERT INTO tmp VALUES (1)", test.temporary}, {"SELECT CONCAT(1)", test.builtIn},
				} {
					r, err := c.Apply(want.sql, ctx)
					if err != nil {
						t.Fatal(err)
					}
					got := c.MayWrite(r, func(db, table string) bool { return db == src.db && table == "t" })
					if !strings.Contains(got, want.text) || (got == "") != (want.text == "") {
						t.Errorf("%s: got %q, want %q", want.sql, got, want.text)
					}
				}
			})
		}
	})
}

// snapshotAs reads the source by an account that is granted that alone, itself
// or by a role.
func snapshotAs(t *testing.T, src *source, s *servers.Server, grant string, role bool) *Catalog {
	t.Helper()
	user := fmt.Sprintf("sight%08x", rand.Uint32())
	src.must("CREATE USER " + user + "@'127.0.0.1' IDENTIFIED BY 'Sight-1'")
	t.Cleanup(func() { src.must("DROP USER " + user + "@'127.0.0.1'") })
	to := user + "@'127.0.0.1'"
	if role {
		src.must("CREATE ROLE " + user + "_r")
		t.Cleanup(func() { src.must("DROP ROLE " + user + "_r") })
		src.must("GRANT " + user + "_r TO " + to)
		if src.server.mariaDB() {
			src.must("SET DEFAULT ROLE " + user + "_r FOR " + to)
		} else {
			src.must("SET DEFAULT ROLE " + user + "_r TO " + to)
		}
		to = user + "_r"
	}
	src.must("GRANT " + grant + " TO " + to)
	conn, err := client.Connect(s.Address, user, "Sight-1", "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	own := &source{t: t, conn: conn, server: src.server}
	own.must("SET NAMES utf8")
	c, err := Snapshot(context.Background(), own.query, src.server)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
