//go:build servers

package kafka

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func commitRequest(group string, generation int32, memberID, topic string, topicID [16]byte, partition int32, offset int64) *kmsg.OffsetCommitRequest {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group, req.Generation, req.MemberID = group, generation, memberID
	p := kmsg.NewOffsetCommitRequestTopicPartition()
	p.Partition, p.Offset, p.LeaderEpoch, p.Metadata, p.Timestamp = partition, offset, 0, kmsg.StringPtr("note"), -1
	t := kmsg.NewOffsetCommitRequestTopic()
	t.Topic, t.TopicID, t.Partitions = topic, topicID, append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	return req
}

func fetchOffsets(group, topic string, partitions ...int32) *kmsg.OffsetFetchRequest {
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Group = group
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group = group
	if topic != "" {
		t := kmsg.NewOffsetFetchRequestTopic()
		t.Topic, t.Partitions = topic, partitions
		req.Topics = append(req.Topics, t)
		gt := kmsg.NewOffsetFetchRequestGroupTopic()
		gt.Topic, gt.Partitions = topic, partitions
		g.Topics = append(g.Topics, gt)
	}
	req.Groups = append(req.Groups, g)
	return req
}

func offsetCommit(s *side, v int16) {
	s.awaitCoordinator()
	commit := func(label string, generation int32, memberID, topic string, partition int32, offset int64, change ...func(*kmsg.OffsetCommitRequest)) {
		req := commitRequest(s.group, generation, memberID, topic, s.topicID, partition, offset)
		for _, c := range change {
			c(req)
		}
		ask[*kmsg.OffsetCommitResponse](s, label, v, req)
	}
	commit("alone", -1, "", shop, 0, 3)
	ask[*kmsg.OffsetFetchResponse](s, "what alone left", 5, fetchOffsets(s.group, "", 0))
	commit("unknown partition", -1, "", shop, 1, 3)
	commit("unknown topic", -1, "", "absent", 0, 3)
	commit("foreign topic", -1, "", foreignTopic, 0, 3)
	commit("foreign group", -1, "", shop, 0, 3, func(r *kmsg.OffsetCommitRequest) { r.Group = "ledger" })
	commit("no group", -1, "", shop, 0, 3, func(r *kmsg.OffsetCommitRequest) { r.Group = "" })
	commit("long metadata", -1, "", shop, 0, 3, func(r *kmsg.OffsetCommitRequest) {
		r.Topics[0].Partitions[0].Metadata = kmsg.StringPtr(strings.Repeat("x", 4097))
	})
	commit("null metadata", -1, "", shop, 0, 4, func(r *kmsg.OffsetCommitRequest) { r.Topics[0].Partitions[0].Metadata = nil })
	commit("beyond the end", -1, "", shop, 0, 1<<40)
	commit("negative", -1, "", shop, 0, -1)
	commit("no such member", 1, "nobody", shop, 0, 5)
	commit("no topics", -1, "", shop, 0, 5, func(r *kmsg.OffsetCommitRequest) { r.Topics = nil })

	commit("several", -1, "", shop, 0, 3, func(r *kmsg.OffsetCommitRequest) {
		r.Topics = append(r.Topics, commitRequest("", 0, "", "absent", [16]byte{1}, 0, 3).Topics...)
		r.Topics[0].Partitions = append(r.Topics[0].Partitions, commitRequest("", 0, "", "", s.topicID, 1, 3).Topics[0].Partitions...)
	})
	commit("a partition twice", -1, "", shop, 0, 11, func(r *kmsg.OffsetCommitRequest) {
		r.Topics[0].Partitions = append(r.Topics[0].Partitions, commitRequest("", 0, "", "", s.topicID, 0, 12).Topics[0].Partitions...)
	})
	commit("generation without a member", 1, "", shop, 0, 3)
	commit("a member without generation", -1, "nobody", shop, 0, 3)
	commit("generation -2", -2, "", shop, 0, 3)
	if v >= 7 {
		commit("unknown instance", -1, "", shop, 0, 3, func(r *kmsg.OffsetCommitRequest) { r.InstanceID = kmsg.StringPtr("nobody") })
	}
	ask[*kmsg.OffsetFetchResponse](s, "what those left", 5, fetchOffsets(s.group, "", 0))

	m := s.join("join", joinVersion, nil)
	commit("before the assignment", m.generation, m.id, shop, 0, 5)
	m.sync("assignment", syncVersion, m)
	commit("by the member", m.generation, m.id, shop, 0, 6)
	commit("old generation", m.generation-1, m.id, shop, 0, 7)
	commit("unknown member", m.generation, "nobody", shop, 0, 7)
	commit("beside the member", -1, "", shop, 0, 7)
	ask[*kmsg.OffsetFetchResponse](s, "what is left", 5, fetchOffsets(s.group, "", 0))
	m.leave("leave", leaveVersion)
	commit("after leaving", m.generation, m.id, shop, 0, 8)
}

