package broker

import (
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// OffsetCommit saves checkpoints of the principal's group in its topic. Topics
// are named by ID from version 10 on.

func offsetCommitAPI() api {
	return serve(0, 10, `s 4:1- s:1- s:7- 8:2-4 [ s:-9 16:10- [ 4 8 8:1-1 4:6- s ] ]`, (*conn).offsetCommit)
}

func (c *conn) offsetCommit(ctx context.Context, req *kmsg.OffsetCommitRequest) (kmsg.Response, error) {
	resp := kmsg.NewPtrOffsetCommitResponse()
	resp.Version = req.Version
	var allowed []kmsg.OffsetCommitRequestTopic
	for _, t := range req.Topics {
		refused := kmsg.NewOffsetCommitResponseTopic()
		refused.Topic, refused.TopicID = t.Topic, t.TopicID
		commit := t
		commit.Partitions = nil
		partitionOf := func(p kmsg.OffsetCommitRequestTopicPartition) int32 { return p.Partition }
		for _, p := range lastOfEach(t.Partitions, partitionOf) {
			code := c.mayCommit(req.Group, t, p.Partition)
			if code == 0 {
				commit.Partitions = append(commit.Partitions, p)
				continue
			}
			rp := kmsg.NewOffsetCommitResponseTopicPartition()
			rp.Partition, rp.ErrorCode = p.Partition, code
			refused.Partitions = append(refused.Partitions, rp)
		}
		if len(commit.Partitions) > 0 {
			allowed = append(allowed, commit)
		}
		if len(refused.Partitions) > 0 || len(t.Partitions) == 0 {
			resp.Topics = append(resp.Topics, refused)
		}
	}
	if len(allowed) == 0 {
		return resp, nil
	}
	req.Topics = allowed
	committed := c.s.o.Groups.OffsetCommit(ctx, c.client(), req)
	for _, refused := range resp.Topics {
		sameTopic := func(t kmsg.OffsetCommitResponseTopic) bool {
			return t.Topic == refused.Topic && t.TopicID == refused.TopicID
		}
		if i := slices.IndexFunc(committed.Topics, sameTopic); i >= 0 {
			committed.Topics[i].Partitions = append(committed.Topics[i].Partitions, refused.Partitions...)
			continue
		}
		committed.Topics = append(committed.Topics, refused)
	}
	return committed, nil
}

// mayCommit returns the error of a commit that is none of the principal's
// business, or 0.
func (c *conn) mayCommit(group string, t kmsg.OffsetCommitRequestTopic, partition int32) int16 {
	switch {
	case group != c.principal.Group:
		return kerr.GroupAuthorizationFailed.Code
	case c.lookUp(t.Topic, t.TopicID, partition) != nil:
		return 0
	case t.TopicID != noTopicID && c.lookUp("", t.TopicID, 0) == nil:
		return kerr.UnknownTopicID.Code
	}
	return kerr.UnknownTopicOrPartition.Code
}
