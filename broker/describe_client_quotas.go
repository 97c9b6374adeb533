package broker

import (
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// DescribeClientQuotas: there are none, of the entities that Kafka has them for.

func describeClientQuotasAPI() api {
	return serve(0, 1, `[ s 1 s ] 1`, (*conn).describeClientQuotas)
}

func (c *conn) describeClientQuotas(_ context.Context, req *kmsg.DescribeClientQuotasRequest) (kmsg.Response, error) {
	resp := kmsg.NewPtrDescribeClientQuotasResponse()
	resp.Version = req.Version
	for _, filter := range req.Components {
		switch {
		case !slices.Contains([]string{"user", "client-id", "ip"}, filter.EntityType):
			resp.ErrorCode = kerr.UnsupportedVersion.Code
			return resp, nil
		case filter.MatchType < kmsg.QuotasMatchTypeExact || filter.MatchType > kmsg.QuotasMatchTypeAny:
			resp.ErrorCode = kerr.InvalidRequest.Code
			return resp, nil
		}
	}
	resp.Entries = []kmsg.DescribeClientQuotasResponseEntry{} // null is for errors
	return resp, nil
}
