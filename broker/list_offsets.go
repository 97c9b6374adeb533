package broker

import (
	"cmp"
	"context"
	"errors"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/store"
)

// ListOffsets finds offsets by time. A time of up to 99,999,999,999 is taken
// as seconds, as some change data clients send it (as milliseconds that would
// be before March 1973); anything larger is milliseconds. For a time after the
// newest record the answer is -1 as in Kafka, but the log's end if the time
// came in seconds, because those clients start from the beginning on -1.
// Version 0 returns an array.

// The times that are none. Kafka knows each of them from a version on.
const (
	timeLatest              = -1
	timeEarliest            = -2
	timeMax                 = -3 // from version 7 on (KIP-734)
	timeEarliestLocal       = -4 // 8 (KIP-405): nothing is tiered
	timeLatestTiered        = -5 // 9 (KIP-1005)
	timeEarliestPendingTier = -6 // 11 (KIP-1023)
)

const maxSeconds = 99_999_999_999

func listOffsetsAPI() api {
	return serve(0, 11, `4 1:2- [ s [ 4 4:4- 8 4:-0 ] ] 4:10-`, (*conn).listOffsets)
}

func (c *conn) listOffsets(_ context.Context, req *kmsg.ListOffsetsRequest) (kmsg.Response, error) {
	resp := kmsg.NewPtrListOffsetsResponse()
	resp.Version = req.Version
	twice := namedTwice(req)
	for _, t := range req.Topics {
		rt := kmsg.NewListOffsetsResponseTopic()
		rt.Topic = t.Topic
		for _, p := range t.Partitions {
			if twice[topicPartition{t.Topic, p.Partition}] && req.Version >= 1 {
				rp := kmsg.NewListOffsetsResponseTopicPartition()
				rp.Partition, rp.ErrorCode = p.Partition, kerr.InvalidRequest.Code
				rt.Partitions = append(rt.Partitions, rp)
				continue
			}
			rt.Partitions = append(rt.Partitions, c.listOffset(req.Version, t.Topic, p))
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp, nil
}

type topicPartition struct {
	topic     string
	partition int32
}

// namedTwice returns the partitions that a request names more than once, with
// maybe different times.
func namedTwice(req *kmsg.ListOffsetsRequest) map[topicPartition]bool {
	twice := make(map[topicPartition]bool)
	for _, t := range req.Topics {
		for _, p := range t.Partitions {
			_, known := twice[topicPartition{t.Topic, p.Partition}]
			twice[topicPartition{t.Topic, p.Partition}] = known
		}
	}
	return twice
}

func (c *conn) listOffset(version int16, topic string, p kmsg.ListOffsetsRequestTopicPartition) kmsg.ListOffsetsResponseTopicPartition {
	rp := kmsg.NewListOffsetsResponseTopicPartition()
	rp.Partition = p.Partition
	rp.OldStyleOffsets = []int64{}
	part := c.lookUp(topic, noTopicID, p.Partition)
	switch {
	case part == nil:
		rp.ErrorCode = kerr.UnknownTopicOrPartition.Code
		return rp
	case p.CurrentLeaderEpoch > leaderEpoch:
		rp.ErrorCode = kerr.UnknownLeaderEpoch.Code
		return rp
	case !knowsTime(version, p.Timestamp):
		rp.ErrorCode = kerr.UnsupportedVersion.Code
		return rp
	}
	offset, timestamp, err := offsetForTime(part, p.Timestamp)
	if errors.Is(err, store.ErrDeleted) {
		rp.ErrorCode = kerr.UnknownTopicOrPartition.Code
		return rp
	}
	if err := cmp.Or(part.Damaged(), err); err != nil {
		c.complainOfDamage("cannot look up an offset by time", topic, err, "time", p.Timestamp)
		rp.ErrorCode = kerr.KafkaStorageError.Code
		return rp
	}
	if version == 0 {
		rp.OldStyleOffsets = oldStyleOffsets(part, p, offset)
		return rp
	}
	if offset >= 0 {
		rp.LeaderEpoch = leaderEpoch
	}
	rp.Offset, rp.Timestamp = offset, timestamp
	return rp
}

// knowsTime tells if a version has that special time, or t is a real one.
func knowsTime(version int16, t int64) bool {
	switch t {
	case timeMax:
		return version >= 7
	case timeEarliestLocal:
		return version >= 8
	case timeLatestTiered:
		return version >= 9
	case timeEarliestPendingTier:
		return version >= 11
	}
	return t >= timeEarliest
}

// offsetForTime returns -1, -1 if there is no such offset; the timestamp is -1
// where Kafka tells none.
func offsetForTime(p *store.Partition, t int64) (offset, timestamp int64, err error) {
	var found bool
	switch t {
	case timeLatest:
		return p.HighWatermark(), -1, nil
	case timeEarliest, timeEarliestLocal:
		return p.LogStartOffset(), -1, nil
	case timeLatestTiered, timeEarliestPendingTier:
		return -1, -1, nil
	case timeMax:
		offset, timestamp, found, err = p.MaxTimestamp()
	default:
		seconds := t > 0 && t <= maxSeconds
		if seconds {
			t *= 1000
		}
		end := p.HighWatermark()
		offset, timestamp, found, err = p.OffsetForTime(t)
		if seconds && !found && err == nil {
			return end, t, nil
		}
	}
	if err != nil || !found {
		return -1, -1, err
	}
	return offset, timestamp, nil
}

// oldStyleOffsets is the answer of version 0: at most MaxNumOffsets offsets,
// the newest first. A client that asks for a time wants one it can start from,
// so the log's end stands in for none.
func oldStyleOffsets(part *store.Partition, p kmsg.ListOffsetsRequestTopicPartition, offset int64) []int64 {
	if offset < 0 {
		offset = part.HighWatermark()
	}
	offsets := []int64{offset}
	if start := part.LogStartOffset(); p.Timestamp == timeLatest && start < offset {
		offsets = append(offsets, start)
	}
	return offsets[:max(0, min(len(offsets), int(p.MaxNumOffsets)))]
}
