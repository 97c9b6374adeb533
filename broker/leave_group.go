package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// LeaveGroup takes members out of their group at once.

func leaveGroupAPI() api {
	return serve(0, 5, `s s:-2 [ s s s:5- ]:3-`, (*conn).leaveGroup)
}

func (c *conn) leaveGroup(ctx context.Context, req *kmsg.LeaveGroupRequest) (kmsg.Response, error) {
	if req.Group != c.principal.Group {
		resp := kmsg.NewPtrLeaveGroupResponse()
		resp.Version = req.Version
		resp.ErrorCode = kerr.GroupAuthorizationFailed.Code
		return resp, nil
	}
	return c.s.o.Groups.LeaveGroup(ctx, req), nil
}
