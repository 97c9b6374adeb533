package schema

import (
	"slices"
	"strings"
	"unicode/utf8"

	"daybook/binlog/charset"
	"daybook/change"
)

// alterTable runs ALTER TABLE. The server does not run the actions one after
// the other: it walks the old columns, dropping, changing and renaming, then
// puts the new and the moved ones in, then rebuilds the keys.
func (u *run) alterTable(s *alterTable) {
	old := u.catalog.lookup(s.name)
	switch {
	case s.maintenance && (old == nil || old.Unknown), old == nil && s.ifExists:
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
	b.unsure, b.written = old.Unsure, old.Written
	b.engine = u.engine(s.options.engine, old.Engine)
	b.assumed = old.Assumed && s.options.engine == ""
	dflt := b.alterCharset(old, s)
	if s.options.comment != nil {
		b.comment = *s.options.comment
	}
	old = b.alterVersioning(old, s)
	s.actions = b.effective(s.actions, old)
	b.alterColumns(old, s)
	b.keepGeneratedKey(old)
	b.keepVersioning(old, s.options.versioning)
	b.keepPeriod(old, s.actions)
	b.fillPeriods(s.actions)
	if s.options.convert != "" {
		b.unsure = b.unsure || dflt.unsure(b.columns)
	} else {
		added := b.inheriting(s.actions)
		b.unsure = b.unsure || dflt.unsure(added) || b.charsetUnsure && slices.ContainsFunc(added, func(c column) bool { return c.Charset == b.charset })
	}
	b.alterKeys(old, s)
	b.extendKeys()
	if u.err != nil {
		return
	}
	t := b.finish()
	if t == nil {
		return
	}
	u.replace(old, t, s.renameTo)
	u.convertPartition(s)
}

// alterCharset gives the table its character set, and says to which one its columns are
// converted. It returns the database's default if the statement goes by that.
func (b *builder) alterCharset(old *table, s *alterTable) (dflt defaultSet) {
	u := b.run
	if o := s.options; o.charset != "" || o.convert != "" {
		b.charset = u.resolveCharset(o.charset, b.charset)
		b.charset = u.resolveCharset(o.convert, b.charset)
		switch {
		case o.convert == defaultCharset:
			dflt = u.defaultOfConversion(s.name.Database)
			b.charset = dflt.charset
		case o.charset == defaultCharset && o.convert == "":
			dflt = u.defaultOf(s.name.Database)
			b.charset = dflt.charset
		}
	}
	if s.options.convert != "" {
		b.convert = b.charset
	}
	if o := s.options; o.convert != "" { // the columns are converted to the one, new ones get the other
		switch {
		case o.charset == defaultCharset && (u.server.mariaDB() || o.converted == ""): // before MySQL 8 the last one counts
			b.charset = u.defaultOf(s.name.Database).charset
		case o.charset != "" && u.server.mariaDB():
			b.charset = o.charset
		}
	}
	b.charsetUnsure = old.CharsetUnsure && s.options.charset == "" && s.options.convert == ""
	if to := b.charset; u.keepsCharset(s, old.Def) {
		b.charset = old.Def.Charset
		b.charsetUnsure = b.charset != to && slices.ContainsFunc(old.Def.Columns, func(c change.Column) bool { return c.Charset == to })
	}
	return dflt
}

// convertPartition does MariaDB's CONVERT PARTITION … TO TABLE, which makes a
// table of the same columns, and CONVERT TABLE … TO PARTITION, which ends one.
func (u *run) convertPartition(s *alterTable) {
	switch {
	case s.partitionTo != nil:
		u.createTable(&createTable{name: *s.partitionTo, like: &s.name, orReplace: true})
	case s.partitionOf != nil:
		u.dropTable(&dropTable{names: []TableName{*s.partitionOf}})
	}
}

// keepsCharset tells the case where MySQL 5.6 and MariaDB 10.1 forget the table's
// part of CONVERT TO CHARACTER SET: when there is nothing else to do. That collations are other
// ones is something, but is not known: see table.CharsetUnsure.
func (u *run) keepsCharset(s *alterTable, old *change.Table) bool {
	o := s.options
	if o.convert == "" || u.server.Version/100 != 506 && u.server.Version/100 != 1001 || o.charset != "" || o.comment != nil ||
		s.renameTo != nil || len(s.actions) > 0 || s.others {
		return false
	}
	to := u.resolveCharset(o.convert, u.defaultOfConversion(s.name.Database).charset)
	return !slices.ContainsFunc(old.Columns, func(c change.Column) bool { return u.convertColumn(&c, to) })
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

// effective leaves out the actions that IF EXISTS and IF NOT EXISTS make void, as the
// table or an action before says.
func (b *builder) effective(actions []alteration, old *table) []alteration {
	has := func(name string) bool {
		return slices.ContainsFunc(old.Def.Columns, func(c change.Column) bool { return strings.EqualFold(c.Name, name) })
	}
	var left []alteration
	for _, a := range actions {
		done := func(kind alterationKind) bool {
			return slices.ContainsFunc(left, func(before alteration) bool {
				return before.kind == kind && strings.EqualFold(before.name, a.name) && strings.EqualFold(before.column.name, a.column.name) && strings.EqualFold(before.key.intended(), a.key.intended())
			})
		}
		void := false
		switch {
		case a.kind == addColumn:
			void = has(a.column.name) || done(addColumn)
		case a.kind == addKey && a.key.Generated: // for a foreign key, of which only its key's name is known
			void = slices.ContainsFunc(old.Keys, func(k key) bool { return strings.EqualFold(k.Name, a.key.Name) && k.beginsWith(a.key) })
		case a.kind == addKey:
			void = done(addKey) || slices.ContainsFunc(old.Keys, func(k key) bool { return strings.EqualFold(k.Name, a.key.intended()) })
		case a.kind == dropKey:
			void = !slices.ContainsFunc(old.Keys, func(k key) bool { return strings.EqualFold(k.Name, a.name) })
		case a.kind == dropColumn:
			void = !has(a.name) || done(dropColumn)
		case a.kind < addKey: // of columns that are there
			void = !has(a.name)
		}
		if !a.ifExists || !void {
			left = append(left, a)
		}
	}
	return left
}

// alterColumns builds the new list of columns as servers do: what becomes of the old
// ones, in their places, and then, action by action, what is added or moved.
func (b *builder) alterColumns(old *table, s *alterTable) {
	done := make([]bool, len(s.actions))
	for _, c := range old.Def.Columns {
		b.alterColumn(column{Column: c, oldName: c.Name, virtual: slices.Contains(old.Virtual, c.Name), invisible: slices.Contains(old.Invisible, c.Name), dropped: slices.Contains(old.Bare, c.Name),
			rowTime: old.rowTime(c.Name)}, s, done)
	}
	for i, a := range s.actions {
		switch {
		case a.kind == addColumn:
			c := b.column(a.column)
			b.defaultOfMoved(&c, s.actions, done)
			b.insert(c, a.first, a.after)
		case a.kind == changeColumn && done[i] && (a.first || a.after != ""):
			at := b.index(a.column.name)
			moved := b.columns[at]
			b.columns = slices.Delete(b.columns, at, at+1)
			b.defaultOfMoved(&moved, s.actions, done)
			b.insert(moved, a.first, a.after)
		case a.kind == changeColumn && !done[i] && b.changesAdded(a):
		case a.kind < setDefault && !done[i]:
			b.fail("no column " + a.name + a.after)
		}
	}
	for i, a := range s.actions { // which may have been about a column of an action behind
		if (a.kind == setDefault || a.kind == setVisible) && !done[i] {
			b.fail("no column " + a.name)
		}
	}
}

// defaultOfMoved does what MariaDB does with an ALTER … DEFAULT of a column that the
// statement itself adds or moves.
func (b *builder) defaultOfMoved(c *column, actions []alteration, done []bool) {
	if !b.run.server.mariaDB() {
		return
	}
	i := slices.IndexFunc(actions, func(a alteration) bool { return a.kind == setDefault && strings.EqualFold(a.name, c.Name) })
	if i >= 0 && !done[i] {
		done[i] = true
		c.Default = b.run.defaultText(&c.Column, actions[i].literal)
	}
}

// changesAdded does what MariaDB does with a MODIFY of a column that the statement
// itself added before: it is as if that had been added so, here.
func (b *builder) changesAdded(a alteration) bool {
	at := b.index(a.column.name)
	if !b.run.server.mariaDB() || at < 0 || b.columns[at].oldName != "" {
		return false
	}
	b.columns = slices.Delete(b.columns, at, at+1)
	b.insert(b.column(a.column), a.first, a.after)
	return true
}

// generatedKey is the name of the primary key that MySQL makes up for a table
// without one (sql_generate_invisible_primary_key).
const generatedKey = "my_row_id"

// keepGeneratedKey puts a made-up primary key in front again: nothing comes
// before it for as long as it is invisible, and the table of InnoDB before and after.
func (b *builder) keepGeneratedKey(old *table) {
	if !b.run.server.mysqlFrom(80030) || !hasGeneratedKey(old) {
		return
	}
	i := slices.IndexFunc(b.columns, func(c column) bool { return c.oldName == old.Def.Columns[0].Name })
	if i <= 0 {
		return
	}
	switch engines := []string{old.Engine, b.engine}; {
	case !slices.ContainsFunc(engines, func(e string) bool { return e != "InnoDB" }):
		c := b.columns[i]
		b.columns = slices.Insert(slices.Delete(b.columns, i, i+1), 0, c)
	case !slices.ContainsFunc(engines, func(e string) bool { return e != "InnoDB" && e != "" }):
		b.fail("the table may be of InnoDB, which keeps its made-up key in front")
	}
}

// hasGeneratedKey tells a table with a made-up primary key, or one that was
// written so that it looks like it.
func hasGeneratedKey(t *table) bool {
	c := &t.Def.Columns[0]
	return strings.EqualFold(c.Name, generatedKey) && c.Type == change.BigInt && c.Unsigned && c.AutoIncrement &&
		slices.Contains(t.Invisible, c.Name) && slices.Equal(t.Def.PrimaryKey, []int{0})
}

// alterColumn adds what the statement leaves or makes of an old column, in its place.
func (b *builder) alterColumn(c column, s *alterTable, done []bool) {
	for i, a := range s.actions {
		if !strings.EqualFold(a.name, c.oldName) {
			continue
		}
		switch a.kind {
		case dropColumn:
			done[i] = true
			return
		case changeColumn:
			done[i] = true
			n := b.column(a.column)
			n.oldName = c.oldName
			b.resizeBlob(&n, a.column, &c.Column)
			b.columns = append(b.columns, n)
			return
		case renameColumn:
			done[i] = true
			c.Name = a.newName
		case setDefault:
			if b.run.server.mariaDB() && slices.ContainsFunc(s.actions, func(o alteration) bool {
				return (o.kind == changeColumn || o.kind == dropColumn) && strings.EqualFold(o.name, a.name)
			}) {
				continue // it is about what takes the column's place
			}
			done[i] = true
			c.Default = b.run.defaultText(&c.Column, a.literal)
			c.dropped = a.literal == nil
		case setVisible:
			done[i] = true
			c.invisible = a.hide
		}
	}
	if was := c.Column; s.options.convert != "" && b.run.convertColumn(&c.Column, b.convert) && len(c.Members) > 0 {
		b.relabel(&c.Column, &was)
	}
	b.columns = append(b.columns, c)
}

// relabel gives a column, whose labels CONVERT TO CHARACTER SET has made others,
// the default that it has by then. What the server knows as bytes that are no text
// in their character set, it shows as question marks: what those are in another is
// not known. In a label that a client wrote a question mark is one.
func (b *builder) relabel(c, was *change.Column) {
	utf8 := strings.HasPrefix(was.Charset, "utf8") && strings.HasPrefix(c.Charset, "utf8")
	if !utf8 && slices.ContainsFunc(was.Members, func(l string) bool {
		return strings.Contains(l, "\ufffd") || !b.written && was.Charset != "latin1" && strings.Contains(l, "?")
	}) {
		b.fail("the bytes of the labels of " + c.Name + " are not known")
		return
	}
	if c.Default == nil {
		return
	}
	var kept []string
	for i, l := range was.Members {
		if l == *was.Default || c.Type == change.Set && slices.Contains(strings.Split(*was.Default, ","), l) {
			kept = append(kept, c.Members[i])
		}
	}
	text := strings.Join(kept, ",")
	c.Default = &text
}

// convertColumn does to a column what CONVERT TO CHARACTER SET does: TEXT types
// grow so that they hold as many characters as before. It tells whether it
// changed anything.
func (u *run) convertColumn(c *change.Column, to string) bool {
	if !c.Type.IsText() && c.Type != change.Enum && c.Type != change.Set || c.Charset == "binary" || c.Charset == to {
		return false
	}
	if c.Type >= change.TinyText && c.Type < change.LongText {
		c.Type = sizedBlob(change.Text, characters(c), charset.MaxLen(to))
	}
	c.Members = u.server.asIn(c.Members, c.Charset, to)
	c.Charset = to
	binaryText(c)
	u.longText(c)
	return true
}

// characters returns how many characters a column's text can have at most.
func characters(c *change.Column) int {
	switch t := c.Type; {
	case t >= change.TinyText && t <= change.LongText:
		return (1<<(8*(1+int(t-change.TinyText))) - 1) / charset.MaxLen(c.Charset)
	case t >= change.TinyBlob && t <= change.LongBlob:
		return 1<<(8*(1+int(t-change.TinyBlob))) - 1
	case t == change.JSON || t.IsGeometry():
		return 1<<32 - 1
	case t == change.Enum:
		n := 0
		for _, m := range c.Members {
			n = max(n, utf8.RuneCountInString(m))
		}
		return n
	case t == change.Set:
		return utf8.RuneCountInString(strings.Join(c.Members, ","))
	case t.IsInteger() && c.Length < 0:
		return widths[t]
	case c.Type.IsText() || c.Type.IsBinary() || c.Type.IsInteger():
		return c.Length
	}
	return 20 // numbers and times: some, but fewer than 64
}

// resizeBlob does what MySQL 8.0 and later do to a column that a statement
// changes into a BLOB or TEXT, without a length, while it converts the table:
// the type is chosen by the old column's length, not as written.
func (b *builder) resizeBlob(n *column, d columnDef, old *change.Column) {
	if b.convert == "" || !b.run.server.mysqlFrom(80000) || d.typ.length >= 0 {
		return
	}
	switch t := n.Type; {
	case t >= change.TinyText && t < change.LongText:
		n.Type = sizedBlob(change.Text, characters(old), charset.MaxLen(n.Charset))
	case t >= change.TinyBlob && t < change.LongBlob:
		n.Type = sizedBlob(change.Blob, characters(old), 1)
	}
}
