package group

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// DescribeGroups, versions 0 to 6. A group that does not exist is described as
// Dead; from 6 on it has the error GROUP_ID_NOT_FOUND as well (KIP-1043).

// DescribeGroups tells the state and the members of groups. Which operations
// are authorized is left at "not told".
func (c *Coordinator) DescribeGroups(_ context.Context, req *kmsg.DescribeGroupsRequest) *kmsg.DescribeGroupsResponse {
	resp := kmsg.NewPtrDescribeGroupsResponse()
	resp.Version = req.Version
	for _, id := range req.Groups {
		d := kmsg.NewDescribeGroupsResponseGroup()
		d.Group = id
		d.State = string(dead)
		g := c.lookup(id, false)
		if known := g != nil && g.describe(&d); !known && req.Version >= 6 {
			message := "Group " + id + " not found."
			d.ErrorCode, d.ErrorMessage = kerr.GroupIDNotFound.Code, &message
		}
		resp.Groups = append(resp.Groups, d)
	}
	return resp
}

// describe fills in d, and says if there is such a group. It locks the group.
func (g *group) describe(d *kmsg.DescribeGroupsResponseGroup) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.visible() {
		return false
	}
	d.State = string(g.state)
	d.ProtocolType = g.protocolType
	if g.state == stable {
		d.Protocol = g.protocol
	}
	for _, m := range g.members {
		dm := kmsg.DescribeGroupsResponseGroupMember{
			MemberID: m.id, InstanceID: m.instance, ClientID: m.client.ID, ClientHost: m.client.Host,
		}
		if g.state == stable {
			dm.ProtocolMetadata, dm.MemberAssignment = m.metadata(g.protocol), m.assignment
		}
		d.Members = append(d.Members, dm)
	}
	return true
}
