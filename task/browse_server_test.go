//go:build servers

package task_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"daybook/binlog"
	"daybook/e2e/servers"
	"daybook/objects"
	"daybook/task"
)

// TestBrowse lists databases and tables of odd names, and previews patterns, with an account
// that has no more than the documents say.
func TestBrowse(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) { browse(t, s, false) })
	for _, version := range []string{"mysql-5.5", "mysql-9", "mariadb-10.5", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			browse(t, servers.Start(t, version), false)
		})
	}
	t.Run("mysql-8.0/lower", func(t *testing.T) {
		t.Parallel()
		browse(t, servers.Start(t, "mysql-8.0", "--lower-case-table-names=1"), true)
	})
}

func browse(t *testing.T, s *servers.Server, fold bool) {
	name, db := s.Database(t)
	odd := name + " a`b.c"
	q := servers.QuoteName
	db.Exec("CREATE DATABASE "+q(odd), "CREATE TABLE orders (id INT PRIMARY KEY, v VARCHAR(200)) ENGINE=InnoDB", "CREATE TABLE `odd.t 'x\\y'` (id INT) ENGINE=MyISAM",
		"CREATE VIEW seen AS SELECT id FROM orders", "CREATE VIEW broken AS SELECT id FROM `odd.t 'x\\y'`",
		"CREATE TABLE tmp_1 (id INT)", "CREATE TABLE `Case` (id INT)", "CREATE TABLE "+q(odd)+".`表` (id INT)")
	if err := db.Try("CREATE TABLE `case` (id INT)"); (err != nil) != fold {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Exec("DROP DATABASE " + q(odd)) })
	for i := range 40 {
		db.Exec(fmt.Sprintf("INSERT INTO orders VALUES (%d, REPEAT('x', 100))", i))
	}
	db.Exec("ANALYZE TABLE orders", "INSERT INTO `odd.t 'x\\y'` VALUES (1)", "ALTER TABLE `odd.t 'x\\y'` RENAME TO `odd.t 'x\\y`")
	o := options(s, servers.Repl, servers.Repl)
	o.Include, o.Exclude = []string{name + ".*", "/" + name + `.*\.表/`, name + ".Nothing", "/" + name + "x/.*"}, []string{"*.tmp_*", "*./none.*/"}

	list, err := task.ListDatabases(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for want, there := range map[task.Database]bool{{name, false, true}: true, {odd, false, true}: true, {"mysql", true, false}: true, {name + "x", false, true}: false} {
		if slices.Contains(list, want) != there {
			t.Errorf("%+v is there: %t, in %+v", want, !there, list)
		}
	}
	if !slices.IsSortedFunc(list, func(a, b task.Database) int { return strings.Compare(a.Name, b.Name) }) {
		t.Errorf("in disorder: %+v", list)
	}

	names := []string{"Case", "broken", "case", "odd.t 'x\\y", "orders", "seen", "tmp_1"}
	if fold {
		names = []string{"broken", "case", "odd.t 'x\\y", "orders", "seen", "tmp_1"}
	}
	for _, size := range []int{0, 1, 2, 1000} {
		var all []task.Table
		for after, pages := "", 0; ; pages++ {
			page, err := task.ListTables(t.Context(), o, name, after, size)
			if err != nil || page.Total != len(names) || size > 0 && len(page.Tables) > size {
				t.Fatalf("behind %q: %+v, error %v", after, page, err)
			}
			all = append(all, page.Tables...)
			if after = page.Next; after == "" {
				break
			}
		}
		for i, n := range names {
			if i >= len(all) || all[i].Name != n {
				t.Fatalf("pages of %d: %+v", size, all)
			}
			got := all[i]
			view := n == "broken" || n == "seen"
			if got.View != view || got.Selected != (!view && n != "tmp_1") {
				t.Errorf("%+v", got)
			}
			switch n {
			case "orders":
				if got.Engine != "InnoDB" || got.Rows < 20 || got.Rows > 80 || got.Bytes < 16384 {
					t.Errorf("%+v", got)
				}
			case "odd.t 'x\\y":
				if got.Engine != "MyISAM" {
					t.Errorf("%+v", got)
				}
			case "seen", "broken":
				if got.Rows != -1 || got.Bytes != -1 || got.Engine != "" {
					t.Errorf("%+v", got)
				}
			}
		}
	}
	if page, err := task.ListTables(t.Context(), o, odd, "", 0); err != nil || len(page.Tables) != 1 || page.Tables[0].Name != "表" || !page.Tables[0].Selected {
		t.Errorf("%+v, error %v", page, err)
	}
	if _, err := task.ListTables(t.Context(), o, name+"x", "", 0); !errors.Is(err, task.ErrNoDatabase) || !strings.Contains(err.Error(), "GRANT SELECT ON") {
		t.Errorf("error %v", err)
	}
	if fold {
		if page, err := task.ListTables(t.Context(), o, strings.ToUpper(name), "", 0); err != nil || page.Total != len(names) {
			t.Errorf("%+v, error %v", page, err)
		}
	}

	p, err := task.PreviewObjects(t.Context(), o, 2)
	count := 5
	if fold {
		count = 4
	}
	first := []task.ObjectName{{name, "Case"}, {name, "case"}}
	if fold {
		first = []task.ObjectName{{name, "case"}, {name, "odd.t 'x\\y"}}
	}
	if err != nil || p.Count != count || !slices.Equal(p.First, first) ||
		!slices.Equal(p.IdleInclude, o.Include[2:]) || !slices.Equal(p.IdleExclude, o.Exclude[1:]) || p.Unread != "" {
		t.Errorf("%+v, error %v", p, err)
	}
	o.Include = []string{objects.Exact(odd, "表").String()}
	if p, err := task.PreviewObjects(t.Context(), o, 2); err != nil || p.Count != 1 || p.First[0] != (task.ObjectName{Database: odd, Table: "表"}) || len(p.IdleInclude) > 0 || len(p.IdleExclude) != 2 {
		t.Errorf("%+v, error %v", p, err)
	}
}

