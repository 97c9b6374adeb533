package store

import "github.com/cockroachdb/pebble/v2"

// cursor is an iterator of Pebble's over the keys with one prefix, or a part of
// them. Some damage Pebble answers with a panic, a value file that is gone or cut for one:
// to who uses a cursor that is an error like any other.
type cursor struct {
	it  *pebble.Iterator
	err error // of a panic; the iterator is not moved any more
}

// iterate returns a cursor over the keys from lower on, below upper.
func (s *Store) iterate(lower, upper []byte) (c *cursor, err error) {
	defer recoverDamage(&err)
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return nil, describeRead(err)
	}
	return &cursor{it: it}, nil
}

// iteratePrefix returns a cursor over the keys that begin with prefix.
func (s *Store) iteratePrefix(prefix []byte) (*cursor, error) {
	return s.iterate(prefix, afterPrefix(prefix))
}

func (c *cursor) First() bool { return c.move((*pebble.Iterator).First) }
func (c *cursor) Last() bool  { return c.move((*pebble.Iterator).Last) }
func (c *cursor) Next() bool  { return c.move((*pebble.Iterator).Next) }
func (c *cursor) Prev() bool  { return c.move((*pebble.Iterator).Prev) }

func (c *cursor) SeekLT(key []byte) bool {
	return c.move(func(it *pebble.Iterator) bool { return it.SeekLT(key) })
}

func (c *cursor) SeekGE(key []byte) bool {
	return c.move(func(it *pebble.Iterator) bool { return it.SeekGE(key) })
}

// move is false after the last key, and where damage keeps the iterator from going on.
func (c *cursor) move(step func(*pebble.Iterator) bool) (ok bool) {
	if c.err != nil {
		return false
	}
	defer recoverDamage(&c.err)
	return step(c.it)
}

// Key returns the key at the cursor, which the next move overwrites.
func (c *cursor) Key() []byte { return c.it.Key() }

// Value returns the value at the cursor, which the next move overwrites. After
// an error the cursor does not move on.
func (c *cursor) Value() (value []byte, err error) {
	if c.err != nil {
		return nil, c.err
	}
	defer func() { c.err = err }()
	defer recoverDamage(&err)
	value, err = c.it.ValueAndErr()
	return value, describeRead(err)
}

// Err returns why the last move was false, if not for the end.
func (c *cursor) Err() error {
	if c.err != nil {
		return c.err
	}
	return describeRead(c.it.Error())
}

// Close ends the iteration. Its error is what Err told before.
func (c *cursor) Close() {
	var err error
	defer recoverDamage(&err)
	_ = c.it.Close()
}
