//go:build servers

package schema

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"daybook/e2e/servers"
)

// TestSnapshotReadsWholeServer takes a snapshot of everything, in few queries,
// and finds its own tables in it as Apply sees them.
func TestSnapshotReadsWholeServer(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		src := openSource(t, s, fmt.Sprintf("schema_snapshot_%08x", rand.Uint32()))
		create := []string{
			"CREATE TABLE plain (id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) NOT NULL DEFAULT 'it''s' COMMENT 'ü', UNIQUE z (name, id), UNIQUE a (name))",
			"CREATE TABLE `od``d.näme` (`e` ENUM('ä','b''c') CHARACTER SET latin1 DEFAULT 'ä', t TIMESTAMP NULL, d DECIMAL(8,3) DEFAULT 1.5)",
		}
		if src.server.mariaFrom(100300) {
			create = append(create, "CREATE TABLE versioned (a INT PRIMARY KEY, b INT) WITH SYSTEM VERSIONING", "CREATE SEQUENCE seq")
		}
		if src.server.mysqlFrom(80030) {
			src.must("SET SESSION sql_generate_invisible_primary_key = ON")
			create = append(create, "CREATE TABLE generated_key (a INT)")
		}
		applied := NewCatalog(src.server)
		applied.PutDatabase(src.db, "utf8")
		src.ctx = Context{Database: src.db}
		for _, sql := range create {
			logged, err := src.run(sql)
			if err != nil {
				t.Fatal(err)
			}
			for _, sql := range logged {
				if _, err := applied.Apply(sql, src.ctx); err != nil {
					t.Fatal(err)
				}
			}
		}
		queries := 0
		all, err := Snapshot(context.Background(), func(ctx context.Context, sql string) ([][]Text, error) {
			if !strings.HasPrefix(sql, "SHOW KEYS") {
				queries++
			}
			return src.query(ctx, sql)
		}, src.server)
		if err != nil {
			t.Fatal(err)
		}
		if diff := diffTables(tablesOf(all, src.db), tablesOf(applied, src.db)); diff != "" {
			t.Errorf("the snapshot and Apply differ:\n%s", diff)
		}
		if limit := 10 + 3*(2+len(all.Tables())/firstPage); queries > limit {
			t.Errorf("%d queries for %d tables, want at most %d", queries, len(all.Tables()), limit)
		}
		if _, ok := all.Table("mysql", "db"); !ok && !src.server.mariaFrom(100400) {
			t.Error("the tables of the database mysql are not there")
		}
	})
}

// TestSnapshotWhileTablesAreDropped drops a table before each query of a
// snapshot in turn: the others are read all the same.
func TestSnapshotWhileTablesAreDropped(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		src := openSource(t, s, fmt.Sprintf("schema_dropped_%08x", rand.Uint32()))
		for at := 1; ; at++ {
			src.must("CREATE TABLE IF NOT EXISTS gone (id INT PRIMARY KEY, a INT NOT NULL, b INT, UNIQUE k (a), UNIQUE l (b, a))")
			src.must("CREATE OR REPLACE VIEW broken AS SELECT * FROM gone")
			src.must("CREATE TABLE IF NOT EXISTS kept (id INT PRIMARY KEY, a INT NOT NULL, b INT, UNIQUE k (a), UNIQUE l (b, a))")
			queries := 0
			own := func(ctx context.Context, sql string) ([][]Text, error) {
				if strings.HasPrefix(sql, "SHOW KEYS") && !strings.Contains(sql, src.db) {
					return src.query(ctx, sql) // another test's
				}
				if queries++; queries == at {
					src.must("DROP TABLE gone")
				}
				return src.query(ctx, sql)
			}
			c, err := Snapshot(context.Background(), own, src.server)
			if err != nil {
				t.Fatalf("dropped before query %d: %v", at, err)
			}
			if kept, ok := c.Table(src.db, "kept"); !ok || len(kept.Columns) != 3 || len(kept.UniqueKeys) != 2 {
				t.Errorf("dropped before query %d: kept is %+v", at, kept)
			}
			if at > queries {
				if at < 8 {
					t.Errorf("only %d queries", queries)
				}
				return
			}
		}
	})
}

// TestSnapshotOfSomeTables reads single tables, as the snapshot of all does.
func TestSnapshotOfSomeTables(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		src := openSource(t, s, fmt.Sprintf("schema_some_%08x", rand.Uint32()))
		src.must("CREATE TABLE `a'b` (id INT PRIMARY KEY, a VARCHAR(20) CHARACTER SET latin1, UNIQUE k (a)) ENGINE=MyISAM")
		src.must("CREATE TABLE other (id INT)")
		some, err := SnapshotTables(context.Background(), src.query, src.server, TableName{src.db, "a'b"}, TableName{src.db, "none"})
		if err != nil {
			t.Fatal(err)
		}
		if got := some.Names(src.db); len(got) != 1 {
			t.Errorf("got %v", got)
		}
		want := src.snapshot()
		if a, b := some.Packed(src.db, "a'b"), want.Packed(src.db, "a'b"); a == nil || string(a) != string(b) {
			t.Errorf("got %q, want %q", a, b)
		}
	})
}

// TestSnapshotOfWhatIsNotOpened reads a table that was partitioned in another sql_mode:
// before MySQL 8.0 no session without it can open the table.
func TestSnapshotOfWhatIsNotOpened(t *testing.T) {
	eachLine(t, func(t *testing.T, src *source) {
		src.must("SET SESSION sql_mode = 'ANSI_QUOTES'")
		src.must(`CREATE TABLE p (a INT, "key" INT, UNIQUE u ("key")) PARTITION BY RANGE ("key") (PARTITION x VALUES LESS THAN MAXVALUE)`)
		src.must("SET SESSION sql_mode = ''")
		src.must("FLUSH TABLES")
		if src.try("SELECT * FROM p") == nil && !src.server.mariaDB() && !src.server.mysqlFrom(80000) {
			t.Error("the server opened it")
		}
		table, ok := src.snapshot().Table(src.db, "p")
		if !ok || len(table.Columns) != 2 || len(table.UniqueKeys) != 1 {
			t.Errorf("the snapshot has %+v, %v", table, ok)
		}
	})
}
