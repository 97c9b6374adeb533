//go:build servers

package schema

import (
	"math/rand/v2"
	"testing"
)

// TestPrefixesOfChangedColumns gives a column with a unique key one random type after the
// other: whether the key is over all of it, and so tells rows apart, must be known.
func TestPrefixesOfChangedColumns(t *testing.T) {
	types := []string{"CHAR(5) CHARACTER SET latin1", "VARCHAR(10) CHARACTER SET latin1", "VARCHAR(4) CHARACTER SET utf8", "VARCHAR(8) CHARACTER SET ucs2", "VARCHAR(10) CHARACTER SET utf8mb4", "TEXT CHARACTER SET latin1",
		"TINYTEXT CHARACTER SET utf8", "BLOB", "MEDIUMBLOB", "VARBINARY(10)", "VARBINARY(4)", "VARBINARY(1500)", "BINARY(5)", "INT", "DATE", "DECIMAL(8,2)", "ENUM('a','bb')", "ENUM('x') CHARACTER SET latin1",
		"SET('a','b')", "SET('x') CHARACTER SET latin1", "CHAR(20) CHARACTER SET utf8", "VARCHAR(1500) CHARACTER SET latin1"}
	prefixes := []string{"", "", "(2)", "(4)", "(5)", "(8)", "(10)", "(12)", "(30)"}
	eachLine(t, func(t *testing.T, src *source) {
		src.must("SET SESSION sql_mode = ''")
		c := NewCatalog(src.server)
		c.PutDatabase(src.db, "utf8")
		src.ctx = Context{Database: src.db}
		rng := rand.New(rand.NewPCG(*seed, 3))
		pick := func(list []string) string { return list[rng.IntN(len(list))] }
		taken := 0
		for range 60 {
			history := "CREATE TABLE x (c " + pick(types) + ", UNIQUE k (c" + pick(prefixes) + "))"
			if !src.follows(c, history) {
				continue
			}
			for range 6 {
				alter := "MODIFY c " + pick(types)
				switch rng.IntN(6) {
				case 0:
					alter = "CONVERT TO CHARACTER SET " + pick([]string{"latin1", "utf8", "utf8mb4", "binary"})
				case 1:
					alter = "DROP c, ADD c " + pick(types)
				}
				if src.follows(c, "ALTER TABLE x "+alter) {
					history += ", " + alter
					taken++
				}
			}
			if t.Failed() {
				t.Fatal(history)
			}
			src.follows(c, "DROP TABLE x")
		}
		if taken < 80 {
			t.Errorf("the server took only %d changes", taken)
		}
	})
}
