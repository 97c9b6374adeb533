package store

import (
	"sort"
	"sync"
)

// recent holds the newest batches of a partition in memory, in one ring of
// bytes, so that consumers at the log's end never touch the disk. It may hold
// a batch that is not visible yet: readers say where they stop.
type recent struct {
	limit int

	mu      sync.RWMutex
	ring    []byte // grows up to limit
	head    int    // where the next batch goes
	batches []recentBatch
}

type recentBatch struct {
	base, next int64
	at, size   int    // in ring
	plainEnd   uint64 // bytes of the log up to and including this batch
}

func newRecent(limit int) *recent { return &recent{limit: limit} }

// add copies a batch in; the oldest make room. One larger than the limit
// empties the ring, because batches in it follow each other without a gap.
func (r *recent) add(base, next int64, plainEnd uint64, batch []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	size := len(batch)
	if size > r.limit {
		r.empty()
		return
	}
	r.growFor(size)
	if r.head+size > len(r.ring) {
		// What lies behind head is older than what lies at the front.
		r.evict(r.head, len(r.ring))
		r.head = 0
	}
	r.evict(r.head, r.head+size)
	copy(r.ring[r.head:], batch)
	r.batches = append(r.batches, recentBatch{base: base, next: next, at: r.head, size: size, plainEnd: plainEnd})
	r.head += size
}

// clear gives the memory back.
func (r *recent) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.empty()
}

func (r *recent) empty() { r.batches, r.ring, r.head = nil, nil, 0 }

// growFor enlarges a ring that is not at its limit rather than evict from it.
func (r *recent) growFor(size int) {
	if len(r.ring) == r.limit || r.head+size <= len(r.ring) {
		return
	}
	bigger := make([]byte, min(r.limit, max(2*len(r.ring), r.head+size, 64<<10)))
	copy(bigger, r.ring)
	r.ring = bigger
}

// evict drops the oldest batches that lie in ring[from:to].
func (r *recent) evict(from, to int) {
	n := 0
	for n < len(r.batches) && r.batches[n].at < to && r.batches[n].at+r.batches[n].size > from {
		n++
	}
	r.batches = r.batches[n:] // append copies what is left when the array is full
}

// read appends whole batches from the one that holds offset on, up to end, as
// long as they fit into maxBytes, the first in any case. It reports whether
// the ring holds offset.
func (r *recent) read(dst []byte, offset, end int64, maxBytes int) ([]byte, bool) {
	start := len(dst)
	for offset < end {
		var ok bool
		if dst, offset, ok = r.copyOne(dst, offset, maxBytes-(len(dst)-start), len(dst) == start); !ok {
			break
		}
	}
	return dst, len(dst) > start
}

// copyOne holds the lock for one batch only, so that a large read does not
// hold up the writer.
func (r *recent) copyOne(dst []byte, offset int64, room int, first bool) ([]byte, int64, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	i, ok := r.find(offset)
	if !ok {
		return dst, offset, false
	}
	b := r.batches[i]
	if b.size > room && !first {
		return dst, offset, false
	}
	return append(dst, r.ring[b.at:b.at+b.size]...), b.next, true
}

// bytesBefore returns the bytes of the log before the batch that holds offset.
func (r *recent) bytesBefore(offset int64) (uint64, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	i, ok := r.find(offset)
	if !ok {
		return 0, false
	}
	return r.batches[i].plainEnd - uint64(r.batches[i].size), true
}

func (r *recent) find(offset int64) (int, bool) {
	i := sort.Search(len(r.batches), func(i int) bool { return r.batches[i].next > offset })
	return i, i < len(r.batches) && r.batches[i].base <= offset
}
