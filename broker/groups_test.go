package broker_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/broker"
	"daybook/group"
)

func joinRequest(v int16, group string) *kmsg.JoinGroupRequest {
	req := kmsg.NewPtrJoinGroupRequest()
	req.Version, req.Group = v, group
	req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = 10_000, 10_000
	req.ProtocolType = "consumer"
	p := kmsg.NewJoinGroupRequestProtocol()
	p.Name, p.Metadata = "range", []byte("metadata")
	req.Protocols = append(req.Protocols, p)
	return req
}

// member is a consumer group member that has been assigned the partition.
type member struct {
	id         string
	generation int32
}

// join makes the client the leader of its group and assigns it the partition.
func (c *client) join(v int16, group string) member {
	c.t.Helper()
	return c.joinAndSync(v, min(v, 5), group)
}

// joinAndSync is join in a version of each of the two APIs.
func (c *client) joinAndSync(v, syncVersion int16, group string) member {
	c.t.Helper()
	join := joinRequest(v, group)
	resp := ask[*kmsg.JoinGroupResponse](c, join)
	if resp.ErrorCode == kerr.MemberIDRequired.Code {
		join.MemberID = resp.MemberID
		resp = ask[*kmsg.JoinGroupResponse](c, join)
	}
	if resp.ErrorCode != 0 || resp.LeaderID != resp.MemberID {
		c.t.Fatalf("join version %d: %+v", v, resp)
	}
	sync := kmsg.NewPtrSyncGroupRequest()
	sync.Version, sync.Group, sync.Generation, sync.MemberID = syncVersion, group, resp.Generation, resp.MemberID
	sync.ProtocolType, sync.Protocol = kmsg.StringPtr("consumer"), kmsg.StringPtr("range")
	a := kmsg.NewSyncGroupRequestGroupAssignment()
	a.MemberID, a.MemberAssignment = resp.MemberID, []byte("assignment")
	sync.GroupAssignment = append(sync.GroupAssignment, a)
	if resp := ask[*kmsg.SyncGroupResponse](c, sync); resp.ErrorCode != 0 || string(resp.MemberAssignment) != "assignment" {
		c.t.Fatalf("sync version %d: %+v", v, resp)
	}
	return member{resp.MemberID, resp.Generation}
}

func TestGroupMembership(t *testing.T) {
	c := newCluster(t)
	c.versions(kmsg.NewPtrJoinGroupRequest(), func(t *testing.T, cl *client, v int16) {
		m := cl.join(v, groupID)
		beat := kmsg.NewPtrHeartbeatRequest()
		beat.Version, beat.Group, beat.Generation, beat.MemberID = min(v, 4), groupID, m.generation, m.id
		if resp := ask[*kmsg.HeartbeatResponse](cl, beat); resp.ErrorCode != 0 {
			t.Errorf("heartbeat: error %d", resp.ErrorCode)
		}
		leave := kmsg.NewPtrLeaveGroupRequest()
		leave.Version, leave.Group, leave.MemberID = min(v, 5), groupID, m.id
		lm := kmsg.NewLeaveGroupRequestMember()
		lm.MemberID = m.id
		leave.Members = append(leave.Members, lm)
		if resp := ask[*kmsg.LeaveGroupResponse](cl, leave); resp.ErrorCode != 0 {
			t.Errorf("leave: error %d", resp.ErrorCode)
		}
	})
}

