package binlog

import (
	"fmt"
	"testing"
)

// What is committed late is in memory still, however many others were prepared
// and committed meanwhile: only the bytes that are kept count.
func TestRowsCacheKeepsThoseThatStay(t *testing.T) {
	c := newRowsCache()
	late := make([][]byte, 100)
	for i := range late {
		late[i] = fmt.Appendf(nil, "late %d", i)
		c.put(late[i], []byte("rows"))
	}
	for i := range 10_000 {
		key := fmt.Appendf(nil, "soon %d", i%7)
		c.put(key, []byte("rows"))
		c.drop(key)
	}
	for _, key := range late {
		if v, ok := c.get(key); !ok || string(v) != "rows" {
			t.Fatalf("%s: %q, %v", key, v, ok)
		}
	}
	if n := len(c.order); n > 2*len(late)+16 {
		t.Errorf("the order has %d keys for %d", n, len(late))
	}
}

// The oldest go where there are too many bytes; a key that was put again is as
// new as its last value.
func TestRowsCacheIsBounded(t *testing.T) {
	c := newRowsCache()
	value := make([]byte, maxRowsCache/16)
	for i := range 40 {
		c.put(fmt.Appendf(nil, "%d", i), value)
		c.put([]byte("again"), value)
	}
	if c.size > maxRowsCache || len(c.values)*len(value) != c.size {
		t.Errorf("%d bytes of at most %d, in %d values", c.size, maxRowsCache, len(c.values))
	}
	for key, want := range map[string]bool{"24": false, "25": true, "39": true, "again": true} {
		if _, ok := c.get([]byte(key)); ok != want {
			t.Errorf("%s: there %v, want %v", key, ok, want)
		}
	}
}
