package schema_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"daybook/binlog/schema"
	"daybook/memtest"
)

// The source of TestManyTables.
const manyTables, manyColumns = 20000, 100

// TestManyTables reads, saves and loads the definitions of 20,000 tables of 100
// columns in a process of its own, and looks at the most memory that it had.
func TestManyTables(t *testing.T) {
	if !memtest.Alone(t) {
		return
	}
	readManyTables(t)
	limitResident(t, 300<<20)
}

// limitResident wants the process's resident memory never to have been above a
// limit. The kernel's figure for a child that has ended counts the parent's, too.
func limitResident(t *testing.T, limit int) {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(status), "VmHWM:")
	most, err := strconv.Atoi(strings.Fields(text)[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d MB at most", most>>10)
	if most<<10 > limit {
		t.Errorf("%d MB at most, want %d", most>>10, limit>>20)
	}
}

func readManyTables(t *testing.T) {
	most := 0
	query := func(_ context.Context, sql string) ([][]schema.Text, error) {
		rows := fakeRows(sql)
		most = max(most, len(rows))
		return rows, nil
	}
	c, err := schema.Snapshot(context.Background(), query, mysql8)
	if err != nil {
		t.Fatal(err)
	}
	if most > 25000 {
		t.Errorf("%d rows in one result: a page is not bounded", most)
	}
	entries := c.Dirty()
	size := 0
	for _, e := range entries {
		size += len(e.Value)
	}
	loaded, err := schema.Load(mysql8, func(yield func(schema.Entry, error) bool) {
		for _, e := range entries {
			if !yield(e, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*schema.Catalog{c, loaded} {
		if names := c.Names("db1"); len(names) != manyTables/2 {
			t.Fatalf("%d tables", len(names))
		}
		for i := 0; i < manyTables; i += 500 {
			if table, ok := c.Table(fmt.Sprintf("db%d", i%2), fmt.Sprintf("table_%d", i)); !ok || len(table.Columns) != manyColumns {
				t.Fatalf("table %d is %+v", i, table)
			}
		}
	}
	t.Logf("%d entries of %d MB", len(entries), size>>20)
}

// fakeRows answers the queries of a snapshot for a source of many tables.
func fakeRows(sql string) [][]schema.Text {
	text := func(values ...string) []schema.Text {
		row := make([]schema.Text, len(values))
		for i, v := range values {
			row[i] = schema.Text{String: v, Null: v == "NULL"}
		}
		return row
	}
	var rows [][]schema.Text
	each := func(fn func(db, table string)) {
		_, where, _ := strings.Cut(sql, " WHERE ")
		for part := range strings.SplitSeq(where, ") OR (") {
			db := strings.Split(part, "'")[1]
			_, list, _ := strings.Cut(part, " IN (")
			for table := range strings.SplitSeq(strings.TrimRight(list, ")"), ", ") {
				fn(db, strings.Trim(table, "'"))
			}
		}
	}
	switch {
	case strings.Contains(sql, "SCHEMATA"):
		return [][]schema.Text{text("db0", "utf8mb4"), text("db1", "utf8mb4")}
	case strings.HasPrefix(sql, "SELECT TABLE_SCHEMA, TABLE_NAME FROM"):
		for i := range manyTables {
			rows = append(rows, text(fmt.Sprintf("db%d", i%2), fmt.Sprintf("table_%d", i)))
		}
	case strings.Contains(sql, ".TABLES "):
		each(func(db, table string) {
			rows = append(rows, text(db, table, "utf8mb4_general_ci", "the comment of "+table, "BASE TABLE", "InnoDB"))
		})
	case strings.Contains(sql, ".COLUMNS "):
		each(func(db, table string) {
			for i := range manyColumns {
				name, typ := fmt.Sprintf("%s_of_customer_%d", []string{"name", "amount", "created_at", "status"}[i%4], i), []string{"varchar(64)", "decimal(12,2)", "datetime(3)", "int unsigned"}[i%4]
				charset := []string{"utf8mb4", "NULL", "NULL", "NULL"}[i%4]
				rows = append(rows, text(db, table, name, fmt.Sprint(i+1), typ, charset, "YES", "NULL", "", "", "NULL"))
			}
		})
	case strings.Contains(sql, ".STATISTICS "):
		each(func(db, table string) {
			rows = append(rows, text(db, table, "PRIMARY", "0", "1", "name_of_customer_0", "NULL", "BTREE", "NULL"))
		})
	}
	return rows
}
