package schema

import (
	"bytes"
	"container/list"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"weak"

	"github.com/klauspost/compress/s2"

	"daybook/change"
)

// entry is a table as it is kept: the definition in the few hundred bytes in
// which it is saved too, so that memory holds those of any number of tables,
// and beside it what is asked without a look into that.
type entry struct {
	database string
	name     string
	engine   string
	assumed  bool // see table.Assumed
	unknown  bool
	value    []byte
	def      weak.Pointer[change.Table] // of the decoded definition, while anyone uses it
}

// compressed begins a value that is an S2 block of JSON; values of earlier
// versions are the JSON itself, which begins with a brace.
const compressed = 's'

// newEntry packs a table.
func (c *Catalog) newEntry(t *table) *entry {
	text, err := json.Marshal(t)
	if err != nil {
		panic(err) // plain structs of strings and numbers: cannot fail
	}
	c.scratch = s2.Encode(c.scratch[:cap(c.scratch)], text)
	value := append(make([]byte, 0, 1+len(c.scratch)), compressed)
	return newEntry(t, append(value, c.scratch...))
}

func newEntry(t *table, value []byte) *entry {
	return &entry{database: t.Def.Database, name: t.Def.Name, engine: engineName(t.Engine), assumed: t.Assumed, unknown: t.Unknown, value: value, def: weak.Make(t.Def)}
}

// decodeTable unpacks a value.
func decodeTable(value []byte) (*table, error) {
	text := value
	if len(value) > 0 && value[0] == compressed {
		n, err := s2.DecodedLen(value[1:])
		if err != nil || n > maxValue {
			return nil, fmt.Errorf("%w: a block of %d bytes, %v", ErrEntry, n, err)
		}
		if text, err = s2.Decode(nil, value[1:]); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrEntry, err)
		}
	}
	t := &table{}
	if err := json.Unmarshal(text, t); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEntry, err)
	}
	if t.Def == nil || t.Def.Name == "" {
		return nil, fmt.Errorf("%w: no table in it", ErrEntry)
	}
	return t, nil
}

// maxValue bounds what a value may grow to when it is unpacked: 4096 columns
// with the longest comments and labels.
const maxValue = 1 << 28

// unpack returns the table of an entry. As long as anyone uses a definition
// that was given before, it is the same one.
func (c *Catalog) unpack(e *entry) *table {
	if t := c.hot.get(e); t != nil {
		return t
	}
	t, err := decodeTable(e.value)
	if err != nil {
		panic(err) // it was packed here, or decoded when it was loaded
	}
	if def := e.def.Value(); def != nil {
		t.Def = def
	} else {
		e.def = weak.Make(t.Def)
	}
	c.hot.put(e, t)
	return t
}

// find returns the entry of a table, nil if there is none.
func (c *Catalog) find(n TableName) *entry {
	if d := c.databases[c.fold(n.Database)]; d != nil {
		return d.tables[c.fold(n.Name)]
	}
	return nil
}

// lookup returns a table, nil if there is none.
func (c *Catalog) lookup(n TableName) *table {
	if e := c.find(n); e != nil {
		return c.unpack(e)
	}
	return nil
}

// put adds a table, or replaces the one of that name.
func (c *Catalog) put(t *table) {
	e := c.newEntry(t)
	c.putEntry(e)
	c.hot.put(e, t)
}

func (c *Catalog) putEntry(e *entry) {
	c.remove(e.database, e.name)
	d := c.ensureDatabase(e.database)
	if e.database == d.Name {
		e.database = d.Name // one string for all
	}
	d.tables[c.fold(e.name)] = e
}

// remove removes a table and leaves its triggers.
func (c *Catalog) remove(db, name string) {
	if d := c.databases[c.fold(db)]; d != nil {
		c.hot.drop(d.tables[c.fold(name)])
		delete(d.tables, c.fold(name))
	}
	c.dirty[TableKey(c.fold(db), c.fold(name))] = true
}

// Names returns the names of a database's tables in order, of those too whose
// definition is not known.
func (c *Catalog) Names(db string) []TableName {
	d := c.databases[c.fold(db)]
	if d == nil {
		return nil
	}
	names := make([]TableName, 0, len(d.tables))
	for _, e := range d.tables {
		names = append(names, TableName{e.database, e.name})
	}
	slices.SortFunc(names, func(a, b TableName) int { return strings.Compare(a.Name, b.Name) })
	return names
}

// Packed returns a table's definition as it is saved, nil if there is no such
// table: what [Catalog.PutPacked] takes, of this catalog or another. It must
// not be changed.
func (c *Catalog) Packed(db, name string) []byte {
	if e := c.find(TableName{db, name}); e != nil {
		return e.value
	}
	return nil
}

// PutPacked adds a table that [Catalog.Packed] gave, or replaces the one of that
// name, with everything that is known of it.
func (c *Catalog) PutPacked(value []byte) error {
	t, err := decodeTable(value)
	if err != nil {
		return err
	}
	c.putTable(t, value)
	return nil
}

// putTable adds a table of which the value is at hand.
func (c *Catalog) putTable(t *table, value []byte) {
	if value[0] != compressed {
		c.put(t)
		return
	}
	c.putEntry(newEntry(t, bytes.Clone(value)))
}

// hotTables are the tables that were unpacked last, of maxHot columns
// altogether.
type hotTables struct {
	order   list.List // of *hotTable, the one used last in front
	byEntry map[*entry]*list.Element
	columns int
}

type hotTable struct {
	entry *entry
	table *table
}

// maxHot bounds the columns of unpacked definitions, at some 300 bytes each.
const maxHot = 1 << 14

func (h *hotTables) get(e *entry) *table {
	at := h.byEntry[e]
	if at == nil {
		return nil
	}
	h.order.MoveToFront(at)
	return at.Value.(*hotTable).table
}

func (h *hotTables) put(e *entry, t *table) {
	h.byEntry[e] = h.order.PushFront(&hotTable{e, t})
	h.columns += len(t.Def.Columns)
	for h.columns > maxHot && h.order.Len() > 1 {
		h.drop(h.order.Back().Value.(*hotTable).entry)
	}
}

func (h *hotTables) drop(e *entry) {
	if at := h.byEntry[e]; at != nil {
		h.columns -= len(at.Value.(*hotTable).table.Def.Columns)
		h.order.Remove(at)
		delete(h.byEntry, e)
	}
}

// Decode returns the definition in an entry's value.
func Decode(value []byte) (*change.Table, error) {
	t, err := decodeTable(value)
	if err != nil {
		return nil, err
	}
	return t.Def, nil
}
