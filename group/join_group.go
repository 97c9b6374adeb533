package group

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// JoinGroup, versions 0 to 9. From 1 on a member states its rebalance timeout
// (before, the session timeout serves), from 4 on a new dynamic member is first
// given its ID (KIP-394), from 5 on members may be static (KIP-345), from 9 on
// a static leader that comes back is told to skip the assignment (KIP-814).

// joinAnswer is the answer to a JoinGroup.
type joinAnswer struct {
	err        *kerr.Error
	memberID   string
	leader     string
	generation int32
	protocol   string
	members    []kmsg.JoinGroupResponseMember // for the leader
	skip       bool                           // the leader keeps the assignment that exists
	saved      *write                         // the generation: not told before it is durable
}

// JoinGroup puts the sender into the group, or gives a new member its ID. It
// blocks until the rebalance that this starts or joins has a new generation,
// or ctx is done.
func (c *Coordinator) JoinGroup(ctx context.Context, client Client, req *kmsg.JoinGroupRequest) *kmsg.JoinGroupResponse {
	g, err := c.checkJoin(req)
	if err != nil {
		return joinResponse(req, "", joinAnswer{err: err, memberID: req.MemberID})
	}
	g.mu.Lock()
	w := newWaiter[joinAnswer]()
	g.join(w, client, req)
	protocolType := g.protocolType
	g.mu.Unlock()

	var a joinAnswer
	select {
	case a = <-w.answer:
	case <-ctx.Done():
		a = g.abandonJoin(w, req)
	}
	if a.err == nil && a.saved.wait() != nil {
		a = joinAnswer{err: kerr.CoordinatorNotAvailable, memberID: a.memberID}
	}
	return joinResponse(req, protocolType, a)
}

// checkJoin does the checks that need no lock and finds the group.
func (c *Coordinator) checkJoin(req *kmsg.JoinGroupRequest) (*group, *kerr.Error) {
	if !validGroupID(req.Group) {
		return nil, kerr.InvalidGroupID
	}
	if !c.sessionInRange(millis(req.SessionTimeoutMillis)) {
		return nil, kerr.InvalidSessionTimeout
	}
	size := 0
	for _, p := range req.Protocols {
		size += len(p.Name) + len(p.Metadata)
	}
	if size > c.opts.MaxMemberBytes {
		return nil, kerr.InvalidRequest
	}
	if g := c.lookup(req.Group, req.MemberID == ""); g != nil {
		return g, nil
	}
	if req.MemberID == "" {
		return nil, kerr.CoordinatorNotAvailable
	}
	return nil, kerr.UnknownMemberID
}

// join answers w, or makes it the member's waiting JoinGroup.
func (g *group) join(w *waiter[joinAnswer], client Client, req *kmsg.JoinGroupRequest) {
	refuse := func(err *kerr.Error, memberID string) { w.answer <- joinAnswer{err: err, memberID: memberID} }
	_, pending := g.pending[req.MemberID]
	static := (*member)(nil)
	if req.InstanceID != nil {
		static = g.static[*req.InstanceID]
	}
	switch {
	case g.state == dead:
		refuse(kerr.CoordinatorNotAvailable, req.MemberID)
	case !g.supports(req.ProtocolType, req.Protocols):
		refuse(kerr.InconsistentGroupProtocol, req.MemberID)
	case req.MemberID == "" && static != nil:
		g.replaceStatic(static, w, client, req)
	case req.MemberID == "" && g.full():
		refuse(kerr.GroupMaxSizeReached, "")
	case req.MemberID == "" && req.InstanceID == nil && req.Version >= 4:
		refuse(kerr.MemberIDRequired, g.promise(newMemberID(client.ID), client.Address, millis(req.SessionTimeoutMillis)))
	case req.MemberID == "" && req.InstanceID == nil:
		g.add(newMemberID(client.ID), w, client, req)
	case req.MemberID == "":
		g.add(newMemberID(*req.InstanceID), w, client, req)
	case pending && req.InstanceID == nil:
		g.takeBack(req.MemberID)
		g.add(strings.Clone(req.MemberID), w, client, req)
	default:
		if m, err := g.validate(req.MemberID, req.InstanceID); err != nil {
			refuse(err, req.MemberID)
		} else {
			m.client.Address = strings.Clone(client.Address)
			g.rejoin(m, w, req)
		}
	}
}

func newMemberID(prefix string) string { return prefix + "-" + uuid.NewString() }

func (g *group) full() bool { return len(g.members)+len(g.pending) >= g.opts.MaxMembers }

// promise is a member ID that was given out and that nobody has joined with yet.
// It holds up a rebalance.
type promise struct {
	address string // of the connection that asked for it; may be unknown
	timer   *time.Timer
}

// promise gives out a member ID and takes it back after the session timeout, or
// when the same connection asks for another: librdkafka 2.15 does so when it
// learns in two ways that it was put out of the group, and forgets the first.
func (g *group) promise(id, address string, session time.Duration) string {
	for former, p := range g.pending {
		if address != "" && p.address == address {
			g.takeBack(former)
		}
	}
	g.pending[id] = promise{strings.Clone(address), time.AfterFunc(session, func() { g.expirePending(id) })}
	return id
}

// takeBack forgets a pending member ID.
func (g *group) takeBack(id string) {
	g.pending[id].timer.Stop()
	delete(g.pending, id)
}

