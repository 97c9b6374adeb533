package store

import (
	"fmt"
	"math"
	"sort"

	"daybook/recordbatch"
)

// The index has an entry for each batch. Its field highest never falls along
// the log, whatever the timestamps do, so that time is found by halving.

// OffsetForTime returns the first record in the log whose timestamp is ms, in
// milliseconds, or later. Timestamps need not be in order.
func (p *Partition) OffsetForTime(ms int64) (offset, timestamp int64, found bool, err error) {
	if err := p.s.calls.enter(); err != nil {
		return 0, 0, false, err
	}
	defer p.s.calls.exit()
	var r recordbatch.Record
	err = p.undisturbed(func() (err error) {
		r, found, err = p.firstAtOrAfter(ms)
		return err
	})
	if err != nil {
		return 0, 0, false, fmt.Errorf("find time %d in %s: %w", ms, p.topic, err)
	}
	return r.Offset, r.Timestamp, found, nil
}

// MaxTimestamp returns the first of the records with the latest timestamp.
func (p *Partition) MaxTimestamp() (offset, timestamp int64, found bool, err error) {
	if err := p.s.calls.enter(); err != nil {
		return 0, 0, false, err
	}
	defer p.s.calls.exit()
	var r recordbatch.Record
	err = p.undisturbed(func() (err error) {
		r, found, err = p.latest()
		return err
	})
	if err != nil {
		return 0, 0, false, fmt.Errorf("find latest timestamp of %s: %w", p.topic, err)
	}
	return r.Offset, r.Timestamp, found, nil
}

// undisturbed looks again if retention has removed something meanwhile, which was maybe found.
func (p *Partition) undisturbed(look func() error) error {
	for {
		start := p.LogStartOffset()
		err := look()
		if p.isDeleted() || p.LogStartOffset() == start {
			return p.ifThere(err)
		}
	}
}

func (p *Partition) latest() (r recordbatch.Record, found bool, err error) {
	p.mu.RLock()
	highest := p.last.highest
	p.mu.RUnlock()
	r, found, err = p.firstAtOrAfter(highest)
	if err == nil && !found {
		// Retention has removed the record that had it, or the log is empty.
		if highest, err = p.highestKept(); err == nil {
			r, found, err = p.firstAtOrAfter(highest)
		}
	}
	return r, found, err
}

// TimestampAt returns the timestamp of a record, in milliseconds. An offset at
// which there is none is ErrOffsetOutOfRange.
func (p *Partition) TimestampAt(offset int64) (int64, error) {
	batch, err := p.Read(nil, offset, 0)
	if err != nil {
		return 0, err
	}
	if len(batch) == 0 { // the high watermark
		return 0, fmt.Errorf("read %s at offset %d: %w", p.topic, offset, ErrOffsetOutOfRange)
	}
	for r, err := range recordbatch.Records(batch) {
		if err != nil {
			return 0, fmt.Errorf("read %s at offset %d: %w: %w", p.topic, offset, ErrCorrupt, err)
		}
		if r.Offset >= offset { // the next one, if this was lost
			return r.Timestamp, nil
		}
	}
	return 0, fmt.Errorf("read %s at offset %d: %w: its record was lost", p.topic, offset, ErrOffsetOutOfRange)
}

func (p *Partition) firstAtOrAfter(ms int64) (recordbatch.Record, bool, error) {
	if err := p.unusable(); err != nil {
		return recordbatch.Record{}, false, err
	}
	p.mu.RLock()
	start, end, last := p.start.offset, p.next, p.last
	p.mu.RUnlock()
	if start == end || last.highest < ms {
		return recordbatch.Record{}, false, nil
	}
	base, ok, err := p.firstBatch(ms, start, end)
	if err != nil || !ok {
		return recordbatch.Record{}, false, err
	}
	batch, err := p.read(nil, base, 0)
	if err != nil {
		return recordbatch.Record{}, false, err
	}
	for r, err := range recordbatch.Records(batch) {
		if err != nil {
			return recordbatch.Record{}, false, fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		if r.Timestamp >= ms {
			return r, true, nil
		}
	}
	return recordbatch.Record{}, false, fmt.Errorf("%w: batch %d has no record of its latest time", ErrCorrupt, base)
}

// firstBatch returns the base offset of the first batch in [start, end) with a
// timestamp of ms or later.
func (p *Partition) firstBatch(ms, start, end int64) (int64, bool, error) {
	it, err := p.index()
	if err != nil {
		return 0, false, err
	}
	defer it.Close()
	var failed error
	n := sort.Search(int(end-start), func(i int) bool {
		if failed != nil || !it.SeekLT(offsetKey(kindIndex, p.id, start+int64(i)+1)) {
			return false
		}
		e, _, err := entryAt(it)
		failed = err
		return e.highest >= ms
	})
	if failed != nil {
		return 0, false, failed
	}
	// From here on highest is late enough, which the batch itself is too, unless
	// one raised it that retention has removed. Then the log's front is searched.
	for ok := it.SeekLT(offsetKey(kindIndex, p.id, start+int64(n)+1)); ok; ok = it.Next() {
		e, base, err := entryAt(it)
		if err != nil {
			return 0, false, err
		}
		if base >= end {
			break
		}
		if e.maxTimestamp >= ms && !e.isGap() {
			return base, true, nil
		}
	}
	return 0, false, it.Err()
}

func (p *Partition) highestKept() (int64, error) {
	it, err := p.index()
	if err != nil {
		return 0, err
	}
	defer it.Close()
	highest := int64(math.MinInt64)
	for ok := it.SeekGE(offsetKey(kindIndex, p.id, p.LogStartOffset())); ok; ok = it.Next() {
		e, _, err := entryAt(it)
		if err != nil {
			return 0, err
		}
		highest = max(highest, e.maxTimestamp)
	}
	return highest, it.Err()
}

// entryBefore returns the index entry of the batch before the one that holds
// offset, if it is still in the log.
func (p *Partition) entryBefore(offset int64) (indexEntry, bool, error) {
	if err := p.s.calls.enter(); err != nil {
		return indexEntry{}, false, err
	}
	defer p.s.calls.exit()
	it, err := p.index()
	if err != nil {
		return indexEntry{}, false, err
	}
	defer it.Close()
	if !it.SeekLT(offsetKey(kindIndex, p.id, offset+1)) || !it.Prev() {
		return indexEntry{}, false, it.Err()
	}
	e, _, err := entryAt(it)
	return e, err == nil, err
}

// firstEntry returns the index entry of the oldest batch whose can be read.
func (p *Partition) firstEntry() (indexEntry, error) {
	w, start := p.walkFrom()
	defer w.close()
	e, _, err := w.entry(start.offset)
	return e, err
}

// index returns an iterator over the partition's index entries.
func (p *Partition) index() (*cursor, error) {
	return p.s.iteratePrefix(partitionKey(kindIndex, p.id))
}

// entryAt returns the index entry at the iterator and its batch's base offset.
func entryAt(it *cursor) (indexEntry, int64, error) {
	v, err := it.Value()
	if err != nil {
		return indexEntry{}, 0, err
	}
	base, err := offsetOfKey(it.Key())
	if err != nil {
		return indexEntry{}, 0, err
	}
	e, err := decodeIndexEntry(v)
	return e, base, err
}
