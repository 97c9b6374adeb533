//go:build servers

package format_test

import "regexp"

// below matches the paths of values.
func below(path string) *regexp.Regexp { return regexp.MustCompile(path) }

// The differences are those of docs/record-formats.md.
var (
	generatedTold = difference{"", below(`columns\.\d+\.generated$`), "true", "generated is true for a generated column too"}
	droppedTables = difference{"DROP DATABASE", below(`^value\.(tableChanges|source\.table)`), "*", "DROP DATABASE lists the tables that go with it"}
	precise       = difference{"", below(`\.(i|my_row_id|c)$`), "18446744073709551615|1|2|5|6", "BIGINT UNSIGNED is an exact number"}
)

var moreDiffer = []difference{
	generatedTold, droppedTables,
	{"CREATE TABLE label_hex", below(`enumValues`), "*", "labels in hexadecimal are told as text"},
	{"INSERT INTO label_hex", below(`after\.v$`), `"表"`, "labels in hexadecimal are told as text"},
	{"CREATE TABLE label_odd", below(`enumValues\.5$`), `"'x'"`, "labels without the blanks at their end, which servers take off"},
	{"INSERT INTO label_odd", below(`after\.v$`), `"x"`, "labels without the blanks at their end, which servers take off"},
	{"INSERT INTO label_odd", below(`after\.v$`), `"a,b"`, "labels without escapes"},
	{"INSERT INTO label_odd", below(`after\.v$`), `"c\\d"`, "labels without escapes"},
	{"CREATE TABLE label_odd", below(`enumValues\.2$`), `"'c\\d'"`, "labels without escapes"},
	{"ALTER TABLE keyed_by_server", below(`columns\.[01]\.`), "*", "a generated primary key stays in front"},
	precise,
}

// mariadbLacks are statements whose records Debezium's connector lacks, as it cannot
// read them, or has others of.
var mariadbLacks = []string{"INSERT INTO addresses", "INSERT INTO by_address", "DELETE FROM by_address", "INSERT INTO address4", "INSERT INTO packed", "INSERT INTO booked", "DELETE FROM booked",
	"DELETE FROM declared", "CREATE SEQUENCE", "ALTER SEQUENCE", "INSERT INTO numbered", "row of numbered", "DROP TABLE"}

var mariadbDiffer = []difference{
	generatedTold, droppedTables, precise,
	{"", below(`columns\.\d+\.length$`), "1|3|4|9|11|20", "integers have their display width where the server has one"},
	{"CREATE TABLE numbers", below(`columns\.2\.(jdbcType|typeExpression|typeName)$`), "*", "BOOL is TINYINT"},
	{"INSERT INTO numbers", below(`after\.b$`), "1", "BOOL is TINYINT"},
	{"CREATE TABLE texts", below(`columns\.7\.`), "*", "JSON is LONGTEXT"},
	{"CREATE TABLE label_latin1", below(`columns\.2\.enumValues\.0`), `"'?'"`, "labels as their character set can have them"},
	{"INSERT INTO times", below(`after\.t[s0]$`), "null", "a zero TIMESTAMP is null in a column that may be"},
	{"INSERT INTO by_uuid", below(`\.u$`), `"123e4567-e89b-12d3-a456-426655440000"`, "the connector's UUIDs are shifted by two bytes"},
	{"UPDATE by_uuid", below(`\.u$`), `"123e4567-e89b-12d3-a456-426655440000"`, "the connector's UUIDs are shifted by two bytes"},
	{"CREATE TABLE declared", below(`optional$|primaryKey`), "*", "a period's columns are NOT NULL, and row_end is part of the key"},
	{"", below(`^key\.e$`), "*", "row_end is part of the key of a versioned table"},
	{"CREATE TABLE booked", below(`^value\.(tableChanges|source\.table)`), "*", "the connector does not know keys over a period"},
	{"CREATE TABLE addresses", below(`^value\.(tableChanges|source\.table)`), "*", "the connector does not know INET6"},
	{"CREATE TABLE by_address", below(`^value\.(tableChanges|source\.table)`), "*", "the connector does not know INET6"},
	{"CREATE TABLE address4", below(`^value\.(tableChanges|source\.table)`), "*", "the connector does not know INET4"},
	{"DROP SEQUENCE", below(`^value\.(tableChanges|source\.table)`), "*", "a sequence is a table"},
	{"CREATE TABLE packed", below(`^value\.(tableChanges|source\.table)`), "*", "the connector does not know compressed columns"},
}
