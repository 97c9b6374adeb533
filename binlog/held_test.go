package binlog

import (
	"encoding/json"
	"fmt"
	"slices"
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

// TestHeldDefinitionLeavesLabels releases a definition with a label as the server shows it, of a table whose
// CREATE TABLE was read on the way.
func TestHeldDefinitionLeavesLabels(t *testing.T) {
	server := schema.Server{Flavor: "mysql", Version: 80031, DefaultCharset: "utf8mb4"}
	ctx := schema.Context{Database: "shop"}
	shown := schema.NewCatalog(server)
	r := New(Options{})
	r.catalog = schema.NewCatalog(server)
	for c, sql := range map[*schema.Catalog]string{shown: "CREATE TABLE t (e ENUM('?a', 'b', 'c'))", r.catalog: "CREATE TABLE t (e ENUM('😀a', 'x', 'c'))"} {
		if _, err := c.Apply(sql, ctx); err != nil {
			t.Fatal(err)
		}
	}
	h := held{Packed: shown.Packed("shop", "t")}
	if err := r.release(schema.TableName{Database: "shop", Name: "t"}, &h); err != nil {
		t.Fatal(err)
	}
	if got, _ := r.catalog.Table("shop", "t"); !slices.Equal(got.Columns[0].Members, []string{"😀a", "b", "c"}) {
		t.Errorf("the labels are %q", got.Columns[0].Members)
	}
}

// BenchmarkReleaseHeld is what a DDL costs while the definitions of many tables
// are held back: each releases one, which is held again.
func BenchmarkReleaseHeld(b *testing.B) {
	for _, n := range []int{100, 20000} {
		b.Run(fmt.Sprintf("held=%d", n), func(b *testing.B) {
			r := New(Options{})
			r.server.Store(&Status{})
			r.catalog = schema.NewCatalog(schema.Server{Flavor: "mysql", Version: 80031, DefaultCharset: "utf8mb4"})
			names := make([]schema.TableName, n)
			for i := range names {
				names[i] = schema.TableName{Database: "shop", Name: fmt.Sprintf("t%d", i)}
				r.hold(names[i], held{File: "binlog.000001", Pos: uint64(i)}) // dropped there
			}
			r.stream = newStream(r.feed, r.server.Load())
			r.stream.file = "binlog.000001"
			for i := 0; b.Loop(); i++ {
				at := i % n
				r.stream.start = uint64(at)
				if err := r.releaseHeld(); err != nil {
					b.Fatal(err)
				}
				r.hold(names[at], held{File: "binlog.000001", Pos: uint64(at)})
				if r.entries.size > maxPending {
					r.entries.take()
				}
			}
			if len(r.held.byName) != n {
				b.Errorf("%d are held, not %d", len(r.held.byName), n)
			}
		})
	}
}
