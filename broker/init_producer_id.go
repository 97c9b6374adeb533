package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// InitProducerId is refused: nobody produces. The answer is late, since Java's
// producers from 4.x on ask again at once, for ever.

func initProducerIDAPI() api {
	return serve(0, 5, `s 4 8:3- 2:3-`, (*conn).initProducerID)
}

func (c *conn) initProducerID(ctx context.Context, req *kmsg.InitProducerIDRequest) (kmsg.Response, error) {
	resp := kmsg.NewPtrInitProducerIDResponse()
	resp.Version = req.Version
	resp.ErrorCode = kerr.ClusterAuthorizationFailed.Code
	if req.TransactionalID != nil {
		resp.ErrorCode = kerr.TransactionalIDAuthorizationFailed.Code
	}
	resp.ProducerID, resp.ProducerEpoch = -1, -1
	sleep(c.watch(ctx), c.s.o.DenyDelay)
	return resp, nil
}
