package binlog

// entries are those that changed since the last checkpoint.
type entries struct {
	list  []SchemaEntry
	index map[string]int // of keys in list
	fresh map[string]bool
	size  int // bytes of keys and values
}

func newEntries() entries {
	return entries{index: map[string]int{}, fresh: map[string]bool{}}
}

// put sets an entry; a nil value deletes it.
func (e *entries) put(key, value []byte) {
	e.size += len(key) + len(value)
	if i, ok := e.index[string(key)]; ok {
		e.size -= len(key) + len(e.list[i].Value)
		e.list[i].Value = value
		return
	}
	e.index[string(key)] = len(e.list)
	e.list = append(e.list, SchemaEntry{Key: key, Value: value})
}

// create sets an entry of a key that was never saved: if it is deleted before
// the next checkpoint, nothing of it is.
func (e *entries) create(key, value []byte) {
	if _, changed := e.index[string(key)]; !changed {
		e.fresh[string(key)] = true
	}
	e.put(key, value)
}

// drop deletes an entry.
func (e *entries) drop(key []byte) {
	if !e.fresh[string(key)] {
		e.put(key, nil)
		return
	}
	delete(e.fresh, string(key))
	i := e.index[string(key)]
	e.size -= len(key) + len(e.list[i].Value)
	last := len(e.list) - 1
	e.list[i] = e.list[last]
	e.index[string(e.list[i].Key)] = i
	delete(e.index, string(key))
	e.list[last] = SchemaEntry{}
	e.list = e.list[:last]
}

// get returns the value of an entry that changed.
func (e *entries) get(key []byte) ([]byte, bool) {
	if i, ok := e.index[string(key)]; ok {
		return e.list[i].Value, true
	}
	return nil, false
}

// take empties the list and returns what was in it.
func (e *entries) take() []SchemaEntry {
	list := e.list
	e.list, e.size = nil, 0
	clear(e.index)
	clear(e.fresh)
	return list
}
