package schema

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"daybook/binlog/charset"
	"daybook/change"
)

// Text is one value of a query's result, in UTF-8.
type Text struct {
	String string
	Null   bool
}

// Query runs one statement on the source and returns the rows of its result.
// The connection's charset must be utf8mb4 or utf8.
type Query func(ctx context.Context, sql string) ([][]Text, error)

// ErrSnapshot is the cause when information_schema says what cannot be
// understood.
var ErrSnapshot = errors.New("information_schema not understood")

// A page is the tables that are read together. It has about pageColumns columns,
// so that memory does not depend on the source's size.
const (
	firstPage   = 50
	largestPage = 1000
	pageColumns = 20000
)

// Snapshot reads the definitions of all tables from information_schema, and the
// triggers, stored routines and views. It is consistent only if no DDL runs
// meanwhile: the caller compares the binlog position before and after. A table
// that is dropped meanwhile is not in it, and one that is not understood is
// unknown. The definitions equal those that Apply makes of the statements that
// led to them.
func Snapshot(ctx context.Context, query Query, server Server) (*Catalog, error) {
	s := &snapshot{catalog: NewCatalog(server), query: query}
	if err := s.prepare(ctx); err != nil {
		return nil, err
	}
	if err := s.databases(ctx); err != nil {
		return nil, fmt.Errorf("read databases: %w", err)
	}
	names, err := s.names(ctx, " WHERE TABLE_SCHEMA NOT IN "+hidden)
	if err != nil {
		return nil, fmt.Errorf("read the names of tables: %w", err)
	}
	if err := s.tables(ctx, names); err != nil {
		return nil, err
	}
	if err := s.programs(ctx); err != nil {
		return nil, err
	}
	return s.catalog, nil
}

// SnapshotTables reads the definitions of the tables named, as Snapshot does,
// into a catalog that has no others.
func SnapshotTables(ctx context.Context, query Query, server Server, names ...TableName) (*Catalog, error) {
	s := &snapshot{catalog: NewCatalog(server), query: query}
	if err := s.prepare(ctx); err != nil {
		return nil, err
	}
	return s.catalog, s.tables(ctx, names)
}

// SnapshotNames reads the names of all tables, in order.
func SnapshotNames(ctx context.Context, query Query) ([]TableName, error) {
	s := &snapshot{query: query}
	return s.names(ctx, " WHERE TABLE_SCHEMA NOT IN "+hidden)
}

// hidden are the databases whose tables never have row events.
const hidden = "('information_schema', 'performance_schema')"

type snapshot struct {
	catalog *Catalog
	query   Query
}

// prepare has the server show the generated invisible primary key: it is in row
// events, so it must be seen here; servers that hide it let the session choose.
func (s *snapshot) prepare(ctx context.Context) error {
	if !s.catalog.server.mysqlFrom(80030) {
		return nil
	}
	if _, err := s.query(ctx, "SET SESSION show_gipk_in_create_table_and_information_schema = ON"); err != nil {
		return fmt.Errorf("show generated primary keys: %w", err)
	}
	return nil
}

func (s *snapshot) databases(ctx context.Context) error {
	rows, err := s.query(ctx, "SELECT SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME FROM information_schema.SCHEMATA"+
		" WHERE SCHEMA_NAME NOT IN "+hidden)
	if err != nil {
		return err
	}
	for _, r := range rows {
		s.catalog.PutDatabase(r[0].String, r[1].String)
	}
	return nil
}

// names returns the tables that where selects, in order.
func (s *snapshot) names(ctx context.Context, where string) ([]TableName, error) {
	rows, err := s.query(ctx, "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES"+where+" AND TABLE_TYPE NOT LIKE '%VIEW'")
	if err != nil {
		return nil, err
	}
	names := make([]TableName, len(rows))
	for i, r := range rows {
		names[i] = TableName{r[0].String, r[1].String}
	}
	slices.SortFunc(names, func(a, b TableName) int {
		return cmp.Or(strings.Compare(a.Database, b.Database), strings.Compare(a.Name, b.Name))
	})
	return names, nil
}

// tables reads the tables named, page by page.
func (s *snapshot) tables(ctx context.Context, names []TableName) error {
	size := firstPage
	for len(names) > 0 {
		p := &page{snapshot: s, tables: map[TableName]*tablePage{}}
		n := min(size, len(names))
		columns, err := p.read(ctx, names[:n])
		if err != nil {
			return fmt.Errorf("read tables from %s to %s: %w", names[0], names[n-1], err)
		}
		names = names[n:]
		size = max(1, min(largestPage, 2*size, pageColumns*n/max(columns, 1)))
	}
	return nil
}

// page is the tables that are read together, and what is known of them so far.
type page struct {
	*snapshot
	tables map[TableName]*tablePage
}

