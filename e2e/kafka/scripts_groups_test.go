//go:build servers

package kafka

import (
	"regexp"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// The versions of the requests that are not a script's own subject.
const (
	joinVersion      = 5
	syncVersion      = 3
	heartbeatVersion = 3
	leaveVersion     = 3
	commitVersion    = 7
	describeVersion  = 5
)

// member is a group member on one side.
type member struct {
	*side
	instance   *string
	id         string
	generation int32
}

func (s *side) joinRequest(memberID string, instance *string) *kmsg.JoinGroupRequest {
	subscription := kmsg.NewConsumerMemberMetadata()
	subscription.Topics = []string{shop}
	req := kmsg.NewPtrJoinGroupRequest()
	req.Group, req.MemberID, req.InstanceID = s.group, memberID, instance
	req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = 20_000, 20_000
	req.ProtocolType = "consumer"
	for _, name := range []string{"range", "roundrobin"} {
		p := kmsg.NewJoinGroupRequestProtocol()
		p.Name, p.Metadata = name, subscription.AppendTo(nil)
		req.Protocols = append(req.Protocols, p)
	}
	return req
}

// join makes a member on this connection, whose answers are compared.
func (s *side) join(label string, version int16, instance *string) *member {
	resp := ask[*kmsg.JoinGroupResponse](s, label, version, s.joinRequest("", instance))
	if resp.ErrorCode == kerr.MemberIDRequired.Code {
		s.name(resp.MemberID, uuids.ReplaceAllString(resp.MemberID, "UUID")+" of "+label)
		resp = ask[*kmsg.JoinGroupResponse](s, label+", with its ID", version, s.joinRequest(resp.MemberID, instance))
	}
	if resp.ErrorCode != 0 {
		s.t.Errorf("%s: %s: error %d", s.broker, label, resp.ErrorCode)
	}
	s.name(resp.MemberID, uuids.ReplaceAllString(resp.MemberID, "UUID")+" of "+label)
	return &member{s, instance, resp.MemberID, resp.Generation}
}

var uuids = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// again joins once more with the member's ID.
func (m *member) again(label string, version int16) {
	m.generation = ask[*kmsg.JoinGroupResponse](m.side, label, version, m.joinRequest(m.id, m.instance)).Generation
}

func (m *member) sync(label string, version int16, assigned ...*member) *kmsg.SyncGroupResponse {
	req := kmsg.NewPtrSyncGroupRequest()
	req.Group, req.MemberID, req.InstanceID, req.Generation = m.group, m.id, m.instance, m.generation
	req.ProtocolType, req.Protocol = kmsg.StringPtr("consumer"), kmsg.StringPtr("range")
	for i, to := range assigned {
		a := kmsg.NewSyncGroupRequestGroupAssignment()
		a.MemberID, a.MemberAssignment = to.id, []byte{byte(i), 1, 2}
		req.GroupAssignment = append(req.GroupAssignment, a)
	}
	return ask[*kmsg.SyncGroupResponse](m.side, label, version, req)
}

func (m *member) heartbeatRequest() *kmsg.HeartbeatRequest {
	req := kmsg.NewPtrHeartbeatRequest()
	req.Group, req.MemberID, req.InstanceID, req.Generation = m.group, m.id, m.instance, m.generation
	return req
}

// awaitRebalance waits until another's JoinGroup has reached the group.
func (m *member) awaitRebalance() {
	for deadline := time.Now().Add(timeout); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if quietly[*kmsg.HeartbeatResponse](m.side, heartbeatVersion, m.heartbeatRequest()).ErrorCode == kerr.RebalanceInProgress.Code {
			return
		}
	}
	m.t.Errorf("%s: no rebalance begins", m.broker)
}

func (m *member) leave(label string, version int16) {
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group, req.MemberID = m.group, m.id
	l := kmsg.NewLeaveGroupRequestMember()
	l.MemberID, l.InstanceID = m.id, m.instance
	req.Members = append(req.Members, l)
	ask[*kmsg.LeaveGroupResponse](m.side, label, version, req)
}

func (s *side) describe(label string, version int16) {
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.Groups = []string{s.group}
	req.IncludeAuthorizedOperations = version >= 3
	ask[*kmsg.DescribeGroupsResponse](s, label, version, req)
}

