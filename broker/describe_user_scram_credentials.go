package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// DescribeUserScramCredentials: accounts are not managed by clients, who learn
// nothing about them. kafka-configs asks for them with a user's quotas.

func describeUserSCRAMCredentialsAPI() api {
	return serve(0, 0, `[ s ]`, (*conn).describeUserSCRAMCredentials)
}

func (c *conn) describeUserSCRAMCredentials(_ context.Context, req *kmsg.DescribeUserSCRAMCredentialsRequest) (kmsg.Response, error) {
	resp := kmsg.NewPtrDescribeUserSCRAMCredentialsResponse()
	resp.Version = req.Version
	times := make(map[string]int)
	for _, u := range req.Users {
		times[u.Name]++
	}
	for _, u := range lastOfEach(req.Users, func(u kmsg.DescribeUserSCRAMCredentialsRequestUser) string { return u.Name }) {
		r := kmsg.NewDescribeUserSCRAMCredentialsResponseResult()
		r.User = u.Name
		r.ErrorCode = kerr.ResourceNotFound.Code
		r.ErrorMessage = kmsg.StringPtr("accounts are managed by Daybook's configuration, not by clients")
		if times[u.Name] > 1 {
			r.ErrorCode, r.ErrorMessage = kerr.DuplicateResource.Code, nil
		}
		resp.Results = append(resp.Results, r)
	}
	return resp, nil
}
