package schema

import (
	"slices"
	"strings"

	"daybook/binlog/charset"
	"daybook/change"
)

// alterKeys builds the new list of keys: the old ones, without the dropped
// columns, then the new ones.
func (b *builder) alterKeys(old *table, actions []alteration) {
	for _, k := range old.Keys {
		k.Hash = false
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
		if k.Parts = b.remainingParts(k.Parts, old.Def); len(k.Parts) > 0 && !onlyPeriod(k) {
			b.keys = append(b.keys, k)
		}
	}
	for _, a := range actions {
		if a.kind == addKey {
			b.keys = append(b.keys, b.overPeriod(a.key))
		}
	}
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
// that becomes a BLOB or TEXT, the key goes on over the old length; where it is another
// column of the same name, over as many characters as the part had bytes.
func (b *builder) keptPrefix(p keyPart, c column, old *change.Table) int {
	added := c.oldName == ""
	if !added && (p.Prefix > 0 || !isBlob(c.Type) || b.run.server.mariaFrom(100400)) {
		return p.Prefix
	}
	i := slices.IndexFunc(old.Columns, func(o change.Column) bool { return strings.EqualFold(o.Name, p.Column) })
	if i < 0 {
		return p.Prefix
	}
	o := &old.Columns[i]
	length := p.Prefix
	if text := o.Type.IsText() || o.Type.IsBinary(); length == 0 && text && !isBlob(o.Type) && o.Length > 0 {
		length = o.Length
	} else if added && !text {
		length = 1 // so many bytes as its values have, but not all of a text
	}
	if added && o.Type.IsText() {
		length *= charset.MaxLen(o.Charset)
	}
	return length
}

func isBlob(t change.Type) bool {
	return t >= change.TinyText && t <= change.LongText || t >= change.TinyBlob && t <= change.LongBlob
}
