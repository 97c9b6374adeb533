package broker_test

import (
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/broker"
	"daybook/recordbatch"
)

// TestDeletedTopic deletes the topic while one reader waits for records and another for its turn:
// both are told at once, in every version, and so is who asks later. One of the same name that is made
// then is served from offset 0.
func TestDeletedTopic(t *testing.T) {
	c := newCluster(t)
	c.versions(kmsg.NewPtrFetchRequest(), func(t *testing.T, active *client, v int16) {
		unknown := kerr.UnknownTopicOrPartition.Code
		if v >= 13 {
			unknown = kerr.UnknownTopicID.Code
		}
		c.produce(3, 4)
		if p, _ := c.fetch(active, v, 0, 0); len(parseRecords(t, p.RecordBatches, v)) == 0 {
			t.Fatal("there are no records")
		}
		standby := c.login(user)
		defer standby.Close()
		end := c.part.HighWatermark()
		told := make(chan time.Time, 2)
		for _, cl := range []*client{active, standby} {
			go func() {
				p, _ := c.fetch(cl, v, end, 15*time.Second)
				if p.ErrorCode != unknown || len(p.RecordBatches) != 0 || p.HighWatermark != -1 {
					t.Errorf("who waits is told %+v", p)
				}
				told <- time.Now()
			}()
		}
		time.Sleep(30 * time.Millisecond)
		deleted := time.Now()
		must(t, c.store.DeletePartition(topic))
		for range 2 {
			if took := (<-told).Sub(deleted); took > 5*time.Second {
				t.Errorf("it took %v until who waits was told", took)
			}
		}
		if p, took := c.fetch(active, v, 0, 15*time.Second); p.ErrorCode != unknown || took > 5*time.Second {
			t.Errorf("who asks is told %+v after %v", p, took)
		}
		c.makeAgain()
		c.produce(2)
		if p, _ := c.fetch(active, v, 0, 0); p.ErrorCode != 0 || len(parseRecords(t, p.RecordBatches, v)) != 2 {
			t.Errorf("the new topic has %+v", p)
		}
	})
	if strings.Contains(c.logs.String(), "cannot read records") {
		t.Errorf("a deletion is told as damage: %s", c.logs.String())
	}
}

// makeAgain makes the topic that was deleted.
func (c *cluster) makeAgain() {
	c.t.Helper()
	p, err := c.store.EnsurePartition(topic)
	must(c.t, err)
	c.part = p
}

// TestRequestsForADeletedTopic has the other requests that name a topic.
func TestRequestsForADeletedTopic(t *testing.T) {
	c := newCluster(t)
	c.produce(3)
	cl := c.login(user)
	id := c.part.TopicID()
	must(t, c.store.DeletePartition(topic))
	byName, byID := kerr.UnknownTopicOrPartition.Code, kerr.UnknownTopicID.Code

	offsets := kmsg.NewPtrListOffsetsRequest()
	offsets.Version = 7
	ot := kmsg.NewListOffsetsRequestTopic()
	op := kmsg.NewListOffsetsRequestTopicPartition()
	op.Timestamp = -1
	ot.Topic, ot.Partitions = topic, append(ot.Partitions, op)
	offsets.Topics = append(offsets.Topics, ot)
	if code := ask[*kmsg.ListOffsetsResponse](cl, offsets).Topics[0].Partitions[0].ErrorCode; code != byName {
		t.Errorf("ListOffsets: error %d", code)
	}

	metadata := kmsg.NewPtrMetadataRequest()
	metadata.Version = 12
	named, numbered := kmsg.NewMetadataRequestTopic(), kmsg.NewMetadataRequestTopic()
	named.Topic, numbered.TopicID = kmsg.StringPtr(topic), id
	metadata.Topics = append(metadata.Topics, named, numbered)
	told := ask[*kmsg.MetadataResponse](cl, metadata).Topics
	if len(told) != 2 || told[0].ErrorCode != byName || told[1].ErrorCode != byID {
		t.Errorf("Metadata: %+v", told)
	}
	metadata.Topics = nil
	if told := ask[*kmsg.MetadataResponse](cl, metadata).Topics; len(told) != 0 {
		t.Errorf("Metadata of all topics: %+v", told)
	}

	commit := kmsg.NewPtrOffsetCommitRequest()
	commit.Group, commit.Generation = groupID, -1
	ct := kmsg.NewOffsetCommitRequestTopic()
	ct.Topic, ct.TopicID, ct.Partitions = topic, id, append(ct.Partitions, kmsg.NewOffsetCommitRequestTopicPartition())
	commit.Topics = append(commit.Topics, ct)
	for version, want := range map[int16]int16{9: byName, 10: byID} {
		commit.Version = version
		if code := ask[*kmsg.OffsetCommitResponse](cl, commit).Topics[0].Partitions[0].ErrorCode; code != want {
			t.Errorf("OffsetCommit version %d: error %d", version, code)
		}
	}
}

// TestDeletedTopicIsNotKeptCompressed looks at the compressed batches of two topics.
func TestDeletedTopicIsNotKeptCompressed(t *testing.T) {
	c := newCluster(t, func(o *broker.Options) {
		o.Compression = func(string) broker.Compression { return recordbatch.LZ4 }
	})
	for range 3 {
		c.produceLarge(10, 500)
	}
	c.fetch(c.login(user), 12, 0, 0)
	whole := c.server.PackedBytes()
	if whole == 0 {
		t.Fatal("nothing is kept")
	}
	must(t, c.store.DeletePartition(topic))
	for deadline := time.Now().Add(5 * time.Second); c.server.PackedBytes() != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d bytes are kept of a deleted topic", c.server.PackedBytes(), whole)
		}
	}
	c.makeAgain()
	c.produceLarge(10, 500)
	if c.fetch(c.login(reader(1)), 12, 0, 0); c.server.PackedBytes() == 0 {
		t.Error("nothing is kept of the new topic")
	}
}
