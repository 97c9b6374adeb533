package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync/atomic"
	"time"
)

// trimToSize keeps all partitions together within RetentionBytes. The largest pay: each may
// have as much as the others, and what some leave of that is there for the rest. So a topic that
// is flooded takes its own records away, and none of those that have less than their share.
func (s *Store) trimToSize(ctx context.Context) error {
	var errs []error
	left, logs := uint64(s.opts.RetentionBytes), s.Partitions()
	for {
		share, failed := evenShare(logs, left), false
		logs = slices.DeleteFunc(logs, func(p *Partition) bool {
			err := p.trimToSize(ctx, share, "that of all topics")
			if err == nil || p.isDeleted() {
				return err != nil
			}
			errs, failed = append(errs, fmt.Errorf("%s: %w", p.topic, err)), true
			left -= min(left, uint64(p.StoredBytes())) // which the others do not have
			return true
		})
		if !failed || ctx.Err() != nil {
			return errors.Join(errs...)
		}
	}
}

// evenShare returns how many stored bytes each partition may have, so that all together have
// no more than so many.
func evenShare(logs []*Partition, bytes uint64) uint64 {
	sizes := make([]uint64, len(logs))
	for i, p := range logs {
		sizes[i] = uint64(p.StoredBytes())
	}
	slices.Sort(sizes)
	for i, size := range sizes {
		share := bytes / uint64(len(sizes)-i)
		if size > share {
			return share
		}
		bytes -= size
	}
	return math.MaxUint64
}

// A cap may be passed by a part of it, or by a little, before retention looks.
const (
	capSlack  = 20
	leastGrow = 1 << 20
)

// trimToSize removes the oldest batches until no more than so many stored bytes are left, and
// tells of it. whose says which limit that is.
func (p *Partition) trimToSize(ctx context.Context, limit uint64, whose string) error {
	p.trimmer.Lock()
	defer p.trimmer.Unlock()
	p.mu.RLock()
	from, end := p.start, p.last.storedEnd
	p.mu.RUnlock()
	if end-from.stored <= limit {
		return nil
	}
	dropped := from.stored
	to, err := p.front(ctx, func(e indexEntry) (drop, more bool) {
		enough := end-dropped <= limit
		dropped = e.storedEnd
		return !enough, !enough
	})
	if err == nil {
		err = p.trim(to)
	}
	if err != nil {
		return fmt.Errorf("keep to the size limit: %w", err)
	}
	if to.offset == from.offset {
		return nil
	}
	if p.untold += to.stored - from.stored; time.Since(p.told) < maxRetainEvery {
		return nil
	}
	p.s.log.Warn("removed records before their time, because of a size limit", "topic", p.topic, "limit", whose,
		"bytes", p.untold, "max_bytes", limit, "log_start_offset", to.offset)
	p.untold, p.told = 0, time.Now()
	return nil
}

// grew has retention look soon if a part of a cap that counts has been appended since it looked.
func (p *Partition) grew(bytes int) {
	p.mu.RLock()
	own := p.retention.Bytes
	p.mu.RUnlock()
	much := func(grown *atomic.Int64, most int64) bool {
		return grown.Add(int64(bytes)) > max(most/capSlack, leastGrow) && most > 0
	}
	// Both are counted.
	if its, all := much(&p.grown, own), much(&p.s.grown, p.s.opts.RetentionBytes); !its && !all {
		return
	}
	select {
	case p.s.retainSoon <- struct{}{}:
	default: // it will look
	}
}
