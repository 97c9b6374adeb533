package group

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// OffsetFetch, versions 0 to 10. From 2 on null topics ask for all, from 8 on
// a request may name several groups, from 10 on topics are named by their ID.
// There are no transactions, so a checkpoint is always stable.

// OffsetFetch returns checkpoints, all that were accepted before it included.
// What was never committed has offset -1 and no error.
func (c *Coordinator) OffsetFetch(_ context.Context, req *kmsg.OffsetFetchRequest) *kmsg.OffsetFetchResponse {
	resp := kmsg.NewPtrOffsetFetchResponse()
	resp.Version = req.Version
	if req.Version >= 8 {
		for _, rg := range req.Groups {
			resp.Groups = append(resp.Groups, c.fetchGroup(rg, req.Version))
		}
		return resp
	}
	one := kmsg.OffsetFetchRequestGroup{Group: req.Group}
	if req.Topics != nil {
		one.Topics = []kmsg.OffsetFetchRequestGroupTopic{}
	}
	for _, t := range req.Topics {
		one.Topics = append(one.Topics, kmsg.OffsetFetchRequestGroupTopic{Topic: t.Topic, Partitions: t.Partitions})
	}
	got := c.fetchGroup(one, req.Version)
	resp.ErrorCode = got.ErrorCode
	for _, t := range got.Topics {
		rt := kmsg.OffsetFetchResponseTopic{Topic: t.Topic}
		for _, p := range t.Partitions {
			rt.Partitions = append(rt.Partitions, kmsg.OffsetFetchResponseTopicPartition{
				Partition: p.Partition, Offset: p.Offset, LeaderEpoch: p.LeaderEpoch, Metadata: p.Metadata, ErrorCode: p.ErrorCode,
			})
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp
}

func (c *Coordinator) fetchGroup(req kmsg.OffsetFetchRequestGroup, version int16) kmsg.OffsetFetchResponseGroup {
	resp := kmsg.OffsetFetchResponseGroup{Group: req.Group}
	var have map[partition]checkpoint
	if g := c.lookup(req.Group, false); g != nil {
		var err *kerr.Error
		if have, err = g.committed(); err != nil {
			resp.ErrorCode = err.Code
			return resp
		}
	}
	byID := version >= 10
	if req.Topics == nil {
		req.Topics = c.committedTopics(have, byID)
	}
	for _, t := range req.Topics {
		rt := kmsg.OffsetFetchResponseGroupTopic{Topic: t.Topic, TopicID: t.TopicID}
		name, err := t.Topic, (*kerr.Error)(nil)
		if byID {
			name, err = c.topic("", t.TopicID, true)
		}
		for _, index := range t.Partitions {
			metadata := ""
			rp := kmsg.OffsetFetchResponseGroupTopicPartition{
				Partition: index, Offset: -1, LeaderEpoch: -1, Metadata: &metadata, ErrorCode: code(err),
			}
			if cp, ok := have[partition{name, index}]; ok && err == nil {
				rp.Offset, rp.LeaderEpoch, metadata = cp.offset, cp.leaderEpoch, cp.metadata
			}
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp
}

// committed returns the group's checkpoints. It locks the group.
func (g *group) committed() (map[partition]checkpoint, *kerr.Error) {
	g.lockSettled()
	defer g.mu.Unlock()
	if g.state == dead {
		return nil, kerr.CoordinatorNotAvailable
	}
	return maps.Clone(g.checkpoints), nil
}

// committedTopics lists the topics with checkpoints, in the order of their
// names; by ID, those that still exist.
func (c *Coordinator) committedTopics(have map[partition]checkpoint, byID bool) []kmsg.OffsetFetchRequestGroupTopic {
	partitions := slices.SortedFunc(maps.Keys(have), func(a, b partition) int {
		return cmp.Or(cmp.Compare(a.topic, b.topic), cmp.Compare(a.index, b.index))
	})
	var topics []kmsg.OffsetFetchRequestGroupTopic
	for _, p := range partitions {
		if n := len(topics); n > 0 && topics[n-1].Topic == p.topic {
			topics[n-1].Partitions = append(topics[n-1].Partitions, p.index)
			continue
		}
		t := kmsg.OffsetFetchRequestGroupTopic{Topic: p.topic, Partitions: []int32{p.index}}
		if byID {
			stored, ok := c.opts.Store.Partition(p.topic)
			if !ok {
				continue
			}
			t.TopicID = stored.TopicID()
		}
		topics = append(topics, t)
	}
	return topics
}
