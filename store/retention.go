package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// maxRetainEvery is how often retention looks; a batch may stay so much longer.
// What it removes makes a layer of tables, so that it looks every hour when they
// cannot be compacted.
const maxRetainEvery = time.Minute

// stoppedGrace is for how long, at most, the time that Daybook was stopped does not count.
const stoppedGrace = time.Hour

// OldestAge returns how long ago the oldest batch that is kept was appended; 0: there is none.
func (p *Partition) OldestAge() (time.Duration, error) {
	if err := p.s.calls.enter(); err != nil {
		return 0, err
	}
	defer p.s.calls.exit()
	if p.StoredBytes() == 0 {
		return 0, nil
	}
	e, err := p.firstEntry()
	if err = p.ifThere(err); err != nil {
		return 0, fmt.Errorf("read the index of %s: %w", p.topic, err)
	}
	return time.Duration(max(p.s.clock.now()-e.appendedAt, 1)) * time.Millisecond, nil
}

// retain removes what is too old or too much, until ctx is done.
func (s *Store) retain(ctx context.Context) {
	next := time.NewTimer(s.retainEvery())
	defer next.Stop()
	works := true
	for n := 0; ; {
		asked := false
		select {
		case <-ctx.Done():
			return
		case <-s.retainSoon:
			// For a cap alone, as this comes many times a second in a flood. What does not work is tried at its time.
			if works && !s.uncompacted.Load() {
				works = s.tryRetain(ctx)
			}
			continue
		case <-s.retainNow:
			asked = true
		case <-next.C:
			n++
		}
		next.Reset(s.retainEvery())
		s.clock.look()
		if err := s.saveCatalog(); err != nil && s.Err() == nil {
			s.log.Warn("catalog not saved, trying again", "error", err)
		}
		if s.uncompacted.Load() && n%60 != 0 && !asked {
			continue
		}
		works = s.tryRetain(ctx)
	}
}

func (s *Store) tryRetain(ctx context.Context) (works bool) {
	err := s.Retain(ctx)
	if err != nil && s.Err() == nil && ctx.Err() == nil {
		s.log.Error("retention failed, trying again", "error", err)
	}
	return err == nil
}

// retainEvery is how long retention waits: a tenth of the shortest age.
func (s *Store) retainEvery() time.Duration {
	shortest := s.opts.RetentionAge
	for _, p := range s.Partitions() {
		shortest = min(shortest, p.Retention().Age)
	}
	return min(maxRetainEvery, max(shortest/10, time.Millisecond))
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
	s.grown.Store(0)
	for _, p := range s.Partitions() {
		p.grown.Store(0)
		r := p.Retention()
		err := p.trimOlder(ctx, now, r.Age)
		if r.Bytes > 0 {
			err = errors.Join(err, p.trimToSize(ctx, uint64(r.Bytes), "its own"))
		}
		if err != nil && !p.isDeleted() {
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
