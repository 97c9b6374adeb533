package broker

import (
	"bytes"
	"context"
	"runtime"
	"slices"
	"sync"

	"daybook/recordbatch"
	"daybook/store"
)

// Compression names how a topic's records are packed for its consumers.
type Compression = recordbatch.Compression

const (
	// packedMemory bounds the compressed batches that are kept for the next
	// consumer, in bytes.
	packedMemory = 8 << 20
	// keepBuffer is the largest buffer that a compressor keeps.
	keepBuffer = 2 << 20
	// unpacked bounds the plain bytes that one response stands for, and so the
	// work for it, in multiples of Options.MaxFetchBytes.
	unpacked = 4
)

// compressionFor returns the compression of a topic's records in a version of
// Fetch. Clients of versions below 10 may not know zstd (KIP-110) and get plain
// batches, which each can read: any other compression is one that nobody chose.
func (s *Server) compressionFor(topic string, version int16) Compression {
	c := s.o.Compression(topic)
	if c == "" || c == recordbatch.Zstd && version < 10 {
		return recordbatch.None
	}
	return c
}

// packing compresses what clients fetch. There is one compressor for each
// processor: more would be no faster.
type packing struct {
	compressors chan *compressor
	maxPlain    int // in one response, its last batch not counted
	// watch calls forget when a topic is deleted.
	watch func(*store.Partition)

	mu     sync.Mutex
	packed map[packedKey]*packedBatch
	order  []packedKey // of those whose bytes are counted in size, the oldest first
	size   int
	topics map[[16]byte]bool // that are watched
}

type compressor struct {
	recordbatch.Compressor
	plain, packed []byte // one batch
}

// packedKey names the batch that is at an offset, which nearly always is that
// of its first record.
type packedKey struct {
	topicID [16]byte
	offset  int64
	c       Compression
}

// packedBatch is one batch in compressed form: what several consumers at the
// end of a log ask for at the same time is compressed once.
type packedBatch struct {
	ready chan struct{} // closed when the rest is set, for good
	bytes []byte
	plain int // bytes before compression
	next  int64
	err   error
}

func newPacking(maxFetchBytes int) *packing {
	p := &packing{
		compressors: make(chan *compressor, runtime.GOMAXPROCS(0)),
		maxPlain:    unpacked * maxFetchBytes,
		packed:      make(map[packedKey]*packedBatch),
		topics:      make(map[[16]byte]bool),
	}
	for range cap(p.compressors) {
		p.compressors <- &compressor{}
	}
	return p
}

// read appends compressed batches to dst as [store.Partition.Read] does plain
// ones. The limit is for what is appended, as with Kafka.
func (p *packing) read(ctx context.Context, dst []byte, part *store.Partition, offset int64, c Compression, limit int) ([]byte, error) {
	end := part.HighWatermark()
	if offset < part.LogStartOffset() || offset > end {
		return part.Read(dst, offset, limit) // tells what is wrong
	}
	start := len(dst)
	for plain := 0; offset < end && plain < p.maxPlain; {
		b, err := p.batch(ctx, part, offset, c)
		if err != nil && len(dst) > start {
			return dst, nil // the next request will see it
		}
		if err != nil {
			return dst, err
		}
		if len(dst) > start && len(dst)-start+len(b.bytes) > limit {
			return dst, nil
		}
		dst = append(dst, b.bytes...)
		offset, plain = b.next, plain+b.plain
	}
	return dst, nil
}

// batch returns the compressed form of the batch that holds offset.
func (p *packing) batch(ctx context.Context, part *store.Partition, offset int64, c Compression) (*packedBatch, error) {
	key := packedKey{part.TopicID(), offset, c}
	for {
		p.mu.Lock()
		b, known := p.packed[key]
		if !known {
			b = &packedBatch{ready: make(chan struct{})}
			p.packed[key] = b
		}
		p.mu.Unlock()
		if !known {
			b.err = p.pack(ctx, b, part, offset, c)
			p.keep(key, b, part)
			close(b.ready)
			return b, b.err
		}
		select {
		case <-b.ready:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if b.err == nil {
			return b, nil
		}
		// The error may be that of the other request alone.
	}
}

func (p *packing) pack(ctx context.Context, b *packedBatch, part *store.Partition, offset int64, c Compression) error {
	z, err := p.take(ctx)
	if err != nil {
		return err
	}
	defer p.give(z)
	if z.plain, err = part.Read(z.plain[:0], offset, 0); err != nil {
		return err
	}
	h, err := recordbatch.ParseHeader(z.plain)
	if err != nil {
		return err
	}
	b.plain, b.next = h.Length, h.NextOffset()
	z.packed, err = z.AppendBatch(z.packed[:0], z.plain, c)
	if b.bytes = z.packed; cap(z.packed) > keepBuffer {
		z.packed = nil // it would not be kept: no copy of it
	} else {
		b.bytes = bytes.Clone(z.packed)
	}
	return err
}

func (p *packing) take(ctx context.Context) (*compressor, error) {
	select {
	case z := <-p.compressors:
		return z, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *packing) give(z *compressor) {
	if cap(z.plain) > keepBuffer {
		z.plain = nil
	}
	if cap(z.packed) > keepBuffer {
		z.packed = nil
	}
	p.compressors <- z
}

// keep keeps b for the next who asks, and forgets the oldest for it.
func (p *packing) keep(key packedKey, b *packedBatch, part *store.Partition) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if b.err != nil || len(b.bytes) > packedMemory || isDeleted(part) {
		delete(p.packed, key)
		return
	}
	if !p.topics[key.topicID] {
		p.topics[key.topicID] = true
		p.watch(part)
	}
	p.order = append(p.order, key)
	for p.size += len(b.bytes); p.size > packedMemory; p.order = p.order[1:] {
		p.size -= len(p.packed[p.order[0]].bytes)
		delete(p.packed, p.order[0])
	}
}

// forget gives the memory of a deleted topic back.
func (p *packing) forget(topicID [16]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.topics, topicID)
	p.order = slices.DeleteFunc(p.order, func(key packedKey) bool {
		if key.topicID != topicID {
			return false
		}
		p.size -= len(p.packed[key].bytes)
		delete(p.packed, key)
		return true
	})
}

// messageSet converts batches for the clients from before message format v2.
// They get one compressed message, if any: as it begins at the offset that was
// asked for and ends at the limit, it serves nobody else.
func (p *packing) messageSet(ctx context.Context, batches []byte, version int16, from int64, c Compression, limit int) ([]byte, error) {
	magic := int8(1)
	if version <= 1 {
		magic = 0
	}
	set, err := recordbatch.AppendMessageSet(nil, batches, magic, from, limit)
	if err == nil && c != recordbatch.None {
		set, err = p.packSet(ctx, set, magic, c)
	}
	if version <= 2 && len(set) > limit {
		set = set[:limit] // the first message alone: the client reports it as too large
	}
	return set, err
}

func (p *packing) packSet(ctx context.Context, set []byte, magic int8, c Compression) ([]byte, error) {
	z, err := p.take(ctx)
	if err != nil {
		return nil, err
	}
	defer p.give(z)
	return z.AppendMessageSet(nil, set, magic, c)
}
