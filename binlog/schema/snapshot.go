package schema

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

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

// chunkTables bounds how many tables one query describes, so that memory does
// not depend on the source's size; a database is not divided.
const chunkTables = 1000

// Snapshot reads the definitions of all tables from information_schema. It is
// consistent only if no DDL runs meanwhile: the caller compares the binlog
// position before and after. The definitions equal those that Apply makes of
// the statements that led to them.
func Snapshot(ctx context.Context, query Query, server Server) (*Catalog, error) {
	c := NewCatalog(server)
	s := &snapshot{catalog: c, query: query}
	if server.mysqlFrom(80030) {
		// The generated invisible primary key is in row events, so it must be
		// seen here; servers that hide it let the session choose.
		if _, err := query(ctx, "SET SESSION show_gipk_in_create_table_and_information_schema = ON"); err != nil {
			return nil, fmt.Errorf("show generated primary keys: %w", err)
		}
	}
	if err := s.databases(ctx); err != nil {
		return nil, fmt.Errorf("read databases: %w", err)
	}
	counts, err := s.tables(ctx, " WHERE TABLE_SCHEMA NOT IN "+hidden)
	if err != nil {
		return nil, fmt.Errorf("read tables: %w", err)
	}
	for _, names := range s.chunks(counts) {
		if err := s.read(ctx, whereDatabases(names)); err != nil {
			return nil, fmt.Errorf("read tables of %s: %w", strings.Join(names, ", "), err)
		}
	}
	if err := s.programs(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// hidden are the databases whose tables never have row events.
const hidden = "('information_schema', 'performance_schema')"

type snapshot struct {
	catalog *Catalog
	query   Query
	infos   map[TableName]tableInfo
}

type tableInfo struct {
	charset, comment, engine string
	versioned                bool
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

// tables notes what is not in COLUMNS of the tables that where selects, and
// counts them by database.
func (s *snapshot) tables(ctx context.Context, where string) (map[string]int, error) {
	rows, err := s.query(ctx, "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_COLLATION, TABLE_COMMENT, TABLE_TYPE, ENGINE FROM information_schema.TABLES"+
		where+" AND TABLE_TYPE NOT LIKE '%VIEW'")
	if err != nil {
		return nil, err
	}
	s.infos = make(map[TableName]tableInfo, len(rows))
	counts := map[string]int{}
	for _, r := range rows {
		counts[r[0].String]++
		s.infos[TableName{r[0].String, r[1].String}] = tableInfo{
			charset: charsetOfCollation(r[2].String), comment: r[3].String, versioned: r[4].String == "SYSTEM VERSIONED", engine: engineName(r[5].String)}
	}
	return counts, nil
}

// chunks divides the databases so that each chunk has about chunkTables tables.
func (s *snapshot) chunks(counts map[string]int) [][]string {
	var chunks [][]string
	size := chunkTables
	for _, db := range s.catalog.Databases() {
		n := counts[db]
		if n == 0 {
			continue
		}
		if size+n > chunkTables {
			chunks, size = append(chunks, nil), 0
		}
		chunks[len(chunks)-1] = append(chunks[len(chunks)-1], db)
		size += n
	}
	return chunks
}

func whereDatabases(names []string) string {
	quoted := make([]string, len(names))
	for i, db := range names {
		quoted[i] = quote(db)
	}
	if len(quoted) == 1 {
		return " WHERE TABLE_SCHEMA = " + quoted[0]
	}
	return " WHERE TABLE_SCHEMA IN (" + strings.Join(quoted, ", ") + ")"
}

// read reads the tables that where selects, out of those that tables noted.
func (s *snapshot) read(ctx context.Context, where string) error {
	columns, err := s.columns(ctx, where)
	if err != nil {
		return err
	}
	keys, err := s.keys(ctx, where)
	if err != nil {
		return err
	}
	for n, list := range columns {
		if err := s.table(ctx, n, list, keys[n]); err != nil {
			return fmt.Errorf("table %s: %w", n, err)
		}
	}
	return nil
}

// table puts one table together.
func (s *snapshot) table(ctx context.Context, n TableName, columns []snapshotColumn, keys []key) error {
	info, ok := s.infos[n]
	if !ok {
		return nil // a view
	}
	slices.SortFunc(columns, func(a, b snapshotColumn) int { return a.ordinal - b.ordinal })
	def := &change.Table{Database: n.Database, Name: n.Name, Charset: info.charset, Comment: info.comment}
	versioned := info.versioned
	var virtual []string
	for _, c := range columns {
		def.Columns = append(def.Columns, c.Column)
		if c.rowTime {
			versioned = false
		}
		if c.virtual {
			virtual = append(virtual, c.Name)
		}
	}
	if versioned {
		def.Columns = append(def.Columns, implicitColumn(rowStart), implicitColumn(rowEnd))
	}
	keys, err := s.orderKeys(ctx, n, keys)
	if err != nil {
		return err
	}
	setKeys(def, keys, versioned)
	s.catalog.put(&table{Def: def, Keys: keys, Virtual: virtual, Versioned: versioned, Engine: info.engine})
	return nil
}

// orderKeys puts keys in the server's order, which information_schema gives
// everywhere but on MySQL 8.0 and later. It matters only among unique keys.
func (s *snapshot) orderKeys(ctx context.Context, n TableName, keys []key) ([]key, error) {
	unique := 0
	for _, k := range keys {
		if k.Unique && !k.Primary {
			unique++
		}
	}
	if unique < 2 || !s.catalog.server.mysqlFrom(80000) {
		return keys, nil
	}
	rows, err := s.query(ctx, "SHOW KEYS FROM "+backquote(n.Database)+"."+backquote(n.Name))
	if err != nil {
		return nil, err
	}
	order := map[string]int{}
	for i, r := range rows {
		if _, ok := order[r[2].String]; !ok {
			order[r[2].String] = i
		}
	}
	slices.SortStableFunc(keys, func(a, b key) int { return order[a.Name] - order[b.Name] })
	return keys, nil
}

type snapshotColumn struct {
	change.Column
	ordinal int
	rowTime bool
	virtual bool
}

// columns reads the columns of all tables that where selects.
func (s *snapshot) columns(ctx context.Context, where string) (map[TableName][]snapshotColumn, error) {
	generation := "NULL"
	if s.catalog.server.mariaFrom(100300) {
		generation = "GENERATION_EXPRESSION"
	}
	rows, err := s.query(ctx, "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION, COLUMN_TYPE, CHARACTER_SET_NAME,"+
		" IS_NULLABLE, COLUMN_DEFAULT, EXTRA, COLUMN_COMMENT, "+generation+" FROM information_schema.COLUMNS"+where)
	if err != nil {
		return nil, err
	}
	tables := map[TableName][]snapshotColumn{}
	for _, r := range rows {
		n := TableName{r[0].String, r[1].String}
		c, err := s.column(r[2:])
		if err != nil {
			return nil, fmt.Errorf("column %s.%s: %w", n, r[2].String, err)
		}
		tables[n] = append(tables[n], c)
	}
	return tables, nil
}

// column reads COLUMN_NAME, ORDINAL_POSITION, COLUMN_TYPE, CHARACTER_SET_NAME,
// IS_NULLABLE, COLUMN_DEFAULT, EXTRA, COLUMN_COMMENT and GENERATION_EXPRESSION.
func (s *snapshot) column(r []Text) (snapshotColumn, error) {
	server := s.catalog.server
	rd := newReader(r[2].String, server, Context{})
	d := columnDef{typ: rd.dataType(), charset: charsetOf(r[3].String)}
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
	return snapshotColumn{Column: c, ordinal: ordinal, virtual: strings.Contains(extra, "VIRTUAL"), rowTime: strings.HasPrefix(r[8].String, "ROW ")}, nil
}

// keys reads the keys of all tables that where selects.
func (s *snapshot) keys(ctx context.Context, where string) (map[TableName][]key, error) {
	expression := "NULL"
	if s.catalog.server.mysqlFrom(80013) {
		expression = "EXPRESSION"
	}
	rows, err := s.query(ctx, "SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, NON_UNIQUE, SEQ_IN_INDEX, COLUMN_NAME, SUB_PART, INDEX_TYPE, "+
		expression+" FROM information_schema.STATISTICS"+where)
	if err != nil {
		return nil, err
	}
	tables := map[TableName][]key{}
	for _, r := range rows {
		n := TableName{r[0].String, r[1].String}
		list := tables[n]
		i := slices.IndexFunc(list, func(k key) bool { return k.Name == r[2].String })
		if i < 0 {
			i = len(list)
			list = append(list, key{Name: r[2].String, Unique: r[3].String == "0", Primary: r[2].String == primaryName,
				FullText: r[7].String == "FULLTEXT" || r[7].String == "SPATIAL" || r[7].String == "VECTOR"})
		}
		seq, err := strconv.Atoi(r[4].String)
		if err != nil || seq < 1 || seq > 1000 {
			return nil, fmt.Errorf("%w: SEQ_IN_INDEX %q", ErrSnapshot, r[4].String)
		}
		for len(list[i].Parts) < seq {
			list[i].Parts = append(list[i].Parts, keyPart{})
		}
		p := &list[i].Parts[seq-1]
		if r[8].Null {
			p.Column = r[5].String
		}
		if !r[6].Null {
			if p.Prefix, err = strconv.Atoi(r[6].String); err != nil {
				return nil, fmt.Errorf("%w: SUB_PART %q", ErrSnapshot, r[6].String)
			}
		}
		tables[n] = list
	}
	return tables, nil
}

func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(s) + "'"
}

func backquote(s string) string { return "`" + strings.ReplaceAll(s, "`", "``") + "`" }