// Another group is GROUP_AUTHORIZATION_FAILED, in the place that each response
// has for it, in every version.
func TestOtherGroups(t *testing.T) {
	c := newCluster(t)
	const other = "ledger"
	name, names := kmsg.StringPtr(other), []string{other}
	commitTopic := kmsg.OffsetCommitRequestTopic{Topic: topic, TopicID: c.part.TopicID(), Partitions: []kmsg.OffsetCommitRequestTopicPartition{{Offset: 5}}}
	for _, test := range []struct {
		req kmsg.Request
		get func(kmsg.Response) int16
	}{
		{joinRequest(0, other), func(r kmsg.Response) int16 { return r.(*kmsg.JoinGroupResponse).ErrorCode }},
		{&kmsg.SyncGroupRequest{Group: other}, func(r kmsg.Response) int16 { return r.(*kmsg.SyncGroupResponse).ErrorCode }},
		{&kmsg.HeartbeatRequest{Group: other}, func(r kmsg.Response) int16 { return r.(*kmsg.HeartbeatResponse).ErrorCode }},
		{&kmsg.LeaveGroupRequest{Group: other}, func(r kmsg.Response) int16 { return r.(*kmsg.LeaveGroupResponse).ErrorCode }},
		{&kmsg.OffsetCommitRequest{Group: other, Generation: -1, Topics: []kmsg.OffsetCommitRequestTopic{commitTopic}}, func(r kmsg.Response) int16 {
			return r.(*kmsg.OffsetCommitResponse).Topics[0].Partitions[0].ErrorCode
		}},
		{&kmsg.OffsetFetchRequest{
			Group:  other,
			Topics: []kmsg.OffsetFetchRequestTopic{{Topic: topic, Partitions: []int32{0}}},
			Groups: []kmsg.OffsetFetchRequestGroup{{Group: other, MemberID: name, Topics: []kmsg.OffsetFetchRequestGroupTopic{}}},
		}, func(r kmsg.Response) int16 {
			resp := r.(*kmsg.OffsetFetchResponse)
			switch {
			case resp.Version < 2:
				return resp.Topics[0].Partitions[0].ErrorCode
			case resp.Version < 8:
				return resp.ErrorCode
			}
			return resp.Groups[0].ErrorCode
		}},
		{&kmsg.FindCoordinatorRequest{CoordinatorKey: other, CoordinatorKeys: names}, func(r kmsg.Response) int16 {
			if resp := r.(*kmsg.FindCoordinatorResponse); resp.Version < 4 {
				return resp.ErrorCode
			}
			return r.(*kmsg.FindCoordinatorResponse).Coordinators[0].ErrorCode
		}},
		{&kmsg.DescribeGroupsRequest{Groups: names}, func(r kmsg.Response) int16 { return r.(*kmsg.DescribeGroupsResponse).Groups[0].ErrorCode }},
		{&kmsg.DeleteGroupsRequest{Groups: names}, func(r kmsg.Response) int16 { return r.(*kmsg.DeleteGroupsResponse).Groups[0].ErrorCode }},
		{&kmsg.OffsetDeleteRequest{Group: other}, func(r kmsg.Response) int16 { return r.(*kmsg.OffsetDeleteResponse).ErrorCode }},
	} {
		t.Run(kmsg.NameForKey(test.req.Key()), func(t *testing.T) {
			c := *c
			c.t = t
			c.versions(test.req, func(t *testing.T, cl *client, v int16) {
				test.req.SetVersion(v)
				if got := test.get(do(cl, test.req)); got != kerr.GroupAuthorizationFailed.Code {
					t.Errorf("error %d, want %d", got, kerr.GroupAuthorizationFailed.Code)
				}
			})
		})
	}
}

func commitRequest(v int16, partitions ...kmsg.OffsetCommitRequestTopic) *kmsg.OffsetCommitRequest {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Version, req.Group, req.Generation = v, groupID, -1
	req.Topics = partitions
	return req
}

func commitTopic(name string, id [16]byte, partition int32, offset int64) kmsg.OffsetCommitRequestTopic {
	t := kmsg.NewOffsetCommitRequestTopic()
	t.Topic, t.TopicID = name, id
	p := kmsg.NewOffsetCommitRequestTopicPartition()
	p.Partition, p.Offset = partition, offset
	t.Partitions = append(t.Partitions, p)
	return t
}

func TestOffsetCommit(t *testing.T) {
	c := newCluster(t)
	other, _ := c.store.Partition(otherTopic)
	id := c.part.TopicID()
	c.versions(kmsg.NewPtrOffsetCommitRequest(), func(t *testing.T, cl *client, v int16) {
		offset := int64(100 + v)
		resp := ask[*kmsg.OffsetCommitResponse](cl, commitRequest(v,
			commitTopic(topic, id, 0, offset), commitTopic(topic, id, 1, 7),
			commitTopic(otherTopic, other.TopicID(), 0, 7), commitTopic("nowhere", [16]byte{1}, 0, 7)))
		want := map[string]int16{topic: 0, otherTopic: kerr.UnknownTopicOrPartition.Code, "nowhere": kerr.UnknownTopicOrPartition.Code}
		if v >= 10 {
			want = map[string]int16{string(id[:]): 0, string(append([]byte(nil), idBytes(other.TopicID())...)): kerr.UnknownTopicID.Code, string(idBytes([16]byte{1})): kerr.UnknownTopicID.Code}
		}
		blocks := 0
		for _, rt := range resp.Topics {
			name := rt.Topic
			if v >= 10 {
				name = string(rt.TopicID[:])
			}
			for _, rp := range rt.Partitions {
				blocks++
				code := want[name]
				if rp.Partition == 1 && code == 0 {
					code = kerr.UnknownTopicOrPartition.Code
				}
				if rp.ErrorCode != code && !(v >= 10 && rp.Partition == 1) {
					t.Errorf("%q partition %d: error %d, want %d", name, rp.Partition, rp.ErrorCode, code)
				}
			}
		}
		if blocks != 4 {
			t.Errorf("%d partitions are answered, want 4", blocks)
		}
		if got := c.checkpoint(cl); got != offset {
			t.Errorf("the checkpoint is %d, want %d", got, offset)
		}
	})
}

func idBytes(id [16]byte) []byte { return id[:] }

