package format

import (
	"fmt"
	"strconv"
	"strings"

	"daybook/change"
)

// encodeSchema emits Debezium's schema change event: what it writes to the
// topic named after the connector, not to the schema history topic.
func (d *debezium) encodeSchema(c *change.Change, out Records) {
	s := c.DDL
	key := appendString(append(d.key[:0], `{"databaseName":`...), s.Database)
	d.key = append(key, '}')

	v := append(out.Begin(d.key, roomForText(s.SQL)), '{')
	v = d.appendSource(v, c, s.Database, tableNames(s.Tables))
	v = append(v, `,"ts_ms":`...)
	v = strconv.AppendInt(v, d.options.Now().UnixMilli(), 10)
	v = append(v, `,"databaseName":`...)
	v = appendString(v, s.Database)
	v = append(v, `,"schemaName":null,"ddl":`...)
	v = appendStringOrNull(v, s.SQL)
	v = append(v, `,"tableChanges":[`...)
	first := true
	for i := range s.Tables {
		t := &s.Tables[i]
		name, ok := tableChangeName(t)
		if !ok {
			continue
		}
		if !first {
			v = append(v, ',')
		}
		first = false
		v = append(append(append(v, `{"type":"`...), name...), `","id":`...)
		v = appendString(v, quoted(t.Database)+"."+quoted(t.Name))
		v = append(v, `,"table":`...)
		v = appendTable(v, t.Table)
		v = append(v, '}')
	}
	v = append(v, `],"session":`...)
	if s.SQL == "" {
		v = append(v, `null`...)
	} else {
		v = appendSession(v, &s.Session)
	}
	out.End(append(v, '}'))
}

// appendSession appends what Debezium does not tell: in what session the
// statement means what it did.
func appendSession(dst []byte, s *change.Session) []byte {
	dst = appendStringOrNull(append(dst, `{"database":`...), s.Database)
	dst = appendString(append(dst, `,"sqlMode":`...), s.SQLMode)
	dst = appendStringOrNull(append(dst, `,"timeZone":`...), s.TimeZone)
	dst = appendStringOrNull(append(dst, `,"characterSetServer":`...), s.CharacterSetServer)
	dst = appendStringOrNull(append(dst, `,"collationServer":`...), s.CollationServer)
	dst = appendStringOrNull(append(dst, `,"collationConnection":`...), s.CollationConnection)
	dst = appendStringOrNull(append(dst, `,"collationDatabase":`...), s.CollationDatabase)
	dst = appendStringOrNull(append(dst, `,"defaultCollationForUtf8mb4":`...), s.DefaultCollationForUTF8MB4)
	dst = append(dst, `,"characterSetCollations":`...)
	if s.CharacterSetCollations == nil {
		dst = append(dst, `null`...)
	} else {
		dst = appendString(dst, *s.CharacterSetCollations)
	}
	dst = strconv.AppendBool(append(dst, `,"foreignKeyChecks":`...), s.ForeignKeyChecks)
	dst = strconv.AppendBool(append(dst, `,"uniqueChecks":`...), s.UniqueChecks)
	dst = strconv.AppendBool(append(dst, `,"explicitDefaultsForTimestamp":`...), s.ExplicitDefaultsForTimestamp)
	// As MySQL's own variable has it: seconds, with the microseconds where there are
	// some, as MySQL 5.5 takes none.
	dst = strconv.AppendInt(append(dst, `,"timestamp":`...), s.Timestamp/1e6, 10)
	if micros := s.Timestamp % 1e6; micros != 0 {
		dst = fmt.Appendf(dst, ".%06d", micros)
	}
	return append(appendRareSettings(dst, s), '}')
}

// appendRareSettings appends the settings that are not told where they are each
// server's default, as in nearly all sessions.
func appendRareSettings(dst []byte, s *change.Session) []byte {
	if s.AutoIncrementIncrement != 0 {
		dst = fmt.Appendf(dst, `,"autoIncrementIncrement":%d,"autoIncrementOffset":%d`, s.AutoIncrementIncrement, s.AutoIncrementOffset)
	}
	if s.LCTimeNames != "" {
		dst = appendString(append(dst, `,"lcTimeNames":`...), s.LCTimeNames)
	}
	if s.SQLIfExists {
		dst = append(dst, `,"sqlIfExists":true`...)
	}
	if s.ConstraintsUnchecked {
		dst = append(dst, `,"checkConstraintChecks":false`...)
	}
	if s.DefaultTableEncryption {
		dst = append(dst, `,"defaultTableEncryption":true`...)
	}
	if s.RequirePrimaryKey {
		dst = append(dst, `,"sqlRequirePrimaryKey":true`...)
	}
	return dst
}

// tableChangeName returns Debezium's name for the kind of change; none for a
// TRUNCATE, which leaves the definition as it is.
func tableChangeName(t *change.TableChange) (string, bool) {
	switch t.Type {
	case change.Created:
		return "CREATE", true
	case change.Altered:
		return "ALTER", true
	case change.Dropped:
		return "DROP", true
	}
	return "", false
}

