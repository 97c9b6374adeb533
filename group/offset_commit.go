package group

import (
	"context"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/store"
)

// OffsetCommit, versions 0 to 10. From 1 on the request names generation and
// member, from 7 on an instance ID, from 10 on topics by their ID. Generation
// -1 is what a consumer without a group membership sends, and the tools that
// reset offsets. Retention times and commit timestamps in requests are ignored:
// a checkpoint stays until it is deleted or its group expires.

// maxMetadata is Kafka's offset.metadata.max.bytes.
const maxMetadata = 4096

// OffsetCommit saves checkpoints. They are durable when it returns.
func (c *Coordinator) OffsetCommit(_ context.Context, client Client, req *kmsg.OffsetCommitRequest) *kmsg.OffsetCommitResponse {
	accepted, resp := c.commitResponse(req)
	err := c.commit(client, req, accepted)
	if err == nil {
		return resp
	}
	for i := range resp.Topics {
		for j := range resp.Topics[i].Partitions {
			if p := &resp.Topics[i].Partitions[j]; p.ErrorCode == 0 {
				p.ErrorCode = err.Code
			}
		}
	}
	return resp
}

// commitResponse checks each partition, apart from the question whether the
// group takes the commit, and returns what is fit to be saved.
func (c *Coordinator) commitResponse(req *kmsg.OffsetCommitRequest) (map[partition]checkpoint, *kmsg.OffsetCommitResponse) {
	resp := kmsg.NewPtrOffsetCommitResponse()
	resp.Version = req.Version
	accepted := make(map[partition]checkpoint)
	now := time.Now().UnixMilli()
	for _, t := range req.Topics {
		rt := kmsg.OffsetCommitResponseTopic{Topic: t.Topic, TopicID: t.TopicID}
		topic, topicErr := c.topic(t.Topic, t.TopicID, req.Version >= 10)
		for _, p := range t.Partitions {
			err := topicErr
			switch {
			case err != nil:
			case p.Partition != 0:
				err = kerr.UnknownTopicOrPartition
			case p.Metadata != nil && len(*p.Metadata) > maxMetadata:
				err = kerr.OffsetMetadataTooLarge
			default:
				cp := checkpoint{offset: p.Offset, leaderEpoch: p.LeaderEpoch, timestamp: now}
				if p.Metadata != nil {
					cp.metadata = strings.Clone(*p.Metadata)
				}
				accepted[partition{topic, p.Partition}] = cp
			}
			rt.Partitions = append(rt.Partitions, kmsg.OffsetCommitResponseTopicPartition{Partition: p.Partition, ErrorCode: code(err)})
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return accepted, resp
}

// topic finds a topic by name or, if byID, by its ID, and returns its name.
func (c *Coordinator) topic(name string, id [16]byte, byID bool) (string, *kerr.Error) {
	if byID {
		if p, ok := c.opts.Store.PartitionByID(id); ok {
			return p.Topic(), nil
		}
		return "", kerr.UnknownTopicID
	}
	if p, ok := c.opts.Store.Partition(name); ok {
		return p.Topic(), nil
	}
	return "", kerr.UnknownTopicOrPartition
}

// commit saves the checkpoints if the group takes commits from the sender.
func (c *Coordinator) commit(client Client, req *kmsg.OffsetCommitRequest, checkpoints map[partition]checkpoint) *kerr.Error {
	if len(req.Group) >= 1<<16 {
		return kerr.InvalidGroupID
	}
	g := c.lookup(req.Group, req.Generation < 0)
	switch {
	case g == nil && req.Generation < 0:
		return kerr.CoordinatorNotAvailable
	case g == nil && req.Version >= 9:
		return kerr.GroupIDNotFound
	case g == nil:
		return kerr.IllegalGeneration
	}
	w, err := g.acceptCommit(client, req, checkpoints)
	if err != nil {
		return err
	}
	if w.wait() != nil {
		return kerr.CoordinatorNotAvailable
	}
	return nil
}

// acceptCommit checks the sender and queues the checkpoints in the order of
// acceptance. It locks the group.
func (g *group) acceptCommit(client Client, req *kmsg.OffsetCommitRequest, checkpoints map[partition]checkpoint) (*write, *kerr.Error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	m, err := g.validateCommit(client, req, checkpoints)
	if err != nil {
		return nil, err
	}
	if m != nil {
		g.touch(m)
	}
	if len(checkpoints) == 0 {
		return nil, nil
	}
	return g.saveCheckpoints(checkpoints), nil
}

// validateCommit returns the member that commits; nil for a commit from
// outside, which only a group without members takes.
func (g *group) validateCommit(client Client, req *kmsg.OffsetCommitRequest, checkpoints map[partition]checkpoint) (*member, *kerr.Error) {
	if req.Generation < 0 && g.state == empty {
		for p, cp := range checkpoints {
			if p.topic == g.topic && g.fromStandby(client, cp.offset, g.checkpointOffset(p)) {
				g.log.Info("a commit of a standby was refused", "client_id", client.ID, "address", client.Address, "offset", cp.offset)
				return nil, kerr.UnknownMemberID
			}
		}
		return nil, nil
	}
	m, err := g.validateGeneration(req.MemberID, req.InstanceID, req.Generation)
	if err == nil && g.state == completingRebalance {
		// Who owns the partition is not decided yet.
		err = kerr.RebalanceInProgress
	}
	return m, err
}

// saveCheckpoints queues them; they count once they are saved.
func (g *group) saveCheckpoints(checkpoints map[partition]checkpoint) *write {
	entries := make([]store.Write, 0, len(checkpoints))
	for p, cp := range checkpoints {
		entries = append(entries, store.Write{Key: checkpointKey(g.id, p), Value: cp.value()})
	}
	g.checkpointW = g.c.saver.save(entries, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		for p, cp := range checkpoints {
			g.checkpoints[p] = cp
		}
	})
	return g.checkpointW
}
