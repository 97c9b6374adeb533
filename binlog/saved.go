package binlog

import (
	"daybook/binlog/schema"
	"daybook/change"
)

// SavedTable returns the definition in the SchemaEntry of a table.
func SavedTable(value []byte) (*change.Table, error) { return schema.Decode(value) }
