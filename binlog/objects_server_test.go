//go:build servers

package binlog_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"daybook/binlog"
	"daybook/e2e/servers"
)

// TestPatterns writes to tables of odd names in databases of odd names, and wants the rows of
// exactly those that are selected by each form of a pattern.
func TestPatterns(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) { selectOddNames(t, s, false) })
	for _, version := range []string{"mysql-5.7", "mysql-8.0", "mariadb-10.11"} {
		t.Run(version+"/lower", func(t *testing.T) {
			t.Parallel()
			selectOddNames(t, own(t, version, "--lower-case-table-names=1"), true)
		})
	}
}

func selectOddNames(t *testing.T, s *servers.Server, fold bool) {
	name, db := s.Database(t)
	fold1 := func(n string) string {
		if fold {
			return strings.ToLower(n)
		}
		return n
	}
	databases := []string{name, name + ".d", name + " a`b", name + "_1", name + "_22", name + "_表é", name + "_Case"}
	tables := []string{"orders", "items", "o.rders", "a`b", "* ?", "表é", "Case", "/x/", `b\d`}
	for _, d := range databases[1:] {
		db.Exec("CREATE DATABASE " + servers.QuoteName(d))
		t.Cleanup(func() { db.Exec("DROP DATABASE " + servers.QuoteName(d)) })
	}
	db.Exec("CREATE TABLE the_end (id INT PRIMARY KEY)")
	for _, d := range databases {
		for _, table := range tables {
			db.Exec("CREATE TABLE " + servers.QuoteName(d) + "." + servers.QuoteName(table) + " (id INT PRIMARY KEY)")
		}
	}
	status, err := dialStatus(t, s)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range databases {
		for _, table := range tables {
			db.Exec("INSERT INTO " + servers.QuoteName(d) + "." + servers.QuoteName(table) + " VALUES (1)")
		}
	}
	db.Exec("INSERT INTO the_end VALUES (1)")
	q := servers.QuoteName
	for _, tt := range []struct {
		include, exclude []string
		want             func(d, t string) bool
	}{
		{[]string{name + ".*"}, nil, func(d, _ string) bool { return d == name }},
		{[]string{name + ".o.rders"}, nil, func(d, t string) bool { return d == name && t == "o.rders" }},
		{[]string{q(name+".d") + "." + q("o.rders")}, nil, func(d, t string) bool { return d == name+".d" && t == "o.rders" }},
		{[]string{q(name+" a`b") + ".*"}, []string{"*." + q("a`b")}, func(d, t string) bool { return d == name+" a`b" && t != "a`b" }},
		{[]string{q(name+"_表é") + "." + q("表é"), name + "*." + q("* ?")}, nil, func(d, t string) bool { return d == name+"_表é" && t == "表é" || t == "* ?" }},
		{[]string{name + "_??.*"}, nil, func(d, _ string) bool { return d == name+"_22" || d == name+"_表é" }},
		{[]string{name + `*.b\d`}, nil, func(_, t string) bool { return t == `b\d` }},
		{[]string{"/" + name + `_\d+/.orders`, "/" + name + `_[^\d]+/.*`}, nil, func(d, t string) bool {
			return (d == name+"_1" || d == name+"_22") && t == "orders" || d == name+"_表é" || d == name+"_Case"
		}},
		{[]string{"/" + name + `.*/./orders|items|\/x\//`}, []string{"/.*_22/.*"}, func(d, t string) bool {
			return d != name+"_22" && slices.Contains([]string{"orders", "items", "/x/"}, t)
		}},
		{[]string{"/" + name + `_\d+\.(orders|o\.rders)/`}, []string{`/.*_1\.o\..*/`}, func(d, t string) bool {
			return d == name+"_1" && t == "orders" || d == name+"_22" && (t == "orders" || t == "o.rders")
		}},
		{[]string{"/" + name + `_case\.CASE/`}, nil, func(d, t string) bool { return fold && d == name+"_Case" && t == "Case" }},
		{[]string{name + "_CASE." + q("CASE"), name + `_Case./\p{Lu}ase/`}, nil, func(d, t string) bool { return d == name+"_Case" && t == "Case" }},
	} {
		o := options(s, name)
		o.Start, o.SchemaChanges = binlog.Start{Mode: binlog.StartFile, File: status.File, Pos: status.Pos}, binlog.SchemaChangesNone
		o.Include, o.Exclude = append(tt.include, name+".the_end"), tt.exclude
		var want []string
		for _, d := range databases {
			for _, table := range tables {
				if tt.want(d, table) {
					want = append(want, fold1(d+"/"+table))
				}
			}
		}
		var got []string
		for r := open(t, o); ; {
			c := r.nextChange()
			if c.Table.Name == "the_end" {
				_ = r.Close()
				break
			}
			got = append(got, c.Table.Database+"/"+c.Table.Name)
		}
		equal(t, got, want)
		if t.Failed() {
			t.Fatalf("%q without %q", tt.include, tt.exclude)
		}
	}
}

// TestObjectsOfAnEarlierVersion goes on within a transaction that a version has half read in
// which a backquote was a character of a name.
func TestObjectsOfAnEarlierVersion(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		db.Exec("CREATE TABLE ```t` (id INT PRIMARY KEY)", "CREATE TABLE t (id INT PRIMARY KEY)")
		o := options(s, name)
		o.Include, o.SchemaChanges = []string{name + ".```t`", name + ".t"}, binlog.SchemaChangesNone
		r := open(t, o)
		db.Exec("BEGIN", "INSERT INTO ```t` VALUES (1), (2)", "INSERT INTO t VALUES (1)", "INSERT INTO ```t` VALUES (3)", "COMMIT", "INSERT INTO t VALUES (4)", "INSERT INTO ```t` VALUES (4)")
		equal(t, r.take(1), []string{"insert `t 1"})
		r.save()
		key := "f\x00"
		if entry := string(r.schema[key]); !strings.Contains(entry, "```t`") || !strings.Contains(entry, "marks") {
			t.Fatalf("saved is %s", entry)
		}
		saved, last := maps.Clone(r.schema), r.last
		r.schema[key] = []byte(fmt.Sprintf(`{"include":["%s.%s"]}`, name, "`t")) // no pattern now
		r.reopen(last)
		equal(t, r.take(4), []string{"insert `t 2", "insert `t 3", "insert t 4", "insert `t 4"})
		r.schema = saved
		r.reopen(last)
		equal(t, r.take(5), []string{"insert `t 2", "insert t 1", "insert `t 3", "insert t 4", "insert `t 4"})
	})
}

// TestCheckOfOddNames compares the definitions of tables whose names need backquotes.
func TestCheckOfOddNames(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		odd := servers.QuoteName(name + ".d`")
		db.Exec("CREATE DATABASE "+odd, "CREATE TABLE "+odd+".`a.b` (id INT)", "CREATE TABLE "+odd+".c (id INT)")
		t.Cleanup(func() { db.Exec("DROP DATABASE " + odd) })
		o := options(s, name)
		o.Include = []string{odd + ".*"}
		r := open(t, o)
		db.Exec("SET sql_log_bin = 0", "ALTER TABLE "+odd+".`a.b` ADD n INT", "SET sql_log_bin = 1")
		for table, same := range map[string]int{odd + ".c": 1, odd + ".`a.b`": 0} {
			c, _ := r.check(binlog.CheckOptions{Tables: []string{table}})
			if c.Same != same || len(c.Differ) != 1-same || c.Undecided > 0 {
				t.Errorf("%s: %+v", table, c)
			}
		}
	})
}
