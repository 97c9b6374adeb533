package store

import (
	"errors"
	"fmt"
	"iter"

	"github.com/cockroachdb/pebble/v2"
)

// Write is one change to a key. A nil Value deletes it.
type Write struct {
	Key, Value []byte
}

// KV is a key with its value, both owned by whoever receives it.
type KV struct {
	Key, Value []byte
}

// Table is a small durable map that is apart from the log: checkpoints, for
// example. Keys and values are any bytes.
type Table struct {
	s    *Store
	name string
}

// Table returns the table of that name, which must hold no zero byte. It need
// not be created.
func (s *Store) Table(name string) *Table { return &Table{s: s, name: name} }

// Get returns the value of a key and whether there is one.
func (t *Table) Get(key []byte) ([]byte, bool, error) {
	v, ok, err := t.s.get(tableKey(t.name, key))
	if err != nil {
		return nil, false, fmt.Errorf("get from table %s: %w", t.name, err)
	}
	return v, ok, nil
}

// Put sets a key and returns when that is synced. A nil value is stored as an
// empty one.
func (t *Table) Put(key, value []byte) error {
	if value == nil {
		value = []byte{}
	}
	return t.Apply([]Write{{Key: key, Value: value}})
}

// Delete removes a key, there or not, and returns when that is synced.
func (t *Table) Delete(key []byte) error { return t.Apply([]Write{{Key: key}}) }

// Apply does all writes or, after a crash, none, and returns when they are synced.
func (t *Table) Apply(writes []Write) error {
	if err := t.s.calls.enter(); err != nil {
		return err
	}
	defer t.s.calls.exit()
	b := t.s.db.NewBatch()
	for _, w := range writes {
		setOrDelete(b, tableKey(t.name, w.Key), w.Value)
	}
	if err := t.s.commitNumbered(b, t.s.tables, 0, nil); err != nil {
		return fmt.Errorf("write to table %s: %w", t.name, err)
	}
	return nil
}

// Scan returns the keys that begin with prefix in order, as they are when the
// iteration begins. It ends after the first error.
func (t *Table) Scan(prefix []byte) iter.Seq2[KV, error] {
	return t.s.scan(tableKey(t.name, prefix), len(tableKey(t.name, nil)))
}

// Back returns the keys from a key on that are below another one, the last first, as they are
// when the iteration begins. It ends after the first error.
func (t *Table) Back(from, below []byte) iter.Seq2[KV, error] {
	return t.s.walkRange(tableKey(t.name, from), tableKey(t.name, below), len(tableKey(t.name, nil)), (*cursor).Last, (*cursor).Prev)
}

// setOrDelete cannot fail: a Pebble batch only collects until it is applied.
func setOrDelete(b *pebble.Batch, key, value []byte) {
	if value == nil {
		_ = b.Delete(key, nil)
		return
	}
	_ = b.Set(key, value, nil)
}

// get returns a copy of the value of a key.
func (s *Store) get(key []byte) ([]byte, bool, error) {
	if err := s.calls.enter(); err != nil {
		return nil, false, err
	}
	defer s.calls.exit()
	return s.lookUp(key)
}

// lookUp is get for one who has entered already.
func (s *Store) lookUp(key []byte) (value []byte, ok bool, err error) {
	defer recoverDamage(&err)
	v, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, describeRead(err)
	}
	return append([]byte{}, v...), true, closer.Close()
}

// scan returns all keys with the prefix, without their first cut bytes.
func (s *Store) scan(prefix []byte, cut int) iter.Seq2[KV, error] {
	return s.scanRange(prefix, afterPrefix(prefix), cut)
}

// scanRange returns the keys from lower on, below upper.
func (s *Store) scanRange(lower, upper []byte, cut int) iter.Seq2[KV, error] {
	return s.walkRange(lower, upper, cut, (*cursor).First, (*cursor).Next)
}

func (s *Store) walkRange(lower, upper []byte, cut int, first, next func(*cursor) bool) iter.Seq2[KV, error] {
	return func(yield func(KV, error) bool) {
		if err := s.calls.enter(); err != nil {
			yield(KV{}, err)
			return
		}
		defer s.calls.exit()
		it, err := s.iterate(lower, upper)
		if err != nil {
			yield(KV{}, fmt.Errorf("scan: %w", err))
			return
		}
		defer it.Close()
		for ok := first(it); ok; ok = next(it) {
			v, err := it.Value()
			if err != nil {
				yield(KV{}, fmt.Errorf("scan: %w", err))
				return
			}
			kv := KV{Key: append([]byte{}, it.Key()[cut:]...), Value: append([]byte{}, v...)}
			if !yield(kv, nil) {
				return
			}
		}
		if err := it.Err(); err != nil {
			yield(KV{}, fmt.Errorf("scan: %w", err))
		}
	}
}
