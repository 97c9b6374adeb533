package schema_test

import (
	"testing"

	"daybook/binlog/schema"
)

// TestWhoLogsActions: MySQL does from 9.6 on, of which no binary of each version can be had.
func TestWhoLogsActions(t *testing.T) {
	for _, c := range []struct {
		server schema.Server
		want   bool
	}{
		{schema.Server{Flavor: "mysql", Version: 80031}, false},
		{schema.Server{Flavor: "mysql", Version: 80499}, false},
		{schema.Server{Flavor: "mysql", Version: 90599}, false},
		{schema.Server{Flavor: "mysql", Version: 90600}, true},
		{schema.Server{Flavor: "mysql", Version: 90600, NativeForeignKeys: true}, false},
		{schema.Server{Flavor: "mysql", Version: 90704}, true},
		{schema.Server{Flavor: "mysql", Version: 100000}, true},
		{schema.Server{Flavor: "mariadb", Version: 101119}, false},
		{schema.Server{Flavor: "mariadb", Version: 120000}, false},
	} {
		if got := c.server.LogsActions(); got != c.want {
			t.Errorf("%+v: %t", c.server, got)
		}
		catalog := schema.NewCatalog(c.server)
		result, err := catalog.Apply("CREATE TABLE c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE) ENGINE=InnoDB", schema.Context{Database: "shop"})
		if told := len(result.Acting) > 0; err != nil || told == c.want {
			t.Errorf("%+v: %v is told, error %v", c.server, result.Acting, err)
		}
	}
}
