package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// JoinGroup waits until the group's rebalance ends.

func joinGroupAPI() api {
	return serve(0, 9, `s 4 4:1- s s:5- s [ s y ] s:8-`, (*conn).joinGroup)
}

func (c *conn) joinGroup(ctx context.Context, req *kmsg.JoinGroupRequest) (kmsg.Response, error) {
	if req.Group != c.principal.Group {
		resp := kmsg.NewPtrJoinGroupResponse()
		resp.Version = req.Version
		resp.ErrorCode = kerr.GroupAuthorizationFailed.Code
		resp.Generation = -1
		resp.MemberID = req.MemberID
		return resp, nil
	}
	return c.s.o.Groups.JoinGroup(c.watch(ctx), c.client(), req), nil
}
