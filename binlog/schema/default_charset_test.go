package schema_test

import (
	"testing"

	"daybook/binlog/schema"
)

// TestSessionsCollationDatabase follows tables that take a default, as each server was
// seen to give it: to new ones that of their database, to converted ones the session's
// collation_database, except on MariaDB from 10.9 on.
func TestSessionsCollationDatabase(t *testing.T) {
	const latin1, koi8r = 47, 7 // collations
	for _, server := range []schema.Server{
		{Flavor: "mysql", Version: 50722}, {Flavor: "mysql", Version: 80031}, {Flavor: "mysql", Version: 90700},
		{Flavor: "mariadb", Version: 100515}, {Flavor: "mariadb", Version: 101106}, {Flavor: "mariadb", Version: 110803},
	} {
		server.DefaultCharset = "greek"
		byDatabase := server.Flavor == "mariadb" && server.Version >= 100900
		for _, test := range []struct {
			in           string
			told         uint16
			made, before string // the charset of a new table, and of one that is converted before MariaDB 10.9
		}{
			{"x", 0, "cp1251", "cp1251"}, {"x", latin1, "cp1251", "latin1"},
			{"y", 0, "cp1251", "latin2"}, {"y", latin1, "cp1251", "latin1"},
			{"", 0, "cp1251", "greek"},
		} {
			c := schema.NewCatalog(server)
			ctx := schema.Context{Database: test.in, DatabaseCollation: test.told, ServerCollation: koi8r}
			apply(t, c, ctx, "CREATE DATABASE x CHARACTER SET cp1251", "CREATE DATABASE y CHARACTER SET latin2",
				"CREATE TABLE x.made (a CHAR(3))", "CREATE TABLE x.converted (a CHAR(3)) CHARACTER SET hebrew", "ALTER TABLE x.converted CONVERT TO CHARACTER SET DEFAULT")
			converted := test.before
			if byDatabase {
				converted = "cp1251"
			}
			for name, want := range map[string]string{"made": test.made, "converted": converted} {
				table, _ := c.Table("x", name)
				if table == nil || table.Columns[0].Charset != want {
					t.Errorf("%s %d, in %q with collation_database %d: %s is %+v, want %s", server.Flavor, server.Version, test.in, test.told, name, table, want)
				}
			}
		}
	}
}
