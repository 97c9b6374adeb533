package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// OffsetForLeaderEpoch answers with the log's end for the one leader epoch
// there is: nothing was ever truncated (KIP-320).

func offsetForLeaderEpochAPI() api {
	return serve(0, 4, `4:3- [ s [ 4 4:2- 4 ] ]`, (*conn).offsetForLeaderEpoch)
}

func (c *conn) offsetForLeaderEpoch(_ context.Context, req *kmsg.OffsetForLeaderEpochRequest) (kmsg.Response, error) {
	resp := kmsg.NewPtrOffsetForLeaderEpochResponse()
	resp.Version = req.Version
	for _, t := range req.Topics {
		rt := kmsg.NewOffsetForLeaderEpochResponseTopic()
		rt.Topic = t.Topic
		for _, p := range t.Partitions {
			rp := kmsg.NewOffsetForLeaderEpochResponseTopicPartition()
			rp.Partition = p.Partition
			part := c.lookUp(t.Topic, noTopicID, p.Partition)
			switch {
			case part == nil:
				rp.ErrorCode = kerr.UnknownTopicOrPartition.Code
			case p.CurrentLeaderEpoch > leaderEpoch:
				rp.ErrorCode = kerr.UnknownLeaderEpoch.Code
			case part.Damaged() != nil:
				rp.ErrorCode = kerr.KafkaStorageError.Code
			default:
				rp.LeaderEpoch, rp.EndOffset = endOfEpoch(part, p.LeaderEpoch)
			}
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp, nil
}
