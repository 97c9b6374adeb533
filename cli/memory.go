package cli

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

const (
	// memoryCheck is how often it is looked at whether memory can be given back.
	memoryCheck = 5 * time.Second
	// memoryKept is what is not worth giving back: a process at rest has less.
	memoryKept = 48 << 20
)

// memory gives memory back to the system that a large row, or a consumer of it,
// needed for a short time. By itself the runtime collects garbage after two
// minutes of little work, and gives back what is free in as many minutes again.
type memory struct {
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

func (m *memory) open(ctx context.Context) error {
	ctx, m.cancel = context.WithCancel(ctx)
	m.wg.Go(func() { m.run(ctx) })
	return nil
}

func (m *memory) close() error {
	m.cancel()
	m.wg.Wait()
	return nil
}

func (m *memory) run(ctx context.Context) {
	ticker := time.NewTicker(memoryCheck)
	defer ticker.Stop()
	least := uint64(memoryKept) // what the process had when it gave back all it could
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		// A heap may be twice what is in use before it is collected: that is no
		// sign of memory that can be given back, and collecting it is not worth
		// a processor's time.
		if taken() < 2*least {
			continue
		}
		debug.FreeOSMemory()
		least = max(memoryKept, taken())
	}
}

// taken returns how many bytes the runtime has of the system's memory.
func taken() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64() - s[1].Value.Uint64()
}