// add makes a new member.
func (g *group) add(id string, w *waiter[joinAnswer], client Client, req *kmsg.JoinGroupRequest) {
	m := &member{id: id, client: client.clone(), joinedAt: time.Now()}
	if len(g.members) == 0 {
		g.protocolType = strings.Clone(req.ProtocolType)
		g.leader = id
	}
	g.members = append(g.members, m)
	if req.InstanceID != nil {
		instance := strings.Clone(*req.InstanceID)
		m.instance = &instance
		g.static[instance] = m
	}
	g.update(m, w, req)
	g.rebalance("a member joined")
}

// update takes over what the request says of the member, and has it wait.
func (g *group) update(m *member, w *waiter[joinAnswer], req *kmsg.JoinGroupRequest) {
	m.session = millis(req.SessionTimeoutMillis)
	m.rebalanceTimeout = millis(req.RebalanceTimeoutMillis)
	if req.Version < 1 || m.rebalanceTimeout < 0 {
		m.rebalanceTimeout = m.session
	}
	m.protocols = make([]kmsg.JoinGroupRequestProtocol, len(req.Protocols))
	for i, p := range req.Protocols {
		m.protocols[i] = kmsg.JoinGroupRequestProtocol{Name: strings.Clone(p.Name), Metadata: bytes.Clone(p.Metadata)}
	}
	g.answerJoin(m, joinAnswer{err: kerr.RebalanceInProgress, memberID: m.id}) // an older request of the same member
	m.join = w
	g.touch(m)
}

// rejoin is the JoinGroup of somebody who is a member.
func (g *group) rejoin(m *member, w *waiter[joinAnswer], req *kmsg.JoinGroupRequest) {
	same := m.sameProtocols(req.Protocols)
	if g.state == completingRebalance && same || g.state == stable && same && g.leader != m.id {
		// It may not have had our answer. Nothing has changed for the others.
		g.touch(m)
		w.answer <- g.joined(m)
		return
	}
	g.update(m, w, req)
	g.rebalance("a member joined again")
}

// replaceStatic gives a static member's place to its next incarnation under a
// new member ID, and fences the old one.
func (g *group) replaceStatic(m *member, w *waiter[joinAnswer], client Client, req *kmsg.JoinGroupRequest) {
	g.answerJoin(m, joinAnswer{err: kerr.FencedInstanceID, memberID: m.id})
	g.answerSync(m, syncAnswer{err: kerr.FencedInstanceID})
	oldID, leads := m.id, g.leader == m.id
	g.disown(m, "its static member came back elsewhere")
	m.id = newMemberID(*m.instance)
	m.client, m.joinedAt = client.clone(), time.Now()
	m.hasRead, m.readsAs = false, ""
	g.beginClaim(m, m.joinedAt)
	if leads {
		g.leader = m.id
	}
	g.update(m, w, req)
	switch {
	case g.state == completingRebalance:
		g.prepareRebalance("a static member came back while the leader assigns")
	case g.state == stable && g.selectProtocol() != g.protocol:
		g.prepareRebalance("a static member came back with other protocols")
	case g.state == stable:
		a := g.joined(m)
		if req.Version >= 9 {
			a.skip = leads
		} else if leads {
			a.leader, a.members = oldID, nil // so that it asks for its assignment and makes none
		}
		g.answerJoin(m, a)
	default:
		g.maybeCompleteJoin()
	}
}

// joined is the answer that tells m of the present generation.
func (g *group) joined(m *member) joinAnswer {
	a := joinAnswer{memberID: m.id, leader: g.leader, generation: g.generation, protocol: g.protocol, saved: g.generationW}
	if m.id != g.leader {
		return a
	}
	for _, o := range g.members {
		a.members = append(a.members, kmsg.JoinGroupResponseMember{
			MemberID: o.id, InstanceID: o.instance, ProtocolMetadata: o.metadata(g.protocol),
		})
	}
	return a
}

// abandonJoin takes back a JoinGroup whose sender is gone. It locks the group.
func (g *group) abandonJoin(w *waiter[joinAnswer], req *kmsg.JoinGroupRequest) joinAnswer {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.IndexFunc(g.members, func(m *member) bool { return m.join == w }); i >= 0 {
		m := g.members[i]
		m.join = nil
		g.touch(m)
		if req.MemberID == "" && m.instance == nil {
			// It was never told its ID, so nobody can come back as this member.
			g.remove(m)
			g.rebalance("a joining member went away")
		}
	}
	select {
	case a := <-w.answer:
		return a
	default:
		return joinAnswer{err: kerr.CoordinatorNotAvailable, memberID: req.MemberID}
	}
}

func joinResponse(req *kmsg.JoinGroupRequest, protocolType string, a joinAnswer) *kmsg.JoinGroupResponse {
	resp := kmsg.NewPtrJoinGroupResponse()
	resp.Version = req.Version
	resp.ErrorCode = code(a.err)
	resp.MemberID = a.memberID
	resp.Generation = -1
	if a.err != nil {
		return resp
	}
	resp.Generation = a.generation
	resp.ProtocolType = &protocolType
	resp.Protocol = &a.protocol
	resp.LeaderID = a.leader
	resp.SkipAssignment = a.skip
	resp.Members = a.members
	return resp
}

// validGroupID: any name will do, as long as a key can hold it.
func validGroupID(id string) bool { return id != "" && len(id) < 1<<16 }
