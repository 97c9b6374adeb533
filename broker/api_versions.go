package broker

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ApiVersions tells the register. It is answered before and after login. A
// version above the maximum gets error 35 in the layout of version 0, with the
// one key that the client needs to try again (KIP-511). From version 5 on the
// client may name the cluster and the broker that it believes to talk to, and
// is told if it does not (KIP-1242). From version 3 on its software has a name
// and a version, of letters, digits and, in their middle, '-' and '.' (KIP-511).

const apiVersionsKey = int16(kmsg.ApiVersions)

func apiVersionsAPI() api {
	return serve(0, 5, `s:3- s:3- s:5- 4:5-`, (*conn).apiVersions).allowBeforeLogin()
}

func (c *conn) apiVersions(_ context.Context, req *kmsg.ApiVersionsRequest) (kmsg.Response, error) {
	resp := kmsg.NewPtrApiVersionsResponse()
	resp.Version = req.Version
	switch {
	case req.Version >= 3 && !(isSoftwareWord(req.ClientSoftwareName) && isSoftwareWord(req.ClientSoftwareVersion)):
		resp.ErrorCode = kerr.InvalidRequest.Code
		return resp, nil
	case req.Version < 5 || req.ClusterID == nil && req.NodeID == -1:
	case req.ClusterID == nil || req.NodeID == -1:
		resp.ErrorCode = kerr.InvalidRequest.Code
	case *req.ClusterID != c.s.o.Store.ClusterID() || req.NodeID != nodeID:
		resp.ErrorCode = kerr.RebootstrapRequired.Code
	}
	for _, key := range slices.Sorted(maps.Keys(c.s.apis)) {
		resp.ApiKeys = append(resp.ApiKeys, c.s.apis[key].versions())
	}
	return resp, nil
}

func isSoftwareWord(s string) bool {
	other := strings.Trim(s, "-.") != s
	for _, r := range s {
		letterOrDigit := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		other = other || !letterOrDigit && r != '-' && r != '.'
	}
	return s != "" && !other
}

func (a api) versions() kmsg.ApiVersionsResponseApiKey {
	v := kmsg.NewApiVersionsResponseApiKey()
	v.ApiKey, v.MinVersion, v.MaxVersion = a.key, a.min, a.max
	return v
}

func unsupportedApiVersions(a api) *kmsg.ApiVersionsResponse {
	resp := kmsg.NewPtrApiVersionsResponse()
	resp.ErrorCode = kerr.UnsupportedVersion.Code
	resp.ApiKeys = append(resp.ApiKeys, a.versions())
	return resp
}
