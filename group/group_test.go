package group_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/group"
	"daybook/store"
	"daybook/store/storetest"
)

const (
	topic   = "shop"
	groupID = "cache"
	session = 10 * time.Second
	rebal   = 20 * time.Second
)

// rig is a Coordinator on a store of its own in memory, inside a synctest bubble.
type rig struct {
	*group.Coordinator
	t           *testing.T
	store       *store.Store
	connections int // readers opened
}

// open opens a coordinator on the file system; it must be closed in the bubble.
func open(t *testing.T, fs vfs.FS, change func(*group.Options)) *rig {
	t.Helper()
	s := store.New(store.Options{Dir: "data", FS: fs})
	if err := s.Open(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.EnsurePartition(topic); err != nil {
		t.Fatal(err)
	}
	o := group.Options{Store: s}
	if change != nil {
		change(&o)
	}
	c := group.New(o)
	if err := c.Open(context.Background()); err != nil {
		t.Fatal(err)
	}
	return &rig{Coordinator: c, t: t, store: s}
}

func (r *rig) close() {
	r.t.Helper()
	if err := r.Coordinator.Close(); err != nil {
		r.t.Fatal(err)
	}
	storetest.Close(r.t, r.store)
}

// bubble runs fn with fake time and a coordinator.
func bubble(t *testing.T, change func(*group.Options), fn func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := open(t, vfs.NewMem(), change)
		defer r.close()
		fn(t, r)
	})
}

// consumer is a client of the group: what it remembers between requests.
type consumer struct {
	r          *rig
	name       string
	host       string
	address    string // that it joins by, if that matters
	version    int16  // of JoinGroup and SyncGroup
	id         string
	instance   *string
	generation int32
	leader     bool
	protocols  []kmsg.JoinGroupRequestProtocol
	members    []kmsg.JoinGroupResponseMember
	readable   bool     // as a leader it writes an assignment as consumers do
	assign     [][]byte // as a leader: what it gives to the members, itself first; else see sync
}

func (r *rig) consumer(name string, protocols ...string) *consumer {
	if len(protocols) == 0 {
		protocols = []string{"range"}
	}
	c := &consumer{r: r, name: name, host: "10.0.0.1", version: 5}
	for _, p := range protocols {
		meta := kmsg.NewConsumerMemberMetadata()
		meta.Topics = []string{topic}
		c.protocols = append(c.protocols, kmsg.JoinGroupRequestProtocol{Name: p, Metadata: meta.AppendTo(nil)})
	}
	return c
}

func (c *consumer) static(instance string) *consumer {
	c.instance = &instance
	return c
}

func (c *consumer) joinRequest() *kmsg.JoinGroupRequest {
	req := kmsg.NewPtrJoinGroupRequest()
	req.Version = c.version
	req.Group = groupID
	req.MemberID = c.id
	req.InstanceID = c.instance
	req.ProtocolType = "consumer"
	req.Protocols = c.protocols
	req.SessionTimeoutMillis = int32(session.Milliseconds())
	req.RebalanceTimeoutMillis = int32(rebal.Milliseconds())
	return req
}

// joinOnce sends one JoinGroup and remembers what the answer says.
func (c *consumer) joinOnce(ctx context.Context) *kmsg.JoinGroupResponse {
	resp := c.send(ctx, c.joinRequest())
	if resp.ErrorCode == 0 || resp.ErrorCode == kerr.MemberIDRequired.Code {
		c.id = resp.MemberID
	}
	if resp.ErrorCode == 0 {
		c.generation, c.leader, c.members = resp.Generation, resp.LeaderID == resp.MemberID, resp.Members
	}
	return resp
}

// join joins, with a second request if the first one only gives an ID.
func (c *consumer) join(ctx context.Context) *kmsg.JoinGroupResponse {
	resp := c.joinOnce(ctx)
	if resp.ErrorCode == kerr.MemberIDRequired.Code {
		return c.joinOnce(ctx)
	}
	return resp
}

// sync sends SyncGroup. A leader gives the partition to the first member of
// give, and nothing to the others.
func (c *consumer) sync(give ...string) *kmsg.SyncGroupResponse {
	req := kmsg.NewPtrSyncGroupRequest()
	req.Version = min(c.version, 5)
	req.Group, req.MemberID, req.InstanceID, req.Generation = groupID, c.id, c.instance, c.generation
	if c.assign != nil && give != nil {
		give = []string{c.id}
		for _, m := range c.members {
			if m.MemberID != c.id {
				give = append(give, m.MemberID)
			}
		}
	}
	for i, id := range give {
		a := kmsg.SyncGroupRequestGroupAssignment{MemberID: id}
		switch {
		case c.assign != nil:
			a.MemberAssignment = c.assign[i]
		case i == 0 && c.readable:
			a.MemberAssignment = assignment(topic)
		case i == 0:
			a.MemberAssignment = []byte("partition 0 by " + c.name)
		}
		req.GroupAssignment = append(req.GroupAssignment, a)
	}
	return c.r.SyncGroup(context.Background(), req)
}

