package store

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
)

// retention salvages how long records are kept. If that is lost, it is as for all, until the task sets it.
func (l *salvagedLog) retention() error {
	v, ok, err := l.from.s.lookUp(partitionKey(kindRetention, l.from.id))
	switch {
	case errors.Is(err, ErrCorrupt):
		return nil
	case err != nil || !ok:
		return err
	}
	return l.copy(partitionKey(kindRetention, l.from.id), v)
}

// state salvages position and schema. A schema of which a part is lost would
// misread rows, so that the task must not go on by it.
func (l *salvagedLog) state() error {
	position, ok, err := l.from.s.lookUp(partitionKey(kindPosition, l.from.id))
	var lost error
	if errors.Is(err, ErrCorrupt) {
		lost, ok = err, false
	} else if err != nil {
		return err
	}
	for kv, err := range l.from.s.scanRange(partitionKey(kindSchema, l.from.id), afterPrefix(partitionKey(kindSchema, l.from.id)), 0) {
		if errors.Is(err, ErrCorrupt) {
			lost = err
			break
		}
		if err != nil {
			return err
		}
		if err := l.copy(kv.Key, kv.Value); err != nil {
			return err
		}
	}
	note, there, err := l.from.s.lookUp(partitionKey(kindLost, l.from.id))
	switch {
	case errors.Is(err, ErrCorrupt): // it may tell of what an earlier repair has lost
		lost = err
	case err != nil:
		return err
	case there:
		if err := l.copy(partitionKey(kindLost, l.from.id), note); err != nil {
			return err
		}
	}
	if lost == nil {
		lost = l.lostWithLog(ok)
	}
	if lost != nil {
		l.damage(LostState, lost)
		if err := l.copy(partitionKey(kindLost, l.from.id), []byte(detail(lost))); err != nil {
			return err
		}
	}
	if !ok {
		return nil
	}
	return l.copy(partitionKey(kindPosition, l.from.id), position)
}

// lostWithLog returns an error if the state is lost with a write-ahead log. Where only
// the newest writes are, the state before them is whole, and leads on.
func (l *salvagedLog) lostWithLog(hasPosition bool) error {
	switch lost := l.salvage.lost; {
	case lost == nil:
		return nil
	case lost.middle[l.mark]:
		return fmt.Errorf("%w: writes in the middle of a write-ahead log are lost", ErrCorrupt)
	case lost.newest[l.mark] && !hasPosition:
		return fmt.Errorf("%w: it was in a write-ahead log that is lost", ErrCorrupt)
	}
	return nil
}

// copy writes a key as it is.
func (v *salvage) copy(key, value []byte) error {
	if v.to == nil {
		return nil
	}
	b := v.to.db.NewBatch()
	setOrDelete(b, key, value)
	return v.to.write(b)
}

// tables salvages the small tables. What is behind a key that cannot be read,
// up to the next one that can, is lost.
func (v *salvage) tables() error {
	if v.lost.of(tablesMark) {
		v.tell(Damage{What: LostTable, Detail: "changes that were written lately are lost with the write-ahead log"})
	}
	at := []byte{kindTable}
	for at != nil {
		last := at
		var lost error
		for kv, err := range v.from.scanRange(at, []byte{kindTable + 1}, 0) {
			if errors.Is(err, ErrCorrupt) {
				lost = err
				break
			}
			if err != nil {
				return err
			}
			if err := v.copy(kv.Key, kv.Value); err != nil {
				return err
			}
			last = kv.Key
		}
		if lost == nil {
			return nil
		}
		name, _, _ := bytes.Cut(last[1:], []byte{0})
		v.tell(Damage{What: LostTable, Detail: fmt.Sprintf("entries behind %s %s: %s", name, hex.EncodeToString(last), detail(lost))})
		at = v.behind(last)
	}
	return nil
}

// behind returns a key from which on keys can be read again.
func (v *salvage) behind(key []byte) []byte {
	var tries [][]byte
	for n := len(key); n > 1; n-- {
		tries = append(tries, afterPrefix(key[:n]))
	}
	for c := byte('a'); c <= 'z'; c++ { // the first letter of a table's name
		if first := []byte{kindTable, c}; bytes.Compare(first, key) > 0 {
			tries = append(tries, first)
		}
	}
	for _, next := range tries {
		it, err := v.from.iterate(next, []byte{kindTable + 1})
		if err != nil {
			return nil
		}
		ok := it.SeekGE(next)
		if ok {
			_, err = it.Value()
		} else {
			err = it.Err()
		}
		it.Close()
		if err == nil && ok {
			return next
		}
	}
	return nil
}
