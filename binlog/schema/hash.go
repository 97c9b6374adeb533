package schema

import (
	"slices"
	"strings"

	"daybook/binlog/charset"
	"daybook/change"
)

// MariaDB from 10.4 on keeps some unique keys as a hash: those of USING HASH,
// those over whole BLOBs, and those that are longer than the engine's longest
// key. Each has a hidden column, DB_ROW_HASH_1 and on, behind the table's own,
// which statements never see and rows events have.

// HiddenColumns returns how many hidden columns of keys a table's rows have in the binlog: at least and at
// most. MariaDB's are those of unique keys, of which the longest one of InnoDB goes by the size of its pages;
// MySQL's, of some versions, those of keys over expressions.
func (c *Catalog) HiddenColumns(db, name string) (least, most int) {
	t := c.lookup(TableName{db, name})
	if t == nil || t.Unknown {
		return 0, 0
	}
	column := columnsOf(t.Def)
	for _, k := range t.Keys {
		for _, p := range k.Parts {
			if !c.server.mariaDB() && p == (keyPart{}) {
				most++
			}
		}
		_, perhaps := c.server.hashes(t.Engine, k, column)
		surely, _ := c.server.hashes(t.Engine, c.server.rewritten(k, column), column) // OPTIMIZE and REPAIR may have
		if surely {
			least++
		}
		if surely || perhaps {
			most++
		}
	}
	return least, most
}

// columnsOf returns what finds a table's columns by name; nil: there is none.
func columnsOf(t *change.Table) func(name string) *change.Column {
	return func(name string) *change.Column {
		i := slices.IndexFunc(t.Columns, func(c change.Column) bool { return strings.EqualFold(c.Name, name) })
		if i < 0 {
			return nil
		}
		return &t.Columns[i]
	}
}

// geometryPrefix and pointPrefix are the bytes of a column that MariaDB takes into a
// key: of a POINT always, of other geometries where it writes the definition of a whole one anew.
const geometryPrefix, pointPrefix = 8, 25

// showPrefixes gives the keys that a snapshot read the prefix that MariaDB does not show: the one
// of a geometry that is as long as what it takes for the whole of it. A key over the whole would be a hash.
func (s Server) showPrefixes(keys []key, column func(name string) *change.Column) {
	const notShown = 4
	for _, k := range keys {
		for i := range k.Parts {
			if p := &k.Parts[i]; s.mariaFrom(100400) && k.Unique && !k.Hash && p.Prefix == 0 {
				if c := column(p.Column); c != nil && c.Type.IsGeometry() {
					p.Prefix = notShown
				}
			}
		}
	}
}

// rewritten returns a key as MariaDB has it when it writes a table's definition anew: USING
// HASH is forgotten, and a key over a whole geometry is one over its beginning.
func (s Server) rewritten(k key, column func(name string) *change.Column) key {
	k.Hash = false
	k.Parts = slices.Clone(k.Parts)
	for i := range k.Parts {
		p := &k.Parts[i]
		if c := column(p.Column); s.mariaFrom(100400) && k.Unique && p.Prefix == 0 && c != nil && c.Type.IsGeometry() {
			p.Prefix = geometryPrefix
		}
	}
	return k
}

// hashes tells whether a key of a table is surely kept as a hash, or perhaps.
func (s Server) hashes(engine string, k key, column func(name string) *change.Column) (surely, perhaps bool) {
	if !s.mariaFrom(100400) || !k.Unique || k.Primary || engine == "MEMORY" {
		return false, false
	}
	known := engine != ""
	if k.Hash {
		return known, true
	}
	least, most := 0, 0 // bytes
	for _, p := range k.Parts {
		c := column(p.Column)
		switch {
		case c == nil:
		case p.Prefix == 0 && c.Type != change.Point && (isBlob(c.Type) || c.Type.IsGeometry()):
			return known, true
		case c.Type.IsText() || c.Type.IsBinary():
			length := c.Length
			if p.Prefix > 0 {
				length = p.Prefix
			}
			if c.Type.IsText() {
				length *= charset.MaxLen(c.Charset)
			}
			least, most = least+length, most+length
		default:
			least, most = least+1, most+32
		}
	}
	const smallPage, largePage = 768, 3072 // InnoDB's with pages of 4 KiB, and of 16 KiB and more
	switch engine {
	case "InnoDB":
		return least > largePage, most > smallPage
	case "MyISAM":
		return least > 1000, most > 1000
	}
	return false, most > smallPage
}

// hashed tells whether a key of the table that is put together is kept as a hash.
func (b *builder) hashed(k key) bool {
	surely, _ := b.run.server.hashes(b.engine, k, func(name string) *change.Column {
		if i := b.index(name); i >= 0 {
			return &b.columns[i].Column
		}
		return nil
	})
	return surely
}
