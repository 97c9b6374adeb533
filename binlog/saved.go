package binlog

import (
	"strings"

	"daybook/binlog/schema"
	"daybook/change"
)

// SavedTableKeys is what the keys of tables' SchemaEntries begin with, and nothing else.
const SavedTableKeys = schema.TableKeys

// SavedTableKeysOf returns the keys that a table's SchemaEntry may have: where names are not told apart by case, they
// are in lower case.
func SavedTableKeysOf(database, table string) []string {
	keys := []string{schema.TableKey(database, table)}
	if folded := schema.TableKey(strings.ToLower(database), strings.ToLower(table)); folded != keys[0] {
		keys = append(keys, folded)
	}
	return keys
}

// SavedTable returns the definition in the SchemaEntry of a table.
func SavedTable(value []byte) (*change.Table, error) { return schema.Decode(value) }
