package broker

import (
	"context"
	"log/slog"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/auth"
)

// SaslHandshake chooses one of the listener's mechanisms. After version 0 raw
// tokens follow, after version 1 SaslAuthenticate.

func saslHandshakeAPI() api {
	return serve(0, 1, `s`, (*conn).saslHandshake).allowBeforeLogin()
}

func (c *conn) saslHandshake(_ context.Context, req *kmsg.SASLHandshakeRequest) (kmsg.Response, error) {
	resp := kmsg.NewPtrSASLHandshakeResponse()
	resp.Version = req.Version
	for _, m := range c.listener.mechanisms {
		resp.SupportedMechanisms = append(resp.SupportedMechanisms, string(m))
	}
	mechanism := auth.Mechanism(req.Mechanism)
	switch {
	case c.principal != nil:
		resp.ErrorCode = kerr.IllegalSaslState.Code
		return resp, nil
	case !slices.Contains(c.listener.mechanisms, mechanism):
		c.complain(slog.LevelWarn, "authentication failed", "client_id", c.clientID, "reason", "the listener does not offer the mechanism", "mechanism", req.Mechanism)
		c.refused("", "the listener does not offer the mechanism")
		resp.ErrorCode = kerr.UnsupportedSaslMechanism.Code
		c.last = true
		return resp, nil
	}
	c.exchange = c.s.o.Accounts.Begin(mechanism, c.host)
	if c.sasl = saslRequest; req.Version == 0 {
		c.sasl = saslRawToken
	}
	return resp, nil
}
