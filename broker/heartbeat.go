package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Heartbeat keeps a member in its group.

func heartbeatAPI() api {
	return serve(0, 4, `s 4 s s:3-`, (*conn).heartbeat)
}

func (c *conn) heartbeat(ctx context.Context, req *kmsg.HeartbeatRequest) (kmsg.Response, error) {
	if req.Group != c.principal.Group {
		resp := kmsg.NewPtrHeartbeatResponse()
		resp.Version = req.Version
		resp.ErrorCode = kerr.GroupAuthorizationFailed.Code
		return resp, nil
	}
	return c.s.o.Groups.Heartbeat(ctx, req), nil
}