// TestBrowseFails wants each failure to say what to do.
func TestBrowseFails(t *testing.T) {
	s := servers.Get(t, "mysql-8.0")
	fail := func(o task.Options, ctx context.Context, parts ...string) {
		t.Helper()
		_, one := task.ListDatabases(ctx, o)
		_, two := task.ListTables(ctx, o, "mysql", "", 0)
		_, three := task.PreviewObjects(ctx, o, 10)
		for _, err := range []error{one, two, three} {
			for _, part := range parts {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("error %v, want one with %q", err, part)
				}
			}
		}
	}
	o := options(s, servers.Repl, "wrong")
	fail(o, t.Context(), "Access denied", "to mend it: check user and password")
	o = options(s, servers.Repl, servers.Repl)
	o.Source.Address = "127.0.0.1:1"
	fail(o, t.Context(), "to mend it: check source.address")
	o.Include = []string{"a.b", "/(/.c"}
	fail(o, t.Context(), "missing closing )", `"/(/.c"`)
	o = options(s, servers.Repl, servers.Repl)
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	fail(o, ctx, "timeout")
	if _, err := task.ListDatabases(t.Context(), task.Options{Source: binlog.Source{Address: s.Address, User: "nobody"}}); !errors.Is(err, binlog.ErrAuth) {
		t.Errorf("error %v", err)
	}
}

// TestBrowseOfAHeldTable looks at a table that the server does not open, as a statement holds
// it: what is asked for with a time limit ends then, and what needs no open table comes.
func TestBrowseOfAHeldTable(t *testing.T) {
	s := servers.Start(t, "mysql-5.7", "--gtid-mode=OFF", "--enforce-gtid-consistency=OFF")
	name, db := s.Database(t)
	db.Exec("CREATE TABLE a (id INT)", "CREATE TABLE c (id INT)", "INSERT INTO a VALUES (1), (2)")
	holder := s.Connect(t, name)
	held := make(chan error, 1)
	go func() { held <- holder.Try("CREATE TABLE b AS SELECT SLEEP(30 + id) AS s FROM a") }()
	o := options(s, servers.Repl, servers.Repl)
	o.Include = []string{name + ".*"}
	for late := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		began := time.Now()
		page, err := task.ListTables(ctx, o, name, "", 0)
		cancel()
		if err != nil {
			if !strings.Contains(err.Error(), "what information_schema tells of 3 tables of "+name+" (ask for fewer at once) did not come within ") || time.Since(began) > 5*time.Second {
				t.Errorf("error %v after %v", err, time.Since(began))
			}
			break
		}
		if time.Now().After(late) {
			t.Fatalf("all came: %+v", page)
		}
	}
	if page, err := task.ListTables(t.Context(), o, name, "", 1); err != nil || page.Total != 3 || page.Next != "a" || len(page.Tables) != 1 {
		t.Errorf("%+v, error %v", page, err)
	}
	if page, err := task.ListTables(t.Context(), o, name, "b", 1); err != nil || page.Total != 3 || page.Next != "" || len(page.Tables) != 1 {
		t.Errorf("%+v, error %v", page, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	o.Include, o.Exclude = append(o.Include, "none.*"), []string{name + ".c", "none.*"}
	p, err := task.PreviewObjects(ctx, o, 10)
	if err != nil || !strings.HasPrefix(p.Unread, "database "+name+" and those behind it: their tables did not come within ") ||
		!slices.Equal(p.IdleInclude, o.Include[1:]) || !slices.Equal(p.IdleExclude, o.Exclude[1:]) {
		t.Errorf("%+v, error %v", p, err)
	}
	db.Exec(fmt.Sprintf("KILL %d", holder.ID()))
	<-held
}
