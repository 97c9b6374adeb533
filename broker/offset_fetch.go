package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// OffsetFetch reads checkpoints of the principal's group; of what was never
// committed, other topics among it, the offset is -1. Version 8 on ask for
// several groups at once (KIP-709), version 10 on name topics by ID.

func offsetFetchAPI() api {
	return serve(0, 10, `s:-7 [ s [4] ]:-7 [ s s:9- 4:9- [ s:-9 16:10- [4] ] ]:8- 1:7-`, (*conn).offsetFetch)
}

func (c *conn) offsetFetch(ctx context.Context, req *kmsg.OffsetFetchRequest) (kmsg.Response, error) {
	if req.Version >= 8 {
		return c.offsetFetchGroups(ctx, req), nil
	}
	if req.Group == c.principal.Group {
		return c.s.o.Groups.OffsetFetch(ctx, req), nil
	}
	resp := kmsg.NewPtrOffsetFetchResponse()
	resp.Version = req.Version
	resp.ErrorCode = kerr.GroupAuthorizationFailed.Code
	if req.Version >= 2 { // which has a place for the group's error
		return resp, nil
	}
	for _, t := range req.Topics {
		rt := kmsg.NewOffsetFetchResponseTopic()
		rt.Topic = t.Topic
		for _, p := range t.Partitions {
			rp := kmsg.NewOffsetFetchResponseTopicPartition()
			rp.Partition, rp.Offset, rp.ErrorCode = p, -1, kerr.GroupAuthorizationFailed.Code
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp, nil
}

func (c *conn) offsetFetchGroups(ctx context.Context, req *kmsg.OffsetFetchRequest) *kmsg.OffsetFetchResponse {
	resp := kmsg.NewPtrOffsetFetchResponse()
	resp.Version = req.Version
	for _, g := range req.Groups {
		if g.Group != c.principal.Group {
			rg := kmsg.NewOffsetFetchResponseGroup()
			rg.Group, rg.ErrorCode = g.Group, kerr.GroupAuthorizationFailed.Code
			resp.Groups = append(resp.Groups, rg)
			continue
		}
		unknown := c.hideTopics(&g, req.Version)
		one := *req
		one.Groups = []kmsg.OffsetFetchRequestGroup{g}
		for _, rg := range c.s.o.Groups.OffsetFetch(ctx, &one).Groups {
			rg.Topics = append(rg.Topics, unknown...)
			resp.Groups = append(resp.Groups, rg)
		}
	}
	return resp
}

// hideTopics takes the topics out of a request whose ID is not that of the
// principal's topic, and returns their answers.
func (c *conn) hideTopics(g *kmsg.OffsetFetchRequestGroup, version int16) (unknown []kmsg.OffsetFetchResponseGroupTopic) {
	if version < 10 || g.Topics == nil { // null asks for all
		return nil
	}
	known := []kmsg.OffsetFetchRequestGroupTopic{}
	for _, t := range g.Topics {
		if t.TopicID != noTopicID && c.lookUp("", t.TopicID, 0) != nil {
			known = append(known, t)
			continue
		}
		rt := kmsg.NewOffsetFetchResponseGroupTopic()
		rt.TopicID = t.TopicID
		for _, p := range t.Partitions {
			rp := kmsg.NewOffsetFetchResponseGroupTopicPartition()
			rp.Partition, rp.Offset, rp.ErrorCode = p, -1, kerr.UnknownTopicID.Code
			rt.Partitions = append(rt.Partitions, rp)
		}
		unknown = append(unknown, rt)
	}
	g.Topics = known
	return unknown
}
