package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// OffsetDelete deletes checkpoints of the principal's group. There are none in
// other topics, so those need no answer of their own.

func offsetDeleteAPI() api { return serve(0, 0, `s [ s [4] ]`, (*conn).offsetDelete) }

func (c *conn) offsetDelete(ctx context.Context, req *kmsg.OffsetDeleteRequest) (kmsg.Response, error) {
	if req.Group != c.principal.Group {
		resp := kmsg.NewPtrOffsetDeleteResponse()
		resp.Version = req.Version
		resp.ErrorCode = kerr.GroupAuthorizationFailed.Code
		return resp, nil
	}
	return c.s.o.Groups.OffsetDelete(ctx, req), nil
}
