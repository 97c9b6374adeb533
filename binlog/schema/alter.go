package schema

import (
	"slices"
	"strings"

	"daybook/change"
)

// alterTable runs ALTER TABLE. The server does not run the actions one after
// the other: it walks the old columns, dropping, changing and renaming, then
// puts the new and the moved ones in, then rebuilds the keys.
func (u *run) alterTable(s *alterTable) {
	old := u.catalog.lookup(s.name)
	switch {
	case old == nil && s.ifExists:
		return
	case old == nil:
		u.fail("the table is not known", s.name)
		return
	case old.Unknown:
		u.alterUnknown(s, old)
		return
	}
	b := u.builder(s.name)
	b.name = TableName{old.Def.Database, old.Def.Name}
	b.charset, b.comment, b.versioned = old.Def.Charset, old.Def.Comment, old.Versioned
	if o := s.options; o.charset != "" || o.convert != "" {
		b.charset = u.resolveCharset(o.charset, b.charset)
		b.charset = u.resolveCharset(o.convert, b.charset)
		if o.charset == defaultCharset && o.convert == "" || o.convert == defaultCharset {
			b.charset = u.databaseCharset(s.name.Database)
		}
	}
	if s.options.comment != nil {
		b.comment = *s.options.comment
	}
	s.actions = b.effective(s.actions, old)
	b.promoteTimestamp(s.actions)
	b.alterColumns(old, s)
	b.alterKeys(old, s.actions)
	if u.err != nil {
		return
	}
	t := b.finish()
	if t == nil {
		return
	}
	u.replace(old, t, s.renameTo)
}

func (u *run) databaseCharset(name string) string {
	if d := u.catalog.databases[u.catalog.fold(name)]; d != nil {
		return d.Charset
	}
	return u.serverCharset()
}

// replace puts a table's new definition in the catalog and reports it.
func (u *run) replace(old, t *table, renameTo *TableName) {
	tc := change.TableChange{Type: change.Altered}
	if renameTo != nil && !u.same(*renameTo, TableName{old.Def.Database, old.Def.Name}) {
		tc.PreviousDatabase, tc.PreviousName = old.Def.Database, old.Def.Name
		u.move(t, *renameTo)
		t = u.catalog.lookup(*renameTo)
	} else {
		u.catalog.put(t)
	}
	tc.Database, tc.Name = t.Def.Database, t.Def.Name
	if !t.Unknown {
		tc.Table = t.Def
	}
	u.result.Tables = append(u.result.Tables, tc)
}

// alterUnknown follows a statement on a table whose definition is not known:
// it stays unknown, under its new name if that changes.
func (u *run) alterUnknown(s *alterTable, old *table) {
	if len(s.actions) > 0 || s.renameTo == nil {
		u.fail("the table's definition before it is not known", s.name)
		return
	}
	u.replace(old, old, s.renameTo)
}

// effective leaves out the actions that IF EXISTS and IF NOT EXISTS make void.
func (b *builder) effective(actions []alteration, old *table) []alteration {
	has := func(name string) bool {
		return slices.ContainsFunc(old.Def.Columns, func(c change.Column) bool { return strings.EqualFold(c.Name, name) })
	}
	return slices.DeleteFunc(slices.Clone(actions), func(a alteration) bool {
		switch a.kind {
		case addColumn:
			return a.ifExists && has(a.column.name)
		case changeColumn, dropColumn, renameColumn, setDefault:
			return a.ifExists && !has(a.name)
		}
		return false
	})
}

// alterColumns builds the new list of columns.
func (b *builder) alterColumns(old *table, s *alterTable) {
	done := make([]bool, len(s.actions))
	for _, c := range old.Def.Columns {
		b.alterColumn(c, s, done)
	}
	for i, a := range s.actions {
		switch {
		case done[i]:
		case a.kind == addColumn:
			b.insert(b.column(a.column), a.first, a.after)
		case a.kind == changeColumn:
			b.insertMoved(a, old)
		case a.kind == dropColumn, a.kind == renameColumn, a.kind == setDefault:
			b.fail("no column " + a.name)
		}
	}
}

// insertMoved puts a column that CHANGE or MODIFY moves at its new place.
func (b *builder) insertMoved(a alteration, old *table) {
	for _, c := range old.Def.Columns {
		if strings.EqualFold(c.Name, a.name) {
			n := b.column(a.column)
			n.oldName = c.Name
			b.insert(n, a.first, a.after)
			return
		}
	}
	b.fail("no column " + a.name)
}

// alterColumn adds what the statement leaves or makes of an old column. Those
// that it moves come later.
func (b *builder) alterColumn(c change.Column, s *alterTable, done []bool) {
	oldName := c.Name
	for i, a := range s.actions {
		if !strings.EqualFold(a.name, oldName) {
			continue
		}
		switch a.kind {
		case dropColumn:
			done[i] = true
			return
		case changeColumn:
			if a.first || a.after != "" {
				return
			}
			done[i] = true
			n := b.column(a.column)
			n.oldName = oldName
			b.columns = append(b.columns, n)
			return
		case renameColumn:
			done[i] = true
			c.Name = a.newName
		case setDefault:
			done[i] = true
			c.Default = b.run.defaultText(&c, a.literal)
		}
	}
	if s.options.convert != "" {
		convertColumn(&c, b.charset)
	}
	b.columns = append(b.columns, column{Column: c, oldName: oldName})
}

// convertColumn does to a column what CONVERT TO CHARACTER SET does: TEXT types
// grow so that they hold as many characters as before.
func convertColumn(c *change.Column, charset string) {
	if !c.Type.IsText() && c.Type != change.Enum && c.Type != change.Set {
		return
	}
	if c.Type >= change.TinyText && c.Type < change.LongText {
		size := 1<<(8*(1+int(c.Type-change.TinyText))) - 1
		if c.Type != change.MediumText || maxBytes(charset) > maxBytes(c.Charset) {
			c.Type = sizedBlob(change.Text, size/maxBytes(c.Charset), maxBytes(charset))
		}
	}
	c.Charset = charset
}

// alterKeys builds the new list of keys: the old ones, without the dropped
// columns, then the new ones.
func (b *builder) alterKeys(old *table, actions []alteration) {
	for _, k := range old.Keys {
		dropped := false
		for _, a := range actions {
			switch {
			case a.kind == dropKey && strings.EqualFold(a.name, k.Name):
				dropped = true
			case a.kind == renameKey && strings.EqualFold(a.name, k.Name):
				k.Name = a.newName
			}
		}
		if dropped {
			continue
		}
		if k.Parts = b.remainingParts(k.Parts); len(k.Parts) > 0 {
			b.keys = append(b.keys, k)
		}
	}
	for _, a := range actions {
		if a.kind == addKey && !(a.ifExists && b.keyNamed(a.key.Name, -1)) {
			b.keys = append(b.keys, a.key)
		}
	}
}

// remainingParts returns a key's parts whose columns are still there, under
// their new names.
func (b *builder) remainingParts(parts []keyPart) []keyPart {
	var left []keyPart
	for _, p := range parts {
		if p.Column == "" {
			left = append(left, p)
			continue
		}
		i := slices.IndexFunc(b.columns, func(c column) bool { return strings.EqualFold(c.oldName, p.Column) })
		if i >= 0 {
			left = append(left, keyPart{Column: b.columns[i].Name, Prefix: p.Prefix})
		}
	}
	return left
}