func findCoordinator(s *side, v int16) {
	try := func(label string, kind int8, keys ...string) {
		req := kmsg.NewPtrFindCoordinatorRequest()
		req.CoordinatorKey, req.CoordinatorKeys, req.CoordinatorType = keys[0], keys, kind
		ask[*kmsg.FindCoordinatorResponse](s, label, v, req)
	}
	s.awaitCoordinator()
	try("own", 0, s.group)
	try("foreign", 0, "ledger")
	if v >= 1 {
		try("of transactions", 1, "tx")
		try("no such type", 9, "tx")
	}
	try("no name", 0, "")
	if v >= 4 {
		try("two", 0, s.group, "ledger")
		try("twice", 0, s.group, s.group)
		try("two of transactions", 1, "tx", "ty")
		req := kmsg.NewPtrFindCoordinatorRequest()
		ask[*kmsg.FindCoordinatorResponse](s, "none", v, req)
	}
	if v >= 6 {
		try("of a share group", 2, s.group+":AAAAAAAAAAAAAAAAAAAAAA:0")
	}
}

// awaitCoordinator waits until the broker, which makes the topic of its
// checkpoints when it is first asked, has it.
func (s *side) awaitCoordinator() {
	for deadline := time.Now().Add(timeout); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		req := kmsg.NewPtrFindCoordinatorRequest()
		req.CoordinatorKey = s.group
		if quietly[*kmsg.FindCoordinatorResponse](s, 0, req).ErrorCode == 0 {
			describe := kmsg.NewPtrDescribeGroupsRequest()
			describe.Groups = []string{s.group}
			if quietly[*kmsg.DescribeGroupsResponse](s, 0, describe).Groups[0].ErrorCode == 0 {
				return
			}
		}
	}
	s.t.Errorf("%s: no coordinator", s.broker)
}

func joinGroup(s *side, v int16) {
	s.awaitCoordinator()
	try := func(label string, change func(*kmsg.JoinGroupRequest)) {
		req := s.joinRequest("", nil)
		change(req)
		ask[*kmsg.JoinGroupResponse](s, label, v, req)
	}
	try("short session", func(r *kmsg.JoinGroupRequest) { r.SessionTimeoutMillis = 1000 })
	try("long session", func(r *kmsg.JoinGroupRequest) { r.SessionTimeoutMillis = 1<<31 - 1 })
	try("no group", func(r *kmsg.JoinGroupRequest) { r.Group = "" })
	try("foreign group", func(r *kmsg.JoinGroupRequest) { r.Group = "ledger" })
	try("unknown member", func(r *kmsg.JoinGroupRequest) { r.MemberID = "nobody" })
	try("no protocols", func(r *kmsg.JoinGroupRequest) { r.Protocols = nil })
	try("no protocol type", func(r *kmsg.JoinGroupRequest) { r.ProtocolType = "" })

	first := s.join("first", v, nil)
	first.sync("first's assignment", syncVersion, first)
	first.again("first, again", v) // as a leader may
	first.sync("first's assignment, again", syncVersion, first)
	try("other protocol type", func(r *kmsg.JoinGroupRequest) { r.ProtocolType = "connect" })
	try("other protocol type, with an ID", func(r *kmsg.JoinGroupRequest) { r.MemberID, r.ProtocolType = first.id, "connect" })
	try("other protocols, with an ID", func(r *kmsg.JoinGroupRequest) {
		r.MemberID, r.Protocols = "nobody", r.Protocols[:1]
		r.Protocols[0].Name = "a"
	})
	try("other protocols", func(r *kmsg.JoinGroupRequest) { r.Protocols[0].Name, r.Protocols[1].Name = "a", "b" })
	try("unknown member beside", func(r *kmsg.JoinGroupRequest) { r.MemberID = "nobody" })

	second, joined := s.another(), make(chan *member)
	go func() { joined <- second.join("second", v, nil) }()
	first.awaitRebalance()
	first.again("first, for second", v)
	other := <-joined
	follows := make(chan struct{})
	go func() { other.sync("second's assignment", syncVersion); close(follows) }()
	first.sync("first's assignment beside second", syncVersion, first, other)
	<-follows
	other.again("second, again", v)
	other.leave("second leaves", leaveVersion)
	first.again("first, alone", v)
	first.leave("first leaves", leaveVersion)

	if v >= 5 {
		instance := kmsg.StringPtr("static")
		old := s.join("static", v, instance)
		old.sync("static's assignment", syncVersion, old)
		fresh := s.join("static, come back", v, instance)
		old.again("static, fenced", v)
		ask[*kmsg.HeartbeatResponse](s, "static's heartbeat, fenced", heartbeatVersion, old.heartbeatRequest())
		fresh.sync("static's assignment, come back", syncVersion)
		leave := kmsg.NewPtrLeaveGroupRequest()
		leave.Group = s.group
		leave.Members = []kmsg.LeaveGroupRequestMember{
			{MemberID: old.id, InstanceID: instance}, {MemberID: fresh.id, InstanceID: kmsg.StringPtr("nobody")}, {MemberID: "nobody"},
		}
		ask[*kmsg.LeaveGroupResponse](s, "those who may not leave", leaveVersion, leave)
		fresh.leave("static leaves", leaveVersion)
	}
}

