package schema_test

import (
	"testing"

	"daybook/binlog/schema"
)

func TestTransactionalEngines(t *testing.T) {
	for _, test := range []struct {
		engine     string
		yes, known bool
	}{
		{"InnoDB", true, true}, {"innodb", true, true}, {"ROCKSDB", true, true}, {"ndbcluster", true, true},
		{"BLACKHOLE", true, true}, // its rows are dropped from the binlog at ROLLBACK, whatever ENGINES.TRANSACTIONS says
		{"MyISAM", false, true}, {"HEAP", false, true}, {"Aria", false, true}, {"ARCHIVE", false, true},
		{"FEDERATED", false, false}, {"new", false, false}, {"", false, false},
	} {
		if yes, known := schema.Transactional(test.engine); yes != test.yes || known != test.known {
			t.Errorf("Transactional(%q) = %t, %t, want %t, %t", test.engine, yes, known, test.yes, test.known)
		}
	}
}

func TestDefaultEngine(t *testing.T) {
	for _, test := range []struct {
		server schema.Server
		want   string
	}{
		{schema.Server{Flavor: "mysql", Version: 50173}, "MyISAM"},
		{schema.Server{Flavor: "mysql", Version: 50534}, "InnoDB"},
		{schema.Server{Flavor: "mariadb", Version: 101106}, "InnoDB"},
		{schema.Server{Flavor: "mysql", Version: 80031, DefaultEngine: "heap"}, "MEMORY"},
	} {
		c := schema.NewCatalog(test.server)
		apply(t, c, schema.Context{Database: "shop"}, "CREATE TABLE t (a INT)", "CREATE TABLE old (a INT) ENGINE=MyISAM")
		if got := c.Engine("shop", "t"); got != test.want {
			t.Errorf("%+v: engine %q, want %q", test.server, got, test.want)
		}
		if got := c.Engine("shop", "old"); got != "MyISAM" {
			t.Errorf("%+v: engine %q, want MyISAM", test.server, got)
		}
	}
}

// TestEnginesAreKept reads an engine back from the saved entries, and one that
// an earlier version saved without it.
func TestEnginesAreKept(t *testing.T) {
	c := schema.NewCatalog(mysql8)
	apply(t, c, schema.Context{Database: "shop"}, "CREATE TABLE t (a INT) ENGINE=MEMORY")
	old := schema.Entry{Key: []byte("t\x00shop\x00old"), Value: []byte(`{"table":{"database":"shop","name":"old","columns":[{"name":"a","type":"INT"}]}}`)}
	loaded, err := schema.Load(mysql8, func(yield func(schema.Entry, error) bool) {
		for _, e := range append(c.Dirty(), old) {
			if !yield(e, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := loaded.Engine("shop", "t"); got != "MEMORY" {
		t.Errorf("engine %q after loading, want MEMORY", got)
	}
	if got := loaded.Engine("shop", "old"); got != "" {
		t.Errorf("engine %q of an entry without one, want none", got)
	}
}
