package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// DescribeClientQuotas: there are none.

func describeClientQuotasAPI() api {
	return serve(0, 1, `[ s 1 s ] 1`, (*conn).describeClientQuotas)
}

func (c *conn) describeClientQuotas(_ context.Context, req *kmsg.DescribeClientQuotasRequest) (kmsg.Response, error) {
	resp := kmsg.NewPtrDescribeClientQuotasResponse()
	resp.Version = req.Version
	resp.Entries = []kmsg.DescribeClientQuotasResponseEntry{} // null is for errors
	return resp, nil
}
