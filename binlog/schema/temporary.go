package schema

import "slices"

// TemporaryTables are those that a session has, as far as the binlog tells:
// they hide the permanent tables of their names from it. The zero value is a
// session without any.
type TemporaryTables struct {
	Tables []TemporaryTable `json:"tables"`
}

// TemporaryTable is one of them, by its folded name.
type TemporaryTable struct {
	TableName
	Merge bool `json:"merge,omitempty"` // its rows are those of other tables
}

func (t *TemporaryTables) index(n TableName) int {
	if t == nil {
		return -1
	}
	return slices.IndexFunc(t.Tables, func(x TemporaryTable) bool { return x.TableName == n })
}

// foldName gives the form under which a table is found.
func (c *Catalog) foldName(n TableName) TableName {
	return TableName{c.fold(n.Database), c.fold(n.Name)}
}

// temporary returns the session's temporary table of a name, if the statement
// is about that: every server marks the event of a statement that used a
// temporary table. It marks others too, in the rest of a procedure: a mark
// without a known table leaves a doubt. A known table without a mark was
// dropped in a way that the binlog does not tell.
func (u *run) temporary(n TableName) *TemporaryTable {
	i := u.ctx.Temporary.index(u.catalog.foldName(n))
	switch {
	case i >= 0 && u.ctx.UsesTemporary:
		return &u.ctx.Temporary.Tables[i]
	case i >= 0:
		u.dropTemporary(n)
	case u.ctx.UsesTemporary:
		u.result.InDoubt = true
	}
	return nil
}

func (u *run) addTemporary(n TableName, merge bool) {
	u.dropTemporary(n)
	if t := u.ctx.Temporary; t != nil && n.Name != "" && !u.ctx.Failed {
		t.Tables = append(t.Tables, TemporaryTable{u.catalog.foldName(n), merge})
		u.result.TemporaryChanged = true
	}
}

func (u *run) dropTemporary(n TableName) {
	if i := u.ctx.Temporary.index(u.catalog.foldName(n)); i >= 0 {
		u.ctx.Temporary.Tables = slices.Delete(u.ctx.Temporary.Tables, i, i+1)
		u.result.TemporaryChanged = true
	}
}

// passTemporary follows what a statement does to the session's temporary
// tables, and returns what of it is about permanent ones; nil: nothing is.
func (u *run) passTemporary(statement any) (rest any) {
	switch s := statement.(type) {
	case *createTable:
		if s.temporary && !(s.ifNotExist && u.ctx.Temporary.index(u.catalog.foldName(s.name)) >= 0) {
			u.addTemporary(s.name, u.isMerge(s))
		}
	case *dropTable:
		if s.temporary {
			for _, n := range s.names {
				u.dropTemporary(n)
			}
		}
	case *alterTable:
		if t := u.temporary(s.name); t != nil {
			u.alterTemporary(t, s)
			return nil
		}
	case *truncateTable:
		if t := u.temporary(s.name); t != nil {
			if t.Merge {
				u.fail("it empties the tables that a temporary MERGE table is made of")
			}
			return nil
		}
	case *renameTable:
		if u.server.mariaDB() { // the others rename permanent tables only
			return u.renameTemporary(s)
		}
	}
	return statement
}

// isMerge tells whether a temporary table's rows are those of other tables.
func (u *run) isMerge(s *createTable) bool {
	if s.like == nil {
		return engineName(s.options.engine) == mergeEngine
	}
	if i := u.ctx.Temporary.index(u.catalog.foldName(*s.like)); i >= 0 {
		return u.ctx.Temporary.Tables[i].Merge
	}
	return u.catalog.Engine(s.like.Database, s.like.Name) == mergeEngine
}

func (u *run) alterTemporary(t *TemporaryTable, s *alterTable) {
	merge := t.Merge
	if s.options.engine != "" {
		merge = engineName(s.options.engine) == mergeEngine
	}
	switch {
	case s.renameTo != nil:
		u.dropTemporary(s.name)
		u.addTemporary(*s.renameTo, merge)
	case t.Merge != merge:
		t.Merge, u.result.TemporaryChanged = merge, true
	}
}

// renameTemporary takes the renames of temporary tables out of RENAME TABLE,
// whose event MariaDB does not mark.
func (u *run) renameTemporary(s *renameTable) any {
	var permanent renameTable
	passesOver := s.ifExists || u.ctx.IfExists
	for k, p := range s.pairs {
		i := u.ctx.Temporary.index(u.catalog.foldName(p[0]))
		if i < 0 && (passesOver || !u.isThereStill(p[0], s.pairs[k+1:])) {
			permanent.pairs = append(permanent.pairs, p)
			continue
		}
		merge := i >= 0 && u.ctx.Temporary.Tables[i].Merge
		u.dropTemporary(p[0])
		u.addTemporary(p[1], merge)
	}
	switch len(permanent.pairs) {
	case 0:
		return nil
	case len(s.pairs):
		return s
	}
	u.result.Named = nil
	for _, p := range permanent.pairs {
		u.result.Named = append(u.result.Named, p[0], p[1])
	}
	return &permanent
}

// isThereStill tells whether a name that was just renamed is renamed again by the pairs that
// follow, without another table having got it: the permanent table is, so what was
// renamed before is a temporary one, of which nothing was told. With IF EXISTS it tells
// nothing: the server passes over a name that is not there any more.
func (u *run) isThereStill(n TableName, pairs [][2]TableName) bool {
	n = u.catalog.foldName(n)
	i := slices.IndexFunc(pairs, func(p [2]TableName) bool { return u.catalog.foldName(p[0]) == n || u.catalog.foldName(p[1]) == n })
	return i >= 0 && u.catalog.foldName(pairs[i][0]) == n
}

// unexplained tells whether a statement that changes or reads rows used a
// temporary table, and names none that is known: a function or trigger may have
// created one, which the binlog does not tell.
func (u *run) unexplained(statement any, c *rowChange) bool {
	if create, ok := statement.(*createTable); c == nil || !u.ctx.UsesTemporary || ok && create.temporary {
		return false
	}
	known := func(n TableName) bool { return u.ctx.Temporary.index(u.catalog.foldName(c.in(n))) >= 0 }
	for n := range c.mentions.names {
		if known(n) {
			return false
		}
	}
	return !slices.ContainsFunc(c.targets, func(t target) bool { return known(t.TableName) })
}

// passTemporaryRows takes the session's temporary tables out of those whose
// rows a statement changes: they are nobody's, and have no triggers.
func (u *run) passTemporaryRows(c *rowChange) {
	if c == nil || !u.ctx.UsesTemporary || u.ctx.Temporary == nil {
		return
	}
	c.targets = slices.DeleteFunc(c.targets, func(t target) bool {
		i := u.ctx.Temporary.index(u.catalog.foldName(t.TableName))
		if i >= 0 && u.ctx.Temporary.Tables[i].Merge {
			c.merge = t.String()
		}
		return i >= 0
	})
	c.empties = c.empties && len(c.targets) > 0
}
