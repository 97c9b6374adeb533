package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// AlterConfigs is refused for each resource: the configuration file has all
// there is to set.

func alterConfigsAPI() api {
	return serve(0, 2, `[ 1 s [ s s ] ] 1`, (*conn).alterConfigs)
}

func (c *conn) alterConfigs(_ context.Context, req *kmsg.AlterConfigsRequest) (kmsg.Response, error) {
	resp := kmsg.NewPtrAlterConfigsResponse()
	resp.Version = req.Version
	for _, r := range req.Resources {
		rr := kmsg.NewAlterConfigsResponseResource()
		rr.ResourceType, rr.ResourceName = r.ResourceType, r.ResourceName
		rr.ErrorCode, rr.ErrorMessage = refuseAlter(r.ResourceType)
		resp.Resources = append(resp.Resources, rr)
	}
	return resp, nil
}

// refuseAlter is what Kafka answers to somebody who may not alter anything. It
// does not tell if the resource exists.
func refuseAlter(kind kmsg.ConfigResourceType) (int16, *string) {
	failure := kerr.InvalidRequest
	switch kind {
	case kmsg.ConfigResourceTypeTopic:
		failure = kerr.TopicAuthorizationFailed
	case kmsg.ConfigResourceTypeBroker, kmsg.ConfigResourceTypeBrokerLogger, kmsg.ConfigResourceTypeClientMetrics:
		failure = kerr.ClusterAuthorizationFailed
	case kmsg.ConfigResourceTypeGroupConfig:
		failure = kerr.GroupAuthorizationFailed
	}
	return failure.Code, kmsg.StringPtr("nothing can be set by clients")
}
