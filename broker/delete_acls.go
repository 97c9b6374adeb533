package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// DeleteAcls answers each filter as a broker without an authorizer does.

func deleteACLsAPI() api {
	return serve(0, 3, `[ 1 s 1:1- s s 1 1 ]`, (*conn).deleteACLs)
}

func (c *conn) deleteACLs(_ context.Context, req *kmsg.DeleteACLsRequest) (kmsg.Response, error) {
	resp := kmsg.NewPtrDeleteACLsResponse()
	resp.Version = req.Version
	for range req.Filters {
		r := kmsg.NewDeleteACLsResponseResult()
		r.ErrorCode = kerr.SecurityDisabled.Code
		r.ErrorMessage = kmsg.StringPtr(noAuthorizer)
		resp.Results = append(resp.Results, r)
	}
	return resp, nil
}