func offsetFetch(s *side, v int16) {
	s.awaitCoordinator()
	try := func(label, group, topic string, partitions ...int32) {
		req := fetchOffsets(group, topic, partitions...)
		for i := range req.Groups[0].Topics {
			if req.Groups[0].Topics[i].TopicID = s.topicID; topic != shop {
				req.Groups[0].Topics[i].TopicID = [16]byte{1}
			}
		}
		ask[*kmsg.OffsetFetchResponse](s, label, v, req)
	}
	try("unknown group", s.group, shop, 0)
	quietly[*kmsg.OffsetCommitResponse](s, commitVersion, commitRequest(s.group, -1, "", shop, s.topicID, 0, 9))
	try("committed", s.group, shop, 0)
	try("unknown partition", s.group, shop, 0, 1)
	try("unknown topic", s.group, "absent", 0)
	try("foreign topic", s.group, foreignTopic, 0)
	try("foreign group", "ledger", shop, 0)
	if v >= 2 {
		try("all", s.group, "")
		try("all of a foreign group", "ledger", "")
	}
	try("a partition twice", s.group, shop, 0, 0)
	try("no partitions", s.group, shop)
	try("no group", "", shop, 0)
	empty := fetchOffsets(s.group, "")
	empty.Topics, empty.Groups[0].Topics = []kmsg.OffsetFetchRequestTopic{}, []kmsg.OffsetFetchRequestGroupTopic{}
	ask[*kmsg.OffsetFetchResponse](s, "no topics", v, empty)
	several := fetchOffsets(s.group, shop, 0)
	other := fetchOffsets("", "absent", 0)
	several.Topics, several.Groups[0].Topics = append(several.Topics, other.Topics...), append(several.Groups[0].Topics, other.Groups[0].Topics...)
	ask[*kmsg.OffsetFetchResponse](s, "several topics", v, several)
	if v >= 8 {
		req := fetchOffsets(s.group, shop, 0)
		req.Groups = append(req.Groups, fetchOffsets(s.group, "absent", 0).Groups...)
		ask[*kmsg.OffsetFetchResponse](s, "a group twice", v, req)
	}
	if v >= 8 {
		req := fetchOffsets(s.group, shop, 0)
		req.Groups = append(req.Groups, fetchOffsets("ledger", shop, 0).Groups...)
		ask[*kmsg.OffsetFetchResponse](s, "two groups", v, req)
	}
	if v >= 7 {
		req := fetchOffsets(s.group, shop, 0)
		req.RequireStable = true
		ask[*kmsg.OffsetFetchResponse](s, "stable", v, req)
	}
	if v >= 9 {
		req := fetchOffsets(s.group, shop, 0)
		req.Groups[0].MemberID, req.Groups[0].MemberEpoch = kmsg.StringPtr("nobody"), 3
		ask[*kmsg.OffsetFetchResponse](s, "as a member", v, req)
	}
}

func offsetDelete(s *side, v int16) {
	s.awaitCoordinator()
	remove := func(label, group, topic string, partitions ...int32) {
		req := kmsg.NewPtrOffsetDeleteRequest()
		req.Group = group
		t := kmsg.NewOffsetDeleteRequestTopic()
		t.Topic = topic
		for _, n := range partitions {
			p := kmsg.NewOffsetDeleteRequestTopicPartition()
			p.Partition = n
			t.Partitions = append(t.Partitions, p)
		}
		req.Topics = append(req.Topics, t)
		ask[*kmsg.OffsetDeleteResponse](s, label, v, req)
	}
	remove("unknown group", s.group, shop, 0)
	quietly[*kmsg.OffsetCommitResponse](s, commitVersion, commitRequest(s.group, -1, "", shop, s.topicID, 0, 9))
	remove("unknown partition", s.group, shop, 1)
	remove("unknown topic", s.group, "absent", 0)
	remove("foreign topic", s.group, foreignTopic, 0)
	remove("foreign group", "ledger", shop, 0)
	remove("no group", "", shop, 0)
	remove("no partitions", s.group, shop)
	m := s.join("join", joinVersion, nil)
	m.sync("assignment", syncVersion, m)
	remove("in use", s.group, shop, 0)
	m.leave("leave", leaveVersion)
	remove("not in use", s.group, shop, 0)
	remove("twice", s.group, shop, 0)
	ask[*kmsg.OffsetFetchResponse](s, "checkpoints afterwards", 5, fetchOffsets(s.group, "", 0))
	s.describe("afterwards", describeVersion)
}
