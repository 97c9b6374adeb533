package binlog

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// blockSize is how much is read from the network at a time, and the largest
// packet that is handed on without a buffer of its own.
const blockSize = 256 << 10

// block is a buffer that the network goroutine fills while Poll still reads
// what came before. It goes back to its pool with the last reference.
type block struct {
	buf  []byte
	refs atomic.Int32
	pool *blockPool
}

func (b *block) release() {
	if b.refs.Add(-1) > 0 {
		return
	}
	select {
	case b.pool.free <- b:
	default:
	}
	b.pool.budget.Release(blockSize)
}

// blockPool bounds the bytes of all blocks in use.
type blockPool struct {
	budget *semaphore.Weighted
	total  int64
	free   chan *block
}

func newBlockPool(bytes int) *blockPool {
	total := int64(max(bytes, 4*blockSize))
	return &blockPool{budget: semaphore.NewWeighted(total), total: total, free: make(chan *block, total/blockSize)}
}

// get waits until there is room for a block.
func (p *blockPool) get(ctx context.Context) (*block, error) {
	if err := p.budget.Acquire(ctx, blockSize); err != nil {
		return nil, err
	}
	var b *block
	select {
	case b = <-p.free:
	default:
		b = &block{buf: make([]byte, blockSize), pool: p}
	}
	b.refs.Store(1)
	return b, nil
}

// large waits for room and returns a buffer for one event. An event larger
// than all the room gets it when the network goroutine's own block is the only
// other one.
func (p *blockPool) large(ctx context.Context, size int) (*largeBuffer, error) {
	weight := min(int64(size), p.total-blockSize)
	if err := p.budget.Acquire(ctx, weight); err != nil {
		return nil, err
	}
	return &largeBuffer{buf: make([]byte, size), weight: weight, pool: p}, nil
}

type largeBuffer struct {
	buf    []byte
	weight int64
	pool   *blockPool
}

func (l *largeBuffer) release() { l.pool.budget.Release(l.weight) }
