package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// CreateAcls answers each ACL as a broker without an authorizer does.

func createACLsAPI() api {
	return serve(0, 3, `[ 1 s 1:1- s s 1 1 ]`, (*conn).createACLs)
}

func (c *conn) createACLs(_ context.Context, req *kmsg.CreateACLsRequest) (kmsg.Response, error) {
	resp := kmsg.NewPtrCreateACLsResponse()
	resp.Version = req.Version
	for range req.Creations {
		r := kmsg.NewCreateACLsResponseResult()
		r.ErrorCode = kerr.SecurityDisabled.Code
		r.ErrorMessage = kmsg.StringPtr(noAuthorizer)
		resp.Results = append(resp.Results, r)
	}
	return resp, nil
}
