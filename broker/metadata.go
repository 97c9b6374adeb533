package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/store"
)

// Metadata shows one broker, which is the controller, and of the topics the
// principal's own. All topics are asked for by null, and in version 0 by an
// empty list. Nothing is created.

// Bit fields of operations that the principal is allowed (KIP-430): READ 3,
// DELETE 6, DESCRIBE 8, DESCRIBE_CONFIGS 10.
const (
	topicOperations   = 1<<3 | 1<<8 | 1<<10
	groupOperations   = 1<<3 | 1<<6 | 1<<8
	clusterOperations = 1<<8 | 1<<10
)

func metadataAPI() api {
	return serve(0, 13, `[ 16:10- s ] 1:4- 1:8-10 1:8-`, (*conn).metadata)
}

func (c *conn) metadata(_ context.Context, req *kmsg.MetadataRequest) (kmsg.Response, error) {
	resp := kmsg.NewPtrMetadataResponse()
	resp.Version = req.Version
	resp.ControllerID = nodeID
	resp.ClusterID = kmsg.StringPtr(c.s.o.Store.ClusterID())
	if req.IncludeClusterAuthorizedOperations {
		resp.AuthorizedOperations = clusterOperations
	}
	b := kmsg.NewMetadataResponseBroker()
	b.NodeID, b.Host, b.Port = nodeID, c.listener.host, c.listener.port
	resp.Brokers = append(resp.Brokers, b)

	if req.Topics == nil || req.Version == 0 && len(req.Topics) == 0 {
		if p := c.partition(); p != nil {
			resp.Topics = append(resp.Topics, topicMetadata(p, req.IncludeTopicAuthorizedOperations))
		}
		return resp, nil
	}
	shown := false // a topic that is asked for by name and by ID is told once
	for _, t := range lastOfEach(req.Topics, topicAskedFor) {
		name := topicAskedFor(t).name
		if p := c.lookUp(name, t.TopicID, 0); p != nil {
			if shown {
				continue
			}
			shown = true
			resp.Topics = append(resp.Topics, topicMetadata(p, req.IncludeTopicAuthorizedOperations))
			continue
		}
		rt := kmsg.NewMetadataResponseTopic()
		rt.Topic, rt.TopicID = t.Topic, t.TopicID
		rt.ErrorCode = kerr.UnknownTopicOrPartition.Code
		if t.TopicID != noTopicID {
			rt.ErrorCode = kerr.UnknownTopicID.Code
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp, nil
}

type nameAndID struct {
	name string
	id   [16]byte
}

func topicAskedFor(t kmsg.MetadataRequestTopic) nameAndID {
	if t.Topic == nil {
		return nameAndID{id: t.TopicID}
	}
	return nameAndID{*t.Topic, t.TopicID}
}

func topicMetadata(p *store.Partition, withOperations bool) kmsg.MetadataResponseTopic {
	t := kmsg.NewMetadataResponseTopic()
	t.Topic, t.TopicID = kmsg.StringPtr(p.Topic()), p.TopicID()
	if withOperations {
		t.AuthorizedOperations = topicOperations
	}
	rp := kmsg.NewMetadataResponseTopicPartition()
	rp.Leader, rp.LeaderEpoch = nodeID, leaderEpoch
	rp.Replicas, rp.ISR = []int32{nodeID}, []int32{nodeID}
	t.Partitions = append(t.Partitions, rp)
	return t
}
