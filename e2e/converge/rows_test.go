//go:build servers

package converge

import (
	"fmt"
	"slices"
	"strings"

	"daybook/e2e/servers"
)

// value returns a value for a column, as SQL.
func (s *session) value(c *column) string {
	r := s.rng
	if c.nullable && r.chance(12) {
		return "NULL"
	}
	if c.auto && r.chance(80) {
		return "NULL"
	}
	switch c.kind {
	case "tinyint", "smallint", "mediumint", "int", "bigint":
		width := map[string]uint{"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}[c.kind]
		if c.unsigned() {
			return r.Pick("0", "1", fmt.Sprint(r.Uint64()>>(64-width)), fmt.Sprint(^uint64(0)>>(64-width)), fmt.Sprint(r.IntN(200)))
		}
		return r.Pick("0", "-1", fmt.Sprint(int64(r.Uint64())>>(64-width)), fmt.Sprint(int64(1)<<(width-1)*-1), fmt.Sprint(int64(^uint64(0)>>1)>>(64-width)), fmt.Sprint(r.IntN(120)))
	case "decimal":
		whole, scale := c.precision(0)-c.precision(1), c.precision(1)
		text := r.maybe(40, "-")
		if c.unsigned() {
			text = ""
		}
		text += s.digits(whole)
		if scale > 0 {
			text += "." + s.digits(scale)
		}
		return text
	case "float", "double":
		f := r.NormFloat64()
		if c.unsigned() && f < 0 {
			f = -f
		}
		return r.Pick("0", "1", "0.1", fmt.Sprint(float32(f)), fmt.Sprint(f*1000), fmt.Sprintf("%ge%d", f, r.IntN(30)))
	case "bit":
		return fmt.Sprint(r.Uint64() >> (64 - max(1, c.precision(0))))
	case "year":
		return r.Pick("0", "1901", "2155", fmt.Sprint(1950+r.IntN(150)))
	case "date":
		if ofPeriod(c) {
			year := 1999 + r.IntN(5)
			if c.name == "vt" {
				year += 3 + r.IntN(9)
			}
			return fmt.Sprintf("'%d-%02d-%02d'", year, 1+r.IntN(12), 1+r.IntN(28))
		}
		return "'" + s.date() + "'"
	case "datetime":
		return "'" + s.date() + " " + s.clock() + "'"
	case "timestamp":
		return fmt.Sprintf("'%d-%02d-%02d %s'", 1971+r.IntN(66), 1+r.IntN(12), 4+r.IntN(25), s.clock())
	case "time":
		return "'" + r.maybe(30, "-") + fmt.Sprint(r.IntN(839)) + fmt.Sprintf(":%02d:%02d.%06d'", r.IntN(59), r.IntN(60), r.IntN(1e6))
	case "char", "varchar":
		return s.literal(s.words(c.precision(0)))
	case "tinytext":
		return s.literal(s.words(40))
	case "text", "mediumtext", "longtext":
		return s.literal(s.words(5000))
	case "binary", "varbinary":
		return s.bytes(c.precision(0))
	case "tinyblob", "blob", "mediumblob", "longblob":
		return s.bytes(200)
	case "enum":
		return fmt.Sprint(1 + r.IntN(labels(c.text)))
	case "set":
		return fmt.Sprint(r.Uint64() & (1<<labels(c.text) - 1))
	case "json":
		return s.literal(s.document())
	case "vector":
		n := max(1, c.precision(0))
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprint(float32(r.NormFloat64()))
		}
		f := "TO_VECTOR"
		if s.maria {
			f = "VEC_FromText"
		}
		return f + "('[" + strings.Join(list, ",") + "]')"
	case "uuid":
		return fmt.Sprintf("'%08x-1234-1234-8234-%012x'", r.Uint32(), r.Uint64()>>16)
	case "inet4":
		return fmt.Sprintf("'%d.%d.%d.%d'", r.IntN(256), r.IntN(256), r.IntN(256), r.IntN(256))
	case "inet6":
		return r.Pick("'::'", "'::1'", fmt.Sprintf("'2001:db8::%x'", r.IntN(65536)), "'::ffff:1.2.3.4'")
	case "point":
		return s.shape(fmt.Sprintf("POINT(%d %d)", r.IntN(90), r.IntN(90)))
	case "linestring":
		return s.shape("LINESTRING(0 0, 1 1, 2 5)")
	case "polygon":
		return s.shape("POLYGON((0 0, 0 5, 5 5, 5 0, 0 0))")
	case "multipoint":
		return s.shape("MULTIPOINT(1 1, 2 2)")
	case "multilinestring":
		return s.shape("MULTILINESTRING((0 0, 1 1), (2 2, 3 3))")
	case "multipolygon":
		return s.shape("MULTIPOLYGON(((0 0, 0 5, 5 5, 5 0, 0 0)))")
	case "geometrycollection", "geomcollection":
		return s.shape("GEOMETRYCOLLECTION(POINT(1 1))")
	case "geometry":
		return s.shape(r.Pick("POINT(1 2)", "LINESTRING(0 0, 1 1)", "POLYGON((0 0, 0 5, 5 5, 5 0, 0 0))"))
	}
	return "DEFAULT"
}

