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

// TestWildcardsMeanNoSystemSchema: what the server or the service keeps for itself is selected by its name alone.
func TestWildcardsMeanNoSystemSchema(t *testing.T) {
	for _, name := range []string{"mysql", "MYSQL", "sys", "performance_schema", "information_schema", "__recycle_bin__", "__cdb_recycle_bin__"} {
		for include, want := range map[string]bool{"*.*": false, "*.t": false, name[:1] + "*.*": false, "?" + name[1:] + ".t": false, name + ".*": true, name + ".t": true} {
			f, err := newFilter([]string{include}, nil, false)
			if err != nil || f.table(name, "t") != want || f.database(name) != want {
				t.Errorf("%s, %s.t: table %t, database %t, %v", include, name, f.table(name, "t"), f.database(name), err)
			}
		}
	}
	f, err := newFilter([]string{"*.*"}, []string{"*sys*.*"}, false)
	if err != nil || f.database("mysystem") || f.table("mysystem", "t") || !f.table("shop", "t") {
		t.Error("an exclusion with wildcards does not hold")
	}
}
