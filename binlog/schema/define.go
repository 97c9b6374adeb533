package schema

import (
	"slices"
	"strconv"
	"strings"

	"daybook/change"
)

// createTable runs CREATE TABLE.
func (u *run) createTable(s *createTable) {
	if s.temporary {
		return
	}
	if u.ctx.Failed {
		u.createNothing(s)
		return
	}
	if s.ifNotExist && !s.orReplace && (u.catalog.find(s.name) != nil || u.catalog.findProgram(aView, s.name) != nil) {
		return
	}
	if u.elsewhere(s) {
		u.result.Class, u.result.Named = Other, nil
		return
	}
	var t *table
	switch {
	case s.like != nil:
		t = u.copyOf(*s.like, s.name)
	case s.query:
		u.fail("its columns come from a query", s.name)
		u.err.Rows = true
	default:
		t = u.newTable(s)
	}
	if t == nil || u.err != nil {
		u.fail("it cannot be followed", s.name)
		return
	}
	u.catalog.dropTriggers(s.name) // of one that it replaces
	u.catalog.put(t)
	u.result.Tables = append(u.result.Tables,
		change.TableChange{Type: change.Created, Database: t.Def.Database, Name: t.Def.Name, Table: t.Def})
}

// elsewhere tells a CREATE TABLE … LIKE a temporary table that made one in another database: before
// 5.7 MySQL leaves that out of what it logs. It is known where the table is there already.
func (u *run) elsewhere(s *createTable) bool {
	return !u.server.mariaDB() && !u.server.mysqlFrom(50700) && u.charsetLeftOut && u.ctx.UsesTemporary && !s.ifNotExist && u.catalog.find(s.name) != nil
}

// createNothing runs a CREATE OR REPLACE that failed after it had dropped the table:
// so it is a DROP, and is told as one. Others that fail are not logged.
func (u *run) createNothing(s *createTable) {
	if !s.orReplace || u.catalog.find(s.name) == nil {
		u.result.Class, u.result.Named = Other, nil
		return
	}
	u.result.SQL = "DROP TABLE " + quoteName(s.name.Database) + "." + quoteName(s.name.Name)
	u.dropTable(&dropTable{names: []TableName{s.name}})
}