func syncGroup(s *side, v int16) {
	s.awaitCoordinator()
	nobody := &member{side: s, id: "nobody", generation: 1}
	nobody.sync("unknown group", v)
	m := s.join("join", joinVersion, nil)
	nobody.sync("unknown member", v)
	(&member{m.side, nil, m.id, m.generation + 1}).sync("bad generation", v)
	m.sync("leader", v, m)
	m.sync("again", v)
	req := kmsg.NewPtrSyncGroupRequest()
	req.Group, req.MemberID, req.Generation = "ledger", m.id, m.generation
	req.ProtocolType, req.Protocol = kmsg.StringPtr("consumer"), kmsg.StringPtr("range")
	ask[*kmsg.SyncGroupResponse](s, "foreign group", v, req)
	if v >= 5 {
		req.Group, req.ProtocolType = s.group, nil
		ask[*kmsg.SyncGroupResponse](s, "no protocol type", v, req)
		req.ProtocolType, req.Protocol = kmsg.StringPtr("connect"), kmsg.StringPtr("range")
		ask[*kmsg.SyncGroupResponse](s, "other protocol type", v, req)
		req.ProtocolType, req.Protocol = kmsg.StringPtr("consumer"), kmsg.StringPtr("roundrobin")
		ask[*kmsg.SyncGroupResponse](s, "other protocol", v, req)
	}
	m.leave("leave", leaveVersion)
}

func heartbeat(s *side, v int16) {
	s.awaitCoordinator()
	beat := func(label string, change func(*kmsg.HeartbeatRequest), m *member) {
		req := m.heartbeatRequest()
		if change != nil {
			change(req)
		}
		ask[*kmsg.HeartbeatResponse](s, label, v, req)
	}
	beat("unknown group", nil, &member{side: s, id: "nobody", generation: 1})
	m := s.join("join", joinVersion, nil)
	beat("before the assignment", nil, m)
	m.sync("assignment", syncVersion, m)
	beat("stable", nil, m)
	beat("unknown member", func(r *kmsg.HeartbeatRequest) { r.MemberID = "nobody" }, m)
	beat("bad generation", func(r *kmsg.HeartbeatRequest) { r.Generation++ }, m)
	beat("foreign group", func(r *kmsg.HeartbeatRequest) { r.Group = "ledger" }, m)
	beat("no group", func(r *kmsg.HeartbeatRequest) { r.Group = "" }, m)
	if v >= 3 {
		beat("unknown instance", func(r *kmsg.HeartbeatRequest) { r.InstanceID = kmsg.StringPtr("nobody") }, m)
	}
	m.leave("leave", leaveVersion)
	beat("after leaving", nil, m)
}

func leaveGroup(s *side, v int16) {
	s.awaitCoordinator()
	nobody := &member{side: s, id: "nobody"}
	nobody.leave("unknown group", v)
	m := s.join("join", joinVersion, nil)
	m.sync("assignment", syncVersion, m)
	nobody.leave("unknown member", v)
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group, req.MemberID = "ledger", m.id
	ask[*kmsg.LeaveGroupResponse](s, "foreign group", v, req)
	m.leave("leave", v)
	m.leave("twice", v)
	if v >= 3 {
		static := s.join("static", joinVersion, kmsg.StringPtr("static"))
		static.sync("static's assignment", syncVersion, static)
		admin := &member{side: s, instance: static.instance}
		admin.leave("by instance alone", v)
		admin.leave("by instance alone, twice", v)
		ask[*kmsg.LeaveGroupResponse](s, "nobody", v, &kmsg.LeaveGroupRequest{Group: s.group})
		one, two := kmsg.LeaveGroupRequestMember{MemberID: "a"}, kmsg.LeaveGroupRequestMember{InstanceID: kmsg.StringPtr("b")}
		ask[*kmsg.LeaveGroupResponse](s, "two who are not there", v, &kmsg.LeaveGroupRequest{Group: s.group, Members: []kmsg.LeaveGroupRequestMember{one, two}})
	}
	s.describe("afterwards", describeVersion)
}

