//go:build servers

package converge

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"daybook/e2e/servers"
)

// table is a table of the server that records are applied to.
type table struct {
	name    string // quoted, with its database
	columns []column
}

type column struct {
	name      string
	kind      string // DATA_TYPE: int
	typ       string // COLUMN_TYPE in lower case: int(11) unsigned
	text      string // COLUMN_TYPE
	key       string // PRI, UNI, MUL
	charset   string
	collation string
	comment   string
	nullable  bool
	generated bool
	auto      bool
}

func (c *column) unsigned() bool { return strings.Contains(c.typ, "unsigned") }

// precision is the number in the type's parentheses, or that behind the comma.
func (c *column) precision(i int) int {
	_, list, _ := strings.Cut(c.typ, "(")
	list, _, _ = strings.Cut(list, ")")
	parts := strings.Split(list, ",")
	if i >= len(parts) {
		return 0
	}
	n, _ := strconv.Atoi(strings.TrimSpace(parts[i]))
	return n
}

func (t *table) column(name string) *column {
	for i := range t.columns {
		if t.columns[i].name == name {
			return &t.columns[i]
		}
	}
	return nil
}

// whole checks that a record's row has just the table's columns.
func (t *table) whole(row map[string]json.RawMessage) error {
	for name := range row {
		if t.column(name) == nil {
			return fmt.Errorf("%s has no column %q", t.name, name)
		}
	}
	for i := range t.columns {
		c := &t.columns[i]
		if _, ok := row[c.name]; !ok && !c.generated { // MariaDB 11.8 leaves these out
			return fmt.Errorf("the record of %s lacks column %q", t.name, c.name)
		}
	}
	return nil
}

func (t *table) insert(after map[string]json.RawMessage) (string, error) {
	if err := t.whole(after); err != nil {
		return "", err
	}
	var names, values []string
	for i := range t.columns {
		c := &t.columns[i]
		if c.generated {
			continue
		}
		v, err := c.literal(after[c.name])
		if err != nil {
			return "", fmt.Errorf("%s.%s: %w", t.name, c.name, err)
		}
		if v == "X''" && c.isGeometry() {
			continue // no server takes one of no bytes: it is what a column without a default gets that is not named
		}
		names, values = append(names, servers.QuoteName(c.name)), append(values, v)
	}
	return "INSERT INTO " + t.name + " (" + strings.Join(names, ", ") + ") VALUES (" + strings.Join(values, ", ") + ")", nil
}

// conditions match the rows that are as a record says.
func (t *table) conditions(before map[string]json.RawMessage) ([]string, error) {
	if err := t.whole(before); err != nil {
		return nil, err
	}
	return t.matching(before)
}

// matching returns a condition for each value.
func (t *table) matching(before map[string]json.RawMessage) ([]string, error) {
	var all []string
	for i := range t.columns {
		c := &t.columns[i]
		raw, ok := before[c.name]
		if !ok {
			continue
		}
		is, err := c.is(raw)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", t.name, c.name, err)
		}
		all = append(all, is)
	}
	return all, nil
}

// update sets all columns, those that did not change to themselves: else the server
// would fill those with ON UPDATE CURRENT_TIMESTAMP.
func (t *table) update(before, after map[string]json.RawMessage) (string, error) {
	if err := t.whole(after); err != nil {
		return "", err
	}
	var set []string
	for i := range t.columns {
		c := &t.columns[i]
		v := servers.QuoteName(c.name)
		if c.generated {
			continue
		}
		if string(before[c.name]) != string(after[c.name]) {
			var err error
			if v, err = c.literal(after[c.name]); err != nil {
				return "", fmt.Errorf("%s.%s: %w", t.name, c.name, err)
			}
		}
		set = append(set, servers.QuoteName(c.name)+" = "+v)
	}
	return "UPDATE " + t.name + " SET " + strings.Join(set, ", "), nil
}

