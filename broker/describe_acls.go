package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// DescribeAcls answers as a broker without an authorizer does: who may do what
// is told by accounts, and is nothing that clients can see or set.

const noAuthorizer = "No Authorizer is configured on the broker"

func describeACLsAPI() api {
	return serve(0, 3, `1 s 1:1- s s 1 1`, (*conn).describeACLs)
}

func (c *conn) describeACLs(_ context.Context, req *kmsg.DescribeACLsRequest) (kmsg.Response, error) {
	resp := kmsg.NewPtrDescribeACLsResponse()
	resp.Version = req.Version
	resp.ErrorCode = kerr.SecurityDisabled.Code
	resp.ErrorMessage = kmsg.StringPtr(noAuthorizer)
	return resp, nil
}
