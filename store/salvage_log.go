package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"

	"daybook/recordbatch"
)

// salvagedLog is a partition on its way from one store to another.
type salvagedLog struct {
	*salvage
	from, to *Partition
	next     int64      // the offset that comes next
	last     indexEntry // as it is written
	index    error      // the first thing that is wrong with the index
	mark     uint32     // the place of its mark
	endless  bool       // if it had anything, nothing tells how far it went
	before   []byte     // the batch that was put last
}

func (l *salvagedLog) damage(what string, err error) {
	l.tell(Damage{Topic: l.from.topic, What: what, Detail: detail(err)})
}

// bounds finds where the log begins and ends, whatever of that can be read.
func (l *salvagedLog) bounds() (start logStart, end int64, err error) {
	p := l.from
	found := true // a log whose start is lost and that has nothing may have had much
	v, ok, err := p.s.lookUp(partitionKey(kindLogStart, p.id))
	if err == nil && ok {
		start, err = decodeLogStart(v)
	}
	if errors.Is(err, ErrCorrupt) {
		l.index = err
		first := int64(math.MaxInt64)
		for _, kind := range []byte{kindIndex, kindBatch} {
			base, err := p.firstReadable(kind, 0)
			if errors.Is(err, ErrCorrupt) {
				base, err = p.readable(kind, 0, math.MaxInt64)
			}
			if err != nil {
				return start, 0, err
			}
			first = min(first, base)
		}
		found = first < math.MaxInt64
		if found {
			start = logStart{offset: first}
		}
	} else if err != nil {
		return start, 0, err
	}
	end = max(start.offset, p.reached)
	known := false
	for _, kind := range []byte{kindIndex, kindBatch} {
		last, err := p.lastEnd(kind)
		if err == nil {
			end, known = max(end, last), found
		} else if !errors.Is(err, ErrCorrupt) {
			return start, 0, err
		} else if kind == kindIndex {
			l.index = err
		}
	}
	if !known || l.endless && end > 0 {
		end += lostTail
	}
	return start, end, nil
}

// lastEnd returns the offset behind the last batch by its index entry or by
// itself; 0 if there is none.
func (p *Partition) lastEnd(kind byte) (int64, error) {
	it, err := p.s.iteratePrefix(partitionKey(kind, p.id))
	if err != nil {
		return 0, err
	}
	defer it.Close()
	if !it.Last() {
		return 0, it.Err()
	}
	if kind == kindIndex {
		e, base, err := entryAt(it)
		return base + int64(e.lastOffsetDelta) + 1, err
	}
	base, err := offsetOfKey(it.Key())
	if err != nil {
		return 0, err
	}
	batch, err := p.batchAt(nil, it, base)
	if err != nil {
		return 0, err
	}
	h, err := recordbatch.ParseHeader(batch)
	return h.NextOffset(), err
}

