package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// DescribeCluster tells what Metadata tells of the cluster. There are no
// controllers apart from the broker to describe (endpoint type 2).

func describeClusterAPI() api {
	return serve(0, 2, `1 1:1- 1:2-`, (*conn).describeCluster)
}

func (c *conn) describeCluster(_ context.Context, req *kmsg.DescribeClusterRequest) (kmsg.Response, error) {
	const (
		brokers     = 1
		controllers = 2
	)
	resp := kmsg.NewPtrDescribeClusterResponse()
	resp.Version = req.Version
	resp.EndpointType = brokers
	switch req.EndpointType {
	case brokers:
	case controllers:
		resp.ErrorCode = kerr.MismatchedEndpointType.Code
		resp.ErrorMessage = kmsg.StringPtr("this is a broker, not a controller")
		return resp, nil
	default:
		resp.ErrorCode = kerr.UnsupportedEndpointType.Code
		return resp, nil
	}
	resp.ClusterID = c.s.o.Store.ClusterID()
	resp.ControllerID = nodeID
	if req.IncludeClusterAuthorizedOperations {
		resp.ClusterAuthorizedOperations = clusterOperations
	}
	b := kmsg.NewDescribeClusterResponseBroker()
	b.NodeID, b.Host, b.Port = nodeID, c.listener.host, c.listener.port
	resp.Brokers = append(resp.Brokers, b)
	return resp, nil
}
