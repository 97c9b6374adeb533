package broker

import (
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// DescribeTopicPartitions (KIP-966) shows what Metadata shows, topics in the
// order of their names; no topics ask for all. A topic has one partition, so a
// response is never cut and has no cursor, but a request may start at one.

func describeTopicPartitionsAPI() api {
	return serve(0, 0, `[ s ] 4 ( s 4 )`, (*conn).describeTopicPartitions)
}

func (c *conn) describeTopicPartitions(_ context.Context, req *kmsg.DescribeTopicPartitionsRequest) (kmsg.Response, error) {
	resp := kmsg.NewPtrDescribeTopicPartitionsResponse()
	resp.Version = req.Version
	badCursor := req.Cursor != nil && (req.Cursor.Partition < 0 || len(req.Topics) > 0 && !asksFor(req, req.Cursor.Topic))
	if badCursor {
		req.Cursor = nil // each topic gets the error
	}
	for _, name := range c.describedTopics(req) {
		rt := kmsg.NewDescribeTopicPartitionsResponseTopic()
		rt.Topic = kmsg.StringPtr(name)
		if badCursor {
			rt.ErrorCode = kerr.InvalidRequest.Code
		} else if p := c.lookUp(name, noTopicID, 0); p != nil {
			rt.TopicID = p.TopicID()
			rt.AuthorizedOperations = topicOperations
			rp := kmsg.NewDescribeTopicPartitionsResponseTopicPartition()
			rp.LeaderID, rp.LeaderEpoch = nodeID, leaderEpoch
			rp.Replicas, rp.ISR = []int32{nodeID}, []int32{nodeID}
			// The Java admin client does not take null for them.
			rp.EligibleLeaderReplicas, rp.LastKnownELR = []int32{}, []int32{}
			if req.Cursor == nil || req.Cursor.Topic != name || req.Cursor.Partition <= rp.Partition {
				rt.Partitions = append(rt.Partitions, rp)
			}
		} else {
			rt.ErrorCode = kerr.UnknownTopicOrPartition.Code
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp, nil
}

func asksFor(req *kmsg.DescribeTopicPartitionsRequest, name string) bool {
	return slices.ContainsFunc(req.Topics, func(t kmsg.DescribeTopicPartitionsRequestTopic) bool { return t.Topic == name })
}

// describedTopics returns the names that a request asks for, from its cursor
// on, each once.
func (c *conn) describedTopics(req *kmsg.DescribeTopicPartitionsRequest) []string {
	var names []string
	for _, t := range req.Topics {
		names = append(names, t.Topic)
	}
	if p := c.partition(); len(names) == 0 && p != nil {
		names = append(names, p.Topic())
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if req.Cursor != nil {
		names = slices.DeleteFunc(names, func(n string) bool { return n < req.Cursor.Topic })
	}
	return names
}
