//go:build servers

package binlog_test

import (
	"testing"

	"daybook/e2e/servers"
)

// TestNamesOutsideTheBMP has names with characters that servers do not keep: MySQL
// puts question marks in their places, MariaDB refuses them.
func TestNamesOutsideTheBMP(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		r := open(t, options(s, name))
		sql := "CREATE TABLE `t𠀀` (`a𠀀𠀁` INT)"
		if err := db.Try(sql); err != nil {
			if !s.MariaDB() {
				t.Fatal(err)
			}
			return
		}
		db.Exec("INSERT INTO `t?` VALUES (1)")
		c := r.nextChange()
		def := c.DDL.Tables[0].Table
		if c.DDL.SQL != sql || def.Name != "t?" || def.Columns[0].Name != "a??" {
			t.Errorf("told is %q, of %s with %s", c.DDL.SQL, def.Name, def.Columns[0].Name)
		}
		equal(t, r.take(1), []string{"insert t? 1"})
	})
}
