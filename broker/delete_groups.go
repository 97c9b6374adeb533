package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// DeleteGroups deletes the principal's group with its checkpoints, if it has
// no members.

func deleteGroupsAPI() api { return serve(0, 3, `[s]`, (*conn).deleteGroups) }

func (c *conn) deleteGroups(ctx context.Context, req *kmsg.DeleteGroupsRequest) (kmsg.Response, error) {
	resp := kmsg.NewPtrDeleteGroupsResponse()
	resp.Version = req.Version
	for _, id := range lastOfEach(req.Groups, itself) {
		if id != c.principal.Group {
			rg := kmsg.NewDeleteGroupsResponseGroup()
			rg.Group, rg.ErrorCode = id, kerr.GroupAuthorizationFailed.Code
			resp.Groups = append(resp.Groups, rg)
			continue
		}
		one := *req
		one.Groups = []string{id}
		resp.Groups = append(resp.Groups, c.s.o.Groups.DeleteGroups(ctx, &one).Groups...)
	}
	return resp, nil
}
