package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// DescribeUserScramCredentials: there are no SCRAM credentials, since accounts
// log in with PLAIN. kafka-configs asks for them with a user's quotas.

func describeUserSCRAMCredentialsAPI() api {
	return serve(0, 0, `[ s ]`, (*conn).describeUserSCRAMCredentials)
}

func (c *conn) describeUserSCRAMCredentials(_ context.Context, req *kmsg.DescribeUserSCRAMCredentialsRequest) (kmsg.Response, error) {
	resp := kmsg.NewPtrDescribeUserSCRAMCredentialsResponse()
	resp.Version = req.Version
	for _, u := range req.Users {
		r := kmsg.NewDescribeUserSCRAMCredentialsResponseResult()
		r.User = u.Name
		r.ErrorCode = kerr.ResourceNotFound.Code
		r.ErrorMessage = kmsg.StringPtr("the user has no SCRAM credentials: accounts log in with PLAIN")
		resp.Results = append(resp.Results, r)
	}
	return resp, nil
}