// tablePage is what has been read of one table.
type tablePage struct {
	charset, comment, engine string
	versioned                bool
	columns                  []snapshotColumn
	keys                     []key
	unread                   error // why it cannot be understood
}

// read reads the tables named that are there, and returns how many columns
// these have.
func (p *page) read(ctx context.Context, names []TableName) (columns int, err error) {
	for _, n := range names {
		p.tables[n] = nil
	}
	if err := p.readTables(ctx, names); err != nil {
		return 0, err
	}
	if err := p.readColumns(ctx, names); err != nil {
		return 0, err
	}
	if err := p.readKeys(ctx, names); err != nil {
		return 0, err
	}
	for _, n := range names {
		t := p.tables[n]
		if t == nil || len(t.columns) == 0 && t.unread == nil {
			continue // dropped since
		}
		columns += len(t.columns)
		if t.unread != nil {
			p.catalog.Unknown(n.Database, n.Name)
		} else if err := p.put(ctx, n, t); err != nil {
			return 0, fmt.Errorf("table %s: %w", n, err)
		}
	}
	return columns, nil
}

// readTables reads what is not in COLUMNS.
func (p *page) readTables(ctx context.Context, names []TableName) error {
	rows, err := p.of(ctx, names, "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_COLLATION, TABLE_COMMENT, TABLE_TYPE, ENGINE FROM information_schema.TABLES")
	if err != nil {
		return err
	}
	for _, r := range rows {
		n := TableName{r[0].String, r[1].String}
		if _, wanted := p.tables[n]; wanted && !strings.HasSuffix(r[4].String, "VIEW") {
			p.tables[n] = &tablePage{charset: charset.OfCollation(r[2].String), comment: r[3].String,
				versioned: r[4].String == "SYSTEM VERSIONED", engine: engineName(r[5].String)}
		}
	}
	return nil
}

// put puts one table together.
func (p *page) put(ctx context.Context, n TableName, t *tablePage) error {
	slices.SortFunc(t.columns, func(a, b snapshotColumn) int { return a.ordinal - b.ordinal })
	def := &change.Table{Database: n.Database, Name: n.Name, Charset: t.charset, Comment: t.comment}
	var times period
	var virtual, invisible []string
	for _, c := range t.columns {
		def.Columns = append(def.Columns, c.Column)
		switch c.rowTime {
		case startsRow:
			times.Start = c.Name
		case endsRow:
			times.End = c.Name
		}
		if c.virtual {
			virtual = append(virtual, c.Name)
		}
		if c.invisible {
			invisible = append(invisible, c.Name)
		}
	}
	declared := &times
	if times == (period{}) {
		declared = nil
	}
	versioned := t.versioned && declared == nil
	if versioned {
		for i := range t.keys { // which leave out that they have the implicit column
			for j := range t.keys[i].Parts {
				if t.keys[i].Parts[j].Column == "" {
					t.keys[i].Parts[j].Column = rowEnd
				}
			}
		}
		def.Columns = append(def.Columns, implicitColumn(rowStart), implicitColumn(rowEnd))
	}
	keys, there, err := p.orderKeys(ctx, n, t.keys)
	if err != nil || !there {
		return err
	}
	applied, there, err := p.periodOf(ctx, def, keys)
	if err != nil || !there {
		return err
	}
	p.catalog.server.showPrefixes(keys, columnsOf(def))
	setKeys(def, keys, versioned)
	p.catalog.put(&table{Def: def, Keys: keys, Virtual: virtual, Invisible: invisible, Versioned: versioned, RowTimes: declared, Period: applied, Engine: t.engine})
	return nil
}

type snapshotColumn struct {
	change.Column
	ordinal   int
	rowTime   rowTime
	virtual   bool
	invisible bool
}

// readColumns reads the columns.
func (p *page) readColumns(ctx context.Context, names []TableName) error {
	generation := "NULL"
	if p.catalog.server.mariaFrom(100300) {
		generation = "GENERATION_EXPRESSION"
	}
	rows, err := p.of(ctx, names, "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION, COLUMN_TYPE, CHARACTER_SET_NAME,"+
		" IS_NULLABLE, COLUMN_DEFAULT, EXTRA, COLUMN_COMMENT, "+generation+" FROM information_schema.COLUMNS")
	if err != nil {
		return err
	}
	for _, r := range rows {
		t := p.tables[TableName{r[0].String, r[1].String}]
		if t == nil || change.IsImplicitKey(r[2].String) {
			continue // one that is not wanted, or is shown where global show_ipk_info is ON, and no statement tells
		}
		c, err := p.column(r[2:])
		if err != nil {
			t.unread = fmt.Errorf("column %s: %w", r[2].String, err)
			continue
		}
		t.columns = append(t.columns, c)
	}
	return nil
}

