package broker_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
)

// consumer is a franz-go client; the context bounds the whole test.
func (c *cluster) consumer(opts ...kgo.Opt) (context.Context, *kgo.Client) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	c.t.Cleanup(cancel)
	cl, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(c.addr()),
		kgo.SASL(plain.Auth{User: user, Pass: password}.AsMechanism()),
	}, opts...)...)
	must(c.t, err)
	c.t.Cleanup(cl.Close)
	return ctx, cl
}

// consume polls until the record before end has come, and checks each on the
// way.
func consume(t *testing.T, ctx context.Context, cl *kgo.Client, next, end int64) {
	t.Helper()
	for next < end {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("poll at offset %d: %v", next, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if r.Offset != next || string(r.Value) != valueOf(next) || r.Timestamp.UnixMilli() != timeOf(next) {
				t.Fatalf("offset %d %q at %d, want offset %d", r.Offset, r.Value, r.Timestamp.UnixMilli(), next)
			}
			next++
		})
	}
}

func TestConsumerDirect(t *testing.T) {
	c := newCluster(t)
	c.produce(1, 500, 3, 1000)
	ctx, cl := c.consumer(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().At(7)}}))
	consume(t, ctx, cl, 7, 1504)
	c.produce(1) // while it waits
	consume(t, ctx, cl, 1504, 1505)
}

func TestConsumerFromATime(t *testing.T) {
	c := newCluster(t)
	c.produce(100, 100)
	ctx, cl := c.consumer(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AfterMilli(timeOf(120))))
	consume(t, ctx, cl, 120, 200)
}

// A group's next member goes on from its checkpoint.
func TestConsumerGroup(t *testing.T) {
	c := newCluster(t)
	c.produce(500, 500)
	opts := []kgo.Opt{kgo.ConsumerGroup(groupID), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())}
	ctx, first := c.consumer(opts...)
	consume(t, ctx, first, 0, 1000)
	must(t, first.CommitUncommittedOffsets(ctx))
	first.Close()
	c.produce(10)
	ctx, second := c.consumer(opts...)
	consume(t, ctx, second, 1000, 1010)
}

func TestConsumerOfAnotherGroup(t *testing.T) {
	c := newCluster(t)
	ctx, cl := c.consumer(kgo.ConsumerGroup("ledger"), kgo.ConsumeTopics(topic))
	for {
		err := cl.PollFetches(ctx).Err()
		if errors.Is(err, kerr.GroupAuthorizationFailed) {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("the last error is %v", err)
		}
	}
}

func TestConsumerWithAWrongUsername(t *testing.T) {
	c := newCluster(t)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.addr()), kgo.SASL(plain.Auth{User: "nodash", Pass: password}.AsMechanism()))
	must(t, err)
	defer cl.Close()
	if err := cl.Ping(ctx); err == nil || !strings.Contains(err.Error(), "<account>-<group ID>") {
		t.Errorf("Ping: %v, want an error that names the shape of the username", err)
	}
}

func TestProducerIsRefused(t *testing.T) {
	c := newCluster(t)
	ctx, cl := c.consumer(kgo.DisableIdempotentWrite())
	if err := cl.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte("x")}).FirstErr(); !errors.Is(err, kerr.TopicAuthorizationFailed) {
		t.Errorf("produce: %v, want %v", err, kerr.TopicAuthorizationFailed)
	}
}
