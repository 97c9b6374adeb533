package broker_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// sent says in which versions a client sends its requests; -1: it does not.
type sent struct {
	apiVersions, handshake, authenticate          int16
	metadata                                      []int16
	find, join, sync, heartbeat, leave            int16
	listOffsets, fetch, offsetFetch, offsetCommit int16
}

// notRun are the clients that no test runs, since their registries cannot be
// reached, with what they were seen to send to Daybook. docs/clients.md lists
// them.
var notRun = map[string]sent{
	// Confluent.Kafka 2.15.0 (.NET), and rdkafka-ruby 0.29.0, on which karafka is built.
	"librdkafka 2.15.1": {
		apiVersions: 3, handshake: 1, authenticate: 1, metadata: []int16{13},
		find: 2, join: 5, sync: 3, heartbeat: 3, leave: 1,
		listOffsets: 7, fetch: 16, offsetFetch: 9, offsetCommit: 9,
	},
	"ruby-kafka 1.5.0": {
		apiVersions: -1, handshake: 0, authenticate: -1, metadata: []int16{1},
		find: 1, join: 1, sync: 0, heartbeat: 0, leave: 0,
		listOffsets: 2, fetch: 4, offsetFetch: 1, offsetCommit: 2,
	},
	"brod 4.6.2, kafka_protocol 4.3.6": {
		apiVersions: 0, handshake: 1, authenticate: 0, metadata: []int16{2, 9},
		find: 3, join: 6, sync: 3, heartbeat: 4, leave: 0,
		listOffsets: 2, fetch: 10, offsetFetch: 2, offsetCommit: 8,
	},
}

// Each goes the way of a consumer, over a connection for the group and one for
// the records.
func TestVersionsOfClientsThatAreNotRun(t *testing.T) {
	for name, v := range notRun {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			c.produce(3, 4)
			group, records := v.login(c), v.login(c)
			v.wantCluster(c, group)
			m := group.joinAndSync(v.join, v.sync, groupID)
			v.wantCheckpoint(t, group, -1)
			v.wantRecords(t, c, records)
			v.stay(t, group, m)
			commit := commitRequest(v.offsetCommit, commitTopic(topic, noID, 0, 7))
			commit.MemberID, commit.Generation = m.id, m.generation
			resp := ask[*kmsg.OffsetCommitResponse](group, commit)
			if code := resp.Topics[0].Partitions[0].ErrorCode; code != 0 {
				t.Errorf("commit: error %d", code)
			}
			v.wantCheckpoint(t, group, 7)
			v.leaveGroup(t, group, m)
		})
	}
}

func (v sent) login(c *cluster) *client {
	c.t.Helper()
	cl := c.dial()
	if v.apiVersions >= 0 {
		req := kmsg.NewPtrApiVersionsRequest()
		req.Version, req.ClientSoftwareName, req.ClientSoftwareVersion = v.apiVersions, "stock", "1"
		if resp := ask[*kmsg.ApiVersionsResponse](cl, req); resp.ErrorCode != 0 {
			c.t.Fatalf("ApiVersions: error %d", resp.ErrorCode)
		}
	}
	if resp := ask[*kmsg.SASLHandshakeResponse](cl, handshake(v.handshake, "PLAIN")); resp.ErrorCode != 0 {
		c.t.Fatalf("handshake: error %d", resp.ErrorCode)
	}
	if v.handshake == 0 {
		cl.sendFrame(token("", user, password))
		if frame, err := cl.frame(); err != nil || len(frame) != 0 {
			c.t.Fatalf("login: %x, %v", frame, err)
		}
		return cl
	}
	req := kmsg.NewPtrSASLAuthenticateRequest()
	req.Version, req.SASLAuthBytes = v.authenticate, token("", user, password)
	if resp := ask[*kmsg.SASLAuthenticateResponse](cl, req); resp.ErrorCode != 0 {
		c.t.Fatalf("login: error %d", resp.ErrorCode)
	}
	return cl
}

// wantCluster asks for the topic and the group's coordinator.
func (v sent) wantCluster(c *cluster, cl *client) {
	c.t.Helper()
	for _, version := range v.metadata {
		req := kmsg.NewPtrMetadataRequest()
		req.Version = version
		req.Topics = append(req.Topics, kmsg.MetadataRequestTopic{Topic: kmsg.StringPtr(topic)})
		resp := ask[*kmsg.MetadataResponse](cl, req)
		if len(resp.Brokers) != 1 || len(resp.Topics) != 1 || resp.Topics[0].ErrorCode != 0 || len(resp.Topics[0].Partitions) != 1 {
			c.t.Fatalf("metadata version %d: %+v", version, resp)
		}
	}
	req := kmsg.NewPtrFindCoordinatorRequest()
	req.Version, req.CoordinatorKey = v.find, groupID
	if resp := ask[*kmsg.FindCoordinatorResponse](cl, req); resp.ErrorCode != 0 || resp.Port == 0 {
		c.t.Fatalf("find the coordinator: %+v", resp)
	}
}

func (v sent) wantRecords(t *testing.T, c *cluster, cl *client) {
	t.Helper()
	for time, want := range map[int64]int64{-2: 0, -1: 7, timeOf(5): 5} {
		resp := ask[*kmsg.ListOffsetsResponse](cl, listRequest(v.listOffsets, topic, 0, time))
		if p := resp.Topics[0].Partitions[0]; p.ErrorCode != 0 || p.Offset != want {
			t.Errorf("offset of time %d: %d, error %d, want %d", time, p.Offset, p.ErrorCode, want)
		}
	}
	p := only(t, ask[*kmsg.FetchResponse](cl, c.fetchRequest(v.fetch, 0)))
	if p.ErrorCode != 0 {
		t.Fatalf("fetch: error %d", p.ErrorCode)
	}
	wantRecords(t, parseRecords(t, p.RecordBatches, v.fetch), 0, 7)
}

func (v sent) wantCheckpoint(t *testing.T, cl *client, want int64) {
	t.Helper()
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Version, req.Group = v.offsetFetch, groupID
	req.Topics = append(req.Topics, kmsg.OffsetFetchRequestTopic{Topic: topic, Partitions: []int32{0}})
	wanted := kmsg.NewOffsetFetchRequestGroup()
	wanted.Group = groupID
	wanted.Topics = append(wanted.Topics, kmsg.OffsetFetchRequestGroupTopic{Topic: topic, Partitions: []int32{0}})
	req.Groups = append(req.Groups, wanted)
	got := offsets(t, ask[*kmsg.OffsetFetchResponse](cl, req))[topic]
	if got.ErrorCode != 0 || got.Offset != want {
		t.Errorf("checkpoint %d, error %d, want %d", got.Offset, got.ErrorCode, want)
	}
}

func (v sent) stay(t *testing.T, cl *client, m member) {
	t.Helper()
	req := kmsg.NewPtrHeartbeatRequest()
	req.Version, req.Group, req.Generation, req.MemberID = v.heartbeat, groupID, m.generation, m.id
	if resp := ask[*kmsg.HeartbeatResponse](cl, req); resp.ErrorCode != 0 {
		t.Errorf("heartbeat: error %d", resp.ErrorCode)
	}
}

func (v sent) leaveGroup(t *testing.T, cl *client, m member) {
	t.Helper()
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Version, req.Group, req.MemberID = v.leave, groupID, m.id
	if resp := ask[*kmsg.LeaveGroupResponse](cl, req); resp.ErrorCode != 0 {
		t.Errorf("leave: error %d", resp.ErrorCode)
	}
}
