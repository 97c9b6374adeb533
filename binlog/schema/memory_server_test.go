//go:build servers

package schema

import (
	"strings"
	"testing"

	"github.com/go-mysql-org/go-mysql/client"

	"daybook/e2e/servers"
)

// TestMemoryTablesAreEmptiedAtRestart restarts servers that have MEMORY tables,
// and reads what each logs when such a table is opened again.
func TestMemoryTablesAreEmptiedAtRestart(t *testing.T) {
	for _, version := range []string{"mysql-5.6", "mysql-5.7", "mariadb-10.5", "mariadb-10.11"} {
		t.Run(version, func(t *testing.T) {
			s := servers.Start(t, version)
			src := openSource(t, s, "shop")
			for _, sql := range []string{"CREATE TABLE `m``x` (a INT) ENGINE=MEMORY", "INSERT INTO `m``x` VALUES (1)", "CREATE TABLE kept (a INT) ENGINE=InnoDB"} {
				src.must(sql)
			}
			catalog := src.snapshot()
			s.Restart(t)
			var err error
			if src.conn, err = client.Connect(s.Address, servers.Admin, servers.Admin, ""); err != nil {
				t.Fatal(err)
			}
			db := s.Connect(t, "shop")
			db.Query("SELECT * FROM `m``x`")
			emptied := 0
			logs := db.Query("SHOW BINARY LOGS")
			for _, row := range db.Query("SHOW BINLOG EVENTS IN '" + logs[len(logs)-1][0] + "'") {
				if row[2] != "Query" || row[5] == "BEGIN" || row[5] == "COMMIT" {
					continue
				}
				sql := strings.TrimPrefix(row[5], "use `shop`; ")
				r, err := catalog.Apply(sql, Context{Database: "shop"})
				if err != nil {
					t.Fatal(err)
				}
				n, ok := catalog.EmptiedBy(r)
				if ok && n == (TableName{"shop", "m`x"}) || r.IsDDL() && strings.HasPrefix(sql, "TRUNCATE") { // newer servers
					emptied++
				} else {
					t.Errorf("logged %q: not taken for the table being emptied", row[5])
				}
				t.Logf("logged %q", row[5])
			}
			if emptied != 1 {
				t.Errorf("emptied %d times, want once", emptied)
			}
		})
	}
}
