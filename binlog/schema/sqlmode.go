package schema

import "strings"

// SQLModes returns the names of the modes in a query event's Q_SQL_MODE_CODE, as
// SET sql_mode takes them. A bit that has no name on the server is left out.
func SQLModes(mode uint64, server Server) string {
	var names []string
	for i, name := range sqlModeNames {
		if mode>>i&1 == 1 && name != "" {
			names = append(names, name)
		}
	}
	later := sqlModesOfMySQL
	if server.mariaDB() {
		later = sqlModesOfMariaDB
	}
	for i, name := range later {
		if mode>>(len(sqlModeNames)+i)&1 == 1 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}

// sqlModeNames are the modes by their bits, from 0; those above differ.
var sqlModeNames = [...]string{
	"REAL_AS_FLOAT", "PIPES_AS_CONCAT", "ANSI_QUOTES", "IGNORE_SPACE", "", "ONLY_FULL_GROUP_BY", "NO_UNSIGNED_SUBTRACTION", "NO_DIR_IN_CREATE",
	"POSTGRESQL", "ORACLE", "MSSQL", "DB2", "MAXDB", "NO_KEY_OPTIONS", "NO_TABLE_OPTIONS", "NO_FIELD_OPTIONS",
	"MYSQL323", "MYSQL40", "ANSI", "NO_AUTO_VALUE_ON_ZERO", "NO_BACKSLASH_ESCAPES", "STRICT_TRANS_TABLES", "STRICT_ALL_TABLES", "NO_ZERO_IN_DATE",
	"NO_ZERO_DATE", "ALLOW_INVALID_DATES", "ERROR_FOR_DIVISION_BY_ZERO", "TRADITIONAL", "NO_AUTO_CREATE_USER", "HIGH_NOT_PRECEDENCE", "NO_ENGINE_SUBSTITUTION", "PAD_CHAR_TO_FULL_LENGTH",
}

var (
	sqlModesOfMySQL   = []string{"TIME_TRUNCATE_FRACTIONAL", "INTERPRET_UTF8_AS_UTF8MB4"}
	sqlModesOfMariaDB = []string{"EMPTY_STRING_IS_NULL", "SIMULTANEOUS_ASSIGNMENT", "TIME_ROUND_FRACTIONAL"}
)
