package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// IncrementalAlterConfigs (KIP-339) is refused as AlterConfigs is.

func incrementalAlterConfigsAPI() api {
	return serve(0, 1, `[ 1 s [ s 1 s ] ] 1`, (*conn).incrementalAlterConfigs)
}

func (c *conn) incrementalAlterConfigs(_ context.Context, req *kmsg.IncrementalAlterConfigsRequest) (kmsg.Response, error) {
	resp := kmsg.NewPtrIncrementalAlterConfigsResponse()
	resp.Version = req.Version
	for _, r := range req.Resources {
		rr := kmsg.NewIncrementalAlterConfigsResponseResource()
		rr.ResourceType, rr.ResourceName = r.ResourceType, r.ResourceName
		rr.ErrorCode, rr.ErrorMessage = refuseAlter(r.ResourceType)
		resp.Resources = append(resp.Resources, rr)
	}
	return resp, nil
}
