package task

import (
	"context"
	"runtime"
	"runtime/metrics"

	"daybook/recordbatch"
)

// largeBatch is the size from which a batch, which then is little but the
// records of one row, has the memory to itself.
const largeBatch = 16 << 20

// flushLarge hands on a large batch, waits until it is saved, and returns a
// free builder. What a large row needs is so at no time there twice: neither
// the event that it came in while it is saved, nor the next one's batch.
func (p *pump) flushLarge(ctx context.Context, b *recordbatch.Builder) (*recordbatch.Builder, error) {
	size := b.Size()
	p.reader.Release()
	var next *recordbatch.Builder
	select {
	case next = <-p.free:
	case <-ctx.Done():
		p.flush(b)
		return nil, context.Cause(ctx)
	}
	collect(size)
	p.flush(b)
	select {
	case b = <-p.free:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	p.free <- b
	collect(size)
	return next, nil
}

// collect collects garbage, if that of a row of n bytes may be much of the heap:
// by itself the runtime does so only once there is as much garbage as there is
// in use, which for a short time is all that the row needs.
func collect(n int) {
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(heap)
	const much = 8
	if uint64(n)*much > heap[0].Value.Uint64() {
		runtime.GC()
	}
}
