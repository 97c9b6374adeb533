package binlog

import "testing"

func TestWildcards(t *testing.T) {
	f, err := newFilter([]string{"shop.*", "crm.c?st*", "Case.T"}, []string{"shop.tmp_*"}, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		database, table string
		want            bool
	}{
		{"shop", "orders", true}, {"shop", "tmp_1", false}, {"shops", "orders", false}, {"crm", "customers", true},
		{"crm", "cst", false}, {"crm", "cöst", true}, {"Case", "T", true}, {"case", "T", false}, {"Case", "t", false},
	} {
		if got := f.table(c.database, c.table); got != c.want {
			t.Errorf("%s.%s: %v", c.database, c.table, got)
		}
	}
	for name, want := range map[string]bool{"shop": true, "crm": true, "other": false} {
		if got := f.database(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	folded, err := newFilter([]string{"Case.T"}, nil, true)
	if err != nil || !folded.table("case", "t") {
		t.Errorf("folded: %v", err)
	}
	for _, bad := range []string{"shop", ".t", "d.", ""} {
		if _, err := newFilter([]string{bad}, nil, false); err == nil {
			t.Errorf("pattern %q is accepted", bad)
		}
	}
}
