package schema_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"daybook/binlog/schema"
)

// FuzzApply applies arbitrary statements to a catalog that has tables. Whatever
// they are, Apply gives a result; its error is of the one documented kind; the
// definitions stay consistent; what is allocated is bounded by the statement;
// and the catalog comes back from its entries as it was.
func FuzzApply(f *testing.F) {
	files, err := filepath.Glob("testdata/corpus/*.sql")
	if err != nil || len(files) == 0 {
		f.Fatalf("no corpus: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for i, sql := range strings.Split(string(text), ";\n") {
			f.Add(sql, uint64(i%2*4), uint16(i%40), i%3 == 0)
		}
	}
	for _, sql := range shopPrograms {
		f.Add(sql, uint64(0), uint16(45), true)
	}
	f.Fuzz(func(t *testing.T, sql string, mode uint64, collation uint16, mariaDB bool) {
		server := schema.Server{Flavor: "mysql", Version: 80031, DefaultCharset: "utf8mb4"}
		if mariaDB {
			server = schema.Server{Flavor: "mariadb", Version: 101106, DefaultCharset: "latin1"}
		}
		c := schema.NewCatalog(server)
		for _, sql := range []string{
			"CREATE TABLE t (a INT PRIMARY KEY, b VARCHAR(20) UNIQUE, c TEXT, d ENUM('x','y'))",
			"CREATE TABLE u (a INT, b INT, UNIQUE (a, b))"} {
			if _, err := c.Apply(sql, schema.Context{Database: "shop"}); err != nil {
				t.Fatal(err)
			}
		}
		r, err := c.Apply(sql, schema.Context{Database: "shop", SQLMode: mode, ClientCollation: collation,
			Temporary: &schema.TemporaryTables{Tables: []schema.TemporaryTable{{TableName: schema.TableName{Database: "shop", Name: "t"}}}}, UsesTemporary: mode%2 == 1})
		var unreadable *schema.UnreadableError
		if r == nil || err != nil && !errors.As(err, &unreadable) {
			t.Fatalf("result %v, error %v", r, err)
		}
		if unreadable != nil && (unreadable.At < 0 || unreadable.At > len(r.SQL)) {
			t.Fatalf("At %d is outside a statement of %d bytes", unreadable.At, len(r.SQL))
		}
		c.MayWrite(r, func(db, table string) bool { return table == "t" })
		checkCatalog(t, c, len(r.SQL))
		checkEntries(t, server, c)
	})
}

// checkCatalog checks that every definition can be used, and that its size is
// bounded by that of the statement of size bytes.
func checkCatalog(t *testing.T, c *schema.Catalog, size int) {
	t.Helper()
	for _, table := range c.Tables() {
		if len(table.Columns) == 0 || len(table.Columns) > size+8 {
			t.Fatalf("%d columns from %d bytes", len(table.Columns), size)
		}
		keys := [][]int{table.PrimaryKey}
		for _, k := range table.UniqueKeys {
			keys = append(keys, k.Columns)
		}
		for _, k := range keys {
			for _, i := range k {
				if i < 0 || i >= len(table.Columns) {
					t.Fatalf("key %v of %d columns", k, len(table.Columns))
				}
			}
		}
		for _, column := range table.Columns {
			if column.Default != nil && len(*column.Default) > size+512 {
				t.Fatalf("default of %d bytes from %d", len(*column.Default), size)
			}
		}
		table.Key()
	}
}

// checkEntries checks that a catalog loaded from all entries equals c.
func checkEntries(t *testing.T, server schema.Server, c *schema.Catalog) {
	t.Helper()
	loaded, err := schema.Load(server, func(yield func(schema.Entry, error) bool) {
		for _, e := range c.Dirty() {
			if e.Value != nil && !yield(e, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	want, _ := json.Marshal(c.Tables())
	got, _ := json.Marshal(loaded.Tables())
	if !bytes.Equal(want, got) {
		t.Fatalf("loaded %s\nin place of %s", got, want)
	}
	if strings.Join(c.Databases(), "\x00") != strings.Join(loaded.Databases(), "\x00") {
		t.Fatalf("loaded databases %q in place of %q", loaded.Databases(), c.Databases())
	}
}
