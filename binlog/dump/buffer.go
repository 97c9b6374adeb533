package dump

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// blockSize is how much is read from the network at a time, and the largest
// packet that is handed on without a buffer of its own.
const blockSize = 256 << 10

// buffer holds bytes that the network goroutine has read and the consumer may
// still look at: a block, which goes back to its pool with the last reference,
// or one large event.
type buffer struct {
	buf    []byte
	refs   atomic.Int32
	weight int64 // of the pool's budget
	pool   *pool
}

func (b *buffer) release() {
	if b.refs.Add(-1) > 0 {
		return
	}
	if len(b.buf) == blockSize {
		select {
		case b.pool.free <- b:
		default:
		}
	}
	b.pool.budget.Release(b.weight)
}

// pool bounds the bytes of all buffers in use.
type pool struct {
	budget  *semaphore.Weighted
	total   int64
	free    chan *buffer
	starved func(bool) // told when somebody begins and ends to wait for room
}

func newPool(bytes int, starved func(bool)) *pool {
	total := int64(max(bytes, 4*blockSize))
	return &pool{budget: semaphore.NewWeighted(total), total: total, free: make(chan *buffer, total/blockSize), starved: starved}
}

func (p *pool) acquire(ctx context.Context, weight int64) error {
	if p.budget.TryAcquire(weight) {
		return nil
	}
	p.starved(true)
	defer p.starved(false)
	return p.budget.Acquire(ctx, weight)
}

// block waits until there is room for a block.
func (p *pool) block(ctx context.Context) (*buffer, error) {
	if err := p.acquire(ctx, blockSize); err != nil {
		return nil, err
	}
	var b *buffer
	select {
	case b = <-p.free:
	default:
		b = &buffer{buf: make([]byte, blockSize), weight: blockSize, pool: p}
	}
	b.refs.Store(1)
	return b, nil
}

// large waits for room and returns a buffer for one event. An event larger
// than all the room gets it when the network goroutine's own block is the only
// other one.
func (p *pool) large(ctx context.Context, size int) (*buffer, error) {
	weight := min(int64(size), p.total-blockSize)
	if err := p.acquire(ctx, weight); err != nil {
		return nil, err
	}
	b := &buffer{buf: make([]byte, size), weight: weight, pool: p}
	b.refs.Store(1)
	return b, nil
}
