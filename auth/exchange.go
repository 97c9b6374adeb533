package auth

import (
	"bytes"
	"context"
	"fmt"
)

// Mechanism is the name of a SASL mechanism.
type Mechanism string

// The mechanisms. SCRAM has no channel binding here, as in Kafka.
const (
	Plain       Mechanism = "PLAIN"
	ScramSHA256 Mechanism = "SCRAM-SHA-256"
	ScramSHA512 Mechanism = "SCRAM-SHA-512"
)

// Mechanisms returns all of them.
func Mechanisms() []Mechanism { return []Mechanism{Plain, ScramSHA256, ScramSHA512} }

// Exchange is one login under way.
type Exchange struct {
	registry *Registry
	address  string
	username string
	// step takes the client's next message and sets the step after it.
	step func(ctx context.Context, token []byte) (answer []byte, who *Login, err error)
}

// Begin starts a login by one of [Mechanisms] for a client at an address, by
// which failures are counted.
func (r *Registry) Begin(m Mechanism, address string) *Exchange {
	x := &Exchange{registry: r, address: address}
	switch m {
	case ScramSHA256:
		x.step = (&scram{Exchange: x, hash: sha256Hash}).clientFirst
	case ScramSHA512:
		x.step = (&scram{Exchange: x, hash: sha512Hash}).clientFirst
	default:
		x.step = x.plain
	}
	return x
}

// Step takes the client's next message and returns the answer to it; with a
// login it is done. It may wait, until ctx ends, if the address has
// failed too often. An error is one of this package's, and ends the exchange.
func (x *Exchange) Step(ctx context.Context, token []byte) (answer []byte, who *Login, err error) {
	step := x.step
	x.step = ended
	return step(ctx, token)
}

func ended(context.Context, []byte) ([]byte, *Login, error) {
	return nil, nil, fmt.Errorf("%w: the exchange has ended", ErrMessage)
}

// Username returns the name that the client gave, "" before it did.
func (x *Exchange) Username() string { return x.username }

// plain takes the one message of PLAIN: authzid NUL authcid NUL password.
func (x *Exchange) plain(ctx context.Context, token []byte) ([]byte, *Login, error) {
	parts := bytes.Split(token, []byte{0})
	if len(parts) != 3 {
		return nil, nil, fmt.Errorf("%w: the PLAIN token is not authzid NUL user NUL password", ErrMessage)
	}
	x.username = string(parts[1])
	if err := x.checkIdentity(string(parts[0])); err != nil {
		return nil, nil, err
	}
	e, err := x.registry.find(x.username)
	if err != nil {
		return nil, nil, err
	}
	who, err := x.attempt(ctx, e, func() bool { return e.checkPassword(x.registry.decoys.secret, string(parts[2])) })
	if err != nil {
		return nil, nil, err
	}
	return []byte{}, who, nil
}

// checkIdentity takes the authorization identity, which some clients fill in:
// nobody may act as another.
func (x *Exchange) checkIdentity(authzid string) error {
	if authzid != "" && authzid != x.username {
		return fmt.Errorf("%w: the authorization identity is not the user", ErrMessage) // without it: it may be the password
	}
	return nil
}

// attempt runs the check of a password or proof, as often as the address may,
// and logs in as e if it is right.
func (x *Exchange) attempt(ctx context.Context, e *entry, check func() bool) (*Login, error) {
	err := x.registry.throttle.Attempt(ctx, x.address, x.username, func() bool {
		return check() && x.registry.current(e)
	})
	if err != nil {
		return nil, err
	}
	return &Login{Principal: *e.principal, Revoked: e.logins.Context}, nil
}
