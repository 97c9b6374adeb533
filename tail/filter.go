package tail

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"daybook/objects"
)

// ErrFilter is wrapped by the error of a filter that cannot be.
var ErrFilter = errors.New("no filter")

// Filter tells which changes are wanted. Gaps and what is lost are told always.
type Filter struct {
	tables *objects.Selection // nil: all
	ops    []string           // nil: all
	key    []Field            // nil: all; a name may be empty, of a key of one column
}

// NewFilter reads a filter: lists with commas, of patterns of tables (a name alone is of
// any database) and of operations; and a key: NAME=VALUE, several with commas, or VALUE
// for a key of one column. A value may be quoted as in SQL.
func NewFilter(tables, ops []string, key string) (*Filter, error) {
	f := &Filter{}
	if len(tables) > 0 {
		patterns := slices.Clone(tables)
		for i, p := range patterns {
			if !strings.ContainsAny(p, ".`/") {
				patterns[i] = "*." + p
			}
		}
		var err error
		if f.tables, err = objects.New(patterns, nil, true); err != nil {
			return nil, fmt.Errorf("%w: table: %w", ErrFilter, err)
		}
	}
	for _, op := range ops {
		if !slices.Contains([]string{Insert, Update, Delete, DDL}, op) {
			return nil, fmt.Errorf("%w: op: %q is none of insert, update, delete, ddl", ErrFilter, op)
		}
	}
	f.ops = ops
	if key == "" {
		return f, nil
	}
	var err error
	f.key, err = readKey(key)
	return f, err
}

func readKey(s string) (key []Field, err error) {
	for {
		var f Field
		if name, rest, ok := strings.Cut(s, "="); ok && !strings.HasPrefix(s, "'") {
			f.Name, s = strings.TrimSpace(name), rest
		}
		if f.Value.Text, s, err = readKeyValue(s, f.Name != ""); err != nil {
			return nil, err
		}
		key = append(key, f)
		if s == "" {
			return key, nil
		}
		if s = s[1:]; f.Name == "" || !strings.Contains(s, "=") {
			return nil, fmt.Errorf("%w: key: the columns of a key are NAME=VALUE,NAME=VALUE; a value with a comma in it is quoted: 'a,b'", ErrFilter)
		}
	}
}

// readKeyValue reads up to a comma, if there may be another column behind it.
func readKeyValue(s string, named bool) (value, rest string, err error) {
	if !strings.HasPrefix(s, "'") {
		if i := strings.IndexByte(s, ','); i >= 0 && named {
			return s[:i], s[i:], nil
		}
		return s, "", nil
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != '\'' {
			b.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == '\'' {
			b.WriteByte('\'')
			i++
			continue
		}
		if rest = s[i+1:]; rest != "" && rest[0] != ',' {
			break
		}
		return b.String(), rest, nil
	}
	return "", "", fmt.Errorf("%w: key: a quoted value does not end with its quote", ErrFilter)
}

// row tells whether changes of that operation of that table are wanted.
func (f *Filter) row(op, database, table string) bool {
	return f.op(op) && (f.tables == nil || f.tables.Table(database, table))
}

func (f *Filter) op(op string) bool { return f.ops == nil || slices.Contains(f.ops, op) }

// ddl tells whether a schema change of these tables is wanted.
func (f *Filter) ddl(database string, tables [][2]string) bool {
	if f.key != nil && f.ops == nil || !f.op(DDL) {
		return false
	}
	if f.tables == nil || len(tables) == 0 && f.tables.Database(database) {
		return true
	}
	return slices.ContainsFunc(tables, func(t [2]string) bool { return f.tables.Table(t[0], t[1]) })
}

// keys tells whether one of the change's keys is wanted.
func (f *Filter) keys(c *Change) bool {
	return f.key == nil || f.matches(c.Key) || f.matches(c.NewKey)
}

func (f *Filter) matches(key []Field) bool {
	if len(key) == 0 {
		return false
	}
	for _, want := range f.key {
		if want.Name == "" {
			return len(key) == 1 && key[0].Value.Text == want.Value.Text
		}
		if !slices.ContainsFunc(key, func(k Field) bool {
			return strings.EqualFold(k.Name, want.Name) && k.Value.Text == want.Value.Text && !k.Value.Null
		}) {
			return false
		}
	}
	return true
}
