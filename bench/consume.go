package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// fetchFranz reads the topic from its start with franz-go.
func (d *daybook) fetchFranz(ctx context.Context, rows int) (rate, error) {
	return d.timed(rows, func(r *rate) (err error) {
		r.Bytes, err = d.readTopic(ctx, rows)
		return err
	})
}

// readTopic reads rows records with franz-go and returns the bytes of their
// keys and values.
func (d *daybook) readTopic(ctx context.Context, rows int, opts ...kgo.Opt) (size uint64, err error) {
	start := map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}
	c, err := d.client(append(opts, kgo.ConsumePartitions(start))...)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	for n := 0; n < rows; {
		fetches := c.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return 0, err
		}
		for it := fetches.RecordIter(); !it.Done(); n++ {
			record := it.Next()
			size += uint64(len(record.Key) + len(record.Value))
		}
	}
	return size, nil
}

// fetchKcat reads the topic with kcat, to /dev/null. It stops at the last row (-c),
// or at the end of a log that is too short (-e); finding the end takes half a
// second of waiting for more, which is not what is measured.
func (d *daybook) fetchKcat(ctx context.Context, rows int, size uint64) (rate, error) {
	kcat, err := exec.LookPath("kcat")
	if err != nil {
		out, err := exec.CommandContext(ctx, "scripts/clients.sh", "kcat").Output()
		if err != nil {
			return rate{}, fmt.Errorf("kcat is not installed, and scripts/clients.sh kcat failed: %w", err)
		}
		kcat = strings.TrimSpace(string(out))
	}
	cmd := exec.CommandContext(ctx, kcat, "-b", d.address, "-C", "-t", topic, "-p", "0", "-o", "beginning", "-c", strconv.Itoa(rows), "-e", "-q",
		"-X", "security.protocol=sasl_plaintext", "-X", "sasl.mechanisms=PLAIN",
		"-X", "sasl.username="+saslUser, "-X", "sasl.password="+saslPassword)
	cmd.Stderr = os.Stderr // its output goes to /dev/null
	return d.timed(rows, func(r *rate) error {
		r.Bytes = size
		return cmd.Run()
	})
}

// timed measures f and the CPU that the process used for it.
func (d *daybook) timed(rows int, f func(*rate) error) (rate, error) {
	before, err := d.cpu()
	if err != nil {
		return rate{}, err
	}
	began := time.Now()
	r := rate{Rows: rows}
	if err := f(&r); err != nil {
		return rate{}, err
	}
	r.Seconds = time.Since(began).Seconds()
	after, err := d.cpu()
	r.CPUSeconds = after - before
	return r, err
}

// latencies are milliseconds from the return of a commit to the arrival of its
// record at a consumer; a record that came first counts as 0.
type latencies struct {
	Commits   int     `json:"commits"`
	PerSecond float64 `json:"per_second"`
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
	Max       float64 `json:"max_ms"`
}

// latency commits one row at a time at a steady rate and consumes with franz-go.
func (d *daybook) latency(ctx context.Context, o options) (latencies, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*o.latency+startTimeout)
	defer cancel()
	n := max(1, int(o.latency.Seconds()*float64(o.rate)))
	c, err := d.client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().At(int64(o.rows))}}))
	if err != nil {
		return latencies{}, err
	}
	defer c.Close()

	received := make(chan error, 1)
	arrived := make([]time.Time, n)
	go func() { received <- receive(ctx, c, arrived) }() // ends with ctx at the latest
	committed, err := commit(ctx, o, n)
	if err != nil {
		cancel()
		<-received
		return latencies{}, err
	}
	if err := <-received; err != nil {
		return latencies{}, err
	}
	took := make([]float64, n)
	for i := range took {
		took[i] = max(0, arrived[i].Sub(committed[i]).Seconds()*1000)
	}
	slices.Sort(took)
	l := latencies{Commits: n, P50: took[n/2], P99: took[n*99/100], Max: took[n-1]}
	if n > 1 {
		l.PerSecond = float64(n-1) / committed[n-1].Sub(committed[0]).Seconds()
	}
	return l, nil
}

// commit inserts the rows 0 to n-1 and returns when each commit returned.
func commit(ctx context.Context, o options, n int) ([]time.Time, error) {
	c, err := connect(ctx, o.source)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := c.UseDB(database); err != nil {
		return nil, err
	}
	committed := make([]time.Time, n)
	interval := time.Second / time.Duration(o.rate)
	began := time.Now()
	for i := range n {
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(time.Until(began.Add(time.Duration(i) * interval))):
		}
		if _, err := c.Execute(fmt.Sprintf("INSERT INTO latency VALUES (%d, 'some words, to be about as long as an order is, and then a few more')", i)); err != nil {
			return nil, err
		}
		committed[i] = time.Now()
	}
	return committed, nil
}

// receive notes when the record of each row arrived.
func receive(ctx context.Context, c *kgo.Client, arrived []time.Time) error {
	for n := 0; n < len(arrived); {
		fetches := c.PollFetches(ctx)
		now := time.Now()
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("after %d of %d records: %w", n, len(arrived), err)
		}
		for it := fetches.RecordIter(); !it.Done(); n++ {
			key := it.Next().Key
			id, err := strconv.Atoi(string(bytes.TrimSuffix(bytes.TrimPrefix(key, []byte(`{"id":`)), []byte(`}`))))
			if err != nil || id < 0 || id >= len(arrived) {
				return fmt.Errorf("unexpected key %s", key)
			}
			arrived[id] = now
		}
	}
	return nil
}
