package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// SaslAuthenticate carries the tokens after a handshake of version 1: one for
// PLAIN, two for SCRAM. Sessions have no end, so clients do not authenticate
// again (KIP-368).

func saslAuthenticateAPI() api {
	return serve(0, 2, `y`, (*conn).saslAuthenticate).allowBeforeLogin()
}

func (c *conn) saslAuthenticate(ctx context.Context, req *kmsg.SASLAuthenticateRequest) (kmsg.Response, error) {
	resp := kmsg.NewPtrSASLAuthenticateResponse()
	resp.Version = req.Version
	resp.SASLAuthBytes = []byte{}
	if c.sasl != saslRequest {
		resp.ErrorCode = kerr.IllegalSaslState.Code
		resp.ErrorMessage = kmsg.StringPtr("SaslAuthenticate comes after SaslHandshake version 1, until the login is done")
		c.last = true
		return resp, nil
	}
	answer, err := c.authenticate(ctx, req.SASLAuthBytes)
	if err != nil {
		resp.ErrorCode = kerr.SaslAuthenticationFailed.Code
		resp.ErrorMessage = kmsg.StringPtr(err.Error())
		c.last = true
		return resp, nil
	}
	resp.SASLAuthBytes = answer
	return resp, nil
}
