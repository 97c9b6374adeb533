package broker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"daybook/auth"
)

// saslState is how far the SASL exchange of a connection has come. An
// authenticated connection is told by its principal.
type saslState uint8

const (
	saslNone     saslState = iota // no handshake yet
	saslRequest                   // handshake version 1: SaslAuthenticate comes
	saslRawToken                  // handshake version 0: a bare token comes, without a header
)

const mechanism = "PLAIN"

var errToken = errors.New("the PLAIN token is not authzid NUL user NUL password")

// parsePlain reads the one message of the PLAIN mechanism (RFC 4616). Some
// clients fill in the authorization identity: it must be the user itself.
func parsePlain(token []byte) (username, password string, err error) {
	parts := bytes.Split(token, []byte{0})
	if len(parts) != 3 {
		return "", "", errToken
	}
	if len(parts[0]) > 0 && !bytes.Equal(parts[0], parts[1]) {
		return "", "", fmt.Errorf("the authorization identity %q is not the user", parts[0])
	}
	return string(parts[1]), string(parts[2]), nil
}

// authenticate takes a PLAIN token. A failure is told after the same time
// whatever its reason is, and is logged here; its text is for the client.
func (c *conn) authenticate(ctx context.Context, token []byte) error {
	start := time.Now()
	username, password, err := parsePlain(token)
	var principal auth.Principal
	if err == nil {
		principal, err = c.s.o.Accounts.Authenticate(username, password)
	}
	if err == nil {
		err = c.s.login(c, principal)
	}
	if err == nil {
		c.log = c.log.With("account", principal.Account, "group", principal.Group)
		c.log.Debug("client authenticated", "client_id", c.clientID)
		return nil
	}
	c.log.Warn("authentication failed", "client_id", c.clientID, "user", username, "reason", err)
	sleep(ctx, time.Until(start.Add(c.s.o.DenyDelay)))
	return fmt.Errorf("authentication failed: %w", err)
}

// rawToken handles the frame after a handshake of version 0, which has no
// Kafka header; an empty one answers it, a failure has no answer.
func (c *conn) rawToken(ctx context.Context, token []byte) error {
	if err := c.authenticate(ctx, token); err != nil {
		return errEnd
	}
	c.sasl = saslNone
	return c.write([]byte{0, 0, 0, 0})
}
