package binlog

// entries are those that changed since the last checkpoint.
type entries struct {
	list  []SchemaEntry
	index map[string]entryAt
	size  int // bytes of keys and values
}

// entryAt is where in the list an entry is.
type entryAt struct {
	i     int
	fresh bool // it was never saved
}

// maxSpare is the most entries that memory is got ready for.
const maxSpare = 1 << 10

func newEntries() entries { return entries{index: map[string]entryAt{}} }

// put sets an entry; a nil value deletes it.
func (e *entries) put(key, value []byte) { e.set(key, value, false) }

// create sets an entry of a key that was never saved: if it is deleted before
// the next checkpoint, nothing of it is.
func (e *entries) create(key, value []byte) { e.set(key, value, true) }

func (e *entries) set(key, value []byte, fresh bool) {
	e.size += len(key) + len(value)
	if at, ok := e.index[string(key)]; ok {
		e.size -= len(key) + len(e.list[at.i].Value)
		e.list[at.i].Value = value
		return
	}
	e.index[string(key)] = entryAt{len(e.list), fresh}
	e.list = append(e.list, SchemaEntry{Key: key, Value: value})
}

// drop deletes an entry.
func (e *entries) drop(key []byte) {
	at := e.index[string(key)]
	if !at.fresh {
		e.put(key, nil)
		return
	}
	e.size -= len(key) + len(e.list[at.i].Value)
	delete(e.index, string(key))
	last := len(e.list) - 1
	if moved := e.list[last]; at.i < last {
		e.list[at.i] = moved
		e.index[string(moved.Key)] = entryAt{at.i, e.index[string(moved.Key)].fresh}
	}
	e.list[last] = SchemaEntry{}
	e.list = e.list[:last]
}

// get returns the value of an entry that changed.
func (e *entries) get(key []byte) ([]byte, bool) {
	if at, ok := e.index[string(key)]; ok {
		return e.list[at.i].Value, true
	}
	return nil, false
}

// take empties the list and returns what was in it.
func (e *entries) take() []SchemaEntry {
	list := e.list
	e.list, e.size = nil, 0
	if len(list) > 0 { // the next may be as many
		e.list = make([]SchemaEntry, 0, min(len(list), maxSpare))
	}
	clear(e.index)
	return list
}
