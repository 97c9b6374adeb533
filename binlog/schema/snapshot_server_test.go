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
		if limit := 10 + 2*(1+len(all.Tables())/chunkTables); queries > limit {
			t.Errorf("%d queries for %d tables, want at most %d", queries, len(all.Tables()), limit)
		}
		if _, ok := all.Table("mysql", "db"); !ok && !src.server.mariaFrom(100400) {
			t.Error("the tables of the database mysql are not there")
		}
	})
}
