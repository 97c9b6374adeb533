//go:build servers

package binlog_test

import (
	"strings"
	"testing"

	"daybook/change"
	"daybook/e2e/servers"
)

// TestQueryIsToldOnlyWhenAsked: a statement of many rows would else put its
// text into the record of each of them.
func TestQueryIsToldOnlyWhenAsked(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		db.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
		if s.MariaDB() {
			db.Exec("SET binlog_annotate_row_events = ON")
		} else {
			db.Exec("SET binlog_rows_query_log_events = ON")
		}
		for _, include := range []bool{false, true} {
			o := options(s, name)
			o.IncludeQuery = include
			r := open(t, o)
			db.Exec("DELETE FROM t", "INSERT INTO t VALUES (1), (2)")
			for range 2 {
				c := r.nextChange()
				for c.Op != change.Insert {
					c = r.nextChange()
				}
				if got := strings.HasPrefix(c.Query, "INSERT INTO t"); got != include {
					t.Errorf("include %v: the query is %q", include, c.Query)
				}
			}
		}
	})
}