// column reads COLUMN_NAME, ORDINAL_POSITION, COLUMN_TYPE, CHARACTER_SET_NAME,
// IS_NULLABLE, COLUMN_DEFAULT, EXTRA, COLUMN_COMMENT and GENERATION_EXPRESSION.
func (s *snapshot) column(r []Text) (snapshotColumn, error) {
	server := s.catalog.server
	rd := newReader(r[2].String, server, Context{})
	d := columnDef{typ: rd.dataType(), charset: charset.Canonical(r[3].String)}
	if d.charset == "" && (d.typ.word == "ENUM" || d.typ.word == "SET") {
		d.charset = "binary" // MySQL 8.0 shows none
	}
	u := &run{catalog: s.catalog, server: server}
	c, ok := u.resolveType(d, d.charset)
	if rd.failed != nil || !ok {
		return snapshotColumn{}, fmt.Errorf("%w: data type %q", ErrSnapshot, r[2].String)
	}
	ordinal, err := strconv.Atoi(r[1].String)
	if err != nil {
		return snapshotColumn{}, fmt.Errorf("%w: ordinal %q", ErrSnapshot, r[1].String)
	}
	extra := strings.ToUpper(r[6].String)
	c.Name, c.Comment = r[0].String, r[7].String
	c.Nullable = r[4].String == "YES"
	c.AutoIncrement = strings.Contains(extra, "AUTO_INCREMENT")
	c.Generated = strings.Contains(extra, "VIRTUAL") || strings.Contains(extra, "PERSISTENT") || strings.Contains(extra, "STORED GENERATED")
	if !r[5].Null && !c.Generated && !strings.Contains(extra, "DEFAULT_GENERATED") {
		c.Default = u.shownDefault(&c, r[5].String)
	}
	shown := snapshotColumn{Column: c, ordinal: ordinal, virtual: strings.Contains(extra, "VIRTUAL"), invisible: strings.Contains(extra, "INVISIBLE")}
	switch r[8].String {
	case "ROW START":
		shown.rowTime = startsRow
	case "ROW END":
		shown.rowTime = endsRow
	}
	return shown, nil
}

// readKeys reads the keys.
func (p *page) readKeys(ctx context.Context, names []TableName) error {
	kind, expression := "INDEX_TYPE", "NULL"
	if !p.catalog.server.mariaDB() && !p.catalog.server.mysqlFrom(80000) {
		kind = "NULL" // for which the server opens the table: it cannot in sql_mode '' if that was partitioned by "a column"
	}
	if p.catalog.server.mysqlFrom(80013) {
		expression = "EXPRESSION"
	}
	rows, err := p.of(ctx, names, "SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, NON_UNIQUE, SEQ_IN_INDEX, COLUMN_NAME, SUB_PART, "+kind+", "+
		expression+" FROM information_schema.STATISTICS")
	if err != nil {
		return err
	}
	for _, r := range rows {
		if t := p.tables[TableName{r[0].String, r[1].String}]; t != nil && !change.IsImplicitKey(r[5].String) {
			if err := t.addKeyPart(r[2:]); err != nil {
				t.unread = err
			}
		}
	}
	return nil
}

// addKeyPart reads INDEX_NAME, NON_UNIQUE, SEQ_IN_INDEX, COLUMN_NAME, SUB_PART,
// INDEX_TYPE and EXPRESSION.
func (t *tablePage) addKeyPart(r []Text) error {
	i := slices.IndexFunc(t.keys, func(k key) bool { return k.Name == r[0].String })
	if i < 0 {
		i = len(t.keys)
		t.keys = append(t.keys, key{Name: r[0].String, Unique: r[1].String == "0", Primary: r[0].String == primaryName,
			Hash: r[5].String == "HASH", FullText: r[5].String == "FULLTEXT" || r[5].String == "SPATIAL" || r[5].String == "VECTOR"})
	}
	seq, err := strconv.Atoi(r[2].String)
	if err != nil || seq < 1 || seq > 1000 {
		return fmt.Errorf("%w: SEQ_IN_INDEX %q", ErrSnapshot, r[2].String)
	}
	for len(t.keys[i].Parts) < seq {
		t.keys[i].Parts = append(t.keys[i].Parts, keyPart{})
	}
	part := &t.keys[i].Parts[seq-1]
	if r[6].Null {
		part.Column = r[3].String
	}
	if !r[4].Null {
		if part.Prefix, err = strconv.Atoi(r[4].String); err != nil {
			return fmt.Errorf("%w: SUB_PART %q", ErrSnapshot, r[4].String)
		}
	}
	return nil
}

func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(s) + "'"
}

func backquote(s string) string { return "`" + strings.ReplaceAll(s, "`", "``") + "`" }