func describeGroups(s *side, v int16) {
	s.awaitCoordinator()
	s.describe("unknown", v)
	m := s.join("join", joinVersion, nil)
	s.describe("before the assignment", v)
	m.sync("assignment", syncVersion, m)
	s.describe("stable", v)
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.Groups = []string{"ledger"}
	ask[*kmsg.DescribeGroupsResponse](s, "foreign", v, req)
	req.Groups = []string{s.group, "ledger"}
	ask[*kmsg.DescribeGroupsResponse](s, "two", v, req)
	req.Groups = []string{s.group, s.group}
	ask[*kmsg.DescribeGroupsResponse](s, "twice", v, req)
	req.Groups = []string{}
	ask[*kmsg.DescribeGroupsResponse](s, "none", v, req)
	req.Groups = []string{""}
	ask[*kmsg.DescribeGroupsResponse](s, "no name", v, req)
	m.leave("leave", leaveVersion)
	s.describe("empty", v)
	if v >= 4 {
		static := s.join("static", joinVersion, kmsg.StringPtr("static"))
		static.sync("static's assignment", syncVersion, static)
		s.describe("static member", v)
		static.leave("static leaves", leaveVersion)
	}
}

func listGroups(s *side, v int16) {
	s.awaitCoordinator()
	list := func(label string, states, types []string) {
		req := kmsg.NewPtrListGroupsRequest()
		req.StatesFilter, req.TypesFilter = states, types
		ask[*kmsg.ListGroupsResponse](s, label, v, req)
	}
	list("none", nil, nil)
	m := s.join("join", joinVersion, nil)
	list("before the assignment", nil, nil)
	m.sync("assignment", syncVersion, m)
	list("stable", nil, nil)
	if v >= 4 {
		list("those that are stable", []string{"Stable"}, nil)
		list("those that are empty", []string{"Empty", "Dead"}, nil)
		list("in small letters", []string{"stable"}, nil)
		list("no such state", []string{"Sleepy"}, nil)
		list("a state and no such state", []string{"Stable", "Sleepy"}, nil)
		list("all states", []string{"Stable", "Empty", "PreparingRebalance", "CompletingRebalance", "Dead", "Assigning", "Reconciling"}, nil)
	}
	if v >= 5 {
		list("classic ones", nil, []string{"classic"})
		list("consumer ones", nil, []string{"consumer"})
		list("in capitals", nil, []string{"Classic"})
		list("no such type", nil, []string{"sleepy"})
		list("a type and no such type", nil, []string{"classic", "sleepy"})
		list("stable classic ones", []string{"Stable"}, []string{"classic"})
	}
	m.leave("leave", leaveVersion)
	list("empty", nil, nil)
}

func deleteGroups(s *side, v int16) {
	s.awaitCoordinator()
	remove := func(label string, groups ...string) {
		req := kmsg.NewPtrDeleteGroupsRequest()
		req.Groups = groups
		ask[*kmsg.DeleteGroupsResponse](s, label, v, req)
	}
	remove("unknown", s.group)
	m := s.join("join", joinVersion, nil)
	m.sync("assignment", syncVersion, m)
	remove("in use", s.group)
	remove("foreign", "ledger")
	remove("none")
	remove("no name", "")
	m.leave("leave", leaveVersion)
	quietly[*kmsg.OffsetCommitResponse](s, commitVersion, commitRequest(s.group, -1, "", shop, s.topicID, 0, 9))
	remove("empty, and a foreign one", s.group, "ledger")
	remove("once more", s.group)
	remove("twice in one", s.group, s.group)
	s.describe("afterwards", describeVersion)
	ask[*kmsg.OffsetFetchResponse](s, "checkpoints afterwards", 5, fetchOffsets(s.group, "", 0))
}
