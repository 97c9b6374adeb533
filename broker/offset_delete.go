package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// OffsetDelete deletes checkpoints of the principal's group in its topic.

func offsetDeleteAPI() api { return serve(0, 0, `s [ s [4] ]`, (*conn).offsetDelete) }

func (c *conn) offsetDelete(ctx context.Context, req *kmsg.OffsetDeleteRequest) (kmsg.Response, error) {
	if req.Group != c.principal.Group {
		resp := kmsg.NewPtrOffsetDeleteResponse()
		resp.Version = req.Version
		resp.ErrorCode = kerr.GroupAuthorizationFailed.Code
		return resp, nil
	}
	unknown := c.hideDeletes(req)
	resp := c.s.o.Groups.OffsetDelete(ctx, req)
	if resp.ErrorCode == 0 {
		resp.Topics = append(resp.Topics, unknown...)
	}
	return resp, nil
}

// hideDeletes takes the partitions out of a request that do not exist for the
// principal, and returns their answers.
func (c *conn) hideDeletes(req *kmsg.OffsetDeleteRequest) (unknown []kmsg.OffsetDeleteResponseTopic) {
	var known []kmsg.OffsetDeleteRequestTopic
	for _, t := range req.Topics {
		keep, hide := kmsg.OffsetDeleteRequestTopic{Topic: t.Topic}, kmsg.OffsetDeleteResponseTopic{Topic: t.Topic}
		for _, p := range t.Partitions {
			if c.lookUp(t.Topic, noTopicID, p.Partition) != nil {
				keep.Partitions = append(keep.Partitions, p)
				continue
			}
			hide.Partitions = append(hide.Partitions, kmsg.OffsetDeleteResponseTopicPartition{
				Partition: p.Partition, ErrorCode: kerr.UnknownTopicOrPartition.Code,
			})
		}
		if len(keep.Partitions) > 0 {
			known = append(known, keep)
		}
		if len(hide.Partitions) > 0 {
			unknown = append(unknown, hide)
		}
	}
	req.Topics = known
	return unknown
}