// start brings the consumer, alone in the group, to Stable.
func (c *consumer) start() *consumer {
	c.r.t.Helper()
	wantCode(c.r.t, "join", c.join(context.Background()).ErrorCode, nil)
	wantCode(c.r.t, "sync", c.sync(c.id).ErrorCode, nil)
	return c
}

func (c *consumer) heartbeat() int16 {
	req := kmsg.NewPtrHeartbeatRequest()
	req.Version = 4
	req.Group, req.MemberID, req.InstanceID, req.Generation = groupID, c.id, c.instance, c.generation
	return c.r.Heartbeat(context.Background(), req).ErrorCode
}

func (c *consumer) leave() int16 {
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group, req.MemberID = groupID, c.id
	return c.r.LeaveGroup(context.Background(), req).ErrorCode
}

func (c *consumer) commitRequest(offset int64) *kmsg.OffsetCommitRequest {
	req := commitRequest(offset)
	req.MemberID, req.InstanceID, req.Generation = c.id, c.instance, c.generation
	return req
}

func (c *consumer) commit(offset int64) int16 { return c.r.commit(c.commitRequest(offset)) }

// commitRequest is a commit from outside of the group, version 9.
func commitRequest(offset int64) *kmsg.OffsetCommitRequest {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Version = 9
	req.Group = groupID
	p := kmsg.NewOffsetCommitRequestTopicPartition()
	p.Offset = offset
	req.Topics = []kmsg.OffsetCommitRequestTopic{{Topic: topic, Partitions: []kmsg.OffsetCommitRequestTopicPartition{p}}}
	return req
}

func (r *rig) commit(req *kmsg.OffsetCommitRequest) int16 {
	return r.OffsetCommit(context.Background(), group.Client{ID: "tool"}, req).Topics[0].Partitions[0].ErrorCode
}

// fetch returns the group's checkpoint, -1 for none.
func (r *rig) fetch() int64 {
	r.t.Helper()
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Version = 7
	req.Group = groupID
	req.Topics = []kmsg.OffsetFetchRequestTopic{{Topic: topic, Partitions: []int32{0}}}
	resp := r.OffsetFetch(context.Background(), req)
	wantCode(r.t, "fetch offset", resp.ErrorCode, nil)
	return resp.Topics[0].Partitions[0].Offset
}

// describe returns the group's state and its members' client IDs.
func (r *rig) describe() (state string, members []string) {
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.Version = 5
	req.Groups = []string{groupID}
	d := r.DescribeGroups(context.Background(), req).Groups[0]
	for _, m := range d.Members {
		members = append(members, m.ClientID)
	}
	return d.State, members
}

func (r *rig) wantState(state string, members ...string) {
	r.t.Helper()
	gotState, gotMembers := r.describe()
	if gotState != state || fmt.Sprint(gotMembers) != fmt.Sprint(members) {
		r.t.Errorf("group: got %s %v, want %s %v", gotState, gotMembers, state, members)
	}
}

// later runs fn in the background; the channel gives its result.
func later[A any](fn func() A) <-chan A {
	done := make(chan A, 1)
	go func() { done <- fn() }()
	return done
}

// blocked checks that nothing has come through the channel yet.
func blocked[A any](t *testing.T, what string, done <-chan A) {
	t.Helper()
	synctest.Wait()
	select {
	case a := <-done:
		t.Fatalf("%s: got an answer already: %+v", what, a)
	default:
	}
}

func wantCode(t *testing.T, what string, got int16, want *kerr.Error) {
	t.Helper()
	wantNumber := int16(0)
	if want != nil {
		wantNumber = want.Code
	}
	if got != wantNumber {
		t.Fatalf("%s: got error %v, want %v", what, kerr.TypedErrorForCode(got), kerr.TypedErrorForCode(wantNumber))
	}
}

// send is JoinGroup without remembering anything.
func (c *consumer) send(ctx context.Context, req *kmsg.JoinGroupRequest) *kmsg.JoinGroupResponse {
	return c.r.JoinGroup(ctx, group.Client{ID: c.name, Host: "/" + c.host, Address: c.address}, req)
}
