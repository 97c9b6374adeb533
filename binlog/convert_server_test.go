//go:build servers

package binlog_test

import (
	"testing"

	"daybook/e2e/servers"
)

// TestCharsetAfterConversion adds columns to tables that were converted to a character set that
// their columns had: MySQL 5.6 makes it the table's default only if a collation differs.
func TestCharsetAfterConversion(t *testing.T) {
	fn := func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		r := open(t, options(s, name))
		for _, c := range []struct{ table, collation string }{{"a", "utf8_bin"}, {"b", "utf8_general_ci"}} {
			db.Exec("CREATE TABLE "+c.table+" (v VARCHAR(5) CHARACTER SET utf8 COLLATE "+c.collation+") CHARACTER SET cp1251", "ALTER TABLE "+c.table+" CONVERT TO CHARACTER SET utf8",
				"ALTER TABLE "+c.table+" ADD t TEXT", "INSERT INTO "+c.table+" VALUES ('ж', 'щ')")
			change := r.nextChange()
			for change.DDL != nil { // the definition may be told once more
				change = r.nextChange()
			}
			equal(t, []string{describe(change)}, []string{"insert " + c.table + " ж щ"})
		}
	}
	servers.Each(t, fn)
	t.Run("mysql-5.5", func(t *testing.T) { fn(t, servers.Get(t, "mysql-5.5")) })
}