func (s *session) digits(n int) string {
	if n <= 0 {
		return "0"
	}
	n = 1 + s.rng.IntN(n)
	b := make([]byte, n)
	for i := range b {
		b[i] = '0' + byte(s.rng.IntN(10))
	}
	return string(b)
}

func (s *session) date() string {
	r := s.rng
	return r.Pick("1000-01-01", "9999-12-31", "1970-01-01", "1969-12-31", fmt.Sprintf("%d-%02d-%02d", 1600+r.IntN(800), 1+r.IntN(12), 1+r.IntN(28)))
}

func (s *session) clock() string {
	r := s.rng
	return fmt.Sprintf("%02d:%02d:%02d", r.IntN(24), r.IntN(60), r.IntN(60)) + r.maybe(50, fmt.Sprintf(".%06d", r.IntN(999999)))
}

func (s *session) bytes(longest int) string {
	b := make([]byte, s.rng.IntN(min(longest, 40)+1))
	for i := range b {
		b[i] = byte(s.rng.IntN(256))
	}
	if len(b) == 0 {
		return "''"
	}
	return fmt.Sprintf("X'%x'", b)
}

// labels counts those of an ENUM's or SET's type.
func labels(typ string) int {
	n, in := 0, false
	for _, c := range typ {
		if c == '\'' {
			if in = !in; in {
				n++
			}
		} else if !in && c == '\'' {
			n--
		}
	}
	return max(1, n-strings.Count(typ, "''"))
}

func (s *session) shape(text string) string {
	if s.maria || s.number5 < 50706 {
		return "GeomFromText('" + text + "')"
	}
	return "ST_GeomFromText('" + text + "'" + s.rng.maybe(15, ", 3857") + ")"
}

func (s *session) document() string {
	r := s.rng
	switch r.IntN(8) {
	case 0:
		return r.Pick("null", "true", "[]", "{}", `""`, "0", "-1.5", "18446744073709551615", "1e100", "12345678901234567890.123")
	case 1:
		return `{"a": ` + s.document() + `, "b": ` + s.document() + `}`
	case 2:
		return `[` + s.document() + `, ` + s.document() + `]`
	case 3:
		return `{"long": "` + strings.Repeat(r.Pick("x", "yz"), r.IntN(300)) + `", "n": ` + fmt.Sprint(r.IntN(1e9)) + `}`
	}
	return `{"k": "` + string([]rune(s.charset.Letters)[0]) + `", "n": ` + fmt.Sprint(r.IntN(1000)) + `}`
}

// named is a table of the source, as it is now.
type named struct {
	db, name string
	columns  []column
}

func (n *named) String() string { return servers.QuoteName(n.db) + "." + servers.QuoteName(n.name) }

func (n *named) writable() []column {
	var list []column
	for _, c := range n.columns {
		if !c.generated {
			list = append(list, c)
		}
	}
	return list
}

