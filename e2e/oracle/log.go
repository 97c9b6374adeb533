package oracle

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/e2e/harness"
)

// Patience is how long the log may stand still while more must come.
const Patience = time.Minute

// Records streams the records of the log from offset 0 up to, and without, the
// offset end; each must have the offset that follows. -1 stands for the high
// watermark of now.
func Records(t *testing.T, d *harness.Daybook, end int64) iter.Seq[*kgo.Record] {
	t.Helper()
	return func(yield func(*kgo.Record) bool) {
		client := d.Client()
		defer client.Close()
		RecordsOf(t, client, harness.Topic, end)(yield)
	}
}

// RecordsOf streams the records of a topic as Records does, by a client that consumes nothing else.
func RecordsOf(t *testing.T, client *kgo.Client, topic string, end int64) iter.Seq[*kgo.Record] {
	t.Helper()
	return func(yield func(*kgo.Record) bool) {
		client.AddConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().At(0)}})
		if end < 0 {
			end = highWatermark(t, client, topic)
		}
		next := int64(0)
		for next < end {
			ctx, cancel := context.WithTimeout(context.Background(), Patience)
			fetches := client.PollRecords(ctx, 10_000)
			cancel()
			if fetches.NumRecords() == 0 && errors.Is(fetches.Err0(), context.DeadlineExceeded) {
				t.Fatalf("the log stands still at offset %d of %d", next, end)
			}
			for _, r := range fetches.Records() {
				if r.Offset != next {
					t.Fatalf("after offset %d comes %d", next-1, r.Offset)
				}
				next++
				if !yield(r) || next == end {
					return
				}
			}
		}
	}
}

// HighWatermark asks for the log's end, trying for as long as Patience.
func HighWatermark(t *testing.T, client *kgo.Client) int64 {
	t.Helper()
	return highWatermark(t, client, harness.Topic)
}

func highWatermark(t *testing.T, client *kgo.Client, name string) int64 {
	t.Helper()
	req := kmsg.NewPtrListOffsetsRequest()
	topic, partition := kmsg.NewListOffsetsRequestTopic(), kmsg.NewListOffsetsRequestTopicPartition()
	topic.Topic, partition.Timestamp = name, -1
	topic.Partitions = append(topic.Partitions, partition)
	req.Topics = append(req.Topics, topic)
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	for {
		resp, err := req.RequestWith(ctx, client)
		if err == nil && len(resp.Topics) == 1 && resp.Topics[0].Partitions[0].ErrorCode == 0 {
			return resp.Topics[0].Partitions[0].Offset
		}
		if ctx.Err() != nil {
			t.Fatalf("ask for the high watermark: %v, %+v", err, resp)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// Log streams what the records say.
func Log(t *testing.T, records iter.Seq[*kgo.Record]) iter.Seq[Change] {
	t.Helper()
	return func(yield func(Change) bool) {
		for r := range records {
			c, err := parse(r.Value)
			if err != nil {
				t.Fatalf("record %d: %v\n%s", r.Offset, err, r.Value)
			}
			if !yield(c) {
				return
			}
		}
	}
}

// envelope is as much of Debezium's as is compared.
type envelope struct {
	Op            string
	Before, After row
	DDL           string
	Source        struct {
		File  string
		Pos   uint64
		Row   int
		DB    string
		Table string
	}
}

func parse(value []byte) (Change, error) {
	var e envelope
	if err := json.Unmarshal(value, &e); err != nil {
		return Change{}, err
	}
	c := Change{
		Position: Position{e.Source.File, e.Source.Pos}, Row: e.Source.Row, Op: e.Op,
		Before: e.Before, After: e.After, DDL: e.DDL,
	}
	if e.DDL != "" {
		c.Op = "ddl"
	} else {
		c.Table = e.Source.DB + "." + e.Source.Table
	}
	return c, nil
}

// row is a JSON object's values as text, in the order in which they stand.
type row []string

func (r *row) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	for depth := 0; ; {
		token, err := d.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'):
			if depth++; depth > 1 {
				return errors.New("an object within the row")
			}
			continue
		case json.Delim('}'):
			return nil
		case nil:
			if depth == 0 {
				return nil
			}
		}
		if token, err = d.Token(); err != nil { // the value; token was the column's name
			return err
		}
		if token == nil {
			token = "null"
		}
		*r = append(*r, fmt.Sprint(token))
	}
}
