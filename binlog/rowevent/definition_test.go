//go:build servers

package rowevent_test

import (
	"regexp"
	"strconv"
	"strings"

	"daybook/change"
)

var columnTypes = func() map[string]change.Type {
	types := map[string]change.Type{"geomcollection": change.GeometryCollection}
	for t := change.TinyInt; t.String() != "UNKNOWN"; t++ {
		types[strings.ToLower(t.String())] = t
	}
	return types
}()

var parens = regexp.MustCompile(`\((\d+)(?:,(\d+))?\)`)

// definition reads a table's definition from information_schema.
func (s *server) definition(name string) *change.Table {
	t := &change.Table{Database: s.database, Name: name}
	dateTimePrecision := "NULL"
	if s.mariadb() || s.options.Version >= 50604 {
		dateTimePrecision = "DATETIME_PRECISION"
	}
	for _, r := range s.Query(`SELECT COLUMN_NAME, DATA_TYPE, CAST(COLUMN_TYPE AS CHAR), CHARACTER_SET_NAME, IS_NULLABLE,
		NUMERIC_PRECISION, NUMERIC_SCALE, CHARACTER_MAXIMUM_LENGTH, COLUMN_KEY, ` + dateTimePrecision + `
		FROM information_schema.COLUMNS WHERE TABLE_SCHEMA=DATABASE() AND TABLE_NAME='` + name + `' ORDER BY ORDINAL_POSITION`) {
		c := change.Column{Name: r[0], Type: columnTypes[strings.ToLower(r[1])], Length: -1, Scale: -1, Charset: r[3], Nullable: r[4] == "YES"}
		if c.Charset == "NULL" {
			c.Charset = ""
		}
		c.Unsigned = strings.Contains(r[2], "unsigned")
		switch c.Type {
		case change.Decimal:
			c.Length, _ = strconv.Atoi(r[5])
			c.Scale, _ = strconv.Atoi(r[6])
		case change.Time, change.DateTime, change.Timestamp:
			if c.Length, _ = strconv.Atoi(r[9]); c.Length == 0 {
				c.Length = -1
			}
		case change.Enum, change.Set:
			c.Members = members(r[2])
		default:
			if m := parens.FindStringSubmatch(r[2]); m != nil {
				c.Length, _ = strconv.Atoi(m[1])
			}
		}
		if r[8] == "PRI" {
			t.PrimaryKey = append(t.PrimaryKey, len(t.Columns))
		}
		t.Columns = append(t.Columns, c)
	}
	if len(t.Columns) == 0 {
		s.Fatalf("no table %s", name)
	}
	return t
}

// members returns the labels of a column type such as enum('a','b”c').
func members(columnType string) []string {
	list := columnType[strings.IndexByte(columnType, '(')+1 : strings.LastIndexByte(columnType, ')')]
	var labels []string
	for list != "" {
		list = strings.TrimPrefix(list, ",")[1:]
		var label strings.Builder
		for {
			i := strings.IndexByte(list, '\'')
			label.WriteString(list[:i])
			list = list[i+1:]
			if !strings.HasPrefix(list, "'") {
				break
			}
			label.WriteByte('\'')
			list = list[1:]
		}
		labels = append(labels, label.String())
	}
	return labels
}
