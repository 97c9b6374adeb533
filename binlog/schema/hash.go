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

// HashColumns returns how many hidden columns of unique keys a table's rows
// have in the binlog: at least and at most, as the longest key of InnoDB goes by
// the size of its pages.
func (c *Catalog) HashColumns(db, name string) (least, most int) {
	t := c.lookup(TableName{db, name})
	if t == nil || t.Unknown {
		return 0, 0
	}
	column := func(name string) *change.Column {
		i := slices.IndexFunc(t.Def.Columns, func(c change.Column) bool { return strings.EqualFold(c.Name, name) })
		if i < 0 {
			return nil
		}
		return &t.Def.Columns[i]
	}
	for _, k := range t.Keys {
		_, perhaps := c.server.hashes(t.Engine, k, column)
		k.Hash = false // OPTIMIZE and REPAIR may have made the server forget it
		surely, _ := c.server.hashes(t.Engine, k, column)
		if surely {
			least++
		}
		if surely || perhaps {
			most++
		}
	}
	return least, most
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
		case p.Prefix == 0 && (isBlob(c.Type) || c.Type.IsGeometry()):
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
