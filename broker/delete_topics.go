package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// DeleteTopics is refused for each topic. Topics are named by ID from version
// 6 on.

func deleteTopicsAPI() api {
	return serve(0, 6, `[s]:-5 [ s 16 ]:6- 4`, (*conn).deleteTopics)
}

func (c *conn) deleteTopics(_ context.Context, req *kmsg.DeleteTopicsRequest) (kmsg.Response, error) {
	resp := kmsg.NewPtrDeleteTopicsResponse()
	resp.Version = req.Version
	for _, name := range req.TopicNames {
		resp.Topics = append(resp.Topics, c.refuseDelete(kmsg.DeleteTopicsRequestTopic{Topic: &name}))
	}
	for _, t := range req.Topics {
		resp.Topics = append(resp.Topics, c.refuseDelete(t))
	}
	return resp, nil
}

func (c *conn) refuseDelete(t kmsg.DeleteTopicsRequestTopic) kmsg.DeleteTopicsResponseTopic {
	rt := kmsg.NewDeleteTopicsResponseTopic()
	rt.Topic, rt.TopicID = t.Topic, t.TopicID
	name := ""
	if t.Topic != nil {
		name = *t.Topic
	}
	switch {
	case c.lookUp(name, t.TopicID, 0) != nil:
		rt.Topic = &c.principal.Topic
		rt.ErrorCode = kerr.TopicAuthorizationFailed.Code
		rt.ErrorMessage = kmsg.StringPtr(readOnly)
	case t.TopicID != noTopicID:
		rt.ErrorCode = kerr.UnknownTopicID.Code
	default:
		rt.ErrorCode = kerr.UnknownTopicOrPartition.Code
	}
	return rt
}
