package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// retainEvery is how often retention looks; a batch may stay so much longer.
// What it removes makes a layer of tables, so that it looks every hour when they
// cannot be compacted.
const retainEvery = time.Minute

// stoppedGrace is for how long, at most, the time that Daybook was stopped does not count.
const stoppedGrace = time.Hour

// retain removes what is too old or too much, until ctx is done.
func (s *Store) retain(ctx context.Context) {
	every := min(retainEvery, max(s.opts.RetentionAge/10, time.Millisecond))
	t := time.NewTicker(every)
	defer t.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		s.clock.look()
		if err := s.saveCatalog(); err != nil && s.Err() == nil {
			s.log.Warn("catalog not saved, trying again", "error", err)
		}
		if s.uncompacted.Load() && n%60 != 0 {
			continue
		}
		if err := s.Retain(ctx); err != nil && s.Err() == nil && ctx.Err() == nil {
			s.log.Error("retention failed, trying again", "error", err)
		}
	}
}

// Retain removes now what retention would remove next. What keeps it from
// one partition's records does not keep it from another's.
func (s *Store) Retain(ctx context.Context) error {
	if err := s.calls.enter(); err != nil {
		return err
	}
	defer s.calls.exit()
	var errs []error
	now := s.clock.now()
	for _, p := range s.Partitions() {
		if err := p.trimOlder(ctx, now, s.opts.RetentionAge); err != nil && !p.isDeleted() {
			errs = append(errs, fmt.Errorf("remove old records of %s: %w", p.topic, err))
		}
	}
	if s.opts.RetentionBytes > 0 {
		if err := s.trimToSize(ctx); err != nil {
			errs = append(errs, fmt.Errorf("keep to the size limit: %w", err))
		}
	}
	return errors.Join(errs...)
}

// trimOlder removes the batches at the log's front that were appended longer
// ago than age.
func (p *Partition) trimOlder(ctx context.Context, now int64, age time.Duration) error {
	p.trimmer.Lock()
	defer p.trimmer.Unlock()
	cutoff := now - age.Milliseconds()
	to, err := p.front(ctx, func(e indexEntry) (drop, more bool) {
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
// start after the last batch to drop. Entries that cannot be read go with the
// next one that can: what comes before one that is too old is older, and the sums in it
// are those of all.
func (p *Partition) front(ctx context.Context, decide func(e indexEntry) (drop, more bool)) (logStart, error) {
	w, to := p.walkFrom()
	defer w.close()
	for offset := to.offset; offset < w.end && ctx.Err() == nil; {
		e, base, err := w.entry(offset)
		if err != nil {
			return to, err
		}
		drop, more := decide(e)
		if base >= w.end || !more {
			break
		}
		offset = base + int64(e.lastOffsetDelta) + 1
		if drop {
			to = logStart{offset: offset, stored: e.storedEnd, plain: e.plainEnd}
		}
	}
	return to, nil
}

// trim moves the log start and deletes what is before it, atomically. The
// caller holds trimmer.
func (p *Partition) trim(to logStart) error {
	if p.isDeleted() {
		return ErrDeleted
	}
	p.mu.RLock()
	from := p.start
	p.mu.RUnlock()
	if to.offset <= from.offset {
		return nil
	}
	// Before the write, so that nobody takes for damage what the write takes away.
	p.mu.Lock()
	p.start = to
	p.mu.Unlock()
	b := p.s.db.NewBatch()
	// From 0, not from the old start: the newest tombstone covers all older
	// ones, so that they do not pile up.
	for _, kind := range []byte{kindBatch, kindPiece, kindIndex} {
		_ = b.DeleteRange(offsetKey(kind, p.id, 0), offsetKey(kind, p.id, to.offset), nil)
	}
	setOrDelete(b, partitionKey(kindLogStart, p.id), to.encode())
	if err := p.s.commit(b); err != nil {
		return err
	}
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
		if total <= uint64(s.opts.RetentionBytes) || len(fronts) == 0 {
			return err
		}
		// Down to where another partition's front is the oldest one, a minute
		// more so that two do not take turns batch by batch.
		until := int64(math.MaxInt64)
		if len(fronts) > 1 {
			until = fronts[1].appendedAt + time.Minute.Milliseconds()
		}
		p := fronts[0].p
		removed, err := p.trimBytes(ctx, total-uint64(s.opts.RetentionBytes), until)
		if p.isDeleted() {
			continue
		}
		if err != nil || removed == 0 {
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
// and the stored bytes of all. The error is of those that are left out.
func (s *Store) fronts() (fronts []logFront, total uint64, err error) {
	var errs []error
	for _, p := range s.Partitions() {
		stored := p.StoredBytes()
		if stored == 0 {
			continue
		}
		e, err := p.firstEntry()
		if p.isDeleted() {
			continue
		}
		total += uint64(stored)
		if err != nil {
			errs = append(errs, fmt.Errorf("read the index of %s: %w", p.topic, err))
			continue
		}
		fronts = append(fronts, logFront{p, e.appendedAt})
	}
	slices.SortStableFunc(fronts, func(a, b logFront) int { return cmp.Compare(a.appendedAt, b.appendedAt) })
	return fronts, total, errors.Join(errs...)
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
	to, err := p.front(ctx, func(e indexEntry) (drop, more bool) {
		enough := dropped-from.stored >= bytes || e.appendedAt >= until && dropped > from.stored
		dropped = e.storedEnd
		return !enough, !enough
	})
	if err != nil {
		return 0, err
	}
	return to.stored - from.stored, p.trim(to)
}
