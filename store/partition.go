package store

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"daybook/recordbatch"
)

// State is what Append saves together with the records.
type State struct {
	Position []byte  // replaces the saved position; nil: unchanged
	Schema   []Write // changes to the saved schema
}

// Partition is the log of one topic.
type Partition struct {
	s       *Store
	id      uint32
	topic   string
	topicID [16]byte
	recent  *recent
	broken  error         // see Damaged
	deleted chan struct{} // see Deleted
	reached int64         // a high watermark that it has had before it was opened

	writer  sync.Mutex // held during Append
	writes  *counter
	stored  []byte       // the writer's buffer for encodeBatch
	grown   atomic.Int64 // bytes appended since retention has looked
	trimmer sync.Mutex   // held while retention moves the log start
	untold  uint64       // bytes that were removed because of a size limit since that was told, and when it was; trimmer is held
	told    time.Time

	mu        sync.RWMutex // guards the fields below; never held across I/O
	start     logStart
	next      int64           // the high watermark
	records   int64           // where the newest record ends: below next after a repair that lost those behind it
	last      indexEntry      // of the newest batch, or what the log start tells if there is none
	changed   chan struct{}   // stays closed once the topic is deleted
	damaged   map[int64]error // by base offset, what is wrong with batches on disk
	retention Retention       // its own; nothing set: as Options say
	// unreadable has stretches of the index: from where, and where it goes on.
	unreadable map[int64]int64
}

func (s *Store) newPartition(topic string, id uint32, topicID [16]byte) *Partition {
	return &Partition{
		s:       s,
		id:      id,
		topic:   topic,
		topicID: topicID,
		writes:  newCounter(partitionMark(id)),
		recent:  newRecent(s.opts.RecentBytes),
		last:    indexEntry{highest: math.MinInt64},
		changed: make(chan struct{}),
		deleted: make(chan struct{}),
		damaged: make(map[int64]error),

		unreadable: make(map[int64]int64),
	}
}

// load recovers where the log starts and ends.
func (p *Partition) load() error {
	v, ok, err := p.s.lookUp(partitionKey(kindLogStart, p.id))
	if err != nil {
		return fmt.Errorf("read log start: %w", err)
	}
	if ok {
		if p.start, err = decodeLogStart(v); err != nil {
			return err
		}
	}
	if err := p.loadRetention(); err != nil {
		return fmt.Errorf("read retention: %w", err)
	}
	p.next = p.start.offset
	p.last.storedEnd, p.last.plainEnd = p.start.stored, p.start.plain

	it, err := p.index()
	if err != nil {
		return err
	}
	defer it.Close()
	if it.Last() {
		e, base, err := entryAt(it)
		if err != nil {
			return err
		}
		p.last, p.next = e, base+int64(e.lastOffsetDelta)+1
	}
	p.records = p.next
	for ok := p.last.isGap(); ok && it.Prev(); {
		e, base, err := entryAt(it)
		if err != nil {
			return err
		}
		p.records, ok = base+int64(e.lastOffsetDelta)+1, e.isGap()
	}
	return it.Err()
}

// Damaged returns why nothing of the partition can be used, or nil: it is not
// known where its log begins or ends. Every call that could fail then does.
func (p *Partition) Damaged() error { return p.broken }

// Topic returns the topic's name.
func (p *Partition) Topic() string { return p.topic }

// TopicID returns the topic's UUID.
func (p *Partition) TopicID() [16]byte { return p.topicID }

// HighWatermark returns the offset after the newest record that can be read.
func (p *Partition) HighWatermark() int64 {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.next
}

// RecordsEnd returns the offset after the newest record, which is below the
// high watermark if a repair could not save those behind it.
func (p *Partition) RecordsEnd() int64 {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.records
}

// LogStartOffset returns the offset of the oldest record that can be read, or
// the high watermark if there is none.
func (p *Partition) LogStartOffset() int64 {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.start.offset
}

// StoredBytes returns how many bytes the batches from the log start on take,
// as they are stored.
func (p *Partition) StoredBytes() int64 {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return int64(p.last.storedEnd - p.start.stored)
}

// Changed returns a channel that is closed when records are appended next, or the
// topic is deleted. Take it before looking at the high watermark.
func (p *Partition) Changed() <-chan struct{} {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.changed
}

// Append writes a record batch and the state behind it in one synced step,
// and returns the offset of its first record, which it also stamps into batch.
// A nil batch writes the state alone. When it returns, the records can be read.
//
// ErrDiskFull that does not wrap ErrFailed means that nothing was written and
// that the same call may succeed later.
func (p *Partition) Append(batch []byte, st State) (int64, error) {
	base, err := p.append(batch, st)
	if err != nil {
		return 0, fmt.Errorf("append to %s: %w", p.topic, err)
	}
	return base, nil
}

