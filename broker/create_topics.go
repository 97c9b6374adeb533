package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// CreateTopics is refused for each topic: a task makes its own.

func createTopicsAPI() api {
	return serve(0, 7, `[ s 4 2 [ 4 [4] ] [ s s ] ] 4 1:1-`, (*conn).createTopics)
}

func (c *conn) createTopics(_ context.Context, req *kmsg.CreateTopicsRequest) (kmsg.Response, error) {
	resp := kmsg.NewPtrCreateTopicsResponse()
	resp.Version = req.Version
	for _, t := range req.Topics {
		rt := kmsg.NewCreateTopicsResponseTopic()
		rt.Topic = t.Topic
		rt.ErrorCode = kerr.TopicAuthorizationFailed.Code
		rt.Configs = []kmsg.CreateTopicsResponseTopicConfig{} // not null, as Kafka
		rt.ErrorMessage = kmsg.StringPtr("topics are made by change tracking tasks only")
		resp.Topics = append(resp.Topics, rt)
	}
	return resp, nil
}
