package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"

	"daybook/recordbatch"
)

// Check reads everything and returns an error wrapping ErrCorrupt that tells
// the first thing that is wrong: offsets that are not dense, a batch whose
// checksum or records are not right, an index that does not fit its batches,
// or records in memory that are not those on disk.
func (s *Store) Check(ctx context.Context) error {
	if err := s.calls.enter(); err != nil {
		return err
	}
	defer s.calls.exit()
	for _, p := range s.Partitions() {
		if err := p.check(ctx); err != nil {
			return fmt.Errorf("check %s: %w", p.topic, err)
		}
	}
	return nil
}

// check holds back retention, and looks at what was visible when it began.
func (p *Partition) check(ctx context.Context) error {
	p.trimmer.Lock()
	defer p.trimmer.Unlock()
	if p.isDeleted() {
		return nil
	}
	p.mu.RLock()
	start, end, last := p.start, p.next, p.last
	p.mu.RUnlock()

	index, err := p.index()
	if err != nil {
		return err
	}
	defer index.Close()
	batches, err := p.s.iteratePrefix(partitionKey(kindBatch, p.id))
	if err != nil {
		return err
	}
	defer batches.Close()

	c := checker{p: p, next: start.offset, entry: indexEntry{storedEnd: start.stored, plainEnd: start.plain, highest: math.MinInt64}}
	for i, b := index.First(), batches.First(); (i || b) && c.next < end; i, b = index.Next(), batches.Next() {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if !i || !b {
			return errors.Join(index.Err(), batches.Err(),
				fmt.Errorf("%w: one of index entry and batch is missing at offset %d", ErrCorrupt, c.next))
		}
		if err := c.batch(index, batches); err != nil {
			return fmt.Errorf("batch at offset %d: %w", c.next, err)
		}
		if err := p.checkRecent(c.base, c.next, c.plain); err != nil {
			return err
		}
	}
	if err := errors.Join(index.Err(), batches.Err()); err != nil {
		return err
	}
	if c.next != end || c.entry != last && end > start.offset {
		return fmt.Errorf("%w: records end at offset %d, not at the high watermark %d (last index entry %+v, expected %+v)",
			ErrCorrupt, c.next, end, c.entry, last)
	}
	return nil
}

// checkRecent compares a batch with the one in memory, if it is there.
func (p *Partition) checkRecent(base, next int64, plain []byte) error {
	got, ok := p.recent.read(nil, base, next, 0)
	if ok && !bytes.Equal(got, plain) {
		return fmt.Errorf("%w: batch at offset %d is not the same in memory as on disk", ErrCorrupt, base)
	}
	return nil
}

// checker walks a log from its start.
type checker struct {
	p          *Partition
	base, next int64      // of the batch looked at last, and of the one to come
	entry      indexEntry // of the batch looked at last
	plain      []byte
}

func (c *checker) batch(index, batches *cursor) error {
	e, base, err := entryAt(index)
	if err != nil {
		return err
	}
	stored, err := batches.Value()
	if err != nil {
		return err
	}
	size, err := decodedSize(stored)
	if err != nil {
		return err
	}
	if c.plain, err = c.p.appendStored(c.plain[:0], base, stored, size); err != nil {
		return err
	}
	if base != c.next || !bytes.Equal(index.Key()[1:], batches.Key()[1:]) {
		return fmt.Errorf("%w: index entry %x, batch %x", ErrCorrupt, index.Key(), batches.Key())
	}
	if _, err := checkPlace(c.plain, batches.Key(), c.next, false); err != nil {
		return err
	}
	maxTimestamp, err := checkRecords(c.plain)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	want := indexEntry{
		lastOffsetDelta: e.lastOffsetDelta, // of use below, where it must lead to the next batch
		appendedAt:      e.appendedAt,
		maxTimestamp:    maxTimestamp,
		highest:         max(c.entry.highest, maxTimestamp),
		storedEnd:       c.entry.storedEnd + storedSize(stored),
		plainEnd:        c.entry.plainEnd + uint64(size),
	}
	if c.entry.highest == math.MinInt64 {
		want.highest = max(e.highest, maxTimestamp) // what retention removed may have raised it
	}
	if e != want {
		return fmt.Errorf("%w: index entry %+v, expected %+v", ErrCorrupt, e, want)
	}
	c.entry, c.base, c.next = e, base, base+int64(e.lastOffsetDelta)+1
	return nil
}

// checkRecords reads a whole batch and returns its latest timestamp.
func checkRecords(batch []byte) (int64, error) {
	h, err := recordbatch.Verify(batch)
	if err != nil {
		return 0, err
	}
	next, latest := h.BaseOffset, int64(math.MinInt64)
	if h.Count == 0 { // a gap
		return latest, nil
	}
	for r, err := range recordbatch.Records(batch) {
		if err != nil {
			return 0, err
		}
		if r.Offset != next {
			return 0, fmt.Errorf("record at offset %d where %d was to be", r.Offset, next)
		}
		next, latest = next+1, max(latest, r.Timestamp)
	}
	if next != h.NextOffset() || latest != h.MaxTimestamp {
		return 0, fmt.Errorf("records end at offset %d and time %d, the header says %d and %d", next, latest, h.NextOffset(), h.MaxTimestamp)
	}
	return latest, nil
}
