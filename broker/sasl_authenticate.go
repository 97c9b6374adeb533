package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// SaslAuthenticate carries the token after a handshake of version 1. Sessions
// have no end, so clients do not authenticate again (KIP-368).

func saslAuthenticateAPI() api {
	return serve(0, 2, `y`, (*conn).saslAuthenticate).allowBeforeLogin()
}

func (c *conn) saslAuthenticate(ctx context.Context, req *kmsg.SASLAuthenticateRequest) (kmsg.Response, error) {
	resp := kmsg.NewPtrSASLAuthenticateResponse()
	resp.Version = req.Version
	resp.SASLAuthBytes = []byte{}
	if c.sasl != saslRequest {
		resp.ErrorCode = kerr.IllegalSaslState.Code
		resp.ErrorMessage = kmsg.StringPtr("SaslAuthenticate comes once, after SaslHandshake version 1")
		c.last = true
		return resp, nil
	}
	c.sasl = saslNone
	if err := c.authenticate(ctx, req.SASLAuthBytes); err != nil {
		resp.ErrorCode = kerr.SaslAuthenticationFailed.Code
		resp.ErrorMessage = kmsg.StringPtr(err.Error())
		c.last = true
	}
	return resp, nil
}
