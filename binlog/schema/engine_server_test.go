//go:build servers

package schema

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"daybook/e2e/servers"
)

// TestEnginesAreTheServers compares the engine of every table with what the
// server shows, after each way to give it one. Those that begin with "unsure"
// may be "": the statement does not tell whether the server has the engine.
func TestEnginesAreTheServers(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		src := openSource(t, s, fmt.Sprintf("schema_engines_%08x", rand.Uint32()))
		src.ctx.Database = src.db
		c := NewCatalog(src.server)
		c.PutDatabase(src.db, "utf8")
		apply := func(statements ...string) {
			for _, sql := range statements {
				logged, err := src.run(sql)
				if err != nil {
					t.Logf("not on this server: %s: %v", sql, err)
					continue
				}
				for _, sql := range logged {
					if _, err := c.Apply(sql, src.ctx); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		src.must("SET SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION'")
		src.ctx.SQLMode = modeNoEngineSubstitution
		partitions := " PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10) %s, PARTITION p1 VALUES LESS THAN (20) %[1]s)"
		apply(
			"CREATE TABLE plain (a INT)",
			"CREATE TABLE quoted (a INT) COMMENT 'ENGINE=MyISAM' ENGINE 'memory'",
			"CREATE TABLE synonym (a INT) ENGINE=HEAP",
			"CREATE TABLE merged (a INT) ENGINE=merge",
			"CREATE TABLE archived (a INT) ENGINE = archive",
			"CREATE TABLE aria (a INT) ENGINE=Aria TRANSACTIONAL=0",
			"CREATE TABLE hash (a INT) ENGINE=MyISAM PARTITION BY HASH (a) PARTITIONS 2",
			"CREATE TABLE parts (a INT)"+fmt.Sprintf(partitions, "STORAGE ENGINE = MyISAM"),
			"CREATE TABLE parts_innodb (a INT)"+fmt.Sprintf(partitions, "ENGINE InnoDB"),
			"CREATE TABLE altered (a INT)",
			"ALTER TABLE altered ADD b INT, ENGINE=MyISAM, COMMENT 'x'",
			"CREATE TABLE divided (a INT) ENGINE=MyISAM",
			"ALTER TABLE divided"+fmt.Sprintf(partitions, "ENGINE=MyISAM"),
			"CREATE TABLE divided_other (a INT) ENGINE=MyISAM",
			"ALTER TABLE divided_other"+fmt.Sprintf(partitions, "ENGINE=InnoDB"),
			"CREATE TABLE copied LIKE synonym",
			"CREATE TABLE moved (a INT NOT NULL) ENGINE=CSV",
			"ALTER TABLE moved RENAME TO moved_on",
			"RENAME TABLE synonym TO renamed",
			"CREATE TABLE selected ENGINE=MyISAM AS SELECT 1 AS x",
			"CREATE TABLE selected_plain AS SELECT 1 AS x",
			"CREATE SEQUENCE sequence",
			"CREATE SEQUENCE sequence_myisam ENGINE=MyISAM",
		)
		src.must("SET SESSION sql_mode = ''")
		src.ctx.SQLMode = 0
		apply("CREATE TABLE unsure (a INT) ENGINE=Nonsense", "CREATE TABLE unsure_altered (a INT) ENGINE=MyISAM",
			"ALTER TABLE unsure_altered ENGINE=Nonsense", "CREATE TABLE sure (a INT) ENGINE=MyISAM")
		n := 0
		for _, row := range src.must("SELECT TABLE_NAME, ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA = '" + src.db + "'") {
			got, want := c.Engine(src.db, row[0].String), row[1].String
			if !strings.EqualFold(got, want) && (got != "" || !strings.HasPrefix(row[0].String, "unsure")) {
				t.Errorf("engine of %s: got %q, want %q", row[0].String, got, want)
			}
			if snap := src.snapshot().Engine(src.db, row[0].String); !strings.EqualFold(snap, want) {
				t.Errorf("engine of %s in the snapshot: got %q, want %q", row[0].String, snap, want)
			}
			n++
		}
		if n < 12 {
			t.Errorf("only %d tables", n)
		}
	})
}

// TestRollbackUndoesWhatIsTransactional rolls a row of each engine back, and
// finds it in the binlog just if the engine is one without transactions.
func TestRollbackUndoesWhatIsTransactional(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		src := openSource(t, s, fmt.Sprintf("schema_rollback_%08x", rand.Uint32()))
		tried := 0
		for _, row := range src.must("SELECT ENGINE FROM information_schema.ENGINES WHERE SUPPORT IN ('YES', 'DEFAULT')") {
			engine := row[0].String
			if src.try("CREATE TABLE t_"+engine+" (a INT NOT NULL) ENGINE="+engine) != nil {
				continue
			}
			before := src.must(src.status)[0]
			src.must("BEGIN")
			if src.try("INSERT INTO t_"+engine+" VALUES (1)") != nil {
				continue // MERGE of nothing
			}
			src.must("ROLLBACK")
			undone := true
			for _, e := range src.eventsSince(before) {
				ours := e[2].String == "Table_map" && strings.Contains(e[5].String, "("+src.db+".t_")
				undone = undone && !ours
			}
			if yes, known := Transactional(engine); !known || yes != undone {
				t.Errorf("Transactional(%s) = %t, %t; the row of a transaction that was rolled back was undone: %t", engine, yes, known, undone)
			}
			tried++
		}
		if tried < 4 {
			t.Errorf("only %d engines tried", tried)
		}
	})
}
