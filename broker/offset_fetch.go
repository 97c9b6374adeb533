package broker

import (
	"context"
	"slices"

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
		for i := range req.Topics {
			req.Topics[i].Partitions = lastOfEach(req.Topics[i].Partitions, itself)
		}
		all := req.Topics == nil
		req.Topics = slices.DeleteFunc(req.Topics, func(t kmsg.OffsetFetchRequestTopic) bool { return len(t.Partitions) == 0 })
		resp := c.s.o.Groups.OffsetFetch(ctx, req)
		resp.Topics = slices.DeleteFunc(resp.Topics, func(t kmsg.OffsetFetchResponseTopic) bool {
			return all && t.Topic != c.principal.Topic
		})
		for _, t := range resp.Topics {
			for i := range t.Partitions {
				if p := &t.Partitions[i]; t.Topic != c.principal.Topic {
					p.Offset, p.LeaderEpoch, p.Metadata = -1, -1, kmsg.StringPtr("")
				}
			}
		}
		return resp, nil
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
		all := g.Topics == nil
		for i := range g.Topics {
			g.Topics[i].Partitions = lastOfEach(g.Topics[i].Partitions, itself)
		}
		g.Topics = slices.DeleteFunc(g.Topics, func(t kmsg.OffsetFetchRequestGroupTopic) bool { return len(t.Partitions) == 0 })
		unknown := c.hideTopics(&g, req.Version)
		one := *req
		one.Groups = []kmsg.OffsetFetchRequestGroup{g}
		for _, rg := range c.s.o.Groups.OffsetFetch(ctx, &one).Groups {
			rg.Topics = slices.DeleteFunc(rg.Topics, func(t kmsg.OffsetFetchResponseGroupTopic) bool {
				return all && t.Topic != c.principal.Topic && c.lookUp("", t.TopicID, 0) == nil
			})
			rg.Topics = append(rg.Topics, unknown...)
			resp.Groups = append(resp.Groups, rg)
		}
	}
	return resp
}

// hideTopics takes the topics out of a request that are not the principal's,
// and returns their answers.
func (c *conn) hideTopics(g *kmsg.OffsetFetchRequestGroup, version int16) (unknown []kmsg.OffsetFetchResponseGroupTopic) {
	if g.Topics == nil { // asks for all
		return nil
	}
	byID := version >= 10
	known := []kmsg.OffsetFetchRequestGroupTopic{}
	for _, t := range g.Topics {
		if byID && t.TopicID != noTopicID && c.lookUp("", t.TopicID, 0) != nil || !byID && t.Topic == c.principal.Topic {
			known = append(known, t)
			continue
		}
		rt := kmsg.NewOffsetFetchResponseGroupTopic()
		rt.Topic, rt.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			rp := kmsg.NewOffsetFetchResponseGroupTopicPartition()
			rp.Partition, rp.Offset, rp.Metadata = p, -1, kmsg.StringPtr("")
			if byID {
				rp.ErrorCode = kerr.UnknownTopicID.Code
			}
			rt.Partitions = append(rt.Partitions, rp)
		}
		unknown = append(unknown, rt)
	}
	g.Topics = known
	return unknown
}
