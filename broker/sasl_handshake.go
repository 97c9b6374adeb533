package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// SaslHandshake chooses the mechanism. After version 0 a raw token follows,
// after version 1 SaslAuthenticate.

func saslHandshakeAPI() api {
	return serve(0, 1, `s`, (*conn).saslHandshake).allowBeforeLogin()
}

func (c *conn) saslHandshake(_ context.Context, req *kmsg.SASLHandshakeRequest) (kmsg.Response, error) {
	resp := kmsg.NewPtrSASLHandshakeResponse()
	resp.Version = req.Version
	resp.SupportedMechanisms = []string{mechanism}
	switch {
	case c.principal != nil:
		resp.ErrorCode = kerr.IllegalSaslState.Code
	case req.Mechanism != mechanism:
		c.log.Warn("authentication failed", "client_id", c.clientID, "reason", "the mechanism is not PLAIN", "mechanism", req.Mechanism)
		resp.ErrorCode = kerr.UnsupportedSaslMechanism.Code
		c.last = true
	case req.Version == 0:
		c.sasl = saslRawToken
	default:
		c.sasl = saslRequest
	}
	return resp, nil
}
