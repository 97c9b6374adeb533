package binlog

import "slices"

// rowsCache keeps the entries with rows that were saved last.
type rowsCache struct {
	values map[string]cachedRows
	order  []cachedKey // the oldest first; some are gone
	size   int         // bytes of the values
	puts   int
}

func newRowsCache() rowsCache { return rowsCache{values: map[string]cachedRows{}} }

type cachedRows struct {
	value []byte
	put   int // number of the put
}

type cachedKey struct {
	key []byte
	put int
}

// maxRowsCache bounds the bytes of the cache.
const maxRowsCache = 16 << 20

func (c *rowsCache) get(key []byte) ([]byte, bool) {
	v, ok := c.values[string(key)]
	return v.value, ok
}

func (c *rowsCache) put(key, value []byte) {
	c.drop(key)
	c.puts++
	c.values[string(key)] = cachedRows{value, c.puts}
	c.order = append(c.order, cachedKey{key, c.puts})
	c.size += len(value)
	for c.size > maxRowsCache {
		if oldest := c.order[0]; c.holds(oldest) {
			c.drop(oldest.key)
		}
		c.order = c.order[1:]
	}
	if len(c.order) > 2*len(c.values)+16 {
		c.order = slices.DeleteFunc(c.order, func(k cachedKey) bool { return !c.holds(k) })
	}
}

// holds tells whether what was put then is still there.
func (c *rowsCache) holds(k cachedKey) bool { return c.values[string(k.key)].put == k.put }

func (c *rowsCache) drop(key []byte) {
	c.size -= len(c.values[string(key)].value)
	delete(c.values, string(key))
}
