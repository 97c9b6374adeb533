package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// SyncGroup waits until the leader has sent the assignments.

func syncGroupAPI() api {
	return serve(0, 5, `s 4 s s:3- s:5- s:5- [ s y ]`, (*conn).syncGroup)
}

func (c *conn) syncGroup(ctx context.Context, req *kmsg.SyncGroupRequest) (kmsg.Response, error) {
	var refused *kerr.Error
	switch {
	case req.Group != c.principal.Group:
		refused = kerr.GroupAuthorizationFailed
	case req.Version >= 5 && (req.ProtocolType == nil || req.Protocol == nil):
		refused = kerr.InconsistentGroupProtocol // clients of these versions know what they joined with
	default:
		return c.s.o.Groups.SyncGroup(c.watch(ctx), req), nil
	}
	resp := kmsg.NewPtrSyncGroupResponse()
	resp.Version = req.Version
	resp.ErrorCode = refused.Code
	return resp, nil
}
