package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// ListPartitionReassignments: there is one broker, so nothing ever moves.

func listPartitionReassignmentsAPI() api {
	return serve(0, 0, `4 [ s [4] ]`, (*conn).listPartitionReassignments)
}

func (c *conn) listPartitionReassignments(_ context.Context, req *kmsg.ListPartitionReassignmentsRequest) (kmsg.Response, error) {
	resp := kmsg.NewPtrListPartitionReassignmentsResponse()
	resp.Version = req.Version
	return resp, nil
}
