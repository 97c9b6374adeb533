package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"golang.org/x/sync/errgroup"
)

// manyConsumers is how many read the same records at the same time.
const manyConsumers = 10

// manyGroups returns a group for each of n consumers, as a group has one
// consumer at a time.
func manyGroups(n int) (groups []string) {
	for i := range n {
		groups = append(groups, fmt.Sprint("many", i))
	}
	return groups
}

// packed is what fetching takes with a wire_compression. The bytes are those
// of keys and values, but for OnTheWire, those of the Fetch responses of One.
type packed struct {
	Compression string `json:"compression"`
	OnTheWire   uint64 `json:"wire_bytes"`
	One         rate   `json:"one_consumer"`
	Many        rate   `json:"many_consumers"`
}

// fetchCompressed reads the topic with each compression, by one consumer and by
// many, and leaves Daybook running without.
func (d *daybook) fetchCompressed(ctx context.Context, rows int) ([]packed, error) {
	var all []packed
	for _, compression := range []string{"none", "snappy", "lz4", "gzip", "zstd"} {
		d.stop()
		if err := d.start(ctx, compression); err != nil {
			return nil, err
		}
		p := packed{Compression: compression}
		var err error
		if p.One, err = d.fetchAtOnce(ctx, rows, 1, &p.OnTheWire); err != nil {
			return nil, err
		}
		var unused uint64
		if p.Many, err = d.fetchAtOnce(ctx, rows, manyConsumers, &unused); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	d.stop()
	return all, d.start(ctx, "none")
}

// wireBytes counts the bytes of Fetch responses. It implements
// kgo.HookBrokerRead.
type wireBytes struct{ n atomic.Uint64 }

// OnBrokerRead is called by the client's goroutines.
func (w *wireBytes) OnBrokerRead(_ kgo.BrokerMetadata, key int16, bytes int, _, _ time.Duration, _ error) {
	if key == int16(kmsg.Fetch) {
		w.n.Add(uint64(bytes))
	}
}

// fetchAtOnce reads the topic from its start by n consumers at the same time.
func (d *daybook) fetchAtOnce(ctx context.Context, rows, n int, onTheWire *uint64) (rate, error) {
	var wire wireBytes
	r, err := d.timed(n*rows, func(r *rate) error {
		var g errgroup.Group
		sizes := make([]uint64, n)
		for i, name := range manyGroups(n) {
			login := kgo.SASL(plain.Auth{User: account + "-" + name, Pass: saslPassword}.AsMechanism())
			g.Go(func() (err error) {
				sizes[i], err = d.readTopic(ctx, rows, kgo.WithHooks(&wire), login)
				return err
			})
		}
		err := g.Wait()
		for _, size := range sizes {
			r.Bytes += size
		}
		return err
	})
	*onTheWire = wire.n.Load()
	return r, err
}
