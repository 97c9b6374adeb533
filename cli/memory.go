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
	memoryKept = 40 << 20
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
	// least is what the process had when it gave back all it could. It is doubted
	// more and more: what was in use then, such as a batch on its way to the disk,
	// may be free by now.
	least := uint64(memoryKept)
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if least = max(memoryKept, least-least/10); taken() < least+least/2 {
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
