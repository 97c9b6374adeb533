package task

import (
	"context"
	"slices"

	"daybook/binlog"
	"daybook/objects"
)

// listing is which databases and tables a source shows to the account. It asks for names
// alone, for which no server opens a table, and once for each database.
type listing struct {
	conn  *binlog.Conn
	names map[string][]string // of the tables and views, by database
}

// databases returns their names in order. SHOW DATABASES is refused to most accounts where
// skip_show_database is set.
func databases(ctx context.Context, conn *binlog.Conn) ([]string, error) {
	rows, err := conn.LongQuery(ctx, "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA")
	return firstColumn(rows), err
}

// tables returns the names of a database's tables and views in order.
func (l *listing) tables(ctx context.Context, database string) ([]string, error) {
	if names, known := l.names[database]; known {
		return names, nil
	}
	rows, err := l.conn.LongQuery(ctx, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = "+quoted(database))
	if err != nil {
		return nil, err
	}
	if l.names == nil {
		l.names = map[string][]string{}
	}
	l.names[database] = firstColumn(rows)
	return l.names[database], nil
}

// has tells whether any table of these databases is selected.
func (l *listing) has(ctx context.Context, selected *objects.Selection, databases []string) (bool, error) {
	for _, database := range databases {
		if !selected.Database(database) {
			continue
		}
		names, err := l.tables(ctx, database)
		if err != nil {
			return false, err
		}
		if slices.ContainsFunc(names, func(table string) bool { return selected.Table(database, table) }) {
			return true, nil
		}
	}
	return false, nil
}

func firstColumn(rows [][]binlog.Text) []string {
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = r[0].String
	}
	slices.Sort(names)
	return names
}
