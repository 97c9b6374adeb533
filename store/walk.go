package store

import (
	"errors"
	"fmt"
	"math"
)

// walk reads index entries in order, past those that cannot be read.
type walk struct {
	p    *Partition
	end  int64      // where the log ends
	last indexEntry // of the newest batch, which is always known
	it   *cursor
}

// walkFrom returns a walk over what is visible now, and where that starts.
func (p *Partition) walkFrom() (walk, logStart) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return walk{p: p, end: p.next, last: p.last}, p.start
}

func (w *walk) close() {
	if w.it != nil {
		w.it.Close()
		w.it = nil
	}
}

// entry returns the first entry of offset or later that can be read, and its
// base offset.
func (w *walk) entry(offset int64) (indexEntry, int64, error) {
	e, base, err := w.next(w.p.pastDamage(offset))
	if err = w.p.ifThere(err); err == nil || !errors.Is(err, ErrCorrupt) {
		return e, base, err
	}
	w.close()
	w.p.s.log.Error("a part of the index cannot be read", "topic", w.p.topic, "offset", offset, "error", err)
	to, err := w.p.readable(kindIndex, offset, w.end)
	if err != nil {
		return e, 0, err
	}
	w.p.rememberDamage(offset, to)
	return w.next(to)
}

// next moves to the entry at offset, or the next one.
func (w *walk) next(offset int64) (e indexEntry, base int64, err error) {
	if offset >= w.end {
		return w.last, w.end - int64(w.last.lastOffsetDelta) - 1, nil
	}
	key := offsetKey(kindIndex, w.p.id, offset)
	moved := false
	if w.it == nil {
		if w.it, err = w.p.index(); err != nil {
			return e, 0, err
		}
		moved = w.it.SeekGE(key)
	} else {
		moved = w.it.Next()
		if moved && string(w.it.Key()) != string(key) { // damage was passed over
			moved = w.it.SeekGE(key)
		}
	}
	if !moved {
		return e, 0, errors.Join(w.it.Err(), fmt.Errorf("%w: the index of %s ends before offset %d", ErrCorrupt, w.p.topic, offset))
	}
	return entryAt(w.it)
}

// pastDamage returns where to read on, if entries from offset on cannot be read.
func (p *Partition) pastDamage(offset int64) int64 {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if to, ok := p.unreadable[offset]; ok {
		return to
	}
	return offset
}

// rememberDamage spares looking for the same damage each minute: Pebble takes
// its time over it.
func (p *Partition) rememberDamage(from, to int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.unreadable) < maxDamaged {
		p.unreadable[from] = to
	}
}

// readable returns the offset of the first key that can be read behind an
// unreadable stretch that begins at offset, or end. It doubles its steps until it is past the
// stretch, and halves them then, since nothing is known of what lies between.
func (p *Partition) readable(kind byte, offset, end int64) (int64, error) {
	bad, good, found := offset, end, end
	for step := int64(1); step < end-offset && step > 0 && good == end; step *= 2 {
		switch base, err := p.firstReadable(kind, offset+step); {
		case err == nil:
			good, found = offset+step, base
		case errors.Is(err, ErrCorrupt):
			bad = offset + step
		default:
			return 0, err
		}
	}
	for bad+1 < good {
		middle := bad + (good-bad)/2
		switch base, err := p.firstReadable(kind, middle); {
		case err == nil:
			good, found = middle, base
		case errors.Is(err, ErrCorrupt):
			bad = middle
		default:
			return 0, err
		}
	}
	return min(found, end), nil
}

// firstReadable returns the offset of the first key at offset or behind it,
// with an error if that cannot be read; the largest offset if there is none.
func (p *Partition) firstReadable(kind byte, offset int64) (int64, error) {
	it, err := p.s.iteratePrefix(partitionKey(kind, p.id))
	if err != nil {
		return 0, err
	}
	defer it.Close()
	if !it.SeekGE(offsetKey(kind, p.id, offset)) {
		return math.MaxInt64, it.Err()
	}
	if kind == kindIndex {
		_, base, err := entryAt(it)
		return base, err
	}
	return offsetOfKey(it.Key())
}
