package objects

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestWildcards(t *testing.T) {
	s := selection(t, []string{"shop.*", "crm.c?st*", "Case.T"}, []string{"shop.tmp_*"}, false)
	for _, c := range []struct {
		database, table string
		want            bool
	}{
		{"shop", "orders", true}, {"shop", "tmp_1", false}, {"shops", "orders", false}, {"crm", "customers", true},
		{"crm", "cst", false}, {"crm", "cöst", true}, {"Case", "T", true}, {"case", "T", false}, {"Case", "t", false},
	} {
		if got := s.Table(c.database, c.table); got != c.want {
			t.Errorf("%s.%s: %v", c.database, c.table, got)
		}
	}
	for name, want := range map[string]bool{"shop": true, "crm": true, "other": false} {
		if got := s.Database(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if !selection(t, []string{"Case.T"}, nil, true).Table("case", "t") {
		t.Error("not folded")
	}
}

// TestForms has the tables that each form of a pattern means, and those that it does not.
func TestForms(t *testing.T) {
	for _, tt := range []struct {
		pattern string
		means   string // separated by spaces; a slash between database and table
		not     string
		fold    bool
	}{
		// as they have always been
		{pattern: "shop.orders", means: "shop/orders", not: "shop/Orders Shop/orders shop/orders2"},
		{pattern: "shop.a.b", means: "shop/a.b", not: "shop.a/b"},
		{pattern: "shop.a*.b", means: "shop/a.b shop/ax.b", not: "shop/a"},
		{pattern: "?hop.[a-z]", means: "shop/[a-z] Xhop/[a-z]", not: "shop/a"},
		{pattern: `a\d.b\d`, means: `a\d/b\d`, not: "a1/b1"},
		{pattern: "sh`op.t`", means: "sh`op/t`"},
		{pattern: "a/b.c/", means: "a/b:c/"},
		{pattern: "Shop.Örders", means: "shop/örders SHOP/ÖRDERS", fold: true},
		// in backquotes
		{pattern: "`my.db`.`odd.table`", means: "my.db/odd.table", not: "my/db.odd.table"},
		{pattern: "`my.db`.t*", means: "my.db/t my.db/tx", not: "my.db/x"},
		{pattern: "*.`a*?`", means: "x/a*? y/a*?", not: "x/aa?"},
		{pattern: "`a``b`.````", means: "a`b/`", not: "a``b/`"},
		{pattern: "`/x/`.`/y/`", means: "/x/:/y/"},
		{pattern: "`Shop`.`T.`", means: "shop/t. SHOP/T.", fold: true},
		{pattern: "`Shop`.`T.`", means: "Shop/T.", not: "shop/t."},
		// regular expressions
		{pattern: `/shop_\d+/.orders`, means: "shop_1/orders shop_22/orders", not: "shop_/orders xshop_1/orders shop_1x/orders shop_1/orders2"},
		{pattern: `shop./orders|items/`, means: "shop/orders shop/items", not: "shop/orders2 shop/xitems shop/x"},
		{pattern: `/shop_\d+\.(orders|items)/`, means: "shop_1/orders shop_2/items", not: "shop_1/x xshop_1/orders shop_1/items2"},
		{pattern: `/a\/b/.c`, means: "a/b:c", not: `a\/b:c`},
		{pattern: `/a\\/.c`, means: `a\:c`},
		{pattern: `/[\/]x/.t`, means: "/x:t"},
		{pattern: `/\Qa.b*\E/.t`, means: "a.b*/t", not: "axb*/t"},
		{pattern: `/a.c/./.*/`, means: "abc/x a\nc/x abc/y.z", not: "ac/x"},
		{pattern: `/a|b/.t`, means: "a/t b/t", not: "ab/t ax/t xb/t"},
		{pattern: `/a|ab|abc/.t`, means: "a/t ab/t abc/t"},
		{pattern: `/(?i)shop/.t`, means: "Shop/t", not: "Shop/T"},
		{pattern: `/Shop/./T\d/`, means: "shop/t1 SHOP/T1 sHoP/t2", fold: true},
		{pattern: `/Shop\.[^A]/`, means: "shop/b SHOP/B", not: "shop/a SHOP/A", fold: true},
		{pattern: `/^shop$/.t`, means: "shop/t"},
		{pattern: `/\w+/.t`, means: "a1/t", not: "ä/t"},
		{pattern: `/\p{L}+/.t`, means: "ä/t 表/t", not: "1/t"},
		{pattern: `/a.b.c/`, means: "a/b.c a.b/c a/bxc", not: "a/c"},
	} {
		s := selection(t, []string{tt.pattern}, nil, tt.fold)
		for names, want := range map[string]bool{tt.means: true, tt.not: false} {
			for _, name := range strings.FieldsFunc(names, func(r rune) bool { return r == ' ' }) {
				mark := "/"
				if strings.Contains(name, ":") {
					mark = ":"
				}
				database, table, _ := strings.Cut(name, mark)
				if got := s.Table(database, table); got != want {
					t.Errorf("%s means %q, %q: %t", tt.pattern, database, table, got)
				}
				if want && !s.Database(database) {
					t.Errorf("%s means no table of %q", tt.pattern, database)
				}
				if s = selection(t, []string{"*.*"}, []string{tt.pattern}, tt.fold); s.Table(database, table) == want {
					t.Errorf("%s excludes %q, %q: %t", tt.pattern, database, table, !want)
				}
				s = selection(t, []string{tt.pattern}, nil, tt.fold)
			}
		}
	}
}

// TestFaults has what is wrong with a pattern, which its error names.
func TestFaults(t *testing.T) {
	for pattern, want := range map[string]string{
		"":                       "the database is missing",
		".t":                     "the database is missing",
		"shop":                   "the table is missing: the form is database.table",
		"shop.":                  "the table is missing",
		"`shop`":                 "the table is missing",
		"`shop`.":                "the table is missing",
		"`shop.t":                "a backquote is not closed",
		"`shop``.t":              "a backquote is not closed",
		"shop.`t":                "a backquote is not closed",
		"``.t":                   "no name between the backquotes",
		"shop.``":                "no name between the backquotes",
		"`shop`t":                `a dot and the table must stand behind the closing mark of the database, not: "t"`,
		"`shop`.`t`x":            `nothing may stand behind it: "x"`,
		"/shop/t.x":              `a dot and the table must stand behind the closing mark of the database, not: "t.x"`,
		"shop./t/.x":             `nothing may stand behind it: ".x"`,
		"/shop.t":                "the slash of a regular expression is not closed",
		`/shop\/.t`:              "the slash of a regular expression is not closed",
		`shop./t\`:               "the slash of a regular expression is not closed",
		"//.t":                   "no regular expression between the slashes",
		"//":                     "no regular expression between the slashes",
		"/(shop/.t":              `missing closing ): "(shop"`,
		"/shop)/.t":              `unexpected ): "shop)"`,
		"/a)|(b/.t":              `unexpected )`,
		"shop./[a-/":             `missing closing ]: "[a-"`,
		"/[/]/.t":                `missing closing ]: "["`,
		`/\y/.t`:                 `invalid escape sequence: "\\y"`,
		`/(?<=a)b/.t`:            "invalid named capture",
		`/(a)\1/.t`:              "invalid escape sequence",
		"/a**/.t":                "invalid nested repetition operator",
		"/a{1001}/.t":            "invalid repeat count",
		"/\xff/.t":               "invalid UTF-8",
		`/shop_\d+/`:             "the table is missing: a regular expression alone is matched against database.table",
		`/\.t/`:                  "the table is missing",
		`/shop\./`:               "the table is missing",
		`/shop\.()/`:             "the table is missing",
		`/(a{100}){10}x{999}/.t`: "",
		`/` + strings.Repeat("a{1000}", 6) + "/.t": "larger than it may be",
		strings.Repeat("a", 4097) + ".t":           "longer than 4096 bytes",
	} {
		_, err := Parse(pattern)
		if want == "" {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		if want == "larger than it may be" {
			want = "is too large: with its repetitions it has more than 5000 steps"
		}
		fault := (*Error)(nil)
		if !errors.As(err, &fault) || !strings.Contains(err.Error(), want) || fault.Pattern != pattern || !strings.Contains(err.Error(), fmt.Sprintf("object pattern %q", short(pattern))) {
			t.Errorf("%q: error %v, want %s", pattern, err, want)
		}
		for _, list := range [][]string{{"a.b", pattern}, {pattern}} {
			if _, err := New(list, nil, false); err == nil {
				t.Errorf("%q is accepted", pattern)
			}
			if _, err := New([]string{"a.b"}, list, false); err == nil {
				t.Errorf("exclusion %q is accepted", pattern)
			}
			faults := Check(list)
			if len(faults) != len(list) || faults[len(list)-1] == nil || len(list) == 2 && faults[0] != nil {
				t.Errorf("%q: faults %v", list, faults)
			}
		}
	}
}

func TestLimits(t *testing.T) {
	list := make([]string, maxPatterns+1)
	for i := range list {
		list[i] = fmt.Sprintf("d.t%d", i)
	}
	expressions := slices.Repeat([]string{"/" + strings.Repeat("a", 3000) + "/.t"}, 7)
	for _, tt := range []struct {
		list []string
		at   int
		want string
	}{
		{list, maxPatterns, "it may have 10000 patterns"},
		{slices.Repeat([]string{strings.Repeat("a", 4000) + ".t"}, 263), 262, "1048576 bytes"},
		{expressions, 6, "more than 20000 steps together"},
	} {
		for i, err := range Check(tt.list) {
			if (err != nil) != (i == tt.at) || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("pattern %d: %v", i, err)
			}
		}
		if _, err := New(nil, tt.list, false); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v, want %s", err, tt.want)
		}
		if s, err := Saved(tt.list, nil, false, false); err != nil || len(tt.list) == len(list) && !s.Table("d", "t10000") {
			t.Errorf("not taken though in use before: %v", err)
		}
		if s := selection(t, tt.list[:tt.at], nil, false); !s.Database("d") == (len(tt.list) == len(list)) {
			t.Error("the limit itself is not taken")
		}
	}
}

// TestPatternsMeanNoSystemDatabase: what the server or the service keeps for itself is selected by its name alone.
func TestPatternsMeanNoSystemDatabase(t *testing.T) {
	for _, name := range []string{"mysql", "MYSQL", "sys", "performance_schema", "information_schema", "__recycle_bin__", "__cdb_recycle_bin__"} {
		for include, want := range map[string]bool{
			"*.*": false, "*.t": false, name[:1] + "*.*": false, "?" + name[1:] + ".t": false, name + ".*": true, name + ".t": true,
			"`" + name + "`.t": true, "`" + name + "`.*": true, name + "./t/": true,
			"/" + name + "/.t": false, "/.*/.*": false, "/" + name + `\.t/`: false, "/.*/": false,
		} {
			s := selection(t, []string{include}, nil, false)
			if s.Table(name, "t") != want || s.Database(name) != want {
				t.Errorf("%s, %s.t: table %t, database %t", include, name, s.Table(name, "t"), s.Database(name))
			}
		}
	}
	s := selection(t, []string{"*.*"}, []string{"*sys*.*"}, false)
	if s.Database("mysystem") || s.Table("mysystem", "t") || !s.Table("shop", "t") {
		t.Error("an exclusion with wildcards does not hold")
	}
	for _, exclude := range []string{"*.*", "/.*/.*", "m*.*"} {
		if s := selection(t, []string{"mysql.*"}, []string{exclude}, false); s.Table("mysql", "t") != s.Database("mysql") {
			t.Errorf("%s excludes the database or its tables alone", exclude)
		}
	}
}

// TestDatabases tells which databases may have selected tables, and which are named exactly.
func TestDatabases(t *testing.T) {
	for _, tt := range []struct {
		include, exclude []string
		yes, no          string
		exact            string
		fold             bool
	}{
		{include: []string{`/shop_\d+\.(orders|items)/`}, yes: "shop_1 shop_22", no: "shop_ shop_1x xshop_1 crm"},
		{include: []string{`/a\.b\.c/`}, yes: "a a.b", no: "b a.b.c"},
		{include: []string{`/(x|y.*)\.t/`}, yes: "x y yy y.z", no: "xx z"},
		{include: []string{`/\bshop\b.*/`}, yes: "shop shop-1", no: "shops xshop"},
		{include: []string{`/^(?:shop$|crm)\.t/`}, yes: "crm", no: "shop"},
		{include: []string{`/Shop\.T/`}, yes: "SHOP shop", no: "crm", fold: true},
		{include: []string{"Shop.t", "crm.*", "shop.u", "x*.t", "/y/.t", "`Odd.`.t"}, exclude: []string{"crm./.*/"}, yes: "shop x y odd.", no: "crm z", exact: "shop odd.", fold: true},
		{include: []string{"*.*"}, exclude: []string{"/shop_.*/.*"}, yes: "shop crm", no: "shop_1"},
		{include: []string{"a.t", "b.*"}, exclude: []string{"a.t", "b.**"}, yes: "a", no: "b", exact: "a"},
		{include: []string{"*.*"}, exclude: []string{"shop.t*", `/crm\..*/`}, yes: "shop crm"},
	} {
		s := selection(t, tt.include, tt.exclude, tt.fold)
		for names, want := range map[string]bool{tt.yes: true, tt.no: false} {
			for name := range strings.FieldsSeq(names) {
				if s.Database(name) != want {
					t.Errorf("%q without %q: %s: %t", tt.include, tt.exclude, name, !want)
				}
			}
		}
		if got := strings.Join(s.Databases(), " "); got != tt.exact {
			t.Errorf("%q names %q", tt.include, got)
		}
	}
}

// TestSavedPlain has patterns of a version in which backquotes and slashes were characters.
func TestSavedPlain(t *testing.T) {
	list := []string{"`a`.t", "/b*.c", "d.`e", "f./g/", "`h.i`.j"}
	s, err := Saved(list, list[4:], false, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		database, table string
		want            bool
	}{
		{"`a`", "t", true}, {"a", "t", false}, {"/b", "c", true}, {"/bx", "c", true}, {"d", "`e", true}, {"f", "/g/", true}, {"f", "g", false},
		{"`h", "i`.j", false}, {"h.i", "j", false},
	} {
		if s.Table(c.database, c.table) != c.want {
			t.Errorf("%q, %q: %t", c.database, c.table, !c.want)
		}
	}
	for i, text := range list {
		if Plain(list[i : i+1]) {
			t.Errorf("%s is told as plain", text)
		}
	}
	if !Plain([]string{"shop.*", "a`b.c/d", "x.y.`z"}) {
		t.Error("what has no marks is told as not plain")
	}
}

func selection(t *testing.T, include, exclude []string, fold bool) *Selection {
	t.Helper()
	s, err := New(include, exclude, fold)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestName(t *testing.T) {
	for text, want := range map[string][2]string{
		"shop.orders": {"shop", "orders"}, "shop.a.b": {"shop", "a.b"}, "`my.db`.`a``b`": {"my.db", "a`b"}, "`my.db`.t": {"my.db", "t"},
		"shop.a*?": {"shop", "a*?"}, "/x.t": {"/x", "t"}, "`x.t": {"`x", "t"}, "shop./t/": {"shop", "/t/"}, "shop": {"shop", ""},
	} {
		if database, table := Name(text); database != want[0] || table != want[1] {
			t.Errorf("%s is %q, %q", text, database, table)
		}
	}
}
