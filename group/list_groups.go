package group

import (
	"context"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// ListGroups, versions 0 to 5. From 4 on the request may filter by state
// (KIP-518), from 5 on by type (KIP-848); every group here is a classic one.

const classicType = "classic"

// ListGroups lists the groups in the order of their IDs.
func (c *Coordinator) ListGroups(_ context.Context, req *kmsg.ListGroupsRequest) *kmsg.ListGroupsResponse {
	resp := kmsg.NewPtrListGroupsResponse()
	resp.Version = req.Version
	if !passes(req.TypesFilter, classicType) {
		return resp
	}
	for _, g := range c.all() {
		g.mu.Lock()
		listed := kmsg.ListGroupsResponseGroup{
			Group: g.id, ProtocolType: g.protocolType, GroupState: string(g.state), GroupType: classicType,
		}
		visible := g.visible()
		g.mu.Unlock()
		if visible && passes(req.StatesFilter, listed.GroupState) {
			resp.Groups = append(resp.Groups, listed)
		}
	}
	return resp
}

// passes says if a filter, which when empty lets everything through, names value.
func passes(filter []string, value string) bool {
	return len(filter) == 0 || slices.ContainsFunc(filter, func(f string) bool {
		return strings.EqualFold(strings.TrimSpace(f), value)
	})
}