// write runs a statement that changes rows.
func (s *session) write() {
	r := s.rng
	t := s.table()
	if t == nil || len(t.writable()) == 0 {
		return
	}
	columns := t.writable()
	c := columns[r.IntN(len(columns))]
	if s.tooLarge(t) {
		_ = s.exec("TRUNCATE TABLE " + t.String())
		return
	}
	if t.hasPeriod() && r.chance(25) {
		s.portion(t, columns)
		return
	}
	switch r.IntN(12) {
	case 0, 1, 2, 3, 4:
		_ = s.exec(r.Pick("INSERT", "INSERT", "INSERT IGNORE", "REPLACE") + " INTO " + t.String() + s.rows(columns) + r.maybe(20, " ON DUPLICATE KEY UPDATE "+s.set(columns)))
	case 5, 6, 7:
		_ = s.exec("UPDATE " + r.maybe(20, "IGNORE ") + t.String() + " SET " + s.set(columns) + s.some(&c))
	case 8:
		_ = s.exec("DELETE FROM " + t.String() + s.some(&c))
	case 9:
		if u := s.table(); u != nil && u.String() != t.String() && len(u.writable()) > 0 {
			d := u.writable()[r.IntN(len(u.writable()))]
			_ = s.exec(fmt.Sprintf("UPDATE %s AS x, %s AS y SET x.%s = %s, y.%s = %s WHERE x.%s IS NOT NULL", t, u, servers.QuoteName(c.name), s.value(&c), servers.QuoteName(d.name), s.value(&d), servers.QuoteName(c.name)))
		}
	case 10:
		list := names(columns)
		_ = s.exec("INSERT IGNORE INTO " + t.String() + " (" + list + ") SELECT " + list + " FROM " + t.String() + fmt.Sprintf(" LIMIT %d", 1+r.IntN(s.bulk)))
	case 11:
		if c.kind == "json" && !s.maria {
			_ = s.exec("UPDATE " + t.String() + " SET " + servers.QuoteName(c.name) + " = " + r.Pick("JSON_SET", "JSON_REPLACE", "JSON_REMOVE") + "(" + servers.QuoteName(c.name) + ", '$.n'" + r.Pick(")", ", 5)", ", 'x')"))
			return
		}
		if temporal(strings.ToUpper(c.kind)) {
			return
		}
		_ = s.exec("UPDATE " + t.String() + " SET " + servers.QuoteName(c.name) + " = " + r.Pick("DEFAULT", "NULL", servers.QuoteName(c.name)+" + 1", s.value(&c)) + s.some(&c))
	}
}

// portion changes what the rows of a table with a period have in a part of it.
func (s *session) portion(t *named, columns []column) {
	from := 2000 + s.rng.IntN(12)
	part := fmt.Sprintf(" FOR PORTION OF p FROM '%d-03-01' TO '%d-05-06'", from, from+s.rng.IntN(3))
	if s.rng.chance(40) {
		_ = s.exec("DELETE FROM " + t.String() + part)
		return
	}
	_ = s.exec("UPDATE " + t.String() + part + " SET " + s.set(columns))
}

// mostKeyless is how many rows of a table without a primary key there may be when it is written to: for
// each of its changes the applier reads them all.
const mostKeyless = 2000

// tooLarge tells a table without a primary key that has more rows.
func (s *session) tooLarge(t *named) bool {
	if slices.ContainsFunc(t.columns, func(c column) bool { return c.key == "PRI" }) {
		return false
	}
	r, err := s.look.Execute("SELECT COUNT(*) FROM " + t.String())
	if err != nil {
		return false
	}
	defer r.Close()
	n, _ := r.GetInt(0, 0)
	return n > mostKeyless
}

func names(columns []column) string {
	var list []string
	for _, c := range columns {
		list = append(list, servers.QuoteName(c.name))
	}
	return strings.Join(list, ", ")
}

func (s *session) rows(columns []column) string {
	var used []column
	for _, c := range columns {
		if temporal := c.kind == "date" || c.kind == "datetime" || c.kind == "timestamp"; temporal && !c.nullable || s.rng.chance(85) {
			used = append(used, c)
		}
	}
	if len(used) == 0 {
		used = columns
	}
	var rows []string
	for range 1 + s.rng.IntN(4)*s.rng.IntN(4) {
		var values []string
		for _, c := range used {
			values = append(values, s.value(&c))
		}
		rows = append(rows, "("+strings.Join(values, ", ")+")")
	}
	return " (" + names(used) + ") VALUES " + strings.Join(rows, ", ")
}

func (s *session) set(columns []column) string {
	var list []string
	n, first := 1+s.rng.IntN(2), ""
	for range n {
		c := columns[s.rng.IntN(len(columns))]
		if c.name == first && (strings.Contains(s.modes, "SIMULTANEOUS") || strings.Contains(s.modes, "ORACLE")) {
			continue // MariaDB, whose ORACLE has SIMULTANEOUS_ASSIGNMENT in it, logs a row before that never was
		}
		first = c.name
		list = append(list, servers.QuoteName(c.name)+" = "+s.value(&c))
	}
	return strings.Join(list, ", ")
}

// some chooses rows.
func (s *session) some(c *column) string {
	n := servers.QuoteName(c.name)
	return s.rng.Pick(" WHERE "+n+" <=> "+s.value(c), " WHERE "+n+" IS NULL", " WHERE CRC32("+n+") % 3 = 1", " LIMIT 3", " ORDER BY "+n+" DESC LIMIT 5")
}
