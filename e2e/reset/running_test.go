//go:build servers

package reset

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"daybook/admin"
	"daybook/e2e/harness"
)

// runningID is the client.id of the consumer that reads.
const runningID = "running"

// consumer is one that reads while the checkpoint is moved.
type consumer struct {
	*kgo.Client
	stop func() // waits for the end of its reading

	mu   sync.Mutex
	read []int64 // offsets
}

// run starts what the state wants: a consumer that has read to the log's end
// and goes on asking for more.
func (c *cells) run(s state) *consumer {
	c.t.Helper()
	var how []kgo.Opt
	switch s {
	case empty:
		return nil
	case stable:
		how = []kgo.Opt{kgo.ConsumerGroup(c.group), kgo.ConsumeTopics(harness.Topic), kgo.DisableAutoCommit(),
			kgo.ConsumeResetOffset(kgo.NoResetOffset())}
	case leased:
		how = []kgo.Opt{kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{harness.Topic: {0: kgo.NewOffset().At(before)}})}
	}
	r := &consumer{Client: c.GroupClient(c.t, c.group, append(how, kgo.ClientID(runningID), kgo.FetchMaxWait(500*time.Millisecond))...)}
	ctx, cancel := context.WithCancel(context.Background())
	var reading sync.WaitGroup
	reading.Go(func() {
		for ctx.Err() == nil {
			for _, record := range r.PollFetches(ctx).Records() {
				r.mu.Lock()
				r.read = append(r.read, record.Offset)
				r.mu.Unlock()
			}
		}
	})
	r.stop = sync.OnceFunc(func() {
		cancel()
		reading.Wait()
		r.Close()
	})
	c.t.Cleanup(r.stop)
	for deadline := time.Now().Add(time.Minute); len(r.offsets()) < rows-before; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.t.Fatalf("the running consumer gets only %v", r.offsets())
		}
	}
	return r
}

func (r *consumer) offsets() []int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.read
}

// begins wants the next member of the group to begin there.
func (c *cells) begins(where string, at int64) {
	c.t.Helper()
	if at == rows {
		return // nothing is there to be read
	}
	member := c.GroupClient(c.t, c.group, kgo.ConsumerGroup(c.group), kgo.ConsumeTopics(harness.Topic), kgo.DisableAutoCommit())
	defer member.Close()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	records := member.PollRecords(ctx, 1).Records()
	if len(records) != 1 || records[0].Offset != at {
		c.t.Errorf("%s: the next consumer gets %v, want it to begin at %d", where, records, at)
	}
}

// overwrite wants the running consumer to have stayed where it was, its next
// commit to be taken, and it to be the active one; then it leaves.
func (c *cells) overwrite(where string, r *consumer) {
	c.t.Helper()
	if err := harness.Commit(c.t.Context(), r.Client, c.group, harness.Checkpoint{Offset: rows}); err != nil {
		c.t.Errorf("%s: the running consumer's commit: %v", where, err)
	}
	if got := c.checkpoint(c.t, c.group); got != rows {
		c.t.Errorf("%s: after the running consumer's commit the checkpoint is %d, want %d", where, got, rows)
	}
	c.awaitActive(where)
	r.stop()
	for i, offset := range r.offsets() {
		if offset != int64(before+i) {
			c.t.Errorf("%s: the running consumer got %v", where, r.offsets())
			return
		}
	}
}

// awaitActive waits until the running consumer is the active one: one that joins
// the group for a moment, as kafkajs' admin client does, interrupts it.
func (c *cells) awaitActive(where string) {
	c.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		consumers := c.Show(c.t, c.group).Consumers
		if len(consumers) == 1 && consumers[0].ClientID == runningID && consumers[0].Role == admin.RoleActive {
			return
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("%s: the running consumer is not active again: %+v", where, consumers)
		}
	}
}
