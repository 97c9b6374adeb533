package objects

import (
	"errors"
	"strings"
	"testing"
)

// FuzzParse reads patterns of any bytes: what can be read prints back to the same, means the
// same then, and is about a table that is selected only with its database.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"shop.*", "a?.b.c", "`my.db`.`odd``table`", `/shop_\d+/.orders`, `/shop_\d+\.(orders|items)/`, `/a\/\\\/b/.x`, "`a", "/a/", "/(/.b", `/\Q\\\/\E/.*`,
	} {
		f.Add(text, "shop", "orders")
	}
	f.Add("`a.b`.`*?`", "a.b", "*?")
	f.Add(`/a\.b/`, "a", "b")
	f.Fuzz(func(t *testing.T, text, database, table string) {
		p, err := Parse(text)
		if err != nil {
			if fault := (*Error)(nil); !errors.As(err, &fault) || fault.Pattern != text || fault.Reason == "" {
				t.Fatalf("%q: error %#v", text, err)
			}
			return
		}
		again, err := Parse(p.String())
		if len(p.String()) > maxLength {
			return
		}
		if err != nil || again != p {
			t.Fatalf("%q is %+v, printed %q, and that %+v, error %v", text, p, p, again, err)
		}
		for _, fold := range []bool{false, true} {
			s, err := New([]string{text}, nil, fold)
			if err != nil {
				t.Fatalf("%q is read, and not taken: %v", text, err)
			}
			if s.Table(database, table) && !s.Database(database) && table != "" && database != "" {
				t.Fatalf("%q selects %q.%q, and nothing of the database", text, database, table)
			}
			if fold && s.Table(database, table) != s.Table(strings.ToLower(database), strings.ToLower(table)) {
				t.Fatalf("%q: %q.%q in lower case differs", text, database, table)
			}
		}
		if d, n := p.Names(); d != "" && n != "" {
			if s, err := New([]string{Exact(d, n).String()}, nil, false); err != nil || !s.Table(d, n) {
				t.Fatalf("%q names %q.%q, which %s is not: %v", text, d, n, Exact(d, n), err)
			}
		}
	})
}
