//go:build servers

package converge

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"daybook/e2e/oracle"
	"daybook/e2e/servers"
)

// tableChange is what is needed of a table's change in a schema change.
type tableChange struct {
	Type  string
	Table *struct {
		DefaultCharsetName string
		Columns            []toldColumn
		Comment            *string
	}
}

type toldColumn struct {
	Name        string
	CharsetName *string
	Optional    bool
	Comment     *string
	EnumValues  []string

	DefaultValueExpression *string
}

// adopt takes a definition that no statement made, if it is told for one of the two reasons that
// the workload has: of a table of CREATE … SELECT, servers log a question mark for each character of a
// label that is outside the BMP, and full row metadata tells what it is; and a conversion of labels that the server
// has garbled before cannot be followed, so that its outcome is told as the server has it. All else must be as it was.
func (a *applier) adopt(e *envelope) error {
	if len(e.TableChanges) != 1 || e.TableChanges[0].Type != "ALTER" {
		return errors.New("a definition that was changed behind the binlog: no ALTER of a table")
	}
	t, err := a.table(e.Source.DB, e.Source.Table)
	if err != nil {
		return err
	}
	told := e.TableChanges[0].Table
	if len(told.Columns) != len(t.columns) {
		return fmt.Errorf("a definition that was changed behind the binlog: %d columns, not %d", len(told.Columns), len(t.columns))
	}
	var labels []string
	garbled := false
	for i := range t.columns {
		garbled = garbled || strings.Contains(strings.Join(told.Columns[i].EnumValues, ""), "?")
		column, err := t.columns[i].relabelled(&told.Columns[i])
		if err != nil {
			return fmt.Errorf("a definition that was changed behind the binlog: %w", err)
		}
		if column != "" {
			labels = append(labels, "MODIFY "+column)
		}
	}
	if len(labels) == 0 && (garbled || a.converted()) { // the column may have other labels by now, or none
		return nil
	}
	if len(labels) == 0 {
		return errors.New("a definition that was changed behind the binlog: no label of it has a character outside the BMP, or is garbled")
	}
	clear(a.tables)
	return a.run("COMMIT", "ALTER TABLE "+t.name+" "+strings.Join(labels, ", "), "BEGIN")
}

// relabelled returns the definition that gives a column the labels that are told; "" if they have no character
// outside the BMP.
func (c *column) relabelled(told *toldColumn) (string, error) {
	charset, comment := "", ""
	if told.CharsetName != nil {
		charset = *told.CharsetName
	}
	if told.Comment != nil {
		comment = *told.Comment
	}
	if told.Name != c.name || told.Optional != c.nullable || charset != c.charset || comment != c.comment {
		return "", fmt.Errorf("column %q is told as %+v", c.name, told)
	}
	if c.kind != "enum" && c.kind != "set" {
		return "", nil
	}
	shown := "(" + strings.Join(told.EnumValues, ",") + ")"
	kind, list, _ := strings.Cut(c.text, "(")
	if inBMP(shown) != "("+list {
		return "", fmt.Errorf("column %q has %s, and is told to have %s", c.name, c.text, shown)
	}
	if inBMP(shown) == shown {
		return "", nil
	}
	if told.DefaultValueExpression != nil || c.generated {
		return "", fmt.Errorf("column %q has a default or is generated, which is not seen to here", c.name)
	}
	null := " NULL"
	if !c.nullable {
		null = " NOT NULL"
	}
	return servers.QuoteName(c.name) + " " + kind + shown + " CHARACTER SET " + c.charset + " COLLATE " + c.collation + null + " COMMENT " + quote(c.comment), nil
}

// TestToldLabelsConverge copies a table whose labels the server's CREATE TABLE does not tell: rows
// that come with them are told behind a definition that has them, in which the replica's table must
// differ by nothing else.
func TestToldLabelsConverge(t *testing.T) {
	for _, version := range []string{"mysql-8.0", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) {
			source, replica := servers.Start(t, version, full...), servers.Start(t, version, full...)
			d := track(t, source, oracle.End(source.Connect(t, "")))
			d.WaitLog("state=Normal", oracle.Patience) // its start reads the definitions, which DDL disturbs
			conn := source.Connect(t, "")
			conn.Exec("SET NAMES utf8mb4", "CREATE DATABASE cv CHARACTER SET latin1", "USE cv", "CREATE TABLE t (id INT PRIMARY KEY, e ENUM('?', '𝄞a') CHARACTER SET utf8mb4 COMMENT 'it''s', s SET('b𝄞', 'c') CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL)",
				"INSERT INTO t VALUES (1, '𝄞a', 'b𝄞,c')", "CREATE TABLE u SELECT * FROM t", "UPDATE u SET e = '?'", "UPDATE u SET e = '𝄞a', s = 'b𝄞'")
			replicate(t, d, source, replica)
			a, b := source.Connect(t, ""), replica.Connect(t, "")
			if n := compare(t, a, b); n != 2 {
				t.Errorf("%d tables", n)
			}
			same(t, a, b)
		})
	}
}

// TestOtherDefinitionsAreRefused has the applier be told definitions that differ by more than labels that
// servers do not show.
func TestOtherDefinitionsAreRefused(t *testing.T) {
	text := func(s string) *string { return &s }
	enum := column{name: "e", kind: "enum", text: "enum('a?','?')", charset: "utf8mb4", collation: "utf8mb4_bin", nullable: true, comment: "c"}
	for _, test := range []struct {
		told toldColumn
		want string // "": refused
	}{
		{toldColumn{"e", text("utf8mb4"), true, text("c"), []string{"'a𝄞'", "'?'"}, nil}, "`e` enum('a𝄞','?') CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL COMMENT 'c'"},
		{toldColumn{"e", text("utf8mb4"), true, text("c"), []string{"'aé'", "'?'"}, nil}, ""},
		{toldColumn{"e", text("utf8mb4"), true, text("c"), []string{"'a𝄞'"}, nil}, ""},
		{toldColumn{"e", text("latin1"), true, text("c"), []string{"'a𝄞'", "'?'"}, nil}, ""},
		{toldColumn{"e", text("utf8mb4"), false, text("c"), []string{"'a𝄞'", "'?'"}, nil}, ""},
		{toldColumn{"e", text("utf8mb4"), true, nil, []string{"'a𝄞'", "'?'"}, nil}, ""},
		{toldColumn{"e", text("utf8mb4"), true, text("c"), []string{"'a𝄞'", "'?'"}, text("?")}, ""},
		{toldColumn{"f", text("utf8mb4"), true, text("c"), []string{"'a𝄞'", "'?'"}, nil}, ""},
	} {
		if got, err := enum.relabelled(&test.told); got != test.want || (err != nil) != (test.want == "") {
			t.Errorf("%+v: %q, %v; want %q", test.told, got, err, test.want)
		}
	}
}

// inBMP returns what servers show of a text.
func inBMP(s string) string {
	runes := []rune(s)
	for i, r := range runes {
		if r > 0xFFFF {
			runes[i] = '?'
		}
	}
	return string(runes)
}

// converted tells whether labels may have been garbled by a conversion before.
func (a *applier) converted() bool {
	return slices.ContainsFunc(a.ddl, func(sql string) bool { return strings.Contains(sql, "CONVERT TO CHARACTER SET") })
}