// tableNames joins the names of the tables that a statement is about.
func tableNames(tables []change.TableChange) string {
	if len(tables) == 1 {
		return tables[0].Name
	}
	names := make([]string, len(tables))
	for i := range tables {
		names[i] = tables[i].Name
	}
	return strings.Join(names, ",")
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func appendTable(dst []byte, t *change.Table) []byte {
	if t == nil {
		return append(dst, `null`...)
	}
	dst = append(dst, `{"defaultCharsetName":`...)
	dst = appendStringOrNull(dst, t.Charset)
	dst = append(dst, `,"primaryKeyColumnNames":[`...)
	for i, k := range t.Key() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, t.Columns[k].Name)
	}
	dst = append(dst, `],"columns":[`...)
	for i := range t.Columns {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendColumn(dst, &t.Columns[i], i+1)
	}
	dst = append(dst, `],"comment":`...)
	dst = appendStringOrNull(dst, t.Comment)
	return append(dst, '}')
}

func appendColumn(dst []byte, c *change.Column, position int) []byte {
	dst = appendString(append(dst, `{"name":`...), c.Name)
	dst = append(dst, `,"jdbcType":`...)
	dst = strconv.AppendInt(dst, int64(jdbcType(c.Type)), 10)
	name := typeName(c)
	dst = appendString(append(dst, `,"nativeType":null,"typeName":`...), name)
	dst = appendString(append(dst, `,"typeExpression":`...), name)
	dst = append(dst, `,"charsetName":`...)
	dst = appendStringOrNull(dst, charsetName(c))
	dst = appendIntOrNull(append(dst, `,"length":`...), length(c))
	dst = appendIntOrNull(append(dst, `,"scale":`...), c.Scale)
	dst = strconv.AppendInt(append(dst, `,"position":`...), int64(position), 10)
	dst = strconv.AppendBool(append(dst, `,"optional":`...), c.Nullable)
	dst = strconv.AppendBool(append(dst, `,"autoIncremented":`...), c.AutoIncrement)
	dst = strconv.AppendBool(append(dst, `,"generated":`...), c.AutoIncrement || c.Generated)
	dst = appendStringOrNull(append(dst, `,"comment":`...), c.Comment)
	dst = append(dst, `,"defaultValueExpression":`...)
	if c.Default == nil {
		dst = append(dst, `null`...)
	} else {
		dst = appendString(dst, *c.Default)
	}
	dst = append(dst, `,"enumValues":`...)
	return append(appendMembers(dst, c.Members), '}')
}

func appendIntOrNull(dst []byte, n int) []byte {
	if n < 0 {
		return append(dst, `null`...)
	}
	return strconv.AppendInt(dst, int64(n), 10)
}

// appendMembers appends the labels of ENUM and SET, each as an SQL literal.
func appendMembers(dst []byte, members []string) []byte {
	if len(members) == 0 {
		return append(dst, `null`...)
	}
	for i, m := range members {
		separator := byte(',')
		if i == 0 {
			separator = '['
		}
		dst = append(dst, separator)
		dst = appendString(dst, "'"+strings.ReplaceAll(m, "'", "''")+"'")
	}
	return append(dst, ']')
}

func typeName(c *change.Column) string {
	name := c.Type.String()
	if c.Unsigned {
		name += " UNSIGNED"
	}
	if c.Zerofill {
		name += " ZEROFILL"
	}
	return name
}

func charsetName(c *change.Column) string {
	if c.Type.IsText() || c.Type == change.Enum || c.Type == change.Set {
		return c.Charset
	}
	return ""
}

// length returns the length as Debezium tells it: of a SET that of its labels,
// taken as one character each, joined by commas.
func length(c *change.Column) int {
	switch c.Type {
	case change.Enum:
		return 1
	case change.Set:
		return max(0, 2*len(c.Members)-1)
	}
	return c.Length
}

// jdbcType returns the constant of java.sql.Types that Debezium's MySQL
// connector has for the type.
func jdbcType(t change.Type) int {
	switch t {
	case change.TinyInt, change.SmallInt:
		return 5
	case change.MediumInt, change.Int, change.Year:
		return 4
	case change.BigInt:
		return -5
	case change.Float:
		return 6
	case change.Double:
		return 8
	case change.Decimal:
		return 3
	case change.Bit:
		return -7
	case change.Date:
		return 91
	case change.Time:
		return 92
	case change.DateTime:
		return 93
	case change.Timestamp:
		return 2014
	case change.Char, change.Enum, change.Set:
		return 1
	case change.VarChar, change.TinyText, change.Text, change.MediumText, change.LongText:
		return 12
	case change.Binary:
		return -2
	case change.VarBinary:
		return -3
	case change.TinyBlob, change.Blob, change.MediumBlob, change.LongBlob:
		return 2004
	}
	const other = 1111
	return other
}
