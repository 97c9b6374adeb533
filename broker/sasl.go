package broker

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"daybook/auth"
)

// saslState is how far the SASL exchange of a connection has come. An
// authenticated connection is told by its principal.
type saslState uint8

const (
	saslNone     saslState = iota // no handshake yet
	saslRequest                   // handshake version 1: SaslAuthenticate comes
	saslRawToken                  // handshake version 0: bare tokens come, without a header
)

// authenticate takes the client's next message of the mechanism and returns
// the answer. A failure is told after the same time whatever its reason is, and
// is logged here; its text is for the client.
func (c *conn) authenticate(ctx context.Context, token []byte) (answer []byte, err error) {
	start := time.Now()
	answer, who, err := c.exchange.Step(ctx, token)
	if err == nil && who == nil {
		return answer, nil
	}
	c.sasl = saslNone
	if err == nil {
		err = c.s.login(c, who.Principal)
	}
	if err == nil {
		// After it was counted: AwaitEnd sees this connection, or this the end.
		err = context.Cause(who.Revoked)
	}
	if err == nil {
		c.endWith(who.Revoked)
		c.log = c.log.With("account", who.Account, "group", who.Group)
		c.log.Debug("client authenticated", "client_id", c.clientID)
		return answer, nil
	}
	user := c.exchange.Username()
	if errors.Is(err, auth.ErrUsernameShape) || errors.Is(err, auth.ErrMessage) {
		user = "" // it may be the password
	}
	c.complain(slog.LevelWarn, "authentication failed", "client_id", c.clientID, "user", user, "reason", err)
	c.refused(user, err.Error())
	sleep(ctx, time.Until(start.Add(c.s.o.DenyDelay)))
	return nil, fmt.Errorf("authentication failed: %w", err)
}

// refused tells of a login that was refused, beside the log.
func (c *conn) refused(user, reason string) {
	if user != "" {
		reason = fmt.Sprintf("the user %q: %s", clip(user, maxLogName), reason)
	}
	c.s.o.Refused(c.host, fmt.Sprintf("%s (client ID %q)", reason, clip(c.clientID, maxLogName)))
}

// endWith ends the connection when its login is revoked, at once and whatever
// it is doing.
func (c *conn) endWith(revoked context.Context) {
	c.forget = context.AfterFunc(revoked, func() {
		c.end(fmt.Errorf("%w: %w", errRevoked, context.Cause(revoked)))
		c.cut()
	})
}

// rawToken handles a frame after a handshake of version 0. It has no Kafka
// header, and neither has the answer; a failure has none.
func (c *conn) rawToken(ctx context.Context, token []byte) error {
	answer, err := c.authenticate(ctx, token)
	if err != nil {
		return errEnd
	}
	return c.write(append(binary.BigEndian.AppendUint32(nil, uint32(len(answer))), answer...))
}
