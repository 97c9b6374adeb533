package group

import (
	"bytes"
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// SyncGroup, versions 0 to 5. From 3 on members may be static, from 5 on the
// request repeats protocol type and name (KIP-559).

// syncAnswer is the answer to a SyncGroup.
type syncAnswer struct {
	err          *kerr.Error
	protocolType string
	protocol     string
	assignment   []byte
}

// SyncGroup gives the sender its assignment. It blocks until the leader has
// sent that, or ctx is done.
func (c *Coordinator) SyncGroup(ctx context.Context, req *kmsg.SyncGroupRequest) *kmsg.SyncGroupResponse {
	if !validGroupID(req.Group) {
		return syncResponse(req, syncAnswer{err: kerr.InvalidGroupID})
	}
	g := c.lookup(req.Group, false)
	if g == nil {
		return syncResponse(req, syncAnswer{err: kerr.UnknownMemberID})
	}
	w := newWaiter[syncAnswer]()
	g.mu.Lock()
	g.syncMember(w, req)
	g.mu.Unlock()
	select {
	case a := <-w.answer:
		return syncResponse(req, a)
	case <-ctx.Done():
		return syncResponse(req, g.abandonSync(w))
	}
}

// syncMember answers w, or makes it the member's waiting SyncGroup.
func (g *group) syncMember(w *waiter[syncAnswer], req *kmsg.SyncGroupRequest) {
	m, err := g.validateSync(req)
	if err != nil {
		w.answer <- syncAnswer{err: err}
		return
	}
	m.synced = true
	g.touch(m)
	if g.state == stable {
		w.answer <- g.assigned(m)
		g.maybeEndSync()
		return
	}
	g.answerSync(m, syncAnswer{err: kerr.RebalanceInProgress}) // an older request of the same member
	m.sync = w
	if m.id == g.leader {
		g.assign(req.GroupAssignment)
	}
}

func (g *group) validateSync(req *kmsg.SyncGroupRequest) (*member, *kerr.Error) {
	m, err := g.validateGeneration(req.MemberID, req.InstanceID, req.Generation)
	switch {
	case err != nil:
		return nil, err
	case req.ProtocolType != nil && *req.ProtocolType != g.protocolType,
		req.Protocol != nil && *req.Protocol != g.protocol:
		return nil, kerr.InconsistentGroupProtocol
	case g.state == preparingRebalance:
		return nil, kerr.RebalanceInProgress
	}
	for _, a := range req.GroupAssignment {
		if len(a.MemberAssignment) > g.opts.MaxMemberBytes {
			return nil, kerr.InvalidRequest
		}
	}
	return m, nil
}

// assign takes the leader's assignment and tells everybody who waits for it.
func (g *group) assign(assignments []kmsg.SyncGroupRequestGroupAssignment) {
	for _, a := range assignments {
		if m := g.member(a.MemberID); m != nil {
			m.assignment = bytes.Clone(a.MemberAssignment)
		}
	}
	g.state = stable
	for _, m := range g.members {
		if m.sync != nil {
			g.answerSync(m, g.assigned(m))
			g.touch(m)
		}
	}
	g.log.Info("group is stable", "generation", g.generation, "members", len(g.members))
	g.settleAssignment()
	g.maybeEndSync()
}

// maybeEndSync stops waiting for members to sync if all of them have.
func (g *group) maybeEndSync() {
	for _, m := range g.members {
		if !m.synced {
			return
		}
	}
	g.stopPhase()
}

func (g *group) assigned(m *member) syncAnswer {
	return syncAnswer{protocolType: g.protocolType, protocol: g.protocol, assignment: m.assignment}
}

// abandonSync takes back a SyncGroup whose sender is gone. It locks the group.
func (g *group) abandonSync(w *waiter[syncAnswer]) syncAnswer {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, m := range g.members {
		if m.sync == w {
			m.sync = nil
			g.touch(m)
		}
	}
	select {
	case a := <-w.answer:
		return a
	default:
		return syncAnswer{err: kerr.CoordinatorNotAvailable}
	}
}

func syncResponse(req *kmsg.SyncGroupRequest, a syncAnswer) *kmsg.SyncGroupResponse {
	resp := kmsg.NewPtrSyncGroupResponse()
	resp.Version = req.Version
	resp.ErrorCode = code(a.err)
	if a.err == nil {
		resp.ProtocolType, resp.Protocol, resp.MemberAssignment = &a.protocolType, &a.protocol, a.assignment
	}
	return resp
}
