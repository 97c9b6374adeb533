package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// FindCoordinator names this broker for the principal's group. Version 4 on
// ask for several keys at once (KIP-699).

func findCoordinatorAPI() api {
	return serve(0, 6, `s:-3 1:1- [s]:4-`, (*conn).findCoordinator)
}

func (c *conn) findCoordinator(_ context.Context, req *kmsg.FindCoordinatorRequest) (kmsg.Response, error) {
	resp := kmsg.NewPtrFindCoordinatorResponse()
	resp.Version = req.Version
	if req.Version >= 4 {
		for _, key := range req.CoordinatorKeys {
			resp.Coordinators = append(resp.Coordinators, c.coordinator(req.CoordinatorType, key))
		}
		return resp, nil
	}
	co := c.coordinator(req.CoordinatorType, req.CoordinatorKey)
	resp.ErrorCode, resp.ErrorMessage = co.ErrorCode, co.ErrorMessage
	resp.NodeID, resp.Host, resp.Port = co.NodeID, co.Host, co.Port
	return resp, nil
}

func (c *conn) coordinator(kind int8, key string) kmsg.FindCoordinatorResponseCoordinator {
	const (
		ofGroup       = 0
		ofTransaction = 1
	)
	co := kmsg.NewFindCoordinatorResponseCoordinator()
	co.Key, co.NodeID, co.Port = key, -1, -1
	var failure *kerr.Error
	switch {
	case kind == ofTransaction:
		failure = kerr.TransactionalIDAuthorizationFailed
	case kind != ofGroup:
		failure = kerr.InvalidRequest
	case key != c.principal.Group:
		failure = kerr.GroupAuthorizationFailed
	default:
		co.NodeID, co.Host, co.Port = nodeID, c.listener.host, c.listener.port
		return co
	}
	co.ErrorCode, co.ErrorMessage = failure.Code, &failure.Description
	return co
}
