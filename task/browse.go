package task

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"daybook/binlog"
	"daybook/objects"
)

// What is looked at in a source for people who choose its objects. Only the Source, Include
// and Exclude of the Options count. Names come first, for which no server opens a table; what
// is told of tables costs MySQL before 8.0 and MariaDB the opening of each (with
// innodb_stats_on_metadata, the default of MySQL 5.5, also a look at its indexes), so that is
// done for a page of them. In a database of 20,000 tables a page of 200 takes half a second on
// MySQL 5.5, 5.7 and 8.0, a preview two.

// browseLimit bounds the time of one look.
const browseLimit = 30 * time.Second

// The tables of a page.
const (
	defaultPage = 200
	LargestPage = 500
)

// ErrNoDatabase is returned for a database that is not there, or not shown to the account.
var ErrNoDatabase = errors.New("the source shows no such database")

// Database is one of a source.
type Database struct {
	Name     string
	System   bool // the server's own, or a service's: only its exact name selects it
	Selected bool // it may have selected tables
}

// Table is a table or view of a source.
type Table struct {
	Name     string
	View     bool   // views have no rows in the binlog
	Engine   string // "" if the server does not tell
	Rows     int64  // as the server estimates; -1: it does not
	Bytes    int64  // of data and indexes, as the server estimates; -1: it does not
	Selected bool
}

// TablePage is some of a database's tables, in the order of their names.
type TablePage struct {
	Tables []Table
	Total  int    // tables and views of the database
	Next   string // after which the next page begins; "": this is the last one
}

// ListDatabases lists the databases that the account may see, in the order of names.
func ListDatabases(ctx context.Context, o Options) ([]Database, error) {
	b, err := browse(ctx, o)
	if err != nil {
		return nil, err
	}
	defer b.close()
	names, err := databases(b.ctx, b.conn)
	if err != nil {
		return nil, b.failed("the list of databases", err)
	}
	all := make([]Database, len(names))
	for i, name := range names {
		all[i] = Database{Name: name, System: objects.System(name), Selected: b.selected.Database(name)}
	}
	return all, nil
}

// ListTables lists tables of a database behind the name after ("": from the first one), at
// most so many (0: 200; LargestPage at most).
func ListTables(ctx context.Context, o Options, database, after string, most int) (TablePage, error) {
	if most <= 0 {
		most = defaultPage
	}
	b, err := browse(ctx, o)
	if err != nil {
		return TablePage{}, err
	}
	defer b.close()
	there, err := databases(b.ctx, b.conn)
	if err != nil {
		return TablePage{}, b.failed("the list of databases", err)
	}
	i := slices.IndexFunc(there, func(name string) bool { return b.selected.Fold(name) == b.selected.Fold(database) })
	if i < 0 {
		return TablePage{}, fmt.Errorf("%w: %s; see that it is written as there, and GRANT SELECT ON %s.* to the user of the source", ErrNoDatabase, database, backquoted(database))
	}
	database = there[i]
	names, err := b.tables(b.ctx, database)
	if err != nil {
		return TablePage{}, b.failed("the names of the tables of "+database, err)
	}
	page := TablePage{Total: len(names)}
	from, found := slices.BinarySearch(names, after)
	if found {
		from++
	}
	names = names[from:]
	if most = min(most, LargestPage); len(names) > most {
		names = names[:most]
		page.Next = names[most-1]
	}
	if page.Tables, err = b.about(database, names); err != nil {
		return TablePage{}, b.failed(fmt.Sprintf("what information_schema tells of %d tables of %s (ask for fewer at once)", len(names), database), err)
	}
	return page, nil
}

// browser looks at a source over one connection.
type browser struct {
	listing
	source   binlog.Source
	since    time.Time
	ctx      context.Context // of the look, with its limit
	cancel   context.CancelFunc
	fold     bool
	selected *objects.Selection
}

func browse(ctx context.Context, o Options) (b *browser, err error) {
	if _, err := objects.New(o.Include, o.Exclude, false); err != nil {
		return nil, err // before the source is asked for anything
	}
	b = &browser{source: o.Source, since: time.Now()}
	b.ctx, b.cancel = context.WithTimeout(ctx, browseLimit)
	if b.conn, err = binlog.Dial(b.ctx, o.Source); err != nil {
		b.cancel()
		_, fix := dialFault(err)
		return nil, fmt.Errorf("%w; to mend it: %s", err, fix)
	}
	rows, err := b.conn.Query(b.ctx, "SELECT @@lower_case_table_names")
	if err == nil && len(rows) == 1 {
		b.fold = rows[0][0].String != "0"
		b.selected, err = objects.New(o.Include, o.Exclude, b.fold)
	}
	if err != nil {
		b.close()
		return nil, b.failed("lower_case_table_names", err)
	}
	return b, nil
}

func (b *browser) close() {
	_ = b.conn.Close()
	b.cancel()
}

// failed says what could not be read, and what to do.
func (b *browser) failed(what string, err error) error {
	if errors.Is(b.ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("%s did not come within %v: %w; try again when the source has less to do", what, time.Since(b.since).Round(time.Second/10), err)
	}
	return fmt.Errorf("read %s: %w; see that the source stays up, and that %s may read information_schema", what, err, b.source.User)
}

// baseTables returns the names of a database's tables without views, in order.
func (b *browser) baseTables(database string) ([]string, error) {
	rows, err := b.conn.LongQuery(b.ctx, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = "+quoted(database)+" AND TABLE_TYPE NOT LIKE '%VIEW'")
	return firstColumn(rows), err
}

// about asks for what is told of tables. Those that are dropped meanwhile are left out.
func (b *browser) about(database string, names []string) ([]Table, error) {
	if len(names) == 0 {
		return nil, nil
	}
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = quoted(name)
	}
	// A list of names is looked at before tables are opened, an order or a range is not.
	rows, err := b.conn.LongQuery(b.ctx, "SELECT TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_ROWS, DATA_LENGTH, INDEX_LENGTH FROM information_schema.TABLES"+
		" WHERE TABLE_SCHEMA = "+quoted(database)+" AND TABLE_NAME IN ("+strings.Join(list, ", ")+")")
	if err != nil {
		return nil, err
	}
	var tables []Table
	for _, r := range rows {
		if _, wanted := slices.BinarySearch(names, r[0].String); !wanted {
			continue // another case or accent, which the comparison takes for the same
		}
		t := Table{Name: r[0].String, View: strings.HasSuffix(r[1].String, "VIEW"), Engine: r[2].String, Rows: estimate(r[3]), Bytes: estimate(r[4])}
		if more := estimate(r[5]); t.Bytes >= 0 && more >= 0 {
			t.Bytes += more
		}
		t.Selected = !t.View && b.selected.Table(database, t.Name)
		tables = append(tables, t)
	}
	slices.SortFunc(tables, func(a, b Table) int { return strings.Compare(a.Name, b.Name) })
	return tables, nil
}

// estimate is a number that the server tells, or -1.
func estimate(v binlog.Text) int64 {
	n, err := strconv.ParseInt(v.String, 10, 64)
	if v.Null || err != nil {
		return -1
	}
	return n
}
