package group

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Heartbeat, versions 0 to 4. From 3 on members may be static.

// Heartbeat keeps the sender's session alive and tells it, with
// REBALANCE_IN_PROGRESS, to join again.
func (c *Coordinator) Heartbeat(_ context.Context, req *kmsg.HeartbeatRequest) *kmsg.HeartbeatResponse {
	resp := kmsg.NewPtrHeartbeatResponse()
	resp.Version = req.Version
	resp.ErrorCode = code(c.heartbeat(req))
	return resp
}

func (c *Coordinator) heartbeat(req *kmsg.HeartbeatRequest) *kerr.Error {
	if !validGroupID(req.Group) {
		return kerr.InvalidGroupID
	}
	g := c.lookup(req.Group, false)
	if g == nil {
		return kerr.UnknownMemberID
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	m, err := g.validateGeneration(req.MemberID, req.InstanceID, req.Generation)
	if err != nil {
		return err
	}
	g.touch(m)
	if g.state == preparingRebalance {
		return kerr.RebalanceInProgress
	}
	return nil
}
