package schema

import (
	"slices"
	"strings"

	"daybook/binlog/charset"
)

// defaultSet is the default charset that a statement takes from a database.
type defaultSet struct {
	charset string
	// former are those that it may be in place of charset: some sessions that were
	// in a database when another one changed its default go on with the old one,
	// which the binlog does not tell.
	former []string
}

// sessionDefaultsSince is the MariaDB from which on a session that is in a
// database creates tables with the default that it knows.
const sessionDefaultsSince = 100900

// defaultOf returns the default charset of a new table of a database. What a
// session has set as collation_database does not matter.
func (u *run) defaultOf(db string) defaultSet {
	if u.server.mariaFrom(sessionDefaultsSince) && u.catalog.fold(u.ctx.Database) == u.catalog.fold(db) {
		return u.ownDefault()
	}
	return defaultSet{charset: u.databaseCharset(db)}
}

// defaultOfConversion returns what CONVERT TO CHARACTER SET DEFAULT of a table of
// a database is: the session's collation_database, which is the default of the
// database that it is in, unless it has set another. MariaDB has taken the default of a new
// table in its place since.
func (u *run) defaultOfConversion(db string) defaultSet {
	if u.server.mariaFrom(sessionDefaultsSince) {
		return u.defaultOf(db)
	}
	if told := charset.OfID(int(u.ctx.DatabaseCollation)); told != "" {
		return defaultSet{charset: told}
	}
	if u.ctx.Database == "" {
		return defaultSet{charset: u.server.DefaultCharset}
	}
	return u.ownDefault()
}

// ownDefault is what a session knows as the default of the database that it is in.
func (u *run) ownDefault() defaultSet {
	s := defaultSet{charset: u.databaseCharset(u.ctx.Database)}
	if d := u.catalog.databases[u.catalog.fold(u.ctx.Database)]; d != nil && d.By != u.ctx.Thread {
		s.former = d.Former
	}
	return s
}

func (u *run) databaseCharset(name string) string {
	if d := u.catalog.databases[u.catalog.fold(name)]; d != nil {
		return d.Charset
	}
	return u.serverCharset()
}

// unsure tells whether columns that have the default may have another in its place
// without the table maps of their rows telling it: by the length of CHAR and
// VARCHAR, which is in bytes.
func (s defaultSet) unsure(columns []column) bool {
	return slices.ContainsFunc(s.former, func(former string) bool {
		matters := false
		for _, c := range columns {
			switch {
			case c.Charset != s.charset || former == s.charset:
			case c.Length > 0 && c.Type.IsText() && charset.MaxLen(former) != charset.MaxLen(s.charset):
				return false
			case !c.Type.IsText() && !slices.ContainsFunc(c.Members, func(l string) bool { return !isASCII(l) }):
			default:
				matters = matters || c.Type.IsText() && !(strings.HasPrefix(former, "utf8") && strings.HasPrefix(s.charset, "utf8")) || len(c.Members) > 0
			}
		}
		return matters
	})
}

// inheriting returns the columns that have the table's charset, as their
// definitions name none.
func (b *builder) inheriting(elements []alteration) []column {
	var columns []column
	for _, e := range elements {
		if (e.kind == addColumn || e.kind == changeColumn) && (e.column.charset == "" || e.column.charset == defaultCharset) {
			if i := b.index(e.column.name); i >= 0 {
				columns = append(columns, b.columns[i])
			}
		}
	}
	return columns
}

// changeDefault sets a database's default charset, as a session did.
func (c *Catalog) changeDefault(name, set string, thread uint32) {
	d := c.ensureDatabase(name)
	if set = charset.Canonical(set); set != d.Charset {
		if !slices.Contains(d.Former, d.Charset) {
			d.Former = append(d.Former, d.Charset)
		}
		d.By = thread
	}
	c.PutDatabase(name, set)
}

// EndSessions forgets what sessions of the source may go on with: the source has
// begun anew.
func (c *Catalog) EndSessions() {
	for folded, d := range c.databases {
		if len(d.Former) > 0 {
			d.Former, d.By = nil, 0
			c.dirty[databaseKey(folded)] = true
		}
	}
}

// Unsure tells whether the columns of a table may be in another charset than its
// definition says.
func (c *Catalog) Unsure(db, name string) bool {
	e := c.find(TableName{db, name})
	return e != nil && !e.unknown && c.unpack(e).Unsure
}
