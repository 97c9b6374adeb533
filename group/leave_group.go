package group

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// LeaveGroup, versions 0 to 5. Up to 2 one member leaves; from 3 on several,
// each with an error of its own (KIP-345), and a static one may be named by
// its instance ID alone, as admin tools do.

// LeaveGroup takes members out of the group and rebalances it.
func (c *Coordinator) LeaveGroup(_ context.Context, req *kmsg.LeaveGroupRequest) *kmsg.LeaveGroupResponse {
	resp := kmsg.NewPtrLeaveGroupResponse()
	resp.Version = req.Version
	if !validGroupID(req.Group) {
		resp.ErrorCode = kerr.InvalidGroupID.Code
		return resp
	}
	leaving := req.Members
	if req.Version < 3 {
		leaving = []kmsg.LeaveGroupRequestMember{{MemberID: req.MemberID}}
	}
	errs := c.leave(req.Group, leaving)
	if req.Version < 3 {
		resp.ErrorCode = code(errs[0])
		return resp
	}
	for i, l := range leaving {
		resp.Members = append(resp.Members, kmsg.LeaveGroupResponseMember{
			MemberID: l.MemberID, InstanceID: l.InstanceID, ErrorCode: code(errs[i]),
		})
	}
	return resp
}

// leave returns an error, or nil, for each of the leaving.
func (c *Coordinator) leave(id string, leaving []kmsg.LeaveGroupRequestMember) []*kerr.Error {
	errs := make([]*kerr.Error, len(leaving))
	g := c.lookup(id, false)
	if g == nil {
		for i := range errs {
			errs[i] = kerr.UnknownMemberID
		}
		return errs
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	changed := false
	for i, l := range leaving {
		errs[i] = g.leaveMember(l)
		changed = changed || errs[i] == nil
	}
	if changed && g.state != empty {
		g.rebalance("members left")
	}
	return errs
}

func (g *group) leaveMember(l kmsg.LeaveGroupRequestMember) *kerr.Error {
	if g.state == dead {
		return kerr.CoordinatorNotAvailable
	}
	if _, ok := g.pending[l.MemberID]; ok {
		g.takeBack(l.MemberID)
		return nil
	}
	m, err := g.validate(l.MemberID, l.InstanceID)
	if l.MemberID == "" && l.InstanceID != nil {
		if m = g.static[*l.InstanceID]; m != nil {
			err = nil
		}
	}
	if err != nil {
		if l.MemberID == "" {
			return kerr.UnknownMemberID
		}
		return err
	}
	g.log.Info("member left", "member", m.id)
	m.left = l.MemberID != "" // an admin tool names the instance alone, and the client does not know
	g.remove(m)
	return nil
}
