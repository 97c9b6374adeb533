package format

import (
	"strconv"

	"daybook/change"
)

// encodeGap emits a schema change event about no database that changes no
// table and has no statement, with one field more: gap. Debezium makes events
// without a statement for sources whose DDL it does not see, so its consumers
// know the form and have nothing to do.
func (d *debezium) encodeGap(c *change.Change, out Records) {
	d.key = append(d.key[:0], `{"databaseName":""}`...)
	v := append(out.Begin(d.key, 0), '{')
	v = d.appendSource(v, c, "", "")
	v = append(v, `,"ts_ms":`...)
	v = strconv.AppendInt(v, d.options.Now().UnixMilli(), 10)
	v = append(v, `,"databaseName":"","schemaName":null,"ddl":null,"tableChanges":[],"gap":{"from":`...)
	v = appendString(v, c.Gap.From)
	v = append(v, `,"to":`...)
	v = appendString(v, c.Gap.To)
	v = append(v, `,"reason":`...)
	v = appendString(v, c.Gap.Reason)
	out.End(append(v, "}}"...))
}
