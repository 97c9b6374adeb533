//go:build servers

package binlog_test

import (
	"slices"
	"testing"

	"daybook/change"
	"daybook/e2e/servers"
)

// TestDropFailedInPart drops tables of which one stays, as a foreign key refers to it. Before
// 8.0 MySQL logs it with all names, so the one that stayed is told as dropped too: its
// definition stands before its next row.
func TestDropFailedInPart(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		db.Exec("CREATE TABLE p (id INT PRIMARY KEY, a VARCHAR(9) CHARACTER SET latin1) ENGINE=InnoDB", "CREATE TABLE c (id INT, FOREIGN KEY (id) REFERENCES p (id)) ENGINE=InnoDB", "CREATE TABLE x (id INT)")
		r := open(t, options(s, name))
		refused := db.Try("DROP TABLE p, x") != nil
		db.Exec("INSERT INTO p VALUES (1, 'é')")
		var told []*change.TableChange
		for {
			c := r.nextChange()
			if c.DDL == nil {
				if got := describe(c); got != "insert p 1 é" {
					t.Errorf("got %q", got)
				}
				break
			}
			for i := range c.DDL.Tables {
				t := c.DDL.Tables[i]
				told = append(told, &t)
			}
		}
		there := db.Query("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = '" + name + "' ORDER BY 1")
		has := map[string]bool{"p": true, "c": true, "x": true}
		for _, c := range told {
			has[c.Name] = c.Type != change.Dropped
		}
		var got, want []string
		for n, is := range has {
			if is {
				got = append(got, n)
			}
		}
		for _, row := range there {
			want = append(want, row[0])
		}
		if slices.Sort(got); !refused || !slices.Equal(got, want) {
			t.Errorf("refused: %t; told of %q, there are %q", refused, got, want)
		}
	})
}