func quoteName(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// copyOf returns the table that CREATE TABLE name LIKE source makes.
func (u *run) copyOf(source, name TableName) *table {
	if u.temporary(source) != nil {
		u.fail("the table it copies is a temporary one: "+source.String(), name)
		return nil
	}
	old := u.catalog.lookup(source)
	if old == nil || old.Unknown {
		u.fail("the table it copies is not known: "+source.String(), name)
		return nil
	}
	def := *old.Def
	def.Database, def.Name = u.catalog.stored(name.Database), u.catalog.stored(name.Name)
	t := *old
	t.Def = &def
	t.Keys = slices.Clone(old.Keys)
	for i := range t.Keys {
		t.Keys[i] = u.server.rewritten(t.Keys[i], columnsOf(&def))
	}
	return &t
}

// newTable builds the table that CREATE TABLE with a list of columns makes.
func (u *run) newTable(s *createTable) *table {
	b := u.builder(s.name)
	if slices.ContainsFunc(s.elements, func(e alteration) bool { return e.column.versioned }) {
		s.options.versioning = versioningAdded
	}
	dflt := u.defaultOf(s.name.Database)
	b.charset = u.resolveCharset(s.options.charset, dflt.charset)
	if s.options.comment != nil {
		b.comment = *s.options.comment
	}
	b.engine = u.engine(s.options.engine, u.catalog.server.DefaultEngine)
	b.assumed = s.options.engine == ""
	b.written = !u.shown
	b.versioned = s.options.versioning == versioningAdded && !declaresRowTimes(s.elements)
	for _, e := range s.elements {
		if e.kind == addColumn {
			b.insert(b.column(e.column), e.first, e.after)
		}
	}
	b.fillPeriods(s.elements)
	for _, e := range s.elements {
		if e.kind == addKey {
			b.keys = append(b.keys, b.overPeriod(e.key))
		}
	}
	b.extendKeys()
	if s.options.charset == "" || s.options.charset == defaultCharset {
		b.unsure, b.charsetUnsure = u.charsetLeftOut || dflt.unsure(b.inheriting(s.elements)), u.charsetLeftOut
	}
	return b.finish()
}

// sequenceColumns are the columns of a sequence, which is a table of one row.
const sequenceColumns = `(next_not_cached_value BIGINT(21) NOT NULL, minimum_value BIGINT(21) NOT NULL, maximum_value BIGINT(21) NOT NULL,
	start_value BIGINT(21) NOT NULL COMMENT 'start value when sequences is created or value if RESTART is used',
	increment BIGINT(21) NOT NULL COMMENT 'increment value', cache_size BIGINT(21) UNSIGNED NOT NULL,
	cycle_option TINYINT(1) UNSIGNED NOT NULL
	COMMENT '0 if no cycles are allowed, 1 if the sequence should begin a new cycle when maximum_value is passed',
	cycle_count BIGINT(21) NOT NULL COMMENT 'How many cycles have been done')`

// aliSequenceColumns are those of AliSQL's.
const aliSequenceColumns = `(currval BIGINT NOT NULL, nextval BIGINT NOT NULL, minvalue BIGINT NOT NULL, maxvalue BIGINT NOT NULL,
	start BIGINT NOT NULL, increment BIGINT NOT NULL, cache BIGINT NOT NULL, cycle BIGINT NOT NULL, round BIGINT NOT NULL)`

// createSequence runs CREATE SEQUENCE, of MariaDB and of AliSQL.
func (u *run) createSequence(s *createSequence) {
	columns := sequenceColumns
	if !u.server.mariaDB() {
		columns = aliSequenceColumns
	}
	r := newReader(columns, u.server, Context{})
	r.take()
	u.createTable(&createTable{name: s.name, orReplace: s.orReplace, ifNotExist: s.ifNotExist, elements: r.tableElements(nil, false),
		options: tableOptions{engine: s.options.engine, comment: s.options.comment}})
}

// builder holds a table while it is put together.
type builder struct {
	run           *run
	name          TableName
	charset       string
	convert       string // the charset of CONVERT TO CHARACTER SET, "" without it
	comment       string
	engine        string
	assumed       bool // the engine is the server's default
	written       bool // see table.Written
	columns       []column
	keys          []key
	versioned     bool
	unsure        bool    // see table
	charsetUnsure bool    // see table
	period        *period // of application time
}

// column is a column while a table is put together.
type column struct {
	change.Column
	oldName string // before the statement; "" for a new one
	bare    bool   // a TIMESTAMP that got its default from nothing that is written
	rowTime rowTime
	virtual bool // generated and not stored
	// computed is told by a statement: that it has a default which is an expression, or the time.
	computed bool
	// invisible is told by a statement: that a column is left out of SELECT *.
	invisible bool
	// dropped: its default was, so that it has not even NULL, and no primary key gives it one.
	dropped bool
}

func (u *run) builder(name TableName) *builder {
	return &builder{run: u, name: TableName{u.catalog.stored(name.Database), u.catalog.stored(name.Name)}}
}

func (b *builder) fail(reason string) { b.run.fail(reason, b.name) }

// index returns where the column of that name is, or -1.
func (b *builder) index(name string) int {
	return slices.IndexFunc(b.columns, func(c column) bool { return strings.EqualFold(c.Name, name) })
}

// insert puts a column at its place.
func (b *builder) insert(c column, first bool, after string) {
	at := len(b.columns)
	if b.versioned {
		at = max(0, at-b.implicitColumns())
	}
	switch {
	case first:
		at = 0
	case after != "":
		i := b.index(after)
		if i < 0 {
			b.fail("no column " + after)
			return
		}
		at = i + 1
	}
	b.columns = slices.Insert(b.columns, at, c)
}

// maxColumns is the most columns that a table of any server has.
const maxColumns = 4096

// finish gives the keys their names and order, applies what they say about
// columns, and returns the table.
func (b *builder) finish() *table {
	b.addImplicitColumns()
	if len(b.columns) == 0 || len(b.columns) > maxColumns+2 {
		b.fail("no columns, or more than any server allows")
		return nil
	}
	for i, c := range b.columns {
		if b.index(c.Name) != i {
			b.fail("two columns " + c.Name)
		}
	}
	b.dropCovered()
	b.nameKeys()
	b.sortKeys()
	b.promoteTimestamp()
	if b.run.err != nil {
		return nil
	}
	var virtual, invisible, bare []string
	def := &change.Table{Database: b.name.Database, Name: b.name.Name, Charset: b.charset, Comment: fitComment(b.comment, tableComment)}
	for _, c := range b.columns {
		def.Columns = append(def.Columns, c.Column)
		if c.virtual {
			virtual = append(virtual, c.Name)
		}
		if c.invisible {
			invisible = append(invisible, c.Name)
		}
		if c.dropped && c.Nullable {
			bare = append(bare, c.Name)
		}
	}
	setKeys(def, b.keys, b.versioned)
	return &table{Def: def, Keys: b.keys, Virtual: virtual, Invisible: invisible, Bare: bare, Versioned: b.versioned, RowTimes: b.rowTimes(), Period: b.period,
		Engine: b.engine, Assumed: b.assumed, Unsure: b.unsure, CharsetUnsure: b.charsetUnsure, Written: b.written}
}

// dropCovered drops keys that the server would make for foreign keys, if others begin with
// the same columns.
func (b *builder) dropCovered() {
	var kept []key
	for _, k := range b.keys {
		at := slices.IndexFunc(kept, func(o key) bool { return k.Generated && o.beginsWith(k) || o.Generated && k.beginsWith(o) })
		switch {
		case at < 0:
			kept = append(kept, k)
		case kept[at].Generated && !(k.Generated && len(k.Parts) < len(kept[at].Parts)):
			kept = append(slices.Delete(kept, at, at+1), k)
		}
	}
	b.keys = kept
}

// beginsWith tells whether a key has the parts of another one in front.
func (k *key) beginsWith(o key) bool {
	return len(o.Parts) <= len(k.Parts) && slices.EqualFunc(o.Parts, k.Parts[:len(o.Parts)], func(x, y keyPart) bool {
		return x.Column != "" && strings.EqualFold(x.Column, y.Column) && x.Prefix == y.Prefix
	})
}

// nameKeys gives the keys without a name the one that the server gives them:
// the first column's, or that of keys over expressions, with _2, _3, … if it is taken.
func (b *builder) nameKeys() {
	for i := range b.keys {
		k := &b.keys[i]
		if k.Name != "" || len(k.Parts) == 0 {
			continue
		}
		base := k.Parts[0].Column
		if slices.ContainsFunc(k.Parts, func(p keyPart) bool { return p.Column == "" }) {
			base = "functional_index"
		} else if c := b.index(base); c >= 0 {
			base = b.columns[c].Name
		}
		name := base
		if strings.EqualFold(name, primaryName) {
			name = ""
		}
		for n := 2; name == "" || b.keyNamed(name, i); n++ {
			name = base + "_" + strconv.Itoa(n)
		}
		k.Name = name
	}
}

// keyNamed tells whether another key than i has the name.
func (b *builder) keyNamed(name string, i int) bool {
	for j := range b.keys {
		if j != i && strings.EqualFold(b.keys[j].Name, name) && (j < i || b.keys[j].Name != "") {
			return true
		}
	}
	return false
}

// resolveKey gives the key's parts the columns' exact names, and makes the
// columns of a primary key NOT NULL.
func (b *builder) resolveKey(k *key) {
	parts := make([]keyPart, len(k.Parts))
	copy(parts, k.Parts)
	k.Parts = parts
	for i := range k.Parts {
		p := &k.Parts[i]
		if p.Column == "" {
			continue
		}
		at := b.index(p.Column)
		if at < 0 {
			b.fail("key over a column that is not there: " + p.Column)
			return
		}
		c := &b.columns[at]
		p.Column = c.Name
		if !c.Type.IsText() && !c.Type.IsBinary() && !c.Type.IsGeometry() || c.Length >= 0 && p.Prefix >= c.Length {
			p.Prefix = 0
		}
		if b.run.server.mariaDB() && k.Unique && c.Type == change.Point {
			p.Prefix = pointPrefix
		}
		if k.Primary && c.Nullable {
			c.Nullable = false
			if !c.computed && !c.dropped {
				b.run.impliedDefault(&c.Column)
			}
		}
	}
}

// sortKeys resolves the keys and puts them in the server's order: the primary
// key, unique keys without NULLs, other unique keys, the rest. Whether a key
// has NULLs is settled before a later primary key forbids them.
func (b *builder) sortKeys() {
	ranks := make(map[string]int, len(b.keys))
	for i := range b.keys {
		b.resolveKey(&b.keys[i])
		ranks[b.keys[i].Name] = b.keyRank(b.keys[i])
	}
	slices.SortStableFunc(b.keys, func(x, y key) int { return ranks[x.Name] - ranks[y.Name] })
}

func (b *builder) keyRank(k key) int {
	switch {
	case k.Primary:
		return 0
	case k.FullText:
		return 17
	case !k.Unique:
		return 16
	}
	if b.hashed(k) {
		return 15 // its hidden column is nullable and no whole column
	}
	rank := 2
	for _, p := range k.Parts {
		if p.Column == "" {
			rank |= 8 | 1
			continue
		}
		if c := b.index(p.Column); c >= 0 && b.columns[c].Nullable {
			rank |= 8
		}
		if c := b.index(p.Column); p.Prefix > 0 || c >= 0 && b.columns[c].Type.IsGeometry() {
			rank |= 4
		}
		if c := b.index(p.Column); c >= 0 && b.columns[c].virtual && b.run.server.mysqlFrom(50700) {
			rank |= 1
		}
	}
	return rank
}

// setKeys fills PrimaryKey and UniqueKeys of a definition from all its keys. In
// a table with implicit versioning columns the server appends the last of them,
// row_end, to each, before a period of the key: it tells a row from its history.
func setKeys(t *change.Table, keys []key, versioned bool) {
	for _, k := range keys {
		if !k.Unique {
			continue
		}
		columns := make([]int, 0, len(k.Parts))
		for _, p := range k.Parts {
			i := slices.IndexFunc(t.Columns, func(c change.Column) bool { return strings.EqualFold(c.Name, p.Column) })
			if i < 0 || (p.Prefix > 0 || t.Columns[i].Type.IsGeometry()) && !k.Primary {
				break // an expression, a prefix, or a geometry, of which only the box is compared
			}
			columns = append(columns, i)
		}
		whole := len(columns) == len(k.Parts)
		if end := len(t.Columns) - 1; versioned && !slices.Contains(columns, end) {
			columns = slices.Insert(columns, k.beforePeriod(len(columns)), end)
		}
		switch {
		case !whole:
		case k.Primary:
			t.PrimaryKey = columns
		default:
			t.UniqueKeys = append(t.UniqueKeys, change.UniqueKey{Name: k.Name, Columns: columns})
		}
	}
}

// keysOf makes keys of a definition that came without them.
func keysOf(t *change.Table) []key {
	var keys []key
	add := func(k key, columns []int) {
		for _, c := range columns {
			k.Parts = append(k.Parts, keyPart{Column: t.Columns[c].Name})
		}
		keys = append(keys, k)
	}
	if len(t.PrimaryKey) > 0 {
		add(key{Name: primaryName, Primary: true, Unique: true}, t.PrimaryKey)
	}
	for _, k := range t.UniqueKeys {
		add(key{Name: k.Name, Unique: true}, k.Columns)
	}
	return keys
}
