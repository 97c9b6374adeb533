package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// DescribeGroups shows the state and the members of the principal's group.

func describeGroupsAPI() api { return serve(0, 6, `[s] 1:3-`, (*conn).describeGroups) }

func (c *conn) describeGroups(ctx context.Context, req *kmsg.DescribeGroupsRequest) (kmsg.Response, error) {
	resp := kmsg.NewPtrDescribeGroupsResponse()
	resp.Version = req.Version
	for _, id := range req.Groups {
		if id != c.principal.Group {
			rg := kmsg.NewDescribeGroupsResponseGroup()
			rg.Group, rg.ErrorCode = id, kerr.GroupAuthorizationFailed.Code
			resp.Groups = append(resp.Groups, rg)
			continue
		}
		one := *req
		one.Groups = []string{id}
		for _, rg := range c.s.o.Groups.DescribeGroups(ctx, &one).Groups {
			if req.IncludeAuthorizedOperations && rg.ErrorCode == 0 {
				rg.AuthorizedOperations = groupOperations
			}
			resp.Groups = append(resp.Groups, rg)
		}
	}
	return resp, nil
}
