package group

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/store"
)

// OffsetDelete, version 0 (KIP-496).

// OffsetDelete deletes checkpoints of a group. Those of topics that a member
// of the group subscribes to stay, with GROUP_SUBSCRIBED_TO_TOPIC. An Empty
// group is gone with its last one.
func (c *Coordinator) OffsetDelete(_ context.Context, req *kmsg.OffsetDeleteRequest) *kmsg.OffsetDeleteResponse {
	resp := kmsg.NewPtrOffsetDeleteResponse()
	resp.Version = req.Version
	g := c.lookup(req.Group, false)
	if g == nil {
		resp.ErrorCode = kerr.GroupIDNotFound.Code
		return resp
	}
	w, err := g.startOffsetDelete(req, resp)
	if err == nil && w.wait() != nil {
		err = kerr.CoordinatorNotAvailable
	}
	if err == nil {
		g.deleteIfBare()
	}
	if err != nil {
		resp.ErrorCode, resp.Topics = err.Code, nil
	}
	return resp
}

// startOffsetDelete fills in the topics of resp and queues the deletions. It
// locks the group.
func (g *group) startOffsetDelete(req *kmsg.OffsetDeleteRequest, resp *kmsg.OffsetDeleteResponse) (*write, *kerr.Error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.state == dead:
		return nil, kerr.CoordinatorNotAvailable
	case g.state != empty && g.protocolType != consumerType:
		return nil, kerr.NonEmptyGroup
	}
	subscribed := g.subscribed()
	var gone []partition
	for _, t := range req.Topics {
		rt := kmsg.OffsetDeleteResponseTopic{Topic: t.Topic}
		for _, p := range t.Partitions {
			rp := kmsg.OffsetDeleteResponseTopicPartition{Partition: p.Partition}
			if !subscribed[t.Topic] {
				gone = append(gone, partition{t.Topic, p.Partition})
			} else {
				rp.ErrorCode = kerr.GroupSubscribedToTopic.Code
			}
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	var entries []store.Write
	for _, p := range gone {
		entries = append(entries, store.Write{Key: checkpointKey(g.id, p)})
	}
	if len(entries) == 0 {
		return nil, nil
	}
	g.checkpointW = g.c.saver.save(entries, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		for _, p := range gone {
			delete(g.checkpoints, p)
		}
	})
	return g.checkpointW, nil
}

// consumerType is the protocol type of consumers, whose metadata we can read.
const consumerType = "consumer"

// subscribed returns the topics that the members of a group of consumers
// subscribe to.
func (g *group) subscribed() map[string]bool {
	topics := make(map[string]bool)
	for _, m := range g.members {
		for _, p := range m.protocols {
			var meta kmsg.ConsumerMemberMetadata
			if meta.ReadFrom(p.Metadata) != nil {
				continue
			}
			for _, t := range meta.Topics {
				topics[t] = true
			}
		}
	}
	return topics
}
