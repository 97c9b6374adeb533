package schema_test

import (
	"fmt"
	"testing"

	"daybook/binlog/schema"
)

// TestStatementsOfVendors reads what no server here can: the words that TokuDB, X-Engine, PolarDB and TDSQL add. The
// statements are from their documentation.
func TestStatementsOfVendors(t *testing.T) {
	for sql, want := range map[string]string{
		"CREATE TABLE d.t (a INT NOT NULL, b INT, CLUSTERING KEY k (b))":                                                         "a b key []",
		"CREATE TABLE d.t (a INT NOT NULL, b INT, CLUSTERING INDEX k (b), UNIQUE CLUSTERING KEY u (a))":                          "a b key [0]",
		"CREATE TABLE d.t (a INT NOT NULL, b INT, UNIQUE KEY u (a) CLUSTERING=YES) ENGINE=TokuDB COMPRESSION=tokudb_zlib":        "a b key [0]",
		"CREATE TABLE d.t (a INT NOT NULL PRIMARY KEY, b INT) ENGINE=XENGINE":                                                    "a b key [0]",
		"CREATE TABLE d.t (a INT NOT NULL PRIMARY KEY, b INT) shardkey=a":                                                        "a b key [0]",
		"CREATE TABLE d.t (a INT NOT NULL PRIMARY KEY, b INT) shardkey=noshardkey_allset":                                        "a b key [0]",
		"CREATE TABLE d.t (a INT NOT NULL PRIMARY KEY, b INT) DBPARTITION BY HASH(a) TBPARTITION BY HASH(a) TBPARTITIONS 4":      "a b key [0]",
		"CREATE TABLE d.t (a INT NOT NULL PRIMARY KEY, b INT) BROADCAST":                                                         "a b key [0]",
		"CREATE TABLE d.t (a INT NOT NULL PRIMARY KEY, b INT, CLUSTERED COLUMNAR INDEX c (a) PARTITION BY HASH(a) PARTITIONS 4)": "a b key [0]",
		"CREATE TABLE d.t (a INT NOT NULL PRIMARY KEY, b INT, GLOBAL INDEX g (b) DBPARTITION BY HASH(b))":                        "a b key [0]",
		"CREATE TABLE d.t (a INT NOT NULL, b INT, UNIQUE GLOBAL INDEX g (a) COVERING (b) DBPARTITION BY HASH(b), LOCAL KEY (b))": "a b key [0]",
		"ALTER TABLE d.s ADD CLUSTERED COLUMNAR INDEX c (a) PARTITION BY HASH(a), ADD x INT":                                     "a b x key []",
		"ALTER TABLE d.s ADD CLUSTERING KEY k (a), ADD global INT, ADD clustering INT FIRST":                                     "clustering a b global key []",
		"CREATE CLUSTERING INDEX k ON d.s (a)":                                                                                   "a b key []",
		"CREATE UNIQUE GLOBAL INDEX k ON d.s (a) DBPARTITION BY HASH(a)":                                                         "a b key [0]",
		"CREATE CLUSTERED COLUMNAR INDEX c ON d.s (a)":                                                                           "a b key []",
		"CREATE SEQUENCE d.t START WITH 1 MINVALUE 1 MAXVALUE 99 INCREMENT BY 1 CACHE 10 NOCYCLE":                                "currval nextval minvalue maxvalue start increment cache cycle round key []",
	} {
		c := schema.NewCatalog(mysql8)
		c.PutDatabase("d", "utf8mb4")
		r := apply(t, c, schema.Context{}, "CREATE TABLE d.s (a INT NOT NULL, b INT)", sql)
		got := "nothing"
		for _, told := range r.Tables {
			got = ""
			for i := range told.Table.Columns {
				got += told.Table.Columns[i].Name + " "
			}
			got += fmt.Sprint("key ", told.Table.Key())
		}
		if got != want {
			t.Errorf("%s: %s in place of %s", sql, got, want)
		}
	}
}
