package store

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"
)

// retainEvery is how often retention looks; a batch may stay so much longer.
const retainEvery = time.Minute

// retain removes what is too old or too much, until ctx is done.
func (s *Store) retain(ctx context.Context) {
	every := min(retainEvery, max(s.opts.RetentionAge/10, time.Millisecond))
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if err := s.saveCatalog(); err != nil {
			s.log.Warn("catalog not saved, trying again", "error", err)
		}
		if err := s.Retain(ctx); err != nil && s.Err() == nil && ctx.Err() == nil {
			s.log.Error("retention failed, trying again", "error", err)
		}
	}
}

// Retain removes now what retention would remove next.
func (s *Store) Retain(ctx context.Context) error {
	if err := s.calls.enter(); err != nil {
		return err
	}
	defer s.calls.exit()
	cutoff := time.Now().Add(-s.opts.RetentionAge).UnixMilli()
	for _, p := range s.Partitions() {
		if err := p.trimOlder(ctx, cutoff); err != nil {
			return fmt.Errorf("remove old records of %s: %w", p.topic, err)
		}
	}
	if s.opts.RetentionBytes > 0 {
		if err := s.trimToSize(ctx); err != nil {
			return fmt.Errorf("keep to the size limit: %w", err)
		}
	}
	return nil
}

// trimOlder removes the batches at the log's front that were appended before
// cutoff, milliseconds.
func (p *Partition) trimOlder(ctx context.Context, cutoff int64) error {
	p.trimmer.Lock()
	defer p.trimmer.Unlock()
	now := time.Now().UnixMilli()
	to, err := p.front(ctx, func(e indexEntry, _ int64) (drop, more bool) {
		// A time in the future comes from a clock that was wrong: it says
		// nothing, and the next batch decides.
		return e.appendedAt < cutoff, e.appendedAt < cutoff || e.appendedAt > now
	})
	if err != nil {
		return err
	}
	return p.trim(to)
}

// front walks the index from the log's start while more, and returns the log
// start after the last batch to drop.
func (p *Partition) front(ctx context.Context, decide func(e indexEntry, base int64) (drop, more bool)) (logStart, error) {
	p.mu.RLock()
	to, end := p.start, p.next
	p.mu.RUnlock()
	it, err := p.index()
	if err != nil {
		return to, err
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		e, base, err := entryAt(it)
		if err != nil {
			return to, err
		}
		drop, more := decide(e, base)
		if base >= end || !more || ctx.Err() != nil {
			break
		}
		if drop {
			to = logStart{offset: base + int64(e.lastOffsetDelta) + 1, stored: e.storedEnd, plain: e.plainEnd}
		}
	}
	return to, it.Err()
}

// trim moves the log start and deletes what is before it, atomically. The
// caller holds trimmer.
func (p *Partition) trim(to logStart) error {
	p.mu.RLock()
	from := p.start
	p.mu.RUnlock()
	if to.offset <= from.offset {
		return nil
	}
	b := p.s.db.NewBatch()
	// From 0, not from the old start: the newest tombstone covers all older
	// ones, so that they do not pile up.
	for _, kind := range []byte{kindBatch, kindIndex} {
		_ = b.DeleteRange(offsetKey(kind, p.id, 0), offsetKey(kind, p.id, to.offset), nil)
	}
	setOrDelete(b, partitionKey(kindLogStart, p.id), to.encode())
	if err := p.s.commit(b, nil); err != nil {
		return err
	}
	p.mu.Lock()
	p.start = to
	p.mu.Unlock()
	p.s.log.Debug("removed old records", "topic", p.topic,
		"log_start_offset", to.offset, "bytes", to.stored-from.stored)
	return nil
}

// Retention returns what Options say: how long a batch stays, and the cap on
// the bytes of all partitions together; 0 is none.
func (s *Store) Retention() (age time.Duration, bytes int64) {
	return s.opts.RetentionAge, s.opts.RetentionBytes
}

// trimToSize removes the oldest batches of all partitions until the rest is
// within RetentionBytes.
func (s *Store) trimToSize(ctx context.Context) error {
	for ctx.Err() == nil {
		fronts, total, err := s.fronts()
		if err != nil {
			return err
		}
		if total <= uint64(s.opts.RetentionBytes) {
			return nil
		}
		// Down to where another partition's front is the oldest one, a minute
		// more so that two do not take turns batch by batch.
		until := int64(math.MaxInt64)
		if len(fronts) > 1 {
			until = fronts[1].appendedAt + time.Minute.Milliseconds()
		}
		p := fronts[0].p
		removed, err := p.trimBytes(ctx, total-uint64(s.opts.RetentionBytes), until)
		if err != nil {
			return err
		}
		s.log.Warn("removed records before their time, because of the size limit", "topic", p.topic,
			"bytes", removed, "max_bytes", s.opts.RetentionBytes, "log_start_offset", p.LogStartOffset())
	}
	return context.Cause(ctx)
}

// logFront says since when a partition has kept records.
type logFront struct {
	p          *Partition
	appendedAt int64
}

// fronts returns the partitions that hold records, that with the oldest first,
// and the stored bytes of all.
func (s *Store) fronts() ([]logFront, uint64, error) {
	var fronts []logFront
	var total uint64
	for _, p := range s.Partitions() {
		stored := p.StoredBytes()
		if stored == 0 {
			continue
		}
		total += uint64(stored)
		e, err := p.firstEntry()
		if err != nil {
			return nil, 0, err
		}
		fronts = append(fronts, logFront{p, e.appendedAt})
	}
	slices.SortStableFunc(fronts, func(a, b logFront) int { return cmp.Compare(a.appendedAt, b.appendedAt) })
	return fronts, total, nil
}

// trimBytes removes batches at the log's front until it has removed so many
// stored bytes, or the next one was appended at until or later; at least one.
func (p *Partition) trimBytes(ctx context.Context, bytes uint64, until int64) (uint64, error) {
	p.trimmer.Lock()
	defer p.trimmer.Unlock()
	p.mu.RLock()
	from := p.start
	p.mu.RUnlock()
	dropped := from.stored
	to, err := p.front(ctx, func(e indexEntry, base int64) (drop, more bool) {
		enough := dropped-from.stored >= bytes || e.appendedAt >= until && base != from.offset
		dropped = e.storedEnd
		return !enough, !enough
	})
	if err != nil {
		return 0, err
	}
	return to.stored - from.stored, p.trim(to)
}
