//go:build servers

package schema

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"daybook/e2e/servers"
)

// TestColumnOrder has ALTER TABLE add, change, drop and move columns, several at a time and
// behind each other, and compares where they stand then.
func TestColumnOrder(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		n := rand.Uint64()
		t.Logf("seed %d", n)
		rng := rand.New(rand.NewPCG(n, 1))
		src := openSource(t, s, fmt.Sprintf("schema_order_%08x", rand.Uint32()))
		catalog := NewCatalog(src.server)
		catalog.PutDatabase(src.db, "utf8")
		src.ctx = Context{Database: src.db}
		logged, err := src.run("CREATE TABLE t (a INT, b INT, c INT, d INT)")
		if err != nil || src.follow(catalog, logged) != "" {
			t.Fatal(err)
		}
		accepted := 0
		for range 400 {
			columns := tablesOf(catalog, src.db)[0].Def.Columns
			pick := func() string {
				if rng.IntN(4) == 0 {
					return string(rune('a' + rng.IntN(8)))
				}
				return columns[rng.IntN(len(columns))].Name
			}
			var actions []string
			for range 1 + rng.IntN(4) {
				place := ""
				switch rng.IntN(4) {
				case 0:
					place = " FIRST"
				case 1, 2:
					place = " AFTER " + pick()
				}
				switch k := rng.IntN(8); {
				case k < 3:
					actions = append(actions, "MODIFY "+pick()+" INT"+place)
				case k < 5:
					actions = append(actions, "CHANGE "+pick()+" "+string(rune('a'+rng.IntN(8)))+" INT"+place)
				case k == 5 && len(columns) > 4:
					actions = append(actions, "DROP "+pick())
				default:
					actions = append(actions, "ADD "+string(rune('a'+rng.IntN(8)))+" INT"+place)
				}
			}
			sql := "ALTER TABLE t " + strings.Join(actions, ", ")
			logged, err := src.run(sql)
			if err != nil {
				continue
			}
			accepted++
			if diff := src.follow(catalog, logged); diff != "" {
				t.Fatalf("%s\n%s", sql, diff)
			}
		}
		if accepted < 40 {
			t.Errorf("only %d of the statements were accepted", accepted)
		}
	})
}
