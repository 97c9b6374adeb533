package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// CreatePartitions is refused for each topic: a topic has one partition, since
// the order of all changes is what it is for.

func createPartitionsAPI() api {
	return serve(0, 3, `[ s 4 [ [4] ] ] 4 1`, (*conn).createPartitions)
}

func (c *conn) createPartitions(_ context.Context, req *kmsg.CreatePartitionsRequest) (kmsg.Response, error) {
	resp := kmsg.NewPtrCreatePartitionsResponse()
	resp.Version = req.Version
	for _, t := range req.Topics {
		rt := kmsg.NewCreatePartitionsResponseTopic()
		rt.Topic = t.Topic
		rt.ErrorCode = kerr.UnknownTopicOrPartition.Code
		if c.lookUp(t.Topic, noTopicID, 0) != nil {
			rt.ErrorCode = kerr.TopicAuthorizationFailed.Code
			rt.ErrorMessage = kmsg.StringPtr("a topic has one partition, for the order of all changes")
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp, nil
}