// checkpoint returns the group's checkpoint in the topic; -1 if there is none.
func (c *cluster) checkpoint(cl *client) int64 {
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Version, req.Group = 5, groupID
	for _, rt := range ask[*kmsg.OffsetFetchResponse](cl, req).Topics {
		if rt.Topic == topic {
			return rt.Partitions[0].Offset
		}
	}
	return -1
}

func TestOffsetFetch(t *testing.T) {
	var groups *group.Coordinator
	c := newCluster(t, func(o *broker.Options) { groups = o.Groups })
	// A checkpoint from when the group belonged to another task is not shown.
	groups.OffsetCommit(t.Context(), group.Client{}, commitRequest(5, commitTopic(otherTopic, noID, 0, 7)))
	cl := c.login(user)
	ask[*kmsg.OffsetCommitResponse](cl, commitRequest(5, commitTopic(topic, noID, 0, 42)))
	other, _ := c.store.Partition(otherTopic)
	c.versions(kmsg.NewPtrOffsetFetchRequest(), func(t *testing.T, cl *client, v int16) {
		req := kmsg.NewPtrOffsetFetchRequest()
		req.Version, req.Group = v, groupID
		wanted := kmsg.NewOffsetFetchRequestGroup()
		wanted.Group = groupID
		for name, id := range map[string][16]byte{topic: c.part.TopicID(), otherTopic: other.TopicID(), "nowhere": {1}} {
			req.Topics = append(req.Topics, kmsg.OffsetFetchRequestTopic{Topic: name, Partitions: []int32{0}})
			wanted.Topics = append(wanted.Topics, kmsg.OffsetFetchRequestGroupTopic{Topic: name, TopicID: id, Partitions: []int32{0}})
		}
		req.Groups = append(req.Groups, wanted)
		got := offsets(t, ask[*kmsg.OffsetFetchResponse](cl, req))
		if len(got) != 3 {
			t.Fatalf("%d topics, want 3", len(got))
		}
		for key, p := range got {
			want, code := int64(-1), int16(0)
			if key == topic || v >= 10 && key == string(idBytes(c.part.TopicID())) {
				want = 42
			} else if v >= 10 {
				code = kerr.UnknownTopicID.Code
			}
			if p.Offset != want || p.ErrorCode != code {
				t.Errorf("%q: offset %d error %d, want %d, %d", key, p.Offset, p.ErrorCode, want, code)
			}
		}
		if v >= 2 { // null asks for all
			req.Topics, req.Groups[0].Topics = nil, nil
			if got := offsets(t, ask[*kmsg.OffsetFetchResponse](cl, req)); len(got) != 1 {
				t.Errorf("all topics: %+v, want one", got)
			}
		}
	})
}

var noID [16]byte

// offsets returns the partitions of a response by topic name, from version 10
// on by topic ID.
func offsets(t *testing.T, resp *kmsg.OffsetFetchResponse) map[string]kmsg.OffsetFetchResponseGroupTopicPartition {
	t.Helper()
	got := map[string]kmsg.OffsetFetchResponseGroupTopicPartition{}
	for _, rt := range resp.Topics {
		p := rt.Partitions[0]
		got[rt.Topic] = kmsg.OffsetFetchResponseGroupTopicPartition{Offset: p.Offset, ErrorCode: p.ErrorCode}
	}
	for _, rg := range resp.Groups {
		if rg.ErrorCode != 0 {
			t.Fatalf("group %s: error %d", rg.Group, rg.ErrorCode)
		}
		for _, rt := range rg.Topics {
			if resp.Version >= 10 {
				rt.Topic = string(rt.TopicID[:])
			}
			got[rt.Topic] = rt.Partitions[0]
		}
	}
	return got
}

func TestDescribeAndListGroups(t *testing.T) {
	c := newCluster(t)
	mine, other := c.login(user), c.login(otherUser)
	mine.join(5, groupID)
	other.join(5, "ledger")
	c.versions(kmsg.NewPtrListGroupsRequest(), func(t *testing.T, cl *client, v int16) {
		req := kmsg.NewPtrListGroupsRequest()
		req.Version = v
		if g := ask[*kmsg.ListGroupsResponse](cl, req).Groups; len(g) != 1 || g[0].Group != groupID {
			t.Errorf("groups %+v, want %s alone", g, groupID)
		}
	})
	c.versions(kmsg.NewPtrDescribeGroupsRequest(), func(t *testing.T, cl *client, v int16) {
		req := kmsg.NewPtrDescribeGroupsRequest()
		req.Version, req.Groups = v, []string{groupID}
		g := ask[*kmsg.DescribeGroupsResponse](cl, req).Groups
		if len(g) != 1 || g[0].State != "Stable" || len(g[0].Members) != 1 || g[0].Members[0].ClientHost != "/127.0.0.1" || g[0].Members[0].ClientID != "raw" {
			t.Errorf("group %+v", g)
		}
	})
}
