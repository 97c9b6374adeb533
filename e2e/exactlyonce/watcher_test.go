//go:build servers

package exactlyonce

import (
	"context"
	"crypto/sha256"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"daybook/e2e/harness"
)

// watcher consumes while everything around it breaks, and remembers what it
// saw: an offset, once seen, names the same record for ever.
type watcher struct {
	t       *testing.T
	rng     *rand.Rand
	address string
	seen    [][sha256.Size]byte // by offset
	again   int                 // records that were compared with what was seen
	stop    context.CancelFunc
	done    chan struct{}
}

func watch(t *testing.T, d *harness.Daybook, seed uint64) *watcher {
	ctx, cancel := context.WithCancel(context.Background())
	w := &watcher{t: t, rng: rand.New(rand.NewPCG(seed, 2)), address: d.Address(), stop: cancel, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		for ctx.Err() == nil {
			w.round(ctx)
		}
	}()
	t.Cleanup(w.end)
	return w
}

// end stops the watcher; after it seen may be read.
func (w *watcher) end() {
	w.stop()
	<-w.done
}

// round consumes from somewhere in what was seen, for a while.
func (w *watcher) round(ctx context.Context) {
	from := int64(w.rng.IntN(len(w.seen) + 1))
	client, err := kgo.NewClient(
		kgo.SeedBrokers(w.address),
		kgo.SASL(plain.Auth{User: harness.Username, Pass: harness.Password}.AsMechanism()),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{harness.Topic: {0: kgo.NewOffset().At(from)}}),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.RetryBackoffFn(func(int) time.Duration { return 20 * time.Millisecond }),
	)
	if err != nil {
		w.t.Errorf("watcher: %v", err)
		w.stop()
		return
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, time.Second+time.Duration(w.rng.Int64N(int64(4*time.Second))))
	defer cancel()
	for ctx.Err() == nil {
		for _, r := range client.PollRecords(ctx, 10_000).Records() {
			if r.Offset != from {
				w.t.Errorf("watcher: after offset %d comes %d", from-1, r.Offset)
				w.stop()
				return
			}
			from++
			w.record(r)
		}
	}
}

func (w *watcher) record(r *kgo.Record) {
	sum := sum(r)
	if r.Offset == int64(len(w.seen)) {
		w.seen = append(w.seen, sum)
		return
	}
	w.again++
	if w.seen[r.Offset] != sum {
		w.t.Errorf("offset %d was another record before: now key %s, value %s", r.Offset, r.Key, r.Value)
		w.stop()
	}
}

func sum(r *kgo.Record) [sha256.Size]byte {
	h := sha256.New()
	h.Write(r.Key)
	h.Write([]byte{0})
	h.Write(r.Value)
	return [sha256.Size]byte(h.Sum(nil))
}
