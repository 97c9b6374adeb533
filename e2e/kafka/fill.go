package kafka

import (
	"encoding/binary"

	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/e2e/harness"
)

// Fill copies the topic from Daybook, batch by batch, byte by byte: offsets,
// timestamps and the bounds of the batches are the same afterwards.
func (b *Broker) Fill(d *harness.Daybook) {
	b.t.Helper()
	from, to := b.dial(d.Address(), harness.Username, harness.Password), b.dial(b.addr, superuser, superuser)
	defer from.Close() // a group has one connection that fetches
	defer to.Close()
	for offset := int64(0); ; {
		batches, end := b.fetch(from, offset)
		if offset == end {
			return
		}
		for len(batches) > 0 {
			const beforeLength, lastOffsetDelta = 12, 23
			n := beforeLength + int(binary.BigEndian.Uint32(batches[8:]))
			base := int64(binary.BigEndian.Uint64(batches))
			binary.BigEndian.PutUint64(batches, 0) // as a producer sends it; the checksum leaves it out
			b.produce(to, batches[:n], base)
			offset = base + int64(binary.BigEndian.Uint32(batches[lastOffsetDelta:])) + 1
			batches = batches[n:]
		}
	}
}

func (b *Broker) dial(address, user, password string) *Conn {
	b.t.Helper()
	c, err := Dial(b.t, address)
	if err == nil {
		err = c.Login(user, password)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

func (b *Broker) fetch(c *Conn, offset int64) (batches []byte, end int64) {
	b.t.Helper()
	req := kmsg.NewPtrFetchRequest()
	req.Version, req.MaxBytes = 4, 4<<20
	topic, partition := kmsg.NewFetchRequestTopic(), kmsg.NewFetchRequestTopicPartition()
	topic.Topic, partition.FetchOffset, partition.PartitionMaxBytes = harness.Topic, offset, 4<<20
	topic.Partitions = append(topic.Partitions, partition)
	req.Topics = append(req.Topics, topic)
	resp, err := c.Do(req)
	if err != nil {
		b.t.Fatalf("fetch from Daybook: %v", err)
	}
	p := resp.(*kmsg.FetchResponse).Topics[0].Partitions[0]
	if p.ErrorCode != 0 {
		b.t.Fatalf("fetch from Daybook: error %d", p.ErrorCode)
	}
	return p.RecordBatches, p.HighWatermark
}

// produce appends one batch, which must be given the offset base.
func (b *Broker) produce(c *Conn, batch []byte, base int64) {
	b.t.Helper()
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks, req.TimeoutMillis = 9, -1, int32(timeout.Milliseconds())
	topic, partition := kmsg.NewProduceRequestTopic(), kmsg.NewProduceRequestTopicPartition()
	topic.Topic, partition.Records = harness.Topic, batch
	topic.Partitions = append(topic.Partitions, partition)
	req.Topics = append(req.Topics, topic)
	resp, err := c.Do(req)
	if err != nil {
		b.t.Fatalf("produce to Kafka: %v", err)
	}
	if p := resp.(*kmsg.ProduceResponse).Topics[0].Partitions[0]; p.ErrorCode != 0 || p.BaseOffset != base {
		b.t.Fatalf("produce to Kafka: error %d, base offset %d, want %d", p.ErrorCode, p.BaseOffset, base)
	}
}
