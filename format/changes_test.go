package format_test

import (
	"testing"

	"daybook/change"
	"daybook/format"
)

func intColumn(name string, nullable bool) change.Column {
	return change.Column{Name: name, Type: change.Int, Length: -1, Scale: -1, Nullable: nullable}
}

func table(name string, key []int, columns ...change.Column) *change.Table {
	return &change.Table{Database: "format_dbz", Name: name, Charset: "utf8mb4", PrimaryKey: key, Columns: columns}
}

// TestChangesAsDebezium takes the statements of testdata/debezium/changes.sql
// as changes and compares their records with Debezium's.
func TestChangesAsDebezium(t *testing.T) {
	golden := debeziumRecords(t)[1:]
	for _, c := range typeCases {
		golden = golden[1+len(c.rows):]
	}
	e := encoder(format.DebeziumOptions{})
	expect := func(c *change.Change) {
		t.Helper()
		for _, got := range encode(t, e, at(t, golden[0], c)) {
			compare(t, got, golden[0])
			golden = golden[1:]
		}
	}
	row := func(table *change.Table, before, after []change.Value) {
		t.Helper()
		expect(rowChange(table, before, after))
	}
	ddl := func(sql string, tables ...change.TableChange) {
		t.Helper()
		expect(schemaChange(sql, tables...))
	}

	keyed := table("keyed", []int{1, 2, 0}, intColumn("b", false), intColumn("c", false), intColumn("a", false),
		change.Column{Name: "v", Type: change.VarChar, Length: 10, Scale: -1, Nullable: true, Charset: "utf8mb4"})
	values := func(b, c, a int64, v string) []change.Value { return []change.Value{i64(b), i64(c), i64(a), str(v)} }
	ddl("CREATE TABLE keyed (b INT, c INT, a INT, v VARCHAR(10), PRIMARY KEY (c, a, b))", created(keyed))
	row(keyed, nil, values(1, 2, 3, "one"))
	row(keyed, nil, values(4, 5, 6, "two"))
	row(keyed, values(1, 2, 3, "one"), values(1, 2, 3, "uno"))
	row(keyed, values(4, 5, 6, "two"), values(4, 5, 6, "uno"))
	row(keyed, values(1, 2, 3, "uno"), values(1, 2, 7, "uno")) // the key changes: two records
	row(keyed, values(1, 2, 7, "uno"), nil)
	row(keyed, values(4, 5, 6, "uno"), nil)

	uniq := table("uniq", nil, intColumn("a", true), intColumn("b", false),
		change.Column{Name: "d", Type: change.Date, Length: -1, Scale: -1}, intColumn("v", true))
	uniq.UniqueKeys = []change.UniqueKey{{Name: "ua", Columns: []int{0}}, {Name: "ubd", Columns: []int{2, 1}}}
	ddl("CREATE TABLE uniq (a INT, b INT NOT NULL, d DATE NOT NULL, v INT, UNIQUE KEY ua (a), UNIQUE KEY ubd (d, b))", created(uniq))
	row(uniq, nil, []change.Value{null, i64(1), date(0, 0, 0), i64(5)})

	nokey := table("nokey", nil, intColumn("v", true))
	ddl("CREATE TABLE nokey (v INT)", created(nokey))
	row(nokey, nil, []change.Value{i64(1)})
	row(nokey, []change.Value{i64(1)}, []change.Value{i64(2)})
	row(nokey, []change.Value{i64(2)}, nil)

	weird := table("we\"ird `table", []int{0}, intColumn("col\"umn ü", false))
	weird.Comment, weird.Columns[0].Comment = "the table", "c"
	ddl("CREATE TABLE `we\"ird ``table` (`col\"umn ü` INT PRIMARY KEY COMMENT 'c') COMMENT 'the table'", created(weird))
	row(weird, nil, []change.Value{i64(1)})

	n := unsigned(withDefault(intColumn("n", false), "3"))
	altered := table("keyed", []int{2, 3, 0}, intColumn("b", false), n, intColumn("c", false), intColumn("a", false))
	ddl("ALTER TABLE keyed ADD COLUMN n INT UNSIGNED NOT NULL DEFAULT 3 AFTER b, DROP COLUMN v",
		change.TableChange{Type: change.Altered, Database: "format_dbz", Name: "keyed", Table: altered})
	row(altered, nil, []change.Value{i64(1), u64(3), i64(2), i64(3)})

	named := func(name, comment string) *change.Table {
		t := *altered
		t.Name, t.Comment = name, comment
		return &t
	}
	ddl("ALTER TABLE keyed COMMENT 'a comment'",
		change.TableChange{Type: change.Altered, Database: "format_dbz", Name: "keyed", Table: named("keyed", "a comment")})
	ddl("CREATE INDEX i ON keyed (n)")
	ddl("RENAME TABLE keyed TO keyed2", change.TableChange{Type: change.Altered, Database: "format_dbz", Name: "keyed2",
		PreviousDatabase: "format_dbz", PreviousName: "keyed", Table: named("keyed2", "a comment")})
	ddl("ALTER TABLE keyed2 RENAME TO keyed3", change.TableChange{Type: change.Altered, Database: "format_dbz", Name: "keyed3",
		PreviousDatabase: "format_dbz", PreviousName: "keyed2", Table: named("keyed3", "a comment")})
	ddl("CREATE TABLE copy LIKE keyed3", created(named("copy", "a comment")))

	auto := table("auto_ids", []int{0},
		change.Column{Name: "id", Type: change.BigInt, Length: -1, Scale: -1, AutoIncrement: true},
		change.Column{Name: "e", Type: change.VarChar, Length: 3, Scale: -1, Nullable: true, Charset: "latin1"})
	auto.Charset = "latin1"
	ddl("CREATE TABLE auto_ids (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, e VARCHAR(3) CHARACTER SET latin1) DEFAULT CHARACTER SET latin1", created(auto))

	dropped := func(name string) change.TableChange {
		return change.TableChange{Type: change.Dropped, Database: "format_dbz", Name: name}
	}
	ddl(dropAsLogged, dropped("keyed3"), dropped("copy"))
	ddl("ALTER DATABASE format_dbz CHARACTER SET latin1")
	ddl("DROP DATABASE format_dbz")
	if len(golden) > 0 {
		t.Errorf("%d records of Debezium are left", len(golden))
	}
}

// rowChange makes an insert, update or delete, as the images tell.
func rowChange(table *change.Table, before, after []change.Value) *change.Change {
	op := change.Update
	switch {
	case before == nil:
		op = change.Insert
	case after == nil:
		op = change.Delete
	}
	return &change.Change{Op: op, Table: table, Before: before, After: after}
}