// batchAt returns the whole batch at a cursor, checked.
func (p *Partition) batchAt(dst []byte, it *cursor, base int64) ([]byte, error) {
	stored, err := it.Value()
	if err != nil {
		return dst, err
	}
	size, err := decodedSize(stored)
	if err != nil {
		return dst, err
	}
	if dst, err = p.appendStored(dst, base, stored, size); err != nil {
		return dst, err
	}
	if _, err := checkRecords(dst); err != nil {
		return dst, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if h, _ := recordbatch.ParseHeader(dst); h.BaseOffset != base || h.Length != len(dst) {
		return dst, fmt.Errorf("%w: the batch of offset %d is stored at %d", ErrCorrupt, h.BaseOffset, base)
	}
	return dst, nil
}

// records salvages the batches, and puts gaps where they are lost.
func (l *salvagedLog) records() error {
	start, end, err := l.bounds()
	if err != nil {
		return err
	}
	l.next = start.offset
	l.last = indexEntry{highest: math.MinInt64, storedEnd: start.stored, plainEnd: start.plain}
	var batch []byte
	var why error // what is wrong with the offsets from next on
	for offset := l.next; offset < end; {
		if err := l.ctx.Err(); err != nil {
			return context.Cause(l.ctx)
		}
		var base int64
		batch, base, err = l.batchFrom(batch[:0], offset)
		switch {
		case errors.Is(err, ErrCorrupt) && base >= 0: // this batch is lost
			why, offset = err, base+1
		case errors.Is(err, ErrCorrupt): // nothing can be read here
			why = err
			if offset, err = l.from.readable(kindBatch, offset, end); err != nil {
				return err
			}
		case err != nil:
			return err
		case base >= end: // there is none
			offset = end
		default:
			if err := l.gap(base, why, batch); err != nil {
				return err
			}
			if err := l.put(batch, l.entry(base)); err != nil {
				return err
			}
			l.before, batch = batch, l.before
			why, offset = nil, l.next
		}
	}
	if err := l.gap(end, why, nil); err != nil {
		return err
	}
	if l.index != nil {
		l.damage(LostIndex, l.index)
	}
	return l.finish(start)
}

// batchFrom returns the first batch at offset or behind it. If it cannot be
// read base tells where it is, or is -1 if not even that is known.
func (l *salvagedLog) batchFrom(dst []byte, offset int64) ([]byte, int64, error) {
	it, err := l.from.s.iteratePrefix(partitionKey(kindBatch, l.from.id))
	if err != nil {
		return dst, -1, err
	}
	defer it.Close()
	if !it.SeekGE(offsetKey(kindBatch, l.from.id, offset)) {
		if err := it.Err(); err != nil {
			return dst, -1, err
		}
		return dst, math.MaxInt64, nil
	}
	base, err := offsetOfKey(it.Key())
	if err != nil {
		return dst, -1, err
	}
	dst, err = l.from.batchAt(dst, it, base)
	return dst, base, err
}

// entry returns when a batch was appended, as its index entry tells, or else
// the one before it.
func (l *salvagedLog) entry(base int64) int64 {
	v, ok, err := l.from.s.lookUp(offsetKey(kindIndex, l.from.id, base))
	var e indexEntry
	if err == nil && ok {
		e, err = decodeIndexEntry(v)
	}
	if err == nil && !ok {
		err = fmt.Errorf("%w: the entry of the batch at offset %d is missing", ErrCorrupt, base)
	}
	if err != nil {
		if l.index == nil {
			l.index = err
		}
		return l.last.appendedAt
	}
	return e.appendedAt
}

// gap leaves out the offsets up to one, where the batch after stands.
func (l *salvagedLog) gap(to int64, why error, after []byte) error {
	if l.next >= to {
		return nil
	}
	if why == nil {
		why = fmt.Errorf("%w: they are missing", ErrCorrupt)
	}
	d := Damage{Topic: l.from.topic, What: LostRecords, From: l.next, To: to, Detail: detail(why)}
	for r := range recordbatch.Records(l.before) {
		d.Before = r.Value
	}
	for r := range recordbatch.Records(after) {
		d.After = r.Value
		break
	}
	d.Before, d.After = bytes.Clone(d.Before), bytes.Clone(d.After)
	l.tell(d)
	for l.next < to {
		if err := l.put(recordbatch.Gap(l.next, to), l.last.appendedAt); err != nil {
			return err
		}
	}
	return nil
}

// put writes a batch behind those before it.
func (l *salvagedLog) put(batch []byte, appendedAt int64) error {
	h, err := recordbatch.ParseHeader(batch)
	if err != nil {
		return err
	}
	base := l.next
	l.next = h.NextOffset()
	if l.to == nil {
		l.last.appendedAt = appendedAt
		return nil
	}
	b := l.salvage.to.db.NewBatch()
	if err := l.to.encode(b, batch, base); err != nil {
		return errors.Join(err, b.Close())
	}
	latest := h.MaxTimestamp
	if h.Count == 0 {
		latest = math.MinInt64
	}
	l.last = indexEntry{
		lastOffsetDelta: h.LastOffsetDelta, appendedAt: appendedAt, maxTimestamp: latest, highest: max(l.last.highest, latest),
		storedEnd: l.last.storedEnd + storedSize(l.to.stored), plainEnd: l.last.plainEnd + uint64(len(batch)),
	}
	setOrDelete(b, offsetKey(kindBatch, l.to.id, base), l.to.stored)
	setOrDelete(b, offsetKey(kindIndex, l.to.id, base), l.last.encode())
	return l.salvage.to.write(b)
}

// finish writes the log's start.
func (l *salvagedLog) finish(start logStart) error {
	if l.to == nil {
		return nil
	}
	l.to.start, l.to.next, l.to.last = start, l.next, l.last
	b := l.salvage.to.db.NewBatch()
	setOrDelete(b, partitionKey(kindLogStart, l.to.id), start.encode())
	return l.salvage.to.write(b)
}
