package schema

import (
	"slices"
	"strings"

	"daybook/binlog/charset"
	"daybook/change"
)

// alterKeys builds the new list of keys: the old ones, without the dropped
// columns, then the new ones.
func (b *builder) alterKeys(old *table, s *alterTable) {
	for _, k := range old.Keys {
		if !s.isIdle() {
			k = b.run.server.rewritten(k, columnsOf(old.Def))
		}
		dropped := false
		for _, a := range s.actions {
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
		if k.Parts = b.remainingParts(k.Parts, old.Def); len(k.Parts) > 0 && !onlyPeriod(k) {
			b.keys = append(b.keys, k)
		}
	}
	for _, a := range s.actions {
		if a.kind == addKey {
			b.keys = append(b.keys, b.overPeriod(a.key))
		}
	}
}

// isIdle tells a statement that leaves the table's definition as it is, but for its
// name: IF EXISTS and IF NOT EXISTS have made void what it says.
func (s *alterTable) isIdle() bool {
	return !s.rewrites && len(s.actions) == 0 && s.options == (tableOptions{})
}

// remainingParts returns a key's parts whose columns are still there, under
// their new names, or there again.
func (b *builder) remainingParts(parts []keyPart, old *change.Table) []keyPart {
	var left []keyPart
	for _, p := range parts {
		if p.Column == "" {
			left = append(left, p)
			continue
		}
		i := slices.IndexFunc(b.columns, func(c column) bool {
			return strings.EqualFold(c.oldName, p.Column) || c.oldName == "" && strings.EqualFold(c.Name, p.Column)
		})
		if i >= 0 {
			left = append(left, keyPart{Column: b.columns[i].Name, Prefix: b.keptPrefix(p, b.columns[i], old)})
		}
	}
	return left
}

// keptPrefix returns the prefix of a key's part after its column changed: where
// that becomes a BLOB or TEXT, the key goes on over the old length; where it becomes too
// short, over all of it; and where it is another column of the same name, over as many
// characters as the part had.
func (b *builder) keptPrefix(p keyPart, c column, old *change.Table) int {
	i := slices.IndexFunc(old.Columns, func(o change.Column) bool { return strings.EqualFold(o.Name, p.Column) })
	if i < 0 {
		return p.Prefix
	}
	o, n := &old.Columns[i], p.Prefix
	added := c.oldName == ""
	switch maria := b.run.server.mariaDB(); {
	case n > 0:
	case added, !maria && labelBytes(o) > 0 && labelBytes(o) != characters(o)*charset.MaxLen(o.Charset):
		n = b.run.keyLength(o) // MySQL takes the labels of ENUM and SET for text here
	case isBlob(c.Type) && (o.Type.IsText() || o.Type.IsBinary()) && !b.run.server.mariaFrom(100400):
		return max(0, o.Length)
	}
	if !added && c.Length > 0 && c.Length < n {
		return 0
	}
	return n
}

// keyLength returns how long the part of a key is that is all of a column: in characters of
// the column's charset, of which labels have less than one.
func (u *run) keyLength(c *change.Column) int {
	micros := (max(0, c.Length) + 1) / 2 // bytes
	switch t := c.Type; {
	case t.IsText() || t.IsBinary():
		return max(0, c.Length)
	case t.IsInteger():
		return [...]int{change.TinyInt: 1, change.SmallInt: 2, change.MediumInt: 3, change.Int: 4, change.BigInt: 8}[t]
	case t == change.Enum || t == change.Set:
		return labelBytes(c) / charset.MaxLen(c.Charset)
	case t == change.Bit:
		return (c.Length + 7) / 8
	case t == change.Decimal:
		return decimalSize(c.Length-c.Scale) + decimalSize(c.Scale)
	case t == change.DateTime && u.server.olderTimes():
		return 8
	case t == change.DateTime:
		return 5 + micros
	case t == change.Date || t == change.Time:
		return 3 + micros
	case t == change.Timestamp || t == change.Float || t == change.Inet4:
		return 4 + micros
	case t == change.Year:
		return 1
	case t == change.Double:
		return 8
	case t == change.UUID || t == change.Inet6:
		return 16
	}
	return 0
}

// labelBytes returns the size of an ENUM's or SET's values, 0 for other columns.
func labelBytes(c *change.Column) int {
	switch n := (len(c.Members) + 7) / 8; {
	case c.Type == change.Enum:
		return 1 + len(c.Members)>>8
	case c.Type != change.Set:
		return 0
	case n > 4:
		return 8
	default:
		return n
	}
}

// olderTimes tells the server whose columns of times have no fractions.
func (s Server) olderTimes() bool { return !s.mariaDB() && s.Version < 50604 }

// decimalSize returns how many bytes digits of a DECIMAL take.
func decimalSize(digits int) int { return digits/9*4 + (digits%9+1)/2 }

func isBlob(t change.Type) bool {
	return t >= change.TinyText && t <= change.LongText || t >= change.TinyBlob && t <= change.LongBlob
}