// literal returns a record's value as SQL.
func (c *column) literal(raw json.RawMessage) (string, error) {
	if string(raw) == "null" {
		return "NULL", nil
	}
	switch c.kind {
	case "date", "datetime":
		n, err := strconv.ParseInt(string(raw), 10, 64)
		switch {
		case c.kind == "date":
			return time.Unix(n*86400, 0).UTC().Format("'2006-01-02'"), err
		case c.precision(0) > 3:
			return time.UnixMicro(n).UTC().Format("'2006-01-02 15:04:05.000000'"), err
		}
		return time.UnixMilli(n).UTC().Format("'2006-01-02 15:04:05.000'"), err
	case "time":
		n, err := strconv.ParseInt(string(raw), 10, 64)
		sign := ""
		if n < 0 {
			sign, n = "-", -n
		}
		return fmt.Sprintf("'%s%02d:%02d:%02d.%06d'", sign, n/3600e6, n/60e6%60, n/1e6%60, n%1e6), err
	case "timestamp":
		var s string
		err := json.Unmarshal(raw, &s)
		return "'" + strings.NewReplacer("T", " ", "Z", "").Replace(s) + "'", err
	case "bit":
		return bits(c, raw)
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob":
		b, err := decoded(raw)
		return fmt.Sprintf("X'%x'", b), err
	case "vector":
		b, err := vector(raw)
		return fmt.Sprintf("X'%x'", b), err
	case "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection":
		b, err := geometry(raw)
		return fmt.Sprintf("X'%x'", b), err
	}
	if raw[0] != '"' {
		return string(raw), nil
	}
	var s string
	err := json.Unmarshal(raw, &s)
	if c.kind == "decimal" {
		return s, err
	}
	return quote(s), err
}

// is returns a condition that holds for just that value. Text is compared byte by
// byte.
func (c *column) is(raw json.RawMessage) (string, error) {
	name := servers.QuoteName(c.name)
	if slices.Contains([]string{"date", "datetime", "timestamp"}, c.kind) {
		// A zero date is null or the epoch's beginning.
		v, err := c.literal(raw)
		if string(raw) == "null" {
			return "(" + name + " IS NULL OR " + name + " = 0)", err
		}
		if string(raw) == "0" || strings.HasPrefix(string(raw), `"1970-01-01T00:00:00`) {
			return "(" + name + " = " + v + " OR " + name + " = 0)", err
		}
		return name + " = " + v, err
	}
	if string(raw) == "null" {
		return name + " IS NULL", nil
	}
	v, err := c.literal(raw)
	if err != nil {
		return "", err
	}
	switch c.kind {
	case "float":
		f, err := strconv.ParseFloat(string(raw), 32)
		return name + " + 0e0 = " + strconv.FormatFloat(f, 'e', 17, 64), err
	case "double":
		f, err := strconv.ParseFloat(string(raw), 64)
		return name + " = " + strconv.FormatFloat(f, 'e', 17, 64), err
	case "bit":
		return name + " + 0 = " + v, nil
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set", "json":
		var s string
		err := json.Unmarshal(raw, &s)
		return fmt.Sprintf("CAST(CONVERT(%s USING utf8mb4) AS BINARY) = X'%x'", name, s), err
	case "vector", "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection":
		return "HEX(" + name + ") = '" + strings.ToUpper(v[2:len(v)-1]) + "'", nil
	}
	return name + " = " + v, nil
}

func decoded(raw json.RawMessage) ([]byte, error) {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(s)
}

func bits(c *column, raw json.RawMessage) (string, error) {
	switch string(raw) {
	case "true":
		return "1", nil
	case "false":
		return "0", nil
	}
	b, err := decoded(raw)
	if want := (c.precision(0) + 7) / 8; err == nil && len(b) != want {
		return "", fmt.Errorf("%d bytes, not %d", len(b), want)
	}
	n := uint64(0)
	for i, v := range b {
		n |= uint64(v) << (8 * i)
	}
	return strconv.FormatUint(n, 10), err
}

func vector(raw json.RawMessage) ([]byte, error) {
	var list []float32
	err := json.Unmarshal(raw, &list)
	var b []byte
	for _, f := range list {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f))
	}
	return b, err
}

func (c *column) isGeometry() bool {
	switch c.kind {
	case "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection":
		return true
	}
	return false
}

// geometry returns the server's form: the SRID before the well-known bytes.
func geometry(raw json.RawMessage) ([]byte, error) {
	var g struct {
		WKB  []byte
		SRID *uint32
	}
	err := json.Unmarshal(raw, &g)
	if len(g.WKB) == 0 { // what ALTER TABLE makes of other values
		return nil, err
	}
	srid := uint32(0)
	if g.SRID != nil {
		srid = *g.SRID
	}
	return append(binary.LittleEndian.AppendUint32(nil, srid), g.WKB...), err
}

// shown is the expression by which the values of both servers are compared.
func (c *column) shown() string {
	name := servers.QuoteName(c.name)
	switch c.kind {
	case "float":
		return "CONCAT(" + name + " + 0e0)"
	case "bit":
		return "CONCAT(" + name + " + 0)"
	case "date", "datetime", "timestamp":
		if c.nullable { // where a zero date is told as null
			return "CONCAT(IF(" + name + " = 0, NULL, " + name + "))"
		}
	case "json":
		return "HEX(CONVERT(" + name + " USING utf8mb4))"
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set", "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob",
		"vector", "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection", "uuid", "inet4", "inet6":
		return "HEX(" + name + ")"
	}
	return "CONCAT(" + name + ")"
}
