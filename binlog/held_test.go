package binlog

import (
	"encoding/json"
	"testing"

	"daybook/binlog/schema"
	"daybook/change"
)

// TestHeldDefinitionKeepsAllThatIsKnown releases a definition that was held
// back, saved and loaded: the table's engine, and the keys that a later DDL may
// name, are there again, and not the columns alone.
func TestHeldDefinitionKeepsAllThatIsKnown(t *testing.T) {
	server := schema.Server{Flavor: "mysql", Version: 80031, DefaultCharset: "utf8mb4"}
	ctx := schema.Context{Database: "shop"}
	now := schema.NewCatalog(server)
	if _, err := now.Apply("CREATE TABLE t (id INT PRIMARY KEY, a INT, KEY k (a)) ENGINE=MyISAM", ctx); err != nil {
		t.Fatal(err)
	}
	saved, err := json.Marshal(held{File: "binlog.000001", Pos: 4, Packed: now.Packed("shop", "t")})
	if err != nil {
		t.Fatal(err)
	}
	r := New(Options{})
	r.catalog = schema.NewCatalog(server)
	name := schema.TableName{Database: "shop", Name: "t"}
	if err := r.loadHeld(heldKey(name), saved); err != nil {
		t.Fatal(err)
	}
	r.catalog.Unknown("shop", "t")
	h := r.held.byName[name]
	if err := r.release(name, &h); err != nil {
		t.Fatal(err)
	}
	if got := r.catalog.Engine("shop", "t"); got != "MyISAM" {
		t.Errorf("engine %q, want MyISAM", got)
	}
	if _, err := r.catalog.Apply("ALTER TABLE t DROP KEY k", ctx); err != nil {
		t.Error(err)
	}

	// what an earlier version saved
	old := held{Table: &change.Table{Database: "shop", Name: "old", Columns: []change.Column{{Name: "a", Type: change.Int, Length: -1, Scale: -1}}}}
	if err := r.release(schema.TableName{Database: "shop", Name: "old"}, &old); err != nil {
		t.Fatal(err)
	}
	if _, ok := r.catalog.Table("shop", "old"); !ok {
		t.Error("a definition saved by an earlier version is not released")
	}
}