func (p *Partition) append(batch []byte, st State) (int64, error) {
	if err := p.s.calls.enter(); err != nil {
		return 0, err
	}
	defer p.s.calls.exit()
	p.writer.Lock()
	defer p.writer.Unlock()
	if err := p.unusable(); err != nil {
		return 0, err
	}

	p.mu.RLock()
	base, last := p.next, p.last
	p.mu.RUnlock()

	b := p.s.db.NewBatchWithSize(min(len(batch), maxWhole)/4 + 1024)
	p.putState(b, st)
	if batch == nil {
		return base, p.s.commitNumbered(b, p.writes, base, nil)
	}
	if err := p.s.checkSpace(len(batch)); err != nil {
		return 0, errors.Join(err, b.Close())
	}
	entry, err := p.putBatch(b, batch, base, last)
	if err != nil {
		return 0, errors.Join(err, b.Close())
	}
	next := base + int64(entry.lastOffsetDelta) + 1
	if err := p.s.commitNumbered(b, p.writes, next, func() { p.recent.add(base, next, entry.plainEnd, batch) }); err != nil {
		return 0, err
	}
	p.publish(next, entry)
	p.grew(int(entry.storedEnd - last.storedEnd))
	return base, nil
}

func (p *Partition) putState(b *pebble.Batch, st State) {
	if st.Position != nil {
		setOrDelete(b, partitionKey(kindPosition, p.id), st.Position)
		setOrDelete(b, partitionKey(kindLost, p.id), nil)
	}
	for _, w := range st.Schema {
		setOrDelete(b, append(partitionKey(kindSchema, p.id), w.Key...), w.Value)
	}
}

func (p *Partition) putBatch(b *pebble.Batch, batch []byte, base int64, last indexEntry) (indexEntry, error) {
	h, err := recordbatch.ParseHeader(batch)
	if err != nil {
		return indexEntry{}, err
	}
	if h.Length != len(batch) || h.Count == 0 || h.Count != int(h.LastOffsetDelta)+1 {
		return indexEntry{}, fmt.Errorf("%w: %d records up to offset delta %d, %d of %d bytes",
			recordbatch.ErrInvalid, h.Count, h.LastOffsetDelta, h.Length, len(batch))
	}
	recordbatch.SetBaseOffset(batch, base)
	if err := p.encode(b, batch, base); err != nil {
		return indexEntry{}, err
	}
	entry := indexEntry{
		lastOffsetDelta: h.LastOffsetDelta,
		appendedAt:      p.s.clock.now(),
		maxTimestamp:    h.MaxTimestamp,
		highest:         max(last.highest, h.MaxTimestamp),
		storedEnd:       last.storedEnd + storedSize(p.stored),
		plainEnd:        last.plainEnd + uint64(len(batch)),
	}
	setOrDelete(b, offsetKey(kindBatch, p.id, base), p.stored)
	setOrDelete(b, offsetKey(kindIndex, p.id, base), entry.encode())
	return entry, nil
}

// encode sets p.stored to the stored form of a batch.
func (p *Partition) encode(b *pebble.Batch, batch []byte, base int64) error {
	if len(batch) <= maxWhole {
		p.stored = encodeBatch(p.stored, batch)
		return nil
	}
	h, err := p.putPieces(batch, base)
	if err != nil {
		return err
	}
	p.stored = append(p.stored[:0], h.encode()...)
	return nil
}

// publish makes a synced batch visible and wakes who waits for it.
func (p *Partition) publish(next int64, entry indexEntry) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next, p.records, p.last = next, next, entry
	close(p.changed)
	p.changed = make(chan struct{})
}

// Position returns the position that was saved last and whether there is one.
// After a repair that has lost a part of the state it is ErrStateLost, until a
// position is saved anew.
func (p *Partition) Position() ([]byte, bool, error) {
	lost, there, err := p.s.get(partitionKey(kindLost, p.id))
	if err == nil && there {
		err = fmt.Errorf("%w (%s)", ErrStateLost, lost)
	}
	if err != nil {
		return nil, false, fmt.Errorf("read position of %s: %w", p.topic, p.ifThere(err))
	}
	v, ok, err := p.s.get(partitionKey(kindPosition, p.id))
	if err = p.ifThere(err); err != nil {
		return nil, false, fmt.Errorf("read position of %s: %w", p.topic, err)
	}
	return v, ok, nil
}

// Schema returns the saved schema in key order. It ends after the first error.
func (p *Partition) Schema() iter.Seq2[KV, error] {
	prefix := partitionKey(kindSchema, p.id)
	return func(yield func(KV, error) bool) {
		for kv, err := range p.s.scan(prefix, len(prefix)) {
			if !yield(kv, err) || err != nil {
				return
			}
		}
		if p.isDeleted() {
			yield(KV{}, fmt.Errorf("read schema of %s: %w", p.topic, ErrDeleted))
		}
	}
}

// SchemaUnder returns the saved schema entries whose keys begin with prefix, in key
// order, those before prefix and from left out. It ends after the first error.
func (p *Partition) SchemaUnder(prefix, from []byte) iter.Seq2[KV, error] {
	own := partitionKey(kindSchema, p.id)
	all := append(own[:len(own):len(own)], prefix...)
	return func(yield func(KV, error) bool) {
		for kv, err := range p.s.scanRange(append(all[:len(all):len(all)], from...), afterPrefix(all), len(own)) {
			if !yield(kv, p.ifThere(err)) || err != nil {
				return
			}
		}
	}
}

// SchemaValue returns the saved schema entry of one key and whether there is one.
func (p *Partition) SchemaValue(key []byte) (value []byte, ok bool, err error) {
	v, ok, err := p.s.get(append(partitionKey(kindSchema, p.id), key...))
	if err = p.ifThere(err); err != nil {
		return nil, false, fmt.Errorf("read schema entry %q of %s: %w", key, p.topic, err)
	}
	return v, ok, nil
}
