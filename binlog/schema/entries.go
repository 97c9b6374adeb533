package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
)

// Entry is one durable piece of a catalog: a database, a table, or a program.
type Entry struct {
	Key   []byte
	Value []byte // nil: deleted
}

// ErrEntry is the cause of Load's errors: an entry that was not written by
// Dirty, or by a newer version of it.
var ErrEntry = errors.New("damaged schema entry")

// The keys: "d", NUL, database; "t", NUL, database, NUL, table; and "p", NUL,
// database, NUL, kind, NUL, name of a trigger, routine or view; the names
// folded as lower_case_table_names says; and "o", NUL for what is seen of other
// databases. The values are JSON, that of a table as an S2 block behind the letter s.
const (
	sightKey = "o\x00"
	// TableKeys is what those of tables begin with, and nothing else.
	TableKeys = "t\x00"
)

func databaseKey(db string) string { return "d\x00" + db }

// TableKey returns the key of a table's entry; the names are folded already.
func TableKey(db, name string) string { return TableKeys + db + "\x00" + name }

func programEntryKey(db string, k programKey) string {
	return "p\x00" + db + "\x00" + string(k.kind) + "\x00" + k.name
}

// Dirty returns the entries that changed since the last call, in key order. The
// values are the catalog's own and must not be changed.
func (c *Catalog) Dirty() []Entry {
	entries := make([]Entry, 0, len(c.dirty))
	for _, k := range slices.Sorted(maps.Keys(c.dirty)) {
		entries = append(entries, Entry{Key: []byte(k), Value: c.encode(k)})
	}
	clear(c.dirty)
	return entries
}

// Changed returns how many entries changed since Dirty was called last.
func (c *Catalog) Changed() int { return len(c.dirty) }

// ChangedKeys returns the keys of these entries.
func (c *Catalog) ChangedKeys() iter.Seq[string] { return maps.Keys(c.dirty) }

// encode returns the value of a key; nil if it is gone.
func (c *Catalog) encode(key string) []byte {
	var v any
	parts := strings.Split(key, "\x00")
	d := c.databases[parts[1]]
	switch {
	case key == sightKey:
		v = c.others
	case d == nil:
		return nil
	case parts[0] == "d":
		v = d
	case parts[0] == "p":
		p := d.programs[programKey{programKind(parts[2]), parts[3]}]
		if p == nil {
			return nil
		}
		v = p
	case d.tables[parts[2]] == nil:
		return nil
	default:
		return d.tables[parts[2]].value
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain structs of strings and numbers: cannot fail
	}
	return b
}

// Load builds a catalog from the entries that Dirty gave, the last of each
// key, in any order.
func Load(server Server, entries iter.Seq2[Entry, error]) (*Catalog, error) {
	c := NewCatalog(server)
	for e, err := range entries {
		if err != nil {
			return nil, fmt.Errorf("read schema entries: %w", err)
		}
		if err := c.load(e); err != nil {
			return nil, fmt.Errorf("load schema entry %q: %w", e.Key, err)
		}
	}
	clear(c.dirty)
	return c, nil
}

func (c *Catalog) load(e Entry) error {
	parts := strings.Split(string(e.Key), "\x00")
	switch {
	case parts[0] == "d" && len(parts) == 2:
		var v database
		if err := json.Unmarshal(e.Value, &v); err != nil {
			return fmt.Errorf("%w: %w", ErrEntry, err)
		}
		c.PutDatabase(v.Name, v.Charset)
		c.setSight(v.Name, v.Seen)
		d := c.ensureDatabase(v.Name)
		d.Former, d.By = v.Former, v.By
	case parts[0] == "t" && len(parts) == 3:
		return c.PutPacked(e.Value)
	case parts[0] == "p" && len(parts) == 4:
		var p program
		if err := json.Unmarshal(e.Value, &p); err != nil {
			return fmt.Errorf("%w: %w", ErrEntry, err)
		}
		if p.Name == "" {
			return fmt.Errorf("%w: no program in it", ErrEntry)
		}
		p.readOld()
		c.putProgram(&p)
	case string(e.Key) == sightKey:
		if err := json.Unmarshal(e.Value, &c.others); err != nil {
			return fmt.Errorf("%w: %w", ErrEntry, err)
		}
	default:
		return fmt.Errorf("%w: key of no known kind", ErrEntry)
	}
	return nil
}
