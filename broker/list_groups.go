package broker

import (
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// ListGroups lists the principal's group, once it exists.

func listGroupsAPI() api { return serve(0, 5, `[s]:4- [s]:5-`, (*conn).listGroups) }

func (c *conn) listGroups(ctx context.Context, req *kmsg.ListGroupsRequest) (kmsg.Response, error) {
	resp := c.s.o.Groups.ListGroups(ctx, req)
	resp.Groups = slices.DeleteFunc(resp.Groups, func(g kmsg.ListGroupsResponseGroup) bool {
		return g.Group != c.principal.Group
	})
	return resp, nil
}
