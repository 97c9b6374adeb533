package broker

import (
	"context"
	"errors"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Produce is refused for every partition, whether it exists or not unless it is
// named by ID, yet advertised: some Java clients
// will not talk to a broker without it, and librdkafka takes it as a sign that
// message format v2 is known.

func produceAPI() api {
	return serve(0, 13, `s:3- 2 4 [ s:-12 16:13- [ 4 y ] ]`, (*conn).produce)
}

func (c *conn) produce(_ context.Context, req *kmsg.ProduceRequest) (kmsg.Response, error) {
	if req.Acks == 0 {
		return nil, errors.New("the client produced without asking for an answer: topics are read-only")
	}
	resp := kmsg.NewPtrProduceResponse()
	resp.Version = req.Version
	for _, t := range req.Topics {
		rt := kmsg.NewProduceResponseTopic()
		rt.Topic, rt.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			rp := kmsg.NewProduceResponseTopicPartition()
			rp.Partition = p.Partition
			rp.ErrorCode = kerr.TopicAuthorizationFailed.Code
			rp.ErrorMessage = kmsg.StringPtr(readOnly)
			rp.BaseOffset = -1
			if req.Version >= 13 && c.lookUp("", t.TopicID, 0) == nil {
				rp.ErrorCode, rp.ErrorMessage = kerr.UnknownTopicID.Code, nil
			}
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp, nil
}
